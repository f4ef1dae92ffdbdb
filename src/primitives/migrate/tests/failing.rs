//! Migrations that fail, and files that are none.

use crate::model::Applied;

use super::*;

#[tokio::test]
async fn a_failure_half_way_leaves_the_schema_as_it_was_and_names_the_line() {
    let project = Project::new();
    project.file("1_init.sql", "CREATE TABLE a(x);\n\nINSERT INTO a VALUES (1);\nINSERT INTO nowhere\nVALUES (1);\n");
    let fault = project.migrate().await.expect_err("fails");
    assert_fault(&fault, "migration-failed", &["1_init.sql:4: no such table: nowhere"]);
    assert_eq!((fault.applied, project.tables()), (Applied::No, 0));
    project.file("1_init.sql", "CREATE TABLE a(x);\nSELECT 1,\n  2 FRM a;");
    assert_fault(&project.migrate().await.expect_err("fails"), "migration-failed", &["1_init.sql:3: near \"a\""]);
    project.file("1_init.sql", "CREATE TABLE a(x);\nINSERT INTO a VALUES ('never ends;\n");
    assert_fault(&project.migrate().await.expect_err("fails"), "migration-failed", &["1_init.sql:2: unrecognized"]);
    assert_eq!(project.tables(), 0);
    assert_eq!(project.bench.ask("SELECT count(*) FROM sqlite_schema"), "0", "not even a history");
}

#[tokio::test]
async fn what_was_committed_before_the_failure_stays_and_is_named() {
    let project = Project::of_three();
    project.file("0003_three.sql", "CREATE TABLE three(a); CREATE TABLE three(a);");
    let planned = project.plan(&args()).await.fault.expect("foreseen");
    let fault = project.migrate().await.expect_err("fails");
    assert_fault(&fault, "migration-failed", &["0003_three.sql:1", "already exists", "0001 to 0002 had been applied"]);
    assert_eq!((fault.applied, project.schema().as_str()), (Applied::Yes, "one,two"));
    assert_eq!(planned, fault);
    project.file("0003_three.sql", "CREATE TABLE three(a);");
    let output = project.migrate().await.expect("a second attempt does the rest");
    assert_eq!((output.from.as_str(), output.applied.len()), ("none", 3));
}

#[tokio::test]
async fn a_constraint_that_rolls_back_by_itself_is_no_commit() {
    let project = Project::new();
    project.file("1_a.sql", "CREATE TABLE a(x PRIMARY KEY);\nINSERT OR ROLLBACK INTO a VALUES (1), (1);");
    let fault = project.migrate().await.expect_err("fails");
    assert_fault(&fault, "migration-failed", &["1_a.sql:2", "UNIQUE"]);
    assert_eq!((fault.applied, project.tables()), (Applied::No, 0));
}

#[tokio::test]
async fn rows_that_would_point_nowhere_are_rolled_back() {
    let project = Project::new();
    project.file(
        "1_init.sql",
        "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a(id));
         INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1), (2);",
    );
    project.migrate().await.expect("applies");
    project.file("2_delete.sql", "DELETE FROM a WHERE id = 2;");
    let fault = project.call(1, &args()).await.expect_err("fails");
    assert_fault(&fault, "migration-failed", &["points nowhere".trim_start_matches("points "), "1 × b → a"]);
    assert_eq!(project.bench.ask("SELECT count(*) FROM a"), "2");
    // What pointed nowhere before is not this migration's doing.
    project.bench.sql("PRAGMA foreign_keys = OFF; INSERT INTO b VALUES (9);");
    project.file("2_delete.sql", "DELETE FROM b WHERE a = 1;");
    project.call(2, &args()).await.expect("applies");
}

#[tokio::test]
async fn what_cannot_run_in_a_transaction_is_refused_before_anything_is_done() {
    let project = Project::of_three();
    for (statement, named) in [
        ("VACUUM;", "VACUUM"),
        ("pragma main.journal_mode = wal;", "PRAGMA journal_mode"),
        ("BEGIN; COMMIT;", "BEGIN"),
        ("ATTACH 'x' AS x;", "ATTACH"),
        ("ROLLBACK;", "ROLLBACK"),
    ] {
        project.file("0004_four.sql", &format!("CREATE TABLE four(a);\n{statement}"));
        let fault = project.migrate().await.expect_err(statement);
        assert_fault(&fault, "migration-file", &["0004_four.sql:2:", named, "cannot run in a migration"]);
        assert_eq!((fault.applied, project.tables()), (Applied::No, 0));
        assert!(fault.hint.is_some());
    }
    project.file("0004_four.sql", "SAVEPOINT s; CREATE TABLE four(a); ROLLBACK TO s; RELEASE s;");
    project.migrate().await.expect("a savepoint of its own is fine");
    assert_eq!(project.tables(), 3);
}

