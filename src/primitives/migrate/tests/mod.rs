//! Migrations of real files.
#![expect(clippy::disallowed_methods, reason = "tests write migrations and look at the files")]

mod applying;
mod drift;
mod failing;
mod planning;
mod taking_back;
mod tools;

use crate::model::{Arg, ArgList, Fault, IdempotencyKey};
use crate::primitives::store::testing;
use crate::primitives::targets::SqliteDatabase;
use crate::primitives::{Driver, Preview, Reconciled};

use super::{Args, Migrate, Output};

/// A database without tables, and an empty directory of migrations.
struct Project {
    bench: testing::Bench,
}

impl Project {
    fn new() -> Self {
        let project = Self { bench: testing::Bench::new() };
        std::fs::create_dir(project.bench.path("migrations")).expect("a directory");
        std::fs::write(project.bench.path("primary.db"), "").expect("an empty database");
        project
    }

    /// Tables `one`, `two` and `three`, each made by a migration of its own that can be taken back.
    fn of_three() -> Self {
        let project = Self::new();
        for (n, table) in [(1, "one"), (2, "two"), (3, "three")] {
            let text = format!("-- migrate:up\nCREATE TABLE {table}(a);\n-- migrate:down\nDROP TABLE {table};\n");
            project.file(&format!("000{n}_{table}.sql"), &text);
        }
        project
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.bench.path("migrations").join(name), text).expect("writes");
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.bench.path("migrations").join(name)).expect("removes");
    }

    fn database(&self) -> SqliteDatabase {
        SqliteDatabase { migrations: Some(self.bench.path("migrations")), ..self.bench.database() }
    }

    async fn call(&self, n: u32, args: &Args) -> Result<Output, Fault> {
        Driver::<Migrate>::perform(&self.database(), args, &self.bench.act, &key(n)).await
    }

    async fn migrate(&self) -> Result<Output, Fault> {
        self.call(0, &args()).await
    }

    async fn plan(&self, args: &Args) -> Preview {
        Driver::<Migrate>::preview(&self.database(), args, &self.bench.act).await.expect("a preview")
    }

    async fn settle(&self, n: u32) -> Reconciled<Output> {
        Driver::<Migrate>::reconcile(&self.database(), &args(), &self.bench.act, &key(n)).await
    }

    /// The names of tables, indexes, triggers and views, but for the history's.
    fn schema(&self) -> String {
        self.bench.ask(
            "SELECT coalesce(group_concat(name), '') FROM (SELECT name FROM sqlite_schema
             WHERE name NOT LIKE '%migrations%' AND name NOT LIKE 'sqlite%' ORDER BY name)",
        )
    }

    fn tables(&self) -> usize {
        self.schema().split(',').filter(|name| !name.is_empty()).count()
    }
}

fn key(n: u32) -> IdempotencyKey {
    testing::Bench::key(n)
}

fn args() -> Args {
    Args {
        target: "primary".to_owned(),
        to: None,
        down: false,
        baseline: None,
        tables: ArgList::default(),
        counts: std::collections::BTreeMap::new(),
    }
}

fn to(version: &str) -> Args {
    Args { to: Some(Arg::Known(version.to_owned())), ..args() }
}

fn down() -> Args {
    Args { down: true, ..args() }
}

fn baseline(version: &str) -> Args {
    Args { baseline: Some(version.to_owned()), ..args() }
}

/// The fault's code, and whether its message has all of `parts`.
fn assert_fault(fault: &Fault, code: &str, parts: &[&str]) {
    assert_eq!(fault.code, code, "{}", fault.message);
    for part in parts {
        assert!(fault.message.contains(part), "`{part}` is not in: {}", fault.message);
    }
}
