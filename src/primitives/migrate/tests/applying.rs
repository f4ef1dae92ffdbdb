//! Migrations that are applied.

use super::*;

#[tokio::test]
async fn pending_migrations_are_applied_in_order_and_once() {
    let project = Project::of_three();
    project.file("10_ten.sql", "CREATE TABLE ten(a);");
    let output = project.call(0, &to("2")).await.expect("applies");
    assert_eq!((output.from.as_str(), output.to.as_str()), ("none", "0002"));
    assert_eq!(output.applied, ["0001", "0002"]);
    let output = project.call(1, &args()).await.expect("applies the rest");
    assert_eq!((output.from.as_str(), output.to.as_str()), ("0002", "10"));
    assert_eq!(output.applied, ["0003", "10"]);
    let output = project.call(2, &args()).await.expect("has nothing to do");
    assert_eq!((output.from.as_str(), output.applied.len()), ("10", 0));
    assert_eq!(project.schema(), "one,ten,three,two");
    let rows = "SELECT group_concat(version || name || length(checksum) || idempotency_key) FROM _lifeboat_migrations";
    assert_eq!(project.bench.ask(rows), "0001one64run0/,0002two64run0/,0003three64run1/,10ten64run1/");
}

#[tokio::test]
async fn triggers_and_semicolons_in_texts_are_understood() {
    let project = Project::new();
    project.file(
        "1_init.sql",
        "CREATE TABLE t(a TEXT, n INTEGER DEFAULT 0); -- not; the end\n\
         CREATE TRIGGER bump AFTER INSERT ON t BEGIN\n  UPDATE t SET n = n + 1;\n  SELECT CASE WHEN 1 THEN ';' END;\nEND;\n\
         INSERT INTO t(a) VALUES ('a;b'), ('it''s; fine')",
    );
    project.migrate().await.expect("applies");
    assert_eq!(project.bench.ask("SELECT group_concat(a || n, '|') FROM t"), "a;b2|it's; fine1");
}

#[tokio::test]
async fn pairs_and_marked_files_and_plain_ones_are_understood() {
    let project = Project::new();
    project.file("1_pair.up.sql", "CREATE TABLE pair(a);");
    project.file("1_pair.down.sql", "DROP TABLE pair;");
    project.file("2_marked.sql", "-- why\n-- migrate:up\nCREATE TABLE marked(a);\n--migrate:down\nDROP TABLE marked;");
    project.file("3_plain.sql", "\u{feff}CREATE TABLE plain(a);");
    project.file("README.md", "no migration");
    project.migrate().await.expect("applies");
    assert_eq!(project.schema(), "marked,pair,plain");
}

#[tokio::test]
async fn five_hundred_migrations_are_applied() {
    let project = Project::new();
    for n in 0..500 {
        project.file(&format!("{n:04}_t.sql"), &format!("CREATE TABLE t{n}(a); INSERT INTO t{n} VALUES ({n});"));
    }
    let preview = project.plan(&args()).await;
    assert_eq!((preview.summary.as_str(), &preview.fault), ("primary none → 0499 (500 migrations)", &None));
    assert!(preview.notes.len() < 60 && preview.notes.contains(&"… and 480 more".to_owned()), "{:?}", preview.notes);
    assert_eq!(project.migrate().await.expect("applies").applied.len(), 500);
    assert_eq!(project.tables(), 500);
}

#[tokio::test]
async fn a_table_can_be_rebuilt_without_losing_the_rows_that_point_to_it() {
    let project = Project::new();
    project.file(
        "1_init.sql",
        "CREATE TABLE customers(id INTEGER PRIMARY KEY, name);
         CREATE TABLE orders(id, customer REFERENCES customers(id) ON DELETE CASCADE);
         INSERT INTO customers VALUES (1, 'x'); INSERT INTO orders VALUES (1, 1);",
    );
    project.file(
        "2_rebuild.sql",
        "CREATE TABLE fresh(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         INSERT INTO fresh SELECT * FROM customers; DROP TABLE customers; ALTER TABLE fresh RENAME TO customers;",
    );
    project.migrate().await.expect("applies");
    assert_eq!(project.bench.ask("SELECT count(*) FROM orders"), "1");
}