#[tokio::test]
async fn files_that_are_no_migrations_are_named_with_their_line() {
    let project = Project::new();
    for (name, text, parts) in [
        ("1_empty.sql", &b"-- nothing; really\n"[..], &["1_empty.sql:1 has no statement"][..]),
        ("1_latin.sql", b"SELECT 1;\n-- \xfcber\n", &["1_latin.sql:2", "UTF-8"]),
        ("1_nul.sql", b"SELECT 1;\n\n\0", &["1_nul.sql:3", "NUL"]),
        ("init.sql", b"SELECT 1;", &["init.sql does not begin with a version"]),
        ("1_a.down.sql", b"SELECT 1;", &["1_a.down.sql has no `.up.sql` beside it"]),
        ("1_a.sql", b"-- migrate:down\nSELECT 1;", &["1_a.sql:1", "without a way up"]),
        ("1_a.sql", b"SELECT 1;\n-- migrate:up\nSELECT 1;", &["1_a.sql:1", "before `-- migrate:up`"]),
        ("1_a.sql", b"-- migrate:up\nSELECT 1;\n-- migrate:up\n", &["1_a.sql:3", "began already"]),
        ("1_a.sql", b"\n-- migrate:up transaction:false\nSELECT 1;", &["1_a.sql:2", "transaction:false"]),
    ] {
        std::fs::write(project.bench.path("migrations").join(name), text).expect("writes");
        let fault = project.migrate().await.expect_err(name);
        assert_fault(&fault, "migration-file", parts);
        assert_eq!(project.plan(&args()).await.fault, Some(fault));
        project.remove(name);
    }
    project.file("1_a.sql", "SELECT 1;");
    project.file("01_b.sql", "SELECT 1;");
    assert_fault(
        &project.migrate().await.expect_err("twice"),
        "migration-file",
        &["01_b.sql and 1_a.sql have the same"],
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_or_is_locked_is_told_from_a_migration_that_fails() {
    let project = Project::of_three();
    let locked = testing::on(&project.bench.path("primary.db"), async |other| {
        other.execute("BEGIN IMMEDIATE", ()).await.expect("locks");
        std::thread::scope(|scope| {
            let migrate = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                runtime.block_on(project.migrate())
            });
            migrate.join().expect("ends")
        })
    });
    let fault = locked.expect_err("is locked");
    assert_eq!((fault.code.as_str(), fault.applied, project.tables()), ("database-busy", Applied::No, 0));
    std::fs::remove_file(project.bench.path("primary.db")).expect("removes");
    let fault = project.migrate().await.expect_err("is missing");
    assert_fault(&fault, "database-missing", &["primary.db does not exist"]);
    assert!(!project.bench.path("primary.db").exists());
    std::fs::write(project.bench.path("primary.db"), "no database".repeat(100)).expect("writes");
    assert_eq!(project.migrate().await.expect_err("is none").code, "database-corrupt");
}

#[tokio::test]
async fn without_a_directory_nothing_is_migrated() {
    let project = Project::new();
    let database = SqliteDatabase { migrations: None, ..project.database() };
    let fault = Driver::<Migrate>::perform(&database, &args(), &project.bench.act, &key(0)).await.expect_err("none");
    assert_fault(&fault, "no-migrations", &["no migrations are configured for primary"]);
    std::fs::remove_dir(project.bench.path("migrations")).expect("removes");
    assert_fault(&project.migrate().await.expect_err("gone"), "no-migrations", &["cannot read", "migrations"]);
}

#[tokio::test]
async fn a_cancelled_run_leaves_the_database_as_it_was() {
    let project = Project::of_three();
    project.bench.act.cancel().request();
    let fault = project.migrate().await.expect_err("is interrupted");
    assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
}
