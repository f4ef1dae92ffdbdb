//! Histories that other tools began, made with their own SQL.

use crate::system::{hex, hex_sha384};

use super::*;

const SQLX: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);";
const DBMATE: &str = "CREATE TABLE IF NOT EXISTS \"schema_migrations\" (version varchar(128) primary key);";
const GOLANG: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version uint64, dirty bool);
    CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON schema_migrations (version);";
const LISTED: &str = "CREATE TABLE _migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, filename TEXT UNIQUE NOT NULL,
    applied_at TEXT NOT NULL, checksum TEXT NOT NULL);";

/// Three migrations, of which a tool has applied the first and noted it like this.
fn begun(table: &str, row: &str) -> Project {
    let project = Project::of_three();
    project.bench.sql(&format!("{table} CREATE TABLE one(a); {row}"));
    project
}

fn first(project: &Project) -> Vec<u8> {
    std::fs::read(project.bench.path("migrations/0001_one.sql")).expect("reads")
}

/// The rest is applied and one taken back; in between, `rows` is asked.
async fn carried_on(project: &Project, rows: &str) -> (String, String) {
    let output = project.call(1, &args()).await.expect("applies the rest");
    assert_eq!((output.from.trim_start_matches('0'), output.applied.len()), ("1", 2));
    let all = project.bench.ask(rows);
    let output = project.call(2, &down()).await.expect("takes one back");
    assert_eq!(
        (output.to.trim_start_matches('0'), project.schema().replace(",version_unique", "")),
        ("2", "one,two".into())
    );
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name = '_lifeboat_migrations'";
    assert_eq!(project.bench.ask(ours), "0", "no second history");
    (all, project.bench.ask(rows))
}

#[tokio::test]
async fn dbmate() {
    let project = begun(DBMATE, "INSERT INTO schema_migrations VALUES ('0001');");
    let preview = project.plan(&args()).await;
    assert!(preview.notes.iter().any(|note| note.contains("keeps no checksums")), "{:?}", preview.notes);
    let rows = "SELECT group_concat(version) FROM schema_migrations";
    assert_eq!(carried_on(&project, rows).await, ("0001,0002,0003".into(), "0001,0002".into()));
}

#[tokio::test]
async fn sqlx() {
    let project = Project::of_three();
    let row = |checksum: &str, success: u8| {
        format!(
            "INSERT INTO _sqlx_migrations VALUES (1, 'one', '2024-01-01 00:00:00', {success}, x'{checksum}', 1000);"
        )
    };
    project.bench.sql(&format!("{SQLX} CREATE TABLE one(a); {}", row(&hex_sha384(&first(&project)), 1)));
    let rows =
        "SELECT group_concat(version || ' ' || description || success || length(checksum)) FROM _sqlx_migrations";
    assert_eq!(carried_on(&project, rows).await, ("1 one148,2 two148,3 three148".into(), "1 one148,2 two148".into()));

    let changed = begun(SQLX, &row(&hex_sha384(b"as it was"), 1));
    assert_fault(&changed.migrate().await.expect_err("drift"), "migration-drift", &["0001_one.sql: changed"]);
    let half = begun(SQLX, &row("00", 0));
    assert_fault(&half.migrate().await.expect_err("half done"), "migration-history", &["1", "left half done"]);
}

#[tokio::test]
async fn golang_migrate() {
    let project = begun(GOLANG, "INSERT INTO schema_migrations VALUES (1, 0);");
    let rows = "SELECT group_concat(version || '/' || dirty) FROM schema_migrations";
    assert_eq!(carried_on(&project, rows).await, ("3/0".into(), "2/0".into()));
    project.call(3, &Args { down: true, ..to("none") }).await.expect("takes all back");
    assert_eq!(project.bench.ask("SELECT count(*) FROM schema_migrations"), "0");
    project.call(4, &to("2")).await.expect("begins again");
    assert_eq!(project.bench.ask(rows), "2/0");

    let dirty = begun(GOLANG, "INSERT INTO schema_migrations VALUES (1, 1);");
    let fault = dirty.migrate().await.expect_err("dirty");
    assert_fault(&fault, "migration-history", &["migration 1", "(dirty)"]);
    assert!(fault.hint.as_deref().is_some_and(|hint| hint.contains("force")), "{fault:?}");
    let gone = begun(GOLANG, "INSERT INTO schema_migrations VALUES (7, 0);");
    assert_fault(&gone.migrate().await.expect_err("gone"), "migration-drift", &["7: applied, but its file is missing"]);
}

#[tokio::test]
async fn a_list_of_files() {
    let project = Project::of_three();
    let row =
        |checksum: &str| format!("INSERT INTO _migrations VALUES (1, '0001_one.sql', '2024-01-01', '{checksum}');");
    project.bench.sql(&format!("{LISTED} CREATE TABLE one(a); {}", row(&hex(&first(&project)))));
    let rows = "SELECT group_concat(id || filename || length(checksum) || (applied_at > '2024')) FROM _migrations";
    let (all, two) = carried_on(&project, rows).await;
    assert_eq!(all, "10001_one.sql641,20002_two.sql641,30003_three.sql641");
    assert_eq!(two, "10001_one.sql641,20002_two.sql641");

    let odd = begun(LISTED, &row("abc"));
    assert_fault(
        &odd.migrate().await.expect_err("odd"),
        "migration-history",
        &["checksums of a kind that is not known"],
    );
    let changed = begun(LISTED, &row(&hex_sha384(b"as it was")));
    assert_fault(&changed.migrate().await.expect_err("drift"), "migration-drift", &["0001_one.sql: changed"]);
}

#[tokio::test]
async fn an_empty_table_of_a_tool_is_carried_on_too() {
    let project = Project::of_three();
    project.bench.sql(DBMATE);
    project.migrate().await.expect("applies");
    assert_eq!(project.bench.ask("SELECT count(*) FROM schema_migrations"), "3");
}

#[tokio::test]
async fn a_history_that_is_not_understood_is_left_alone() {
    let project = Project::of_three();
    project
        .bench
        .sql("CREATE TABLE schema_migrations(version, inserted_at); INSERT INTO schema_migrations VALUES (1, 2);");
    assert_fault(&project.migrate().await.expect_err("unknown"), "migration-history", &["version, inserted_at"]);
    let project = begun(DBMATE, "INSERT INTO schema_migrations VALUES ('0001');");
    project.bench.sql(&format!("{LISTED} INSERT INTO _migrations VALUES (1, '0001_one.sql', '', '{}');", hex(b"")));
    let fault = project.migrate().await.expect_err("two");
    assert_fault(&fault, "migration-history", &["several histories: schema_migrations, _migrations"]);
    assert_eq!(project.tables(), 1);
}
