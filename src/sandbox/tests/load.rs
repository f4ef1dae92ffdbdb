//! The load and its ledger.

use super::*;

#[tokio::test]
async fn a_healthy_service_has_every_order_of_the_ledger_and_the_load_goes_on_where_it_was() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let ledger = place.file("evidence/ledger.db");
    let options = LoadOptions { rate: 250, ..LoadOptions::new(&service.url, &ledger) };
    let first = Running::load(options.clone()).await;
    // Read while it is written, as a drill does.
    let entries = async || number(&ledger, "SELECT count(*) FROM acknowledged").await;
    eventually("the ledger fills", async || entries().await >= 300).await;
    let latest = number(&ledger, "SELECT max(seq) FROM acknowledged").await;
    assert!(latest <= number(&place.database(), "SELECT max(seq) FROM orders").await);
    first.end().await;

    let connection = connect(&ledger).await;
    let attach = format!("ATTACH '{}' AS service", place.database().display());
    connection.execute(&attach, ()).await.expect("attaches");
    let sql = "SELECT (SELECT count(*) FROM acknowledged), (SELECT max(seq) FROM acknowledged),
        (SELECT count(*) FROM acknowledged a JOIN service.orders o ON o.seq = a.seq AND o.amount = a.amount AND o.at_ms <= a.at_ms),
        (SELECT count(*) FROM failures), (SELECT ok FROM totals WHERE kind = 'write'),
        (SELECT ok FROM totals WHERE kind = 'read') > 0";
    let row = connection.query(sql, ()).await.expect("asks").next().await.expect("answers").expect("a row");
    let all: Vec<i64> = (0..6).map(|i| row.get(i).expect("a number")).collect();
    let count = all[0];
    assert_eq!(all, [count, count, count, 0, count, 1]);

    let second = Running::load(options).await;
    eventually("it goes on", async || entries().await > count).await;
    second.end().await;
    assert_eq!(entries().await, number(&ledger, "SELECT max(seq) FROM acknowledged").await);
    service.end().await;
}

#[tokio::test]
async fn an_outage_is_in_the_ledger_and_its_orders_are_not_sent_again() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let ledger = place.file("ledger.db");
    let load = Running::load(LoadOptions { rate: 250, ..LoadOptions::new(&service.url, &ledger) }).await;
    let written = "SELECT count(*) FROM acknowledged";
    eventually("orders are acknowledged", async || number(&ledger, written).await > 20).await;

    std::fs::write(place.file("maintenance"), "on").expect("turns it on");
    for kind in ["write", "read"] {
        let failed =
            format!("SELECT count(*) FROM failures WHERE kind = '{kind}' AND detail = 'HTTP 503: maintenance'");
        eventually("failures are noted", async || number(&ledger, &failed).await > 5).await;
    }
    std::fs::remove_file(place.file("maintenance")).expect("turns it off");
    let before = number(&ledger, written).await;
    eventually("it goes on", async || number(&ledger, written).await > before + 20).await;
    load.end().await;

    let failed = number(&ledger, "SELECT failed FROM totals WHERE kind = 'write'").await;
    assert_eq!(failed, number(&ledger, "SELECT count(*) FROM failures WHERE kind = 'write'").await);
    let unsent = "SELECT (SELECT max(seq) FROM acknowledged) - (SELECT count(*) FROM acknowledged)";
    assert_eq!(number(&ledger, unsent).await, failed);
    service.end().await;
}

#[tokio::test]
async fn a_load_that_was_killed_does_not_use_its_last_seq_again() {
    let place = Place::new();
    let path = place.file("ledger.db");
    let mut ledger = ledger::Ledger::open(&path).await.expect("opens");
    ledger.attempt(1).await.expect("notes");
    ledger.acknowledge(1, 100).await.expect("notes");
    ledger.attempt(2).await.expect("notes");
    drop(ledger);
    let ledger = ledger::Ledger::open(&path).await.expect("opens");
    assert_eq!(ledger.latest().await.expect("knows"), (2, 1));
}

#[tokio::test]
async fn a_load_that_cannot_start_says_why() {
    let place = Place::new();
    let start = async |options: LoadOptions| load(options, CancellationToken::new(), drop).await.expect_err("refuses");
    let wrong = start(LoadOptions::new("localhost:80", place.file("ledger.db"))).await;
    assert_eq!(wrong.to_string(), "`localhost:80` is not an address of a service");
    let wrong = start(LoadOptions { rate: 0, ..LoadOptions::new("http://127.0.0.1", place.file("ledger.db")) }).await;
    assert_eq!(wrong.to_string(), "the load cannot send 0 requests per second");
    assert!(!place.file("ledger.db").exists());

    let service = Running::service(place.options()).await;
    let wrong = start(LoadOptions::new(&service.url, place.database())).await;
    assert!(wrong.to_string().contains("it has a table `orders`"), "{wrong}");
    service.end().await;
    std::fs::write(place.file("notes"), "these are my notes. ".repeat(100)).expect("writes");
    let wrong = start(LoadOptions::new("http://127.0.0.1", place.file("notes"))).await;
    assert!(matches!(wrong, SandboxError::NotALedger { .. }), "{wrong:?}");
}
