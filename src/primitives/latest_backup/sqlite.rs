//! The newest backup of a SQLite file that qualifies.

use jiff::Timestamp;

use crate::model::{Fault, Span};
use crate::primitives::Observer;
use crate::primitives::store::{Stock, Stop, Stored, code, off_reactor};
use crate::primitives::targets::SqliteDatabase;
use crate::system::Look;

use super::{Args, LatestBackup, Output, Skipped};

impl Observer<LatestBackup> for SqliteDatabase {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        let (database, args, look) = (self.clone(), args.clone(), look.clone());
        off_reactor(&look.clone(), move |stop| find(&database, &args, &look, stop)).await
    }
}

fn find(database: &SqliteDatabase, args: &Args, look: &Look, stop: &Stop) -> Result<Output, Fault> {
    let stock = Stock::read(look, database)?;
    let now = look.now();
    let mut skipped = Vec::new();
    for stored in &stock.backups {
        let mut why = disqualified(stored, args, now);
        if why.is_none() && args.intact {
            why = stock.damage(look, stored, stop)?;
        }
        let id = stored.manifest.id.clone();
        if let Some(why) = why {
            skipped.push(Skipped { id, why });
            continue;
        }
        // Damaged directories have no moment that could be trusted but the one in their name.
        let newer = stock.broken.iter().filter(|broken| broken.id > id);
        skipped.extend(newer.map(|broken| Skipped { id: broken.id.clone(), why: broken.why.clone() }));
        skipped.sort_by(|a, b| b.id.cmp(&a.id));
        return Ok(Output {
            id,
            taken_at: stored.manifest.taken_at.to_string(),
            age_s: stored.age_s(now),
            size: stored.manifest.raw_size,
            verified: stored.verified.is_some(),
            skipped,
        });
    }
    skipped.extend(stock.broken.iter().map(|b| Skipped { id: b.id.clone(), why: b.why.clone() }));
    Err(none(&stock, &database.name, args, &skipped))
}

/// Why a backup does not qualify, as far as that is known without reading its data.
fn disqualified(stored: &Stored, args: &Args, now: Timestamp) -> Option<String> {
    if args.verified && stored.verified.is_none() {
        return Some("it was never verified".to_owned());
    }
    let wanted = args.older_than?;
    let age = Span::from_secs(stored.age_s(now).unsigned_abs());
    (age < wanted).then(|| format!("it is {} old, not {wanted}", age.human()))
}

fn none(stock: &Stock, target: &str, args: &Args, skipped: &[Skipped]) -> Fault {
    let kind = if args.verified { "verified backup" } else { "backup" };
    let message = format!("no {kind} of {target} qualifies in {}", stock.store);
    let mut hint = match skipped.len() {
        0 => format!("it holds none at all: is {} the right directory?", stock.layout.root.display()),
        count => {
            let shown: Vec<_> = skipped.iter().take(5).map(|s| format!("{} ({})", s.id, s.why)).collect();
            let more = if count > shown.len() { format!(", and {} more", count - shown.len()) } else { String::new() };
            format!("it holds {count}: {}{more}", shown.join(", "))
        }
    };
    if args.verified && stock.backups.iter().any(|stored| stored.verified.is_none()) {
        hint.push_str("; `verify_backup` verifies one");
    }
    Fault::new(code::NO_BACKUP, message).on(target).hint(hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::primitives::store::testing::Bench;

    async fn latest(bench: &Bench, mut args: serde_json::Value) -> Result<Output, Fault> {
        args["target"] = "primary".into();
        let args: Args = serde_json::from_value(args).expect("arguments");
        Observer::<LatestBackup>::observe(&bench.database(), &args, &bench.act).await
    }

    /// Three backups, 1, 2 and 3 hours old.
    async fn three(bench: &Bench) -> Vec<String> {
        bench.sql("CREATE TABLE t(x)");
        let mut ids = Vec::new();
        for n in 0..3 {
            let id = bench.backup(n).await.expect("a backup").id;
            bench.age(&id, i64::from(n) + 1);
            ids.push(id);
        }
        ids
    }

    #[tokio::test]
    async fn damaged_backups_are_passed_over_and_named() {
        let bench = Bench::new();
        let ids = three(&bench).await;
        bench.flip(&ids[0]);
        bench.truncate(&ids[1]);
        let found = latest(&bench, json!({})).await.expect("the third");
        assert_eq!((found.id.as_str(), found.verified, found.age_s / 3600), (ids[2].as_str(), false, 3));
        assert!(found.skipped.iter().any(|s| s.id == ids[0] && s.why.contains("digest")), "{found:?}");
        // Without reading the data, a flipped byte goes unseen; a wrong length does not.
        assert_eq!(latest(&bench, json!({ "intact": false })).await.expect("the first").id, ids[0]);
    }

    #[tokio::test]
    async fn one_from_before_something_went_wrong_can_be_asked_for() {
        let bench = Bench::new();
        let ids = three(&bench).await;
        assert_eq!(latest(&bench, json!({ "older_than": "90m" })).await.expect("the second").id, ids[1]);
    }

    #[tokio::test]
    async fn none_says_how_many_there_are_and_why_each_fails() {
        let bench = Bench::new();
        let fault = latest(&bench, json!({})).await.expect_err("none");
        assert_eq!(fault.code, "no-backup");
        assert!(fault.hint.expect("a hint").starts_with("it holds none at all"));
        let ids = three(&bench).await;
        bench.truncate(&ids[2]);
        let fault = latest(&bench, json!({ "verified": true })).await.expect_err("none");
        let hint = fault.hint.expect("a hint");
        assert!(hint.starts_with(&format!("it holds 3: {} (it was never verified)", ids[0])), "{hint}");
        assert!(hint.contains(&ids[2]) && hint.ends_with("`verify_backup` verifies one"), "{hint}");
    }

    #[tokio::test]
    async fn a_database_without_a_store_is_told_so() {
        let bench = Bench::new();
        let database = SqliteDatabase { store: None, ..bench.database() };
        let args = Args { target: "primary".into(), verified: false, older_than: None, intact: true };
        let fault = Observer::<LatestBackup>::observe(&database, &args, &bench.act).await.expect_err("no store");
        assert_eq!(fault.code, "no-store");
    }
}
