//! What the probe of an HTTP service makes of real servers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use super::*;
use crate::model::Span;
use crate::primitives::probe::Status;
use crate::system::System;

/// A server on the loopback. It gives one answer to each connection, then closes its port.
struct Server {
    address: String,
    /// The head of each request, as it came.
    requests: mpsc::Receiver<String>,
}

impl Server {
    fn answering(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let address = listener.local_addr().expect("an address").to_string();
        let (heard, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("accepts");
                let _ = heard.send(head(&stream));
                // A client that has read enough hangs up.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, requests }
    }
}

fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nX-Version: v1.4.2\r\nConnection: close\r\n\r\n{body}")
}

fn web() -> Args {
    Args::of("web")
}

async fn probe(url: String, args: Args) -> Result<Output, Fault> {
    let service = HttpService {
        name: "web".into(),
        url,
        headers: BTreeMap::from([("X-Probe".into(), "lifeboat".into())]),
        timeout: Span::from_secs(5),
        pid_file: None,
        maintenance_file: None,
        refuse_file: None,
        ca: None,
        plain_url: None,
        deployment: None,
    };
    Observer::<Probe>::observe(&service, &args, &Look::new(Arc::new(System::new(PathBuf::new())))).await
}

/// What is made of one answer.
async fn judged(status: &str, body: &str, args: Args) -> Output {
    let server = Server::answering(vec![answer(status, body)]);
    probe(format!("http://{}/", server.address), args).await.expect("answers")
}

#[tokio::test]
async fn a_2xx_passes() {
    let output = judged("200 OK", "hello", web()).await;
    assert_eq!((output.status, output.ok, output.down), (Status::Pass, true, false));
    assert_eq!((output.value, output.attempts), (Value::Int(200), 1));
    assert!(output.detail.starts_with("200 in ") && output.latency_ms > 0.0, "{}", output.detail);
}

#[tokio::test]
async fn any_other_status_fails_but_is_not_down_unless_it_is_expected() {
    for status in ["503 Service Unavailable", "301 Moved Permanently", "404 Not Found"] {
        let output = judged(status, "", web()).await;
        assert_eq!((output.status, output.ok, output.down), (Status::Fail, false, false));
        assert!(output.detail.ends_with(": expected 2xx"), "{}", output.detail);
    }
    let expected = Value::List(vec![Value::Int(401), Value::from("5xx")]);
    let args = Args { status: Some(expected.try_into().expect("statuses")), ..web() };
    assert!(judged("503 Service Unavailable", "", args.clone()).await.ok);
    assert!(!judged("200 OK", "", args).await.ok);
}

#[tokio::test]
async fn nobody_there_is_down() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let output = probe(url, web()).await.expect("answers");
    assert_eq!((output.status, output.ok, output.down, output.value), (Status::Fail, false, true, Value::Null));
    assert_eq!(output.detail, "connection refused");
}

#[tokio::test]
async fn silence_until_the_timeout_is_down() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let args = Args { timeout: Some(Span::from_millis(50)), ..web() };
    let output = probe(url, args).await.expect("answers");
    assert_eq!((output.status, output.down, output.detail.as_str()), (Status::Fail, true, "timed out"));
}

#[tokio::test]
async fn an_answer_that_is_cut_short_or_no_http_is_not_down() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_owned();
    for answer in [cut, "220 mail.example.com ESMTP\r\n".to_owned()] {
        let server = Server::answering(vec![answer]);
        let output = probe(format!("http://{}/", server.address), web()).await.expect("answers");
        assert_eq!((output.status, output.down), (Status::Fail, false), "{}", output.detail);
    }
}

#[tokio::test]
async fn attempts_go_on_until_one_passes() {
    let bad = || answer("503 Service Unavailable", "");
    let server = Server::answering(vec![bad(), bad(), answer("200 OK", "")]);
    let args = Args { attempts: 5, every: Span::from_millis(1), ..web() };
    let output = probe(format!("http://{}/", server.address), args).await.expect("answers");
    assert_eq!((output.status, output.attempts), (Status::Pass, 3));
}

#[tokio::test]
async fn the_path_replaces_that_of_the_target_and_its_headers_are_sent() {
    let server = Server::answering(vec![answer("200 OK", "")]);
    let args = Args { path: Some(Arg::Known("/health?deep=1".into())), ..web() };
    probe(format!("http://{}/app?x=y#z", server.address), args).await.expect("answers");
    let request = server.requests.recv().expect("a request");
    assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\n"), "{request}");
    assert!(request.to_lowercase().contains("x-probe: lifeboat"), "{request}");
}

