//! Restores of single tables of real databases, which others have open.
#![expect(clippy::disallowed_methods, reason = "tests look at what is left")]

use serde_json::json;

use crate::model::{Applied, Fault, Symbol};
use crate::primitives::store::testing::{Bench, on, sql};
use crate::primitives::{Driver, Preview, Reconciled};

use super::{Args, Output, Restore, Table};

const SCHEMA: &str = "PRAGMA journal_mode = WAL;
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers(id), total REAL, double REAL AS (total * 2));
    CREATE INDEX by_customer ON orders(customer);
    CREATE TABLE audit (what TEXT);
    CREATE TRIGGER told AFTER INSERT ON orders BEGIN INSERT INTO audit VALUES ('order'); END;
    CREATE TABLE plain (x);
    INSERT INTO customers VALUES (1, 'a'), (2, 'b');
    INSERT INTO orders (id, customer, total) VALUES (1, 1, 5.0), (2, 2, 7.5);
    INSERT INTO plain (rowid, x) VALUES (7, 'seven'), (9, NULL);";

fn args(from: &str, mut options: serde_json::Value) -> Args {
    options["target"] = "primary".into();
    options["from"] = from.into();
    serde_json::from_value(options).expect("arguments")
}

struct Shop {
    bench: Bench,
    id: String,
}

impl Shop {
    async fn new() -> Self {
        let bench = Bench::new();
        bench.sql(SCHEMA);
        let id = bench.backup(0).await.expect("a backup").id;
        Self { bench, id }
    }

    async fn restore(&self, options: serde_json::Value, call: u32) -> Result<Output, Fault> {
        self.restore_from(&self.id, options, call).await
    }

    async fn restore_from(&self, from: &str, options: serde_json::Value, call: u32) -> Result<Output, Fault> {
        let key = Bench::key(call);
        Driver::<Restore>::perform(&self.bench.database(), &args(from, options), &self.bench.act, &key).await
    }

    async fn preview(&self, options: serde_json::Value) -> Preview {
        let preview =
            Driver::<Restore>::preview(&self.bench.database(), &args(&self.id, options), &self.bench.act).await;
        preview.expect("a preview")
    }

    async fn reconcile(&self, options: serde_json::Value, call: u32) -> Reconciled<Output> {
        let args = args(&self.id, options);
        Driver::<Restore>::reconcile(&self.bench.database(), &args, &self.bench.act, &Bench::key(call)).await
    }

    fn orders(&self) -> String {
        self.bench.ask("SELECT coalesce(group_concat(id || ':' || total || ':' || double, ' '), '') FROM orders")
    }

    /// What was kept of replaced tables, by directory.
    fn kept(&self) -> Vec<String> {
        self.bench.names("").into_iter().filter(|name| name.contains(".replaced-")).collect()
    }
}

fn orders() -> serde_json::Value {
    json!({ "tables": ["orders"] })
}

