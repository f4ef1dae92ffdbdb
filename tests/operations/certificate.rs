//! `certificate-check`: a real certificate of an authority of our own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::shop::Shop;

/// A shop whose certificate ends at the beginning of this year.
pub(crate) fn shop_until(year: i32) -> Shop {
    let mut authority = CertificateParams::new(vec![]).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let mut params = CertificateParams::new(vec!["shop.test".to_owned()]).expect("a name");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate").der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).expect("a server"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(config.clone()).expect("a connection");
            let mut inside = Stream::new(&mut connection, &mut stream);
            // A client that only looks at the certificate hangs up.
            let _ = inside.read(&mut [0; 64]);
            let _ = inside.write_all(b"hello");
        }
    });
    let shop = Shop::with_certificate(&address, "ca = \"ca.pem\"");
    shop.project.write("ca.pem", &authority.pem());
    shop
}

#[test]
fn a_certificate_with_years_left_is_only_noted() {
    let shop = shop_until(2090);
    let said = shop.run("certificate-check", &[]);
    assert_eq!(said.code, Some(0), "{}", said.text);
    assert!(said.text.contains("certificate: shop.test by "), "{}", said.text);
    let told = shop.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("Headers of the service: 200 in ") && told[0].contains("no Content-Security-Policy"),
        "{told:?}"
    );
}

#[test]
fn one_that_ends_too_soon_is_warned_of_and_then_fails_the_run() {
    let shop = shop_until(2090);
    let days =
        |left: &str| left.split(" days left").next().and_then(|l| l.rsplit(' ').next()).and_then(|n| n.parse().ok());
    let left: i64 = days(&shop.run("certificate-check", &[]).text).expect("the days that are left");
    let warned = shop.run("certificate-check", &[&format!("warn_days={}", left + 10)]);
    assert_eq!(warned.code, Some(0), "{}", warned.text);
    assert!(shop.told().iter().any(|told| told.starts_with("Certificate of the service: ")), "{:?}", shop.told());
    let failed =
        shop.run("certificate-check", &[&format!("warn_days={}", left + 20), &format!("fail_days={}", left + 10)]);
    assert!(failed.code == Some(1) && failed.text.contains("the certificate must be renewed"), "{}", failed.text);
}

#[test]
fn one_that_has_expired_or_is_not_there_fails_the_run() {
    let expired = shop_until(2021).run("certificate-check", &[]);
    assert!(expired.code == Some(1) && expired.text.contains("not to be trusted: it has expired"), "{}", expired.text);
    let nobody = Shop::open().run("certificate-check", &[]);
    assert!(nobody.code == Some(1) && nobody.text.contains("connection refused"), "{}", nobody.text);
}