#[tokio::test]
async fn foreign_keys_are_enforced_when_a_migration_says_so() {
    let project = Project::new();
    project.file(
        "1_init.sql",
        "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a(id) ON DELETE CASCADE);
         INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);",
    );
    project.file("2_delete.sql", "PRAGMA foreign_keys = ON;\nDELETE FROM a WHERE id = 1;");
    project.migrate().await.expect("applies");
    assert_eq!(project.bench.ask("SELECT count(*) FROM b"), "0");
}

#[tokio::test]
async fn a_baseline_notes_and_runs_nothing() {
    let project = Project::of_three();
    project.bench.sql("CREATE TABLE one(a); CREATE TABLE two(a);");
    let fault = project.migrate().await.expect_err("they are there already");
    assert!(fault.hint.as_deref().is_some_and(|hint| hint.contains("baseline")), "{fault:?}");
    let preview = project.plan(&baseline("2")).await;
    assert_eq!(preview.summary, "primary none → 0002 (2 migrations noted as applied, not run)");
    let output = project.call(1, &baseline("2")).await.expect("notes");
    assert_eq!((output.to.as_str(), output.applied), ("0002", vec!["0001".to_owned(), "0002".to_owned()]));
    let again = project.call(1, &baseline("2")).await.expect("a second attempt finds it done");
    assert_eq!(again.to, "0002");
    assert_eq!(project.call(2, &args()).await.expect("goes on").applied, ["0003"]);
    let fault = project.call(3, &baseline("2")).await.expect_err("there is a history");
    assert_fault(&fault, "migration-version", &["has a history already", "0003"]);
}

#[tokio::test]
async fn required_tables_and_rows_are_looked_for_afterwards() {
    let project = Project::of_three();
    let require = |table: &str| Args { tables: ArgList::from_iter([table.to_owned()]), ..args() };
    let fault = project.call(0, &require("four")).await.expect_err("is not there");
    assert_fault(&fault, "migration-unverified", &["there is no table four"]);
    assert_eq!((fault.applied, project.tables()), (crate::model::Applied::Yes, 3));
    project.call(1, &require("Three")).await.expect("is there");
    let count = |least| Args { counts: [("one".to_owned(), least)].into(), ..args() };
    let fault = project.call(2, &count(2)).await.expect_err("is empty");
    assert_fault(&fault, "migration-unverified", &["table one has 0 rows, at least 2 are required"]);
    assert_eq!(fault.applied, crate::model::Applied::No);
    assert_eq!(project.plan(&count(2)).await.fault, Some(fault));
    project.bench.sql("INSERT INTO one VALUES (1), (2), (3);");
    project.call(3, &count(2)).await.expect("has enough");
}

#[tokio::test]
async fn a_call_is_settled_by_its_record_and_the_history() {
    let project = Project::of_three();
    assert!(matches!(project.settle(0).await, Reconciled::NotApplied { .. }));
    let output = project.migrate().await.expect("applies");
    let Reconciled::Applied { output: settled, evidence } = project.settle(0).await else { panic!("applied") };
    assert_eq!((settled.from, settled.to, settled.applied), (output.from, output.to, output.applied));
    assert!(evidence.contains("_lifeboat_migrations"), "{evidence}");
    // As if the third had been cut short.
    project.bench.sql("DROP TABLE three; DELETE FROM _lifeboat_migrations WHERE version = '0003';");
    let Reconciled::NotApplied { evidence } = project.settle(0).await else { panic!("not applied") };
    assert!(evidence.contains("2 of the 3 steps"), "{evidence}");
    let output = project.migrate().await.expect("a second attempt does the rest");
    assert_eq!((output.from.as_str(), output.applied.len(), project.tables()), ("none", 3, 3));
}
