//! Handshakes with real servers on the loopback.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::testing::{Authority, Until, serve, serve_after};
use super::*;
use crate::system::System;

async fn shake(address: &str, ca: Option<PathBuf>, starttls: Option<StartTls>) -> Result<TlsFound, TlsError> {
    let look = Look::new(Arc::new(System::new(PathBuf::new())));
    let name = "db.test".to_owned();
    look.tls_handshake(&TlsRequest {
        address: address.to_owned(),
        name,
        ca,
        starttls,
        timeout: Duration::from_secs(20),
    })
    .await
}

#[tokio::test]
async fn a_certificate_of_a_private_authority_is_trusted_by_who_knows_it() {
    let (dir, authority) = (tempfile::tempdir().expect("a directory"), Authority::new());
    let ca = authority.write(dir.path());
    let address = serve(authority.server(&["db.test"], Until::Days(40)), String::new()).await;
    let found = shake(&address, Some(ca), None).await.expect("it shakes hands");
    assert_eq!((found.trusted, found.chain.len(), found.version.as_str()), (Ok(()), 1, "TLS 1.3"));
    let found = shake(&address, None, None).await.expect("it shakes hands");
    assert!(found.trusted.expect_err("the system does not know it").starts_with("its issuer is not known"));
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_and_it_is_still_seen() {
    let (dir, authority) = (tempfile::tempdir().expect("a directory"), Authority::new());
    let ca = Some(authority.write(dir.path()));
    let of = async |config| {
        let found = shake(&serve(config, String::new()).await, ca.clone(), None).await.expect("it shakes hands");
        (found.trusted.err().unwrap_or_default(), found.chain.len())
    };
    assert_eq!(of(authority.server(&["db.test"], Until::Expired)).await, ("it has expired".to_owned(), 1));
    assert_eq!(of(authority.server(&["other.test"], Until::Days(9))).await, ("it is for other names".to_owned(), 1));
    let between = |complete| authority.server_in_between(&["db.test"], Until::Days(9), complete);
    assert_eq!(of(between(true)).await, (String::new(), 2));
    assert!(of(between(false)).await.0.contains("does the server send the certificates in between?"));
    assert!(of(Authority::new().server(&["db.test"], Until::Days(9))).await.0.starts_with("its issuer is not known"));
}

#[tokio::test]
async fn protocols_change_to_tls_when_asked() {
    let (dir, authority) = (tempfile::tempdir().expect("a directory"), Authority::new());
    let ca = Some(authority.write(dir.path()));
    let config = || authority.server(&["db.test"], Until::Days(9));
    let smtp: &[_] =
        &[("", "220 mx ESMTP\r\n"), ("EHLO ", "250-mx\r\n250 STARTTLS\r\n"), ("STARTTLS\r\n", "220 go\r\n")];
    let imap: &[_] = &[("", "* OK ready\r\n"), ("a STARTTLS\r\n", "a OK begin\r\n")];
    let postgres: &[_] = &[("\0\0\0\u{8}\u{4}", "S")];
    for (starttls, talk) in [(StartTls::Smtp, smtp), (StartTls::Imap, imap), (StartTls::Postgres, postgres)] {
        let address = serve_after(config(), String::new(), talk).await;
        let found = shake(&address, ca.clone(), Some(starttls)).await.expect("it shakes hands");
        assert_eq!(found.trusted, Ok(()), "{starttls:?}");
    }
    let refusing: &[_] = &[("", "220 mx\r\n"), ("EHLO ", "250 mx\r\n"), ("STARTTLS\r\n", "502 no such command\r\n")];
    let address = serve_after(config(), String::new(), refusing).await;
    let error = shake(&address, ca.clone(), Some(StartTls::Smtp)).await.expect_err("it refuses");
    assert_eq!(
        (error.answered, error.message.as_str()),
        (true, "the server does not change to TLS: 502 no such command")
    );
    let address = serve_after(config(), String::new(), &[("\0\0\0\u{8}\u{4}", "N")]).await;
    let error = shake(&address, ca, Some(StartTls::Postgres)).await.expect_err("it has none");
    assert_eq!(error.message, "the server has no TLS");
}

#[tokio::test]
async fn nobody_is_silent_and_anything_else_has_answered() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address: SocketAddr = listener.local_addr().expect("its address");
    let plain = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("accepts");
        let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = shake(&address.to_string(), None, None).await.expect_err("no TLS");
    assert_eq!((error.answered, error.message.as_str()), (true, "what answers does not speak TLS"));
    plain.join().expect("it ends");
    let error = shake(&address.to_string(), None, None).await.expect_err("nobody");
    assert_eq!((error.answered, error.message.as_str()), (false, "connection refused"));
}

#[test]
fn a_file_without_certificates_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("ca.pem");
    assert!(certificates(&path).expect_err("none").contains("no such file"));
    std::fs::write(&path, "hello").expect("writes");
    assert!(certificates(&path).expect_err("no PEM").contains("holds no certificate in PEM"));
    let ca = Authority::new().write(dir.path());
    assert_eq!(certificates(&ca).expect("one").len(), 1);
}
