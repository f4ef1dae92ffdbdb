//! The service by itself: its start, its answers, its end.

use super::*;

#[tokio::test]
async fn a_new_service_has_its_rows_and_keeps_what_it_acknowledges() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    assert_eq!(
        service.get("/health").await,
        (200, json!({"status": "ok", "version": "1.0.0", "orders": 1_000, "latest_seq": 0}))
    );
    assert_eq!(service.get("/version").await, (200, json!({"version": "1.0.0"})));

    let (status, placed) = service.order(1).await;
    assert_eq!((status, &placed["seq"], &placed["id"]), (201, &json!(1), &json!(1_001)));
    let kept = json!({"id": 1_001, "seq": 1, "customer": "ada@example.com", "amount": 4200, "at_ms": placed["at_ms"]});
    assert_eq!(service.get("/orders/1").await, (200, kept));
    assert_eq!(service.get("/orders/count").await, (200, json!({"count": 1_001})));
    assert_eq!(service.get("/health").await.1["latest_seq"], 1);
    // Another process sees it too.
    assert_eq!(number(&place.database(), "SELECT amount FROM orders WHERE seq = 1").await, 4200);
    service.end().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    assert_eq!(service.order(1).await.0, 201);
    assert_eq!(service.order(1).await, (409, json!({"status": "error", "error": "order 1 exists already"})));
    assert_eq!(service.post("/orders", json!({"seq": "two"})).await.0, 400);
    assert_eq!(service.get("/orders/2").await.0, 404);
    assert_eq!(service.get("/orders/two").await.0, 404);
    assert_eq!(service.post("/health", json!({})).await.0, 404);
    assert_eq!(service.get("/orders/count").await.1["count"], 1_001);
    service.end().await;
}

#[tokio::test]
async fn its_process_number_is_there_while_it_runs_and_its_orders_after_a_restart() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let number = std::fs::read_to_string(place.file("service.pid")).expect("is there");
    assert_eq!(number.trim(), std::process::id().to_string());
    service.order(1).await;
    service.end().await;
    assert!(!place.file("service.pid").exists());

    let service = Running::service(place.options()).await;
    assert_eq!(
        service.get("/health").await.1,
        json!({"status": "ok", "version": "1.0.0", "orders": 1_001, "latest_seq": 1})
    );
    service.end().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = taken.local_addr().expect("an address");
    let options = ServeOptions { listen: address, ..place.options() };
    let error = serve(options, CancellationToken::new(), drop).await.expect_err("cannot start");
    assert_eq!(error.to_string(), format!("{address} is taken: another process listens there"));
    let help = miette::Diagnostic::help(&error).expect("help").to_string();
    assert!(help.contains(&format!("sport = :{}", address.port())), "{help}");
    assert!(!place.database().exists() && !place.file("service.pid").exists());
}

#[tokio::test]
async fn what_is_not_its_database_is_neither_served_nor_written_to() {
    let place = Place::new();
    std::fs::create_dir_all(place.file("data")).expect("a directory");
    for content in ["these are my notes, and they are longer than the header of a database is, by a little", ""] {
        std::fs::write(place.database(), content).expect("writes");
        let error = serve(place.options(), CancellationToken::new(), drop).await.expect_err("cannot start");
        assert!(matches!(error, SandboxError::NotADatabase { .. }), "{error:?}");
        assert_eq!(std::fs::read_to_string(place.database()).expect("reads"), content);
    }
    std::fs::remove_file(place.database()).expect("removes");
    let other = connect(&place.database()).await;
    other.execute("CREATE TABLE notes (text)", ()).await.expect("creates");
    drop(other);
    let error = serve(place.options(), CancellationToken::new(), drop).await.expect_err("cannot start");
    assert!(error.to_string().contains("no table `orders`"), "{error}");
    assert_eq!(number(&place.database(), "SELECT count(*) FROM sqlite_schema").await, 1);
}
