//! The webhook sink.

use super::*;

#[tokio::test]
async fn the_sink_keeps_each_message_and_counts_those_of_an_earlier_one() {
    let place = Place::new();
    let log = place.file("hooks/messages.jsonl");
    let options = SinkOptions { listen: ([127, 0, 0, 1], 0).into(), log: log.clone() };
    let sink = Running::sink(options.clone()).await;
    let answered = send_text(&sink.url).await;
    assert_eq!(answered, json!({"ok": true}));
    assert_eq!(sink.post("/incidents", json!({"text": "restored"})).await, (200, json!({"ok": true})));
    assert_eq!(sink.get("/").await, (200, json!({"received": 2})));
    assert_eq!(sink.get("/else").await.0, 404);
    sink.end().await;

    let text = std::fs::read_to_string(&log).expect("reads");
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &mut lines {
        let at = line["at"].take();
        at.as_str().expect("a time").parse::<jiff::Timestamp>().expect("RFC 3339");
    }
    let headers = json!({"content-type": "text/plain", "idempotency-key": "run-1:3"});
    assert_eq!(lines[0], json!({"at": null, "path": "/text", "headers": headers, "body": "not JSON"}));
    let headers = json!({"content-type": "application/json"});
    assert_eq!(lines[1], json!({"at": null, "path": "/incidents", "headers": headers, "body": {"text": "restored"}}));

    // One that was killed in the middle of a line.
    std::fs::write(&log, format!("{text}{{\"at\":")).expect("writes");
    let sink = Running::sink(options).await;
    assert_eq!(sink.get("/").await.1["received"], 3);
    sink.post("/incidents", json!({})).await;
    sink.end().await;
    let text = std::fs::read_to_string(&log).expect("reads");
    assert_eq!(text.lines().count(), 4);
    serde_json::from_str::<Value>(text.lines().last().expect("a line")).expect("is whole");
}

/// Sends what [`Caller`] cannot: other headers, and a body that is not JSON.
async fn send_text(url: &str) -> Value {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = url.strip_prefix("http://").expect("an address");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
    let request = "POST /text HTTP/1.1\r\nhost: sink\r\ncontent-type: text/plain\r\nidempotency-key: run-1:3\r\n\
        authorization: Bearer secret\r\ncontent-length: 8\r\nconnection: close\r\n\r\nnot JSON";
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("receives");
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON")
}
