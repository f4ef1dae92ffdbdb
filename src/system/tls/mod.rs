//! TLS handshakes, to see which certificates a server shows and whether they can be trusted.

mod starttls;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod verify;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Look;
use verify::Witness;

pub use starttls::StartTls;

/// A handshake to be.
#[derive(Clone, Debug)]
pub struct TlsRequest {
    /// Where the server listens, as `host:port`.
    pub address: String,
    /// The name that the certificate must be for, and that the server is asked for.
    pub name: String,
    /// A file of PEM certificates that are trusted, and no others; those of the system if not given.
    pub ca: Option<std::path::PathBuf>,
    /// What is said before TLS begins; nothing if not given.
    pub starttls: Option<StartTls>,
    /// How long all of it may take.
    pub timeout: Duration,
}

/// What a handshake showed.
#[derive(Clone, Debug)]
pub struct TlsFound {
    /// The certificates (DER), the server's own first.
    pub chain: Vec<Vec<u8>>,
    /// Whether they can be trusted for the name; why not, if not.
    pub trusted: Result<(), String>,
    /// The version of the protocol, such as `TLS 1.3`.
    pub version: String,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why there was no handshake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TlsError {
    /// What failed, in lower case.
    pub message: String,
    /// Whether something answered, however badly.
    pub answered: bool,
}

impl TlsError {
    fn silent(message: impl Into<String>) -> Self {
        Self { message: message.into(), answered: false }
    }

    fn answered(message: impl Into<String>) -> Self {
        Self { message: message.into(), answered: true }
    }

    fn io(error: &std::io::Error) -> String {
        error.to_string().to_lowercase().split(" (os error").next().unwrap_or_default().to_owned()
    }
}

impl Look {
    /// Makes a TLS handshake and hangs up; nothing is sent inside. A certificate that cannot be trusted is a finding, no error.
    pub async fn tls_handshake(&self, request: &TlsRequest) -> Result<TlsFound, TlsError> {
        let started = self.monotonic();
        let work = tokio::time::timeout(request.timeout, handshake(request));
        let mut found = work.await.unwrap_or_else(|_| Err(TlsError::silent("timed out")))?;
        found.elapsed = self.monotonic().saturating_sub(started);
        Ok(found)
    }

    /// Whether a file holds certificates that can be trusted. The error says why not.
    pub fn certificates(&self, path: &Path) -> Result<usize, String> {
        certificates(path).map(|found| found.len())
    }
}

/// The certificates in a PEM file.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|error| format!("{shown}: {}", TlsError::io(&error)))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("{shown} holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)")),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

async fn handshake(request: &TlsRequest) -> Result<TlsFound, TlsError> {
    let name = ServerName::try_from(request.name.clone())
        .map_err(|_| TlsError::answered(format!("`{}` is no name of a server", request.name)))?;
    let witness = Arc::new(Witness::new(request.ca.as_deref(), provider()).map_err(TlsError::answered)?);
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.map_err(|error| TlsError::answered(error.to_string()))?;
    let mut config = config.dangerous().with_custom_certificate_verifier(witness.clone()).with_no_client_auth();
    if request.starttls == Some(StartTls::Postgres) {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    let connected = TcpStream::connect(&request.address).await;
    let mut stream = connected.map_err(|error| TlsError::silent(TlsError::io(&error)))?;
    if let Some(starttls) = request.starttls {
        starttls.ask(&mut stream).await?;
    }
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let shown = witness.shown();
    match (connected, shown) {
        (Ok(stream), Some((chain, trusted))) => {
            let version = match stream.get_ref().1.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS",
            };
            Ok(TlsFound { chain, trusted, version: version.to_owned(), elapsed: Duration::ZERO })
        }
        // It showed a certificate and then wanted one of ours: what was to be seen was seen.
        (Err(_), Some((chain, trusted))) => {
            Ok(TlsFound { chain, trusted, version: "TLS, which the server ended".to_owned(), elapsed: Duration::ZERO })
        }
        (Err(error), None) => Err(not_tls(&error)),
        (Ok(_), None) => Err(TlsError::answered("the server shows no certificate")),
    }
}

fn not_tls(error: &std::io::Error) -> TlsError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidMessage(_)) => TlsError::answered("what answers does not speak TLS"),
        Some(error) => TlsError::answered(error.to_string()),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            TlsError::answered("hung up before the handshake was over")
        }
        None => TlsError::answered(TlsError::io(error)),
    }
}
