//! What the probe of an HTTP service makes of real servers that speak TLS.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::model::Span;
use crate::primitives::probe::Status;
use crate::system::System;
use crate::system::tls::testing::{Authority, Until, serve};

const GOOD: &str = "Strict-Transport-Security: max-age=31536000\r\nContent-Security-Policy: default-src 'self'\r\n\
                    X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n";

struct Bench {
    dir: tempfile::TempDir,
    authority: Authority,
    plain_url: Option<String>,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), authority: Authority::new(), plain_url: None }
    }

    /// A service whose certificate has so many days left, with more headers in its answers.
    async fn serve(&self, days: i64, headers: &str) -> String {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\nok");
        serve(self.authority.server(&["127.0.0.1", "web.test"], Until::Days(days)), answer).await
    }

    async fn probe(&self, address: &str, ca: bool, args: Args) -> Output {
        let service = HttpService {
            name: "web".into(),
            url: format!("https://{address}/"),
            headers: BTreeMap::new(),
            timeout: Span::from_secs(20),
            pid_file: None,
            maintenance_file: None,
            refuse_file: None,
            ca: ca.then(|| self.authority.write(self.dir.path())),
            plain_url: self.plain_url.clone(),
            deployment: None,
        };
        let look = Look::new(Arc::new(System::new(PathBuf::new())));
        Observer::<Probe>::observe(&service, &args, &look).await.expect("it answers")
    }
}

fn args() -> Args {
    Args::of("web")
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_who_knows_it() {
    let bench = Bench::new();
    let address = bench.serve(40, "").await;
    let output = bench.probe(&address, true, args()).await;
    assert_eq!((output.status, output.value), (Status::Pass, Value::Int(200)), "{}", output.detail);
    let output = bench.probe(&address, false, args()).await;
    assert_eq!(
        (output.status, output.down),
        (Status::Fail, false),
        "it answers, and is not trusted: {}",
        output.detail
    );
}

#[tokio::test]
async fn days_and_names_of_the_certificate_are_judged() {
    let bench = Bench::new();
    let address = bench.serve(40, "").await;
    let days = |warn, fail| Args { tls_days_warn: Some(warn), tls_days_fail: Some(fail), ..args() };
    let of = async |args| bench.probe(&address, true, args).await;
    assert_eq!(of(days(30, 7)).await.status, Status::Pass);
    let output = of(days(41, 7)).await;
    assert_eq!(output.status, Status::Warn);
    assert!(
        output.detail.ends_with(", 127.0.0.1, web.test by Test Root: days left on the certificate: 40"),
        "{}",
        output.detail
    );
    assert_eq!(of(days(60, 41)).await.status, Status::Fail);
    let names = |names: &[&str]| Args { tls_names: Some(names.iter().map(|n| (*n).to_owned()).collect()), ..args() };
    assert_eq!(of(names(&["web.test"])).await.status, Status::Pass);
    assert!(of(names(&["web.test", "www.test"])).await.detail.ends_with("the certificate is not for www.test"));
}

#[tokio::test]
async fn security_headers_are_judged_with_where_plain_http_leads() {
    let mut bench = Bench::new();
    let headers = || Args { security_headers: true, ..args() };
    let good = bench.serve(40, GOOD).await;
    // Port 80 of the loopback: nobody there, or somebody who is none of ours.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let plain = format!("http://{}/", listener.local_addr().expect("an address"));
    bench.plain_url = Some(plain.clone());
    let leads = std::thread::spawn(move || {
        for status in ["301 Moved\r\nLocation: https://web.test/", "200 OK"] {
            let (mut stream, _) = listener.accept().expect("accepts");
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    let output = bench.probe(&good, true, headers()).await;
    assert_eq!(output.status, Status::Pass, "{}", output.detail);
    let output = bench.probe(&good, true, headers()).await;
    let end = format!(": {plain} answers 200 without leading to https");
    assert!(output.status == Status::Fail && output.detail.ends_with(&end), "{}", output.detail);
    leads.join().expect("it ends");
    let weak = bench.serve(40, &GOOD.replace("31536000", "3600")).await;
    let output = bench.probe(&weak, true, headers()).await;
    assert_eq!(output.status, Status::Warn, "nobody listens in the open any more: {}", output.detail);
    let none = bench.serve(40, "").await;
    let output = bench.probe(&none, true, headers()).await;
    assert_eq!(output.status, Status::Fail);
    for missing in ["Strict-Transport-Security", "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options"]
    {
        assert!(output.detail.contains(&format!("no {missing}")), "{}", output.detail);
    }
}

#[tokio::test]
async fn a_file_of_authorities_that_is_none_is_a_mistake_of_ours() {
    let bench = Bench::new();
    let service = HttpService {
        name: "web".into(),
        url: "https://127.0.0.1:1/".into(),
        headers: BTreeMap::new(),
        timeout: Span::from_secs(5),
        pid_file: None,
        maintenance_file: None,
        refuse_file: None,
        ca: Some(bench.dir.path().join("none.pem")),
        plain_url: None,
        deployment: None,
    };
    let look = Look::new(Arc::new(System::new(PathBuf::new())));
    let fault = Observer::<Probe>::observe(&service, &args(), &look).await.expect_err("refused");
    assert_eq!(fault.code, "probe-misuse");
    assert!(fault.message.contains("none.pem: no such file"), "{}", fault.message);
}

#[test]
fn plain_http_is_at_port_80_of_the_same_host() {
    assert_eq!(plain_url("https://a.test:8443/x?y").as_deref(), Some("http://a.test/x?y"));
    assert_eq!(plain_url("https://u:p@[::1]:443").as_deref(), Some("http://[::1]"));
    assert_eq!(plain_url("https://[::1]/").as_deref(), Some("http://[::1]/"));
    assert_eq!(plain_url("http://a.test/"), None);
}
