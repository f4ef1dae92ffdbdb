//! The backups of SQLite files.

use crate::model::Fault;
use crate::primitives::Observer;
use crate::primitives::store::{Stock, Stop, off_reactor};
use crate::primitives::targets::SqliteDatabase;
use crate::system::Look;

use super::{Args, Backups, Listed};

impl Observer<Backups> for SqliteDatabase {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Vec<Listed>, Fault> {
        let (database, args, look) = (self.clone(), args.clone(), look.clone());
        off_reactor(&look.clone(), move |stop| list(&database, &args, &look, stop)).await
    }
}

fn list(database: &SqliteDatabase, args: &Args, look: &Look, stop: &Stop) -> Result<Vec<Listed>, Fault> {
    let stock = Stock::read(look, database)?;
    let limit = args.limit.map_or(usize::MAX, |limit| usize::try_from(limit.get()).unwrap_or(usize::MAX));
    let now = look.now();
    let mut listed = Vec::new();
    for stored in &stock.backups {
        if listed.len() == limit {
            break;
        }
        if args.verified && stored.verified.is_none() || args.intact && stock.damage(look, stored, stop)?.is_some() {
            continue;
        }
        listed.push(Listed {
            id: stored.manifest.id.clone(),
            taken_at: stored.manifest.taken_at.to_string(),
            age_s: stored.age_s(now),
            size: stored.manifest.raw_size,
            stored_size: stored.manifest.stored_size,
            verified: stored.verified.is_some(),
            verified_at: stored.verified.as_ref().map(|record| record.at.to_string()),
        });
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests prepare and damage files")]

    use super::*;
    use crate::primitives::store::testing::Bench;

    async fn ids(bench: &Bench, options: serde_json::Value) -> Vec<String> {
        let mut args = serde_json::json!({ "target": "primary" });
        args.as_object_mut().expect("a map").extend(options.as_object().expect("a map").clone());
        let args: Args = serde_json::from_value(args).expect("arguments");
        let listed = Observer::<Backups>::observe(&bench.database(), &args, &bench.act).await.expect("lists");
        listed.into_iter().map(|listed| listed.id).collect()
    }

    #[tokio::test]
    async fn a_store_that_does_not_exist_yet_is_empty() {
        assert_eq!(ids(&Bench::new(), serde_json::json!({})).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn the_newest_comes_first_and_what_is_no_backup_is_left_out() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE t(x)");
        let mut made = Vec::new();
        for (n, hours) in [(0, 1), (1, 3), (2, 2), (3, 4), (4, 5), (5, 6), (6, 7)] {
            let id = bench.backup(n).await.expect("a backup").id;
            bench.age(&id, hours);
            made.push(id);
        }
        let root = bench.path("store/primary");
        bench.truncate(&made[3]);
        std::fs::remove_file(root.join(&made[4]).join("manifest.json")).expect("removes");
        std::fs::write(root.join(&made[5]).join("manifest.json"), "{ \"format\": 1, garbage").expect("writes");
        bench.forge(&made[6], |manifest| manifest.format = 2);
        std::fs::create_dir(root.join(".20200101T000000Z-000000.partial")).expect("left behind");
        std::fs::create_dir(root.join("lost+found")).expect("not ours");
        assert_eq!(ids(&bench, serde_json::json!({})).await, [&*made[0], &made[2], &made[1]]);
        assert_eq!(ids(&bench, serde_json::json!({ "limit": 1 })).await, [&*made[0]]);
        assert_eq!(ids(&bench, serde_json::json!({ "verified": true })).await, Vec::<String>::new());
        bench.flip(&made[0]);
        assert_eq!(ids(&bench, serde_json::json!({})).await.len(), 3);
        assert_eq!(ids(&bench, serde_json::json!({ "intact": true })).await, [&*made[2], &made[1]]);
        let stock = Stock::read(&bench.act, &bench.database()).expect("reads");
        assert_eq!(stock.notes().len(), 5, "{:?}", stock.notes());
    }
}
