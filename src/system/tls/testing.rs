//! Servers with certificates of an authority of our own, for tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority, and what it vouches for.
pub(crate) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
}

/// When a certificate ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// In so many days and an hour.
    Days(i64),
    Expired,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let params = authority("Test Root");
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
        Self { root }
    }

    /// Writes its certificate into a file.
    pub(crate) fn write(&self, directory: &Path) -> PathBuf {
        let path = directory.join("ca.pem");
        std::fs::write(&path, self.root.pem()).expect("writes");
        path
    }

    /// A server with a certificate for these names.
    pub(crate) fn server(&self, names: &[&str], until: Until) -> ServerConfig {
        let (leaf, key) = leaf(names, until, &self.root);
        configured(vec![leaf], &key)
    }

    /// A server whose certificate has another one between itself and the authority, which is sent or forgotten.
    pub(crate) fn server_in_between(&self, names: &[&str], until: Until, complete: bool) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let between = CertifiedIssuer::signed_by(authority("Test Between"), key, &self.root).expect("a certificate");
        let (leaf, key) = leaf(names, until, &between);
        let mut chain = vec![leaf];
        chain.extend(complete.then(|| between.der().clone()));
        configured(chain, &key)
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

type Leaf = (rustls::pki_types::CertificateDer<'static>, KeyPair);

fn leaf(names: &[&str], until: Until, issuer: &CertifiedIssuer<'_, KeyPair>) -> Leaf {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = match until {
        Until::Expired => rcgen::date_time_ymd(2021, 1, 1),
        Until::Days(days) => {
            let from_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
            let hours = i64::try_from(from_epoch.as_secs() / 3600).expect("it fits") + days * 24 + 1;
            // rcgen's own type of time has no constructor that we can name: it is counted up from a date.
            let mut end = rcgen::date_time_ymd(1970, 1, 1);
            end += std::time::Duration::from_secs(u64::try_from(hours).expect("after 1970") * 3600);
            end
        }
    };
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, issuer).expect("a certificate").der().clone(), key)
}

fn configured(chain: Vec<rustls::pki_types::CertificateDer<'static>>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(super::provider()).with_safe_default_protocol_versions();
    config.expect("versions").with_no_client_auth().with_single_cert(chain, key).expect("a server")
}

/// Serves on a port of the loopback until the test's runtime ends: to every request it gives `answer`.
pub(crate) async fn serve(config: ServerConfig, answer: String) -> String {
    serve_after(config, answer, &[]).await
}

/// The same; before TLS begins, `talk` is said: what the client must say (which begins so), and what it gets.
pub(crate) async fn serve_after(
    config: ServerConfig,
    answer: String,
    talk: &'static [(&'static str, &'static str)],
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                for (heard, said) in talk {
                    if !heard.is_empty() {
                        let mut bytes = [0; 64];
                        let read = stream.read(&mut bytes).await.unwrap_or_default();
                        if !bytes[..read].starts_with(heard.as_bytes()) {
                            return;
                        }
                    }
                    let _ = stream.write_all(said.as_bytes()).await;
                }
                // A client that only looks at the certificate hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    address
}
