//! The service and what happens to its files: destruction, restores, maintenance, refusal.

use super::*;

#[tokio::test]
async fn a_destroyed_database_fails_requests_until_a_good_file_is_there_again() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    service.order(1).await;
    let backup = place.back_up().await;
    service.order(2).await;

    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(beside(&place.database(), suffix)).expect("destroys");
    }
    let (status, said) = service.get("/health").await;
    assert_eq!((status, &said["status"]), (500, &json!("error")));
    assert!(said["error"].as_str().expect("a reason").contains("cannot be found"), "{said}");
    assert_eq!(service.order(3).await.0, 500);
    assert_eq!(service.get("/orders/1").await.0, 500);
    assert_eq!(service.get("/health/live").await.0, 200);
    assert!(!place.database().exists(), "the service must not make a new one");

    place.restore(&backup);
    assert_eq!(
        service.get("/health").await.1,
        json!({"status": "ok", "version": "1.0.0", "orders": 1_001, "latest_seq": 1})
    );
    assert_eq!(service.get("/orders/2").await.0, 404);
    assert_eq!(service.order(4).await.0, 201);
    assert_eq!(number(&place.database(), "SELECT count(*) FROM orders").await, 1_002);
    service.end().await;
}

#[tokio::test]
async fn a_database_corrupted_in_place_fails_requests_until_it_is_replaced() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    service.order(1).await;
    let backup = place.back_up().await;

    for suffix in ["", "-wal"] {
        let file = beside(&place.database(), suffix);
        std::fs::write(&file, noise(length(&file))).expect("corrupts");
    }
    assert_eq!(service.get("/health").await.0, 500);
    assert_eq!(service.order(2).await.0, 500);
    assert_eq!(service.get("/orders/1").await.0, 500);

    place.restore(&backup);
    assert_eq!(
        service.get("/health").await.1,
        json!({"status": "ok", "version": "1.0.0", "orders": 1_001, "latest_seq": 1})
    );
    assert_eq!(service.order(2).await.0, 201);
    service.end().await;
}

#[tokio::test]
async fn corruption_shows_even_where_the_service_has_read_before() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    // By now all its pages are in memory.
    assert_eq!(service.get("/health").await.0, 200);
    let mut file = std::fs::OpenOptions::new().write(true).open(place.database()).expect("opens");
    std::io::Write::write_all(&mut file, &noise(64 << 10)).expect("corrupts");
    assert_eq!(service.get("/health").await.0, 500);
    service.end().await;
}

fn noise(len: u64) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i * 31 % 251).expect("a byte")).collect()
}

#[tokio::test]
async fn an_emptied_file_is_not_taken_for_a_new_database() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let backup = place.back_up().await;
    std::fs::write(place.database(), "").expect("empties");
    assert_eq!(service.get("/health").await.0, 500);
    assert_eq!(service.order(1).await.0, 500);
    assert_eq!(length(&place.database()), 0);
    place.restore(&backup);
    assert_eq!(service.order(1).await.0, 201);
    service.end().await;
}

#[tokio::test]
async fn health_fails_while_nothing_can_be_written() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let other = connect(&place.database()).await;
    other.execute("BEGIN IMMEDIATE", ()).await.expect("locks");
    assert_eq!(service.get("/health").await.0, 500);
    assert_eq!(service.get("/orders/0").await.0, 200);
    other.execute("ROLLBACK", ()).await.expect("unlocks");
    assert_eq!(service.get("/health").await.0, 200);
    service.end().await;
}

#[tokio::test]
async fn in_maintenance_it_answers_503_and_lets_go_of_its_database() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    service.order(1).await;
    let backup = place.back_up().await;
    service.order(2).await;

    std::fs::write(place.file("maintenance"), "on\n").expect("turns it on");
    eventually("the log is folded without any request", async || !beside(&place.database(), "-wal").exists()).await;
    for path in ["/health", "/orders/1", "/orders/count", "/version"] {
        assert_eq!(service.get(path).await, (503, json!({"status": "maintenance"})), "{path}");
    }
    assert_eq!(service.order(3).await.0, 503);
    assert_eq!(service.get("/health/live").await.0, 200);
    // So even a plain copy over the file is a safe restore.
    std::fs::copy(&backup, place.database()).expect("copies");

    std::fs::write(place.file("maintenance"), "off\n").expect("turns it off");
    assert_eq!(
        service.get("/health").await.1,
        json!({"status": "ok", "version": "1.0.0", "orders": 1_001, "latest_seq": 1})
    );
    service.end().await;
}

#[tokio::test]
async fn while_the_refuse_file_exists_connections_are_refused_and_hung_up() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let mut kept = Caller::new(Service::at(&service.url).expect("an address"), Duration::from_secs(20));
    kept.call(Method::GET, "/health", None).await.expect("an answer");

    std::fs::write(place.file("refuse"), "").expect("refuses");
    let refused = async || service.call(Method::GET, "/health", None).await == Err("connection refused".to_owned());
    eventually("connections are refused", refused).await;
    kept.call(Method::GET, "/health", None).await.expect_err("is hung up");

    std::fs::remove_file(place.file("refuse")).expect("lets in");
    eventually("it answers at the same address", async || service.call(Method::GET, "/health", None).await.is_ok())
        .await;
    service.end().await;
}

#[tokio::test]
async fn the_log_is_folded_when_it_is_long() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let customer = "x".repeat(1_000_000);
    let mut longest = 0;
    let log = beside(&place.database(), "-wal");
    for seq in 1..=20 {
        let (status, _) = service.post("/orders", json!({"seq": seq, "customer": customer, "amount": 1})).await;
        assert_eq!(status, 201);
        longest = longest.max(length(&log));
    }
    assert!(longest > 10 << 20 && longest <= 16 << 20, "{longest}");
    assert!(length(&log) < longest);
    assert_eq!(service.get("/health").await.1["latest_seq"], 20);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_goes_into_a_file_being_replaced_is_not_acknowledged() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let backup = place.back_up().await;
    let other = connect(&place.database()).await;
    other.execute("BEGIN IMMEDIATE", ()).await.expect("holds the order up");
    let replace = async {
        // So that the order is most likely under way; the promise below holds in any case.
        tokio::time::sleep(Duration::from_millis(100)).await;
        place.restore(&backup);
        other.execute("ROLLBACK", ()).await.expect("lets the order go on");
    };
    let ((status, said), ()) = tokio::join!(service.order(1), replace);
    let kept = service.get("/orders/1").await.0 == 200;
    assert_eq!(status == 201, kept, "{said}");
    assert_eq!(service.order(2).await.0, 201);
    service.end().await;
}
