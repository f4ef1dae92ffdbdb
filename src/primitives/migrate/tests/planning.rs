//! What a plan says, and that it changes nothing.

use crate::model::{Symbol, Unknown, Value};
use crate::primitives::migrate::decide::{Wish, decide};
use crate::primitives::migrate::directory::read;
use crate::primitives::migrate::foresee::{attempt, open};
use crate::primitives::migrate::history::{Ask, History};
use crate::primitives::migrate::verify::Required;

use super::*;

fn digest(project: &Project) -> Vec<(String, Vec<u8>)> {
    let names = project.bench.names("").into_iter().filter(|name| name != "scratch" && name != "migrations");
    names.map(|name| (name.clone(), project.bench.read(&name))).collect()
}

#[tokio::test]
async fn a_plan_says_what_changes_and_what_is_lost_and_changes_nothing() {
    let project = Project::of_three();
    project.file(
        "0004_index.sql",
        "CREATE TABLE old(x, y); CREATE INDEX i ON old(x); INSERT INTO old VALUES (1, 2), (3, 4);",
    );
    project.migrate().await.expect("applies");
    project.file(
        "0005_more.sql",
        "ALTER TABLE one ADD COLUMN b TEXT NOT NULL DEFAULT 'x';\nINSERT INTO one VALUES (1, 'y'), (2, 'z');\n\
         DROP TABLE two;\nALTER TABLE old\n  DROP COLUMN y;\nDELETE FROM old;\nDROP INDEX i;\nCREATE TABLE new(x INT, y);",
    );
    let before = digest(&project);
    let preview = project.plan(&args()).await;
    assert_eq!(digest(&project), before);
    assert_eq!(project.bench.names("scratch"), Vec::<String>::new());
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Destroy, "primary 0004 → 0005 (1 migration)"));
    assert_eq!(preview.fault, None);
    let notes = preview.notes.join("\n");
    for part in [
        "drops table two (",
        "0005_more.sql:3)",
        "drops a column of old (",
        "0005_more.sql:4)",
        "deletes every row of old (",
        "0005_more.sql:6)",
        "drops index i (",
        "removes table two",
        "adds table new (x, y)",
        "adds column one.b (TEXT NOT NULL DEFAULT 'x')",
        "removes column old.y",
        "removes index i",
        "0005_more.sql: 4 rows, ",
    ] {
        assert!(notes.contains(part), "`{part}` is not in:\n{notes}");
    }
    assert_eq!(preview.output.get("to"), Some(&Value::from("0005")));
    assert_eq!(preview.output.get("took_ms"), None);
}

#[tokio::test]
async fn a_plan_with_nothing_to_do_says_so() {
    let project = Project::of_three();
    project.migrate().await.expect("applies");
    let preview = project.plan(&args()).await;
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Nothing, "primary already at 0003"));
    assert_eq!(preview.output.get("applied"), Some(&Value::List(vec![])));
    assert_eq!(Project::new().plan(&args()).await.symbol, Symbol::Nothing);
}

#[tokio::test]
async fn a_table_that_is_rebuilt_is_said_to_be_there_again() {
    let project = Project::of_three();
    project.migrate().await.expect("applies");
    project.file("4_r.sql", "CREATE TABLE x(a, b); DROP TABLE one; ALTER TABLE x RENAME TO one;");
    let preview = project.plan(&args()).await;
    assert!(preview.notes[0].starts_with("drops table one, which is there again afterwards ("), "{:?}", preview.notes);
}

#[tokio::test]
async fn a_migration_cannot_reach_another_file_from_a_plan() {
    let project = Project::new();
    let other = project.bench.path("other.db");
    project.file("1_a.sql", &format!("CREATE TABLE a(x);\nEXPLAIN ATTACH '{}' AS other;", other.display()));
    let fault = project.plan(&args()).await.fault.expect("refused");
    assert_fault(&fault, "migration-failed", &["1_a.sql:2", "another file"]);
    assert!(!other.exists());
}

#[tokio::test]
async fn a_version_that_is_not_known_yet_is_left_open() {
    let project = Project::of_three();
    let unknown = Args { to: Some(Arg::Unknown(Unknown::labelled("x"))), ..args() };
    let preview = project.plan(&unknown).await;
    assert_eq!((preview.symbol, preview.summary.as_str(), preview.fault), (Symbol::Change, "primary → ‹x›", None));
}

#[tokio::test]
async fn a_large_database_is_tried_without_its_rows() {
    let project = Project::of_three();
    project.migrate().await.expect("applies");
    project.bench.sql("INSERT INTO one VALUES (1), (2); CREATE VIRTUAL TABLE words USING fts5(word);");
    let try_without_rows = |text: &str| {
        project.file("0004_four.sql", text);
        let (look, database) = (&project.bench.act, project.database());
        let files = read(look, &database).expect("files");
        let reader = open(look, &database).expect("opens");
        let history = History::read(&Ask { reader: &reader, target: "primary", stop: &|| false }).expect("reads");
        let decision = decide("primary", &files, &history, &Wish::default()).expect("decides");
        attempt(look, &database, (&files, &decision, &Required::default()), 1, &|| false).expect("tries")
    };
    let trial = try_without_rows("CREATE TABLE four(a); DELETE FROM one WHERE a = 1;");
    assert_eq!((trial.ran[0].changes, trial.fault), (0, None));
    assert!(trial.untried.is_some_and(|note| note.starts_with("tried without rows, as primary has ")));
    assert_eq!(trial.differences, ["adds table four (a)"]);
    let trial = try_without_rows("CREATE TABLE four(a REFERENCES one(a)); INSERT INTO nowhere VALUES (1);");
    assert_fault(&trial.fault.expect("foreseen"), "migration-failed", &["no such table: nowhere"]);
    let trial =
        try_without_rows("CREATE TABLE four(a CHECK (a > (1))); INSERT INTO four VALUES ((SELECT count(*) FROM one));");
    assert_eq!(trial.fault, None, "with rows it may well hold");
    assert!(trial.untried.is_some_and(|note| note.contains("CHECK constraint failed")));
}