#[tokio::test]
async fn one_table_is_as_it_was_and_all_else_as_it_is() {
    let shop = Shop::new().await;
    shop.bench.sql("UPDATE orders SET total = 0; INSERT INTO customers VALUES (3, 'c'); DELETE FROM plain");
    let audited = shop.bench.ask("SELECT count(*) FROM audit");
    let output = shop.restore(orders(), 1).await.expect("it is restored");
    assert_eq!(shop.orders(), "1:5.0:10.0 2:7.5:15.0");
    assert_eq!(shop.bench.ask("SELECT count(*) FROM customers"), "3", "what was written since stays");
    assert_eq!(shop.bench.ask("SELECT count(*) FROM audit"), audited, "triggers tell of users only");
    assert_eq!(shop.bench.ask("SELECT count(*) FROM sqlite_schema WHERE name = 'told'"), "1");
    assert_eq!(shop.bench.ask("SELECT count(*) FROM orders INDEXED BY by_customer WHERE customer = 2"), "1");
    let table = Table { name: "orders".to_owned(), before: Some(2), after: 2 };
    assert_eq!((output.id, output.tables), (shop.id.clone(), vec![table]));
    shop.restore(json!({ "tables": ["plain"] }), 2).await.expect("it is restored");
    assert_eq!(
        shop.bench.ask("SELECT group_concat(rowid || ':' || ifnull(x, 'null'), ' ') FROM plain"),
        "7:seven 9:null"
    );
    let left: Vec<_> = shop.bench.names("").into_iter().filter(|name| name.contains("restoring")).collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn it_is_undone_from_what_was_kept() {
    let shop = Shop::new().await;
    shop.bench.sql("DELETE FROM orders; INSERT INTO orders (id, customer, total) VALUES (50, 2, 1.25)");
    let output = shop.restore(orders(), 1).await.expect("it is restored");
    let replaced = output.replaced.expect("it is kept");
    let undone = shop.restore_from(&replaced, orders(), 2).await.expect("it is undone");
    assert_eq!(shop.orders(), "50:1.25:2.5");
    shop.restore_from(&undone.replaced.expect("it is kept"), orders(), 3).await.expect("and that is undone");
    assert_eq!(shop.orders(), "1:5.0:10.0 2:7.5:15.0");
    let elsewhere =
        shop.restore_from("/tmp/primary.db.replaced-x", orders(), 4).await.expect_err("no runbook names a file");
    assert_eq!(elsewhere.code, "no-backup");
    let gone = shop.restore(json!({ "tables": ["orders"], "keep": false }), 5).await.expect("it is restored");
    assert_eq!((gone.replaced, shop.kept().len()), (None, 3));
}

#[tokio::test]
async fn a_table_that_was_dropped_comes_back_with_its_indexes() {
    let shop = Shop::new().await;
    shop.bench.sql("DROP TABLE orders");
    let output = shop.restore(orders(), 1).await.expect("it is restored");
    assert_eq!(output.tables, [Table { name: "orders".to_owned(), before: None, after: 2 }]);
    assert_eq!(shop.orders(), "1:5.0:10.0 2:7.5:15.0");
    assert_eq!(shop.bench.ask("SELECT count(*) FROM sqlite_schema WHERE name IN ('by_customer', 'told')"), "2");
}

#[tokio::test]
async fn rows_that_would_point_nowhere_are_refused_unless_they_are_allowed() {
    let shop = Shop::new().await;
    shop.bench.sql("INSERT INTO customers VALUES (3, 'c'); INSERT INTO orders (id, customer, total) VALUES (3, 3, 1)");
    let customers = |allow: bool| json!({ "tables": ["customers"], "allow_orphans": allow });
    let fault = shop.restore(customers(false), 1).await.expect_err("order 3 would be of nobody");
    assert_eq!((fault.code.as_str(), fault.applied), ("restore-failed", Applied::No));
    assert!(fault.message.ends_with("rows would point nowhere: 1 × orders → customers"), "{}", fault.message);
    assert!(fault.hint.expect("a hint").contains("`allow_orphans: true`"));
    assert_eq!((shop.bench.ask("SELECT count(*) FROM customers"), shop.kept()), ("3".to_owned(), vec![]));
    shop.restore(json!({ "tables": ["customers", "orders"] }), 2).await.expect("both together fit");
    shop.bench.sql("INSERT INTO customers VALUES (3, 'c'); INSERT INTO orders (id, customer, total) VALUES (3, 3, 1)");
    shop.restore(customers(true), 3).await.expect("it is allowed");
    assert_eq!(shop.bench.ask("SELECT count(*) FROM customers"), "2");
    shop.restore(orders(), 4).await.expect("what pointed nowhere before is no new harm");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_nothing_is_changed() {
    let shop = Shop::new().await;
    shop.bench.sql("ALTER TABLE orders ADD COLUMN note TEXT; CREATE VIRTUAL TABLE words USING fts5(w)");
    let failed = async |tables: serde_json::Value, call| {
        let fault = shop.restore(json!({ "tables": tables }), call).await.expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.applied), ("restore-failed", Applied::No));
        fault.message
    };
    let other = failed(json!(["orders"]), 1).await;
    assert!(
        other.contains("has the columns id, customer, total, double, note here and id, customer, total, double in"),
        "{other}"
    );
    assert!(failed(json!(["none"]), 2).await.contains("table none is not in the backup"));
    assert!(failed(json!(["sqlite_sequence"]), 3).await.contains("belongs to SQLite itself"));
    assert!(failed(json!(["plain", "none"]), 4).await.contains("table none"), "all of them or none");
    assert_eq!(shop.kept(), [""; 0]);
    shop.bench.flip(&shop.id);
    let fault = shop.restore(json!({ "tables": ["plain"] }), 5).await.expect_err("it is damaged");
    assert_eq!(fault.code, "backup-corrupt");
}

