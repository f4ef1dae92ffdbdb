//! `deploy-with-migration`: a good version, bad ones, and a migration that fails half-way.

use crate::rollout::Rollout;
use crate::shares;

const RUNBOOK: &str = "deploy-with-migration";

/// The columns of the table of orders, and the tables.
fn schema(rollout: &Rollout) -> String {
    let orders = "SELECT group_concat(name) AS n FROM pragma_table_info('orders')";
    let tables =
        "SELECT group_concat(name) AS n FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)";
    rollout.look(&format!("query(\"primary\", \"{orders}\")[0].n + \" of \" + query(\"primary\", \"{tables}\")[0].n"))
}

#[test]
fn a_good_version_is_served_without_one_request_lost() {
    let Some(rollout) = Rollout::start() else { return };
    let (said, served) = rollout.used_during(|| rollout.run(RUNBOOK, &["to=1.5.0"]));
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert_eq!((served.failed, served.versions), (0, vec!["1.4.1".to_owned(), "1.5.0".to_owned()]));
    assert!(served.well > 20, "it was used");
    assert_eq!(rollout.versions(), ["1.5.0", "1.4.1", "1.5.0"], "the old version stays ready on the other side");
    assert_eq!(shares(&rollout), r#"#{"blue": 0, "green": 100}"#);
    assert!(schema(&rollout).starts_with("id,seq,customer,amount,at_ms,currency of "));

    // The next one goes to the other side.
    let said = rollout.run(RUNBOOK, &["to=1.5.0"]);
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert_eq!(rollout.versions(), ["1.5.0", "1.5.0", "1.5.0"]);
    assert_eq!(shares(&rollout), r#"#{"blue": 100, "green": 0}"#);
}

#[test]
fn a_version_that_only_its_users_find_bad_is_taken_back_with_its_schema() {
    let Some(rollout) = Rollout::start() else { return };
    let (said, served) = rollout.used_during(|| rollout.run(RUNBOOK, &["to=1.5.1", "checks=20"]));
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("orders cannot be counted"), "{}", said.text);
    let order = ["rolling back Move the traffic", "rolling back Deploy to the idle side", "rolling back Migrate"];
    let places: Vec<_> = order.iter().map(|title| said.text.rfind(&format!("↩ {title}"))).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{}", said.text);
    assert!(served.failed > 0, "half of its orders fail, and users had them for a moment");
    assert_eq!(rollout.versions(), ["1.4.1", "1.4.1", "1.4.1"]);
    assert_eq!(shares(&rollout), r#"#{"blue": 100, "green": 0}"#);
    assert!(schema(&rollout).starts_with("id,seq,customer,amount,at_ms of "), "{}", schema(&rollout));
}

#[test]
fn a_version_that_is_not_healthy_never_gets_a_user() {
    let Some(rollout) = Rollout::start() else { return };
    let text = std::fs::read_to_string(rollout.path("lifeboat.toml")).expect("reads");
    rollout.write("lifeboat.toml", &text.replace("health_timeout = \"10s\"", "health_timeout = \"300ms\""));
    let (said, served) = rollout.used_during(|| rollout.run(RUNBOOK, &["to=1.5.2"]));
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("1.4.1 serves again"), "{}", said.text);
    assert_eq!((served.failed, served.versions), (0, vec!["1.4.1".to_owned()]));
    assert!(schema(&rollout).starts_with("id,seq,customer,amount,at_ms of "));
}

#[test]
fn a_migration_that_fails_half_way_leaves_the_schema_as_it_was() {
    let Some(rollout) = Rollout::start() else { return };
    let before = schema(&rollout);
    rollout.write(
        "migrations/0002_parts.sql",
        "-- migrate:up\nCREATE TABLE parts (id INTEGER PRIMARY KEY);\nINSERT INTO parts SELECT nonsense FROM orders;\n\
         -- migrate:down\nDROP TABLE parts;\n",
    );
    let (said, served) = rollout.used_during(|| rollout.run(RUNBOOK, &["to=1.5.0"]));
    assert_eq!(said.code, Some(1), "{}", said.text);
    assert!(said.text.contains("no such column: nonsense"), "{}", said.text);
    // The first of the two was applied, and is taken back; only the empty history of migrations is new.
    assert_eq!(schema(&rollout).replace("_lifeboat_migrations,", ""), before);
    assert_eq!((served.failed, served.versions), (0, vec!["1.4.1".to_owned()]));
    assert_eq!(rollout.versions(), ["1.4.1", "1.4.1", "1.4.1"]);
}
