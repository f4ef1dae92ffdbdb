//! The service with a release that can be another one.

use std::collections::BTreeMap;

use super::*;

/// Lets the link lead to a release that says this.
fn install(place: &Place, version: &str, faults: &str) {
    let release = place.file(&format!("releases/{version}"));
    std::fs::create_dir_all(&release).expect("a directory");
    std::fs::write(release.join("release.toml"), format!("version = \"{version}\"\n{faults}")).expect("writes");
    let _ = std::fs::remove_file(place.file("current"));
    std::os::unix::fs::symlink(release, place.file("current")).expect("links");
}

#[tokio::test]
async fn a_release_is_taken_when_the_service_is_told_and_not_before() {
    let place = Place::new();
    install(&place, "1.4.1", "");
    let options = ServeOptions { release: Some(place.file("current")), ..place.options() };
    let reload = options.reload.clone();
    let service = Running::service(options).await;
    assert_eq!(service.get("/version").await, (200, json!({"version": "1.4.1"})));
    assert_eq!(service.get("/health").await.1["version"], "1.4.1");
    let mut caller = Caller::new(Service::at(&service.url).expect("an address"), Duration::from_secs(20));
    caller.call(Method::GET, "/orders/count", None).await.expect("an answer");
    assert_eq!(caller.version(), Some("1.4.1"), "every answer says it");

    install(&place, "1.5.0", "status = 500");
    assert_eq!(service.get("/health").await.0, 200, "nobody was told");
    reload.request();
    eventually("it takes the release", async || service.get("/version").await.1["version"] == "1.5.0").await;
    let (status, body) = service.get("/health").await;
    assert_eq!((status, &body["error"]), (500, &json!("release 1.5.0 answers 500")));
    assert_eq!(service.order(1).await.0, 500);
    assert_eq!(service.get("/health/live").await.0, 200);

    std::fs::remove_file(place.file("current")).expect("removes");
    reload.request();
    eventually("it has none", async || service.get("/version").await.0 == 503).await;
    assert!(service.get("/health").await.1["error"].as_str().is_some_and(|error| error.contains("release.toml")));
    install(&place, "1.6.0", "");
    reload.request();
    eventually("it takes the release", async || service.order(1).await.0 == 201).await;
    service.end().await;
}

#[tokio::test]
async fn the_load_counts_by_the_version_that_answered() {
    let place = Place::new();
    install(&place, "1.5.0", "fail_percent = 20");
    let service = Running::service(ServeOptions { release: Some(place.file("current")), ..place.options() }).await;
    assert_eq!(service.get("/health").await.0, 200, "its health does not notice");
    let ledger = place.file("ledger.db");
    let load = Running::load(LoadOptions { rate: 250, ..LoadOptions::new(&service.url, &ledger) }).await;
    eventually("requests fail", async || number(&ledger, "SELECT count(*) FROM failures").await >= 20).await;
    service.end().await;
    let silent = "SELECT count(*) FROM versions WHERE version = '' AND failed > 0";
    eventually("nobody answers", async || number(&ledger, silent).await == 1).await;
    load.end().await;

    let connection = connect(&ledger).await;
    let counted = async |sql: &str| {
        let mut rows = connection.query(sql, ()).await.expect("asks");
        let mut counted = BTreeMap::<String, (i64, i64)>::new();
        while let Some(row) = rows.next().await.expect("answers") {
            let (ok, failed) = (row.get(1).expect("a number"), row.get(2).expect("a number"));
            counted.insert(row.get(0).expect("a text"), (ok, failed));
        }
        counted
    };
    let versions = counted("SELECT version, ok, failed FROM versions").await;
    let totals = counted("SELECT '', sum(ok), sum(failed) FROM totals").await[""];
    let (ok, failed) = versions["1.5.0"];
    assert_eq!((ok, failed + versions[""].1), totals, "{versions:?}");
    assert!((failed * 5 - (ok + failed)).abs() <= 10, "a fifth: {versions:?}");
}