#[tokio::test]
async fn a_plan_tries_it_out_on_copies() {
    let shop = Shop::new().await;
    shop.bench.sql("INSERT INTO orders (id, customer, total) VALUES (3, 1, 1)");
    let before = shop.bench.names("");
    let preview = shop.preview(orders()).await;
    assert_eq!(
        (preview.symbol, preview.summary.as_str()),
        (Symbol::Destroy, format!("primary: tables orders ← {}", shop.id).as_str())
    );
    assert!(preview.notes.contains(&"orders: 3 rows now, 2 then".to_owned()), "{:?}", preview.notes);
    assert_eq!(preview.fault, None);
    shop.bench.sql("INSERT INTO customers VALUES (3, 'c'); UPDATE orders SET customer = 3 WHERE id = 3");
    let fault = shop.preview(json!({ "tables": ["customers"] })).await.fault.expect("it would fail");
    assert!(fault.message.contains("1 × orders → customers"), "{}", fault.message);
    assert_eq!(
        (shop.bench.ask("SELECT count(*) FROM orders").as_str(), shop.bench.names("")),
        ("3", {
            let mut names = before;
            if !names.contains(&"scratch".to_owned()) {
                names.push("scratch".to_owned());
                names.sort();
            }
            names
        })
    );
    assert_eq!(shop.bench.names("scratch"), [""; 0]);
}

#[tokio::test]
async fn the_rows_themselves_say_whether_it_took_place() {
    let shop = Shop::new().await;
    assert!(matches!(shop.reconcile(orders(), 1).await, Reconciled::NotApplied { .. }));
    shop.bench.sql("DELETE FROM orders WHERE id = 2");
    let output = shop.restore(orders(), 1).await.expect("it is restored");
    assert!(matches!(shop.reconcile(orders(), 1).await, Reconciled::Applied { output: found, .. } if found == output));
    // As if the power had failed before its end was written down.
    let record = shop.bench.path(".primary.db.restored.json");
    let text = std::fs::read_to_string(&record).expect("reads").replace("\"done\": true", "\"done\": false");
    std::fs::write(&record, text).expect("writes");
    let evidence = |found: Reconciled<Output>| match found {
        Reconciled::Applied { evidence, .. } => format!("applied: {evidence}"),
        Reconciled::NotApplied { evidence } => format!("not applied: {evidence}"),
        Reconciled::Unknown { why } => format!("unknown: {why}"),
    };
    assert_eq!(
        evidence(shop.reconcile(orders(), 1).await),
        format!("applied: the tables hold what they held in {}", shop.id)
    );
    shop.bench.sql("DELETE FROM orders WHERE id = 2");
    let found = evidence(shop.reconcile(orders(), 1).await);
    assert_eq!(found, "not applied: the tables hold what was kept of them");
    shop.bench.sql("DELETE FROM orders");
    assert_eq!(evidence(shop.reconcile(orders(), 1).await), "unknown: the tables were written to since");
}

#[tokio::test]
async fn who_reads_meanwhile_goes_on_with_what_was_there() {
    let shop = Shop::new().await;
    let path = shop.bench.path("primary.db");
    sql(&path, "UPDATE orders SET total = 1");
    let ((begun, beginning), (restored, restoring)) =
        (std::sync::mpsc::channel::<()>(), std::sync::mpsc::channel::<()>());
    let reader = std::thread::spawn(move || {
        on(&path, async move |connection| {
            connection.execute_batch("BEGIN; SELECT count(*) FROM orders").await.expect("it begins");
            let mut rows = connection.query("SELECT total FROM orders ORDER BY id", ()).await.expect("a query");
            rows.next().await.expect("a row");
            begun.send(()).expect("it is waited for");
            restoring.recv().expect("it was restored");
            rows.next().await.expect("a row").expect("a row").get::<f64>(0).expect("a number")
        })
    });
    beginning.recv().expect("it reads");
    shop.restore(orders(), 1).await.expect("it is restored");
    restored.send(()).expect("it is waited for");
    let read = reader.join().expect("it reads");
    assert!((read - 1.0).abs() < f64::EPSILON, "{read}");
    assert_eq!(shop.bench.ask("PRAGMA integrity_check"), "ok");
}