#[tokio::test]
async fn body_and_headers_must_contain_what_is_expected() {
    let contains = |text: &str| Args { contains: Some(Arg::Known(text.into())), ..web() };
    assert!(judged("200 OK", "all is well", contains("well")).await.ok);
    let output = judged("200 OK", "all is well", contains("ill")).await;
    assert!(!output.ok && output.detail.ends_with(r#": no "ill" in the body"#), "{}", output.detail);

    let header = |name: &str, text: &str| Args { headers: Some(BTreeMap::from([(name.into(), text.into())])), ..web() };
    assert!(judged("200 OK", "", header("X-Version", "1.4")).await.ok);
    let output = judged("200 OK", "", header("x-version", "2.0")).await;
    assert!(output.detail.ends_with(r#": header x-version is "v1.4.2", expected "2.0" in it"#), "{}", output.detail);
    assert!(judged("200 OK", "", header("X-Other", "")).await.detail.ends_with(": no header X-Other"));
}

#[tokio::test]
async fn a_pointer_finds_the_value_in_json() {
    let body = r#"{ "orders": { "count": 12 }, "state": "ok", "tags": ["a"], "forged": { "$secret": "TOKEN" } }"#;
    let at = |pointer: &str| Args { pointer: Some(pointer.into()), ..web() };
    let output = judged("200 OK", body, Args { at_least: Some(Arg::Known(12.0)), ..at("/orders/count") }).await;
    assert_eq!((output.status, output.value), (Status::Pass, Value::Int(12)));
    let output = judged("200 OK", body, Args { at_least: Some(Arg::Known(13.0)), ..at("/orders/count") }).await;
    assert!(output.detail.ends_with(", /orders/count is 12: expected at least 13"), "{}", output.detail);
    assert!(judged("200 OK", body, Args { equals: Some("ok".into()), ..at("/state") }).await.ok);
    assert_eq!(judged("200 OK", body, at("/tags")).await.value, Value::from(r#"["a"]"#));
    assert_eq!(judged("200 OK", body, at("/forged")).await.value, Value::from(r#"{"$secret":"TOKEN"}"#));
    assert!(judged("200 OK", body, at("/none")).await.detail.ends_with(": nothing at `/none` in the body"));
    assert!(judged("200 OK", "<html>", at("/none")).await.detail.ends_with(": the body is not JSON"));
}

#[tokio::test]
async fn a_large_body_warns_or_fails() {
    let size = |warn, fail| Args { warn_size: Some(warn), fail_size: Some(fail), ..web() };
    assert_eq!(judged("200 OK", "12345", size(5, 9)).await.status, Status::Pass);
    assert_eq!(judged("200 OK", "123456", size(5, 9)).await.status, Status::Warn);
    assert_eq!(judged("200 OK", "1234567890", size(5, 9)).await.status, Status::Fail);
}

#[tokio::test]
async fn a_body_is_read_as_far_as_a_limit_needs_and_no_further() {
    let body = "x".repeat((1 << 20) + 1);
    let limit = Args { fail_size: Some(1 << 20), ..web() };
    assert_eq!(judged("200 OK", &body, limit).await.status, Status::Fail);
    let output =
        judged("200 OK", &format!("{body}end"), Args { contains: Some(Arg::Known("end".into())), ..web() }).await;
    assert!(output.detail.ends_with(r#": no "end" in the body in its first 1048576 bytes"#), "{}", output.detail);
}

#[tokio::test]
async fn requests_that_cannot_be_made_are_misuse() {
    let path = |path: &str| Args { path: Some(Arg::Known(path.into())), ..web() };
    for (url, args, why) in [
        ("http://127.0.0.1:1", path("health"), "must begin with `/`"),
        ("http://127.0.0.1:99999", web(), "no request can be sent"),
        ("http://127.0.0.1:1", Args { pointer: Some("orders".into()), ..web() }, "a JSON pointer begins with `/`"),
        ("http://127.0.0.1:1", Args { tls_days_warn: Some(7), ..web() }, "not reached over https"),
        ("http://127.0.0.1:1", Args { fail_size: Some(1 << 40), ..web() }, "too large"),
        ("http://127.0.0.1:1", Args { integrity: true, ..web() }, "`integrity` makes no sense for web"),
    ] {
        let fault = probe(url.into(), args).await.expect_err(why);
        assert!(fault.code == "probe-misuse" && fault.message.contains(why), "{fault}");
    }
}

/// A server whose certificate nobody signed but itself.
fn untrusted_tls_server() -> String {
    let signed = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![signed.cert.der().clone()], key).expect("a configuration"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("accepts");
        let connection = rustls::ServerConnection::new(config).expect("a connection");
        // The client refuses, which ends the handshake with an error here.
        let _ = rustls::StreamOwned::new(connection, stream).read(&mut [0; 1024]);
    });
    address
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_fails_and_is_not_down() {
    let output = probe(format!("https://{}/", untrusted_tls_server()), web()).await.expect("answers");
    assert_eq!((output.status, output.down), (Status::Fail, false));
    assert!(output.detail.contains("certificate"), "{}", output.detail);
}

#[test]
fn a_certificate_that_expires_soon_warns_then_fails() {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    params.not_after = rcgen::date_time_ymd(2031, 5, 21);
    let signed = params.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("a certificate");
    let response = |certificate| HttpResponse {
        status: 200,
        headers: BTreeMap::new(),
        body: Vec::new(),
        elapsed: std::time::Duration::from_millis(12),
        certificate,
    };
    let args = Args { tls_days_warn: Some(20), tls_days_fail: Some(10), ..web() };
    let at = |now: &str, certificate| {
        let finding = judge(&args, &response(certificate), 1 << 20, now.parse().expect("a time"));
        (finding.status, finding.detail())
    };
    let der = || Some(signed.der().to_vec());
    assert_eq!(
        at("2031-05-01T00:00:00Z", der()),
        (Status::Pass, "200 in 12ms, localhost by rcgen self signed cert".to_owned())
    );
    let warning = "200 in 12ms, localhost by rcgen self signed cert: days left on the certificate: 19";
    assert_eq!(at("2031-05-01T00:00:01Z", der()), (Status::Warn, warning.to_owned()));
    assert_eq!(at("2031-05-12T00:00:00Z", der()).0, Status::Fail);
    assert_eq!(at("2031-05-01T00:00:00Z", None), (Status::Fail, "200 in 12ms: no certificate".to_owned()));
}
