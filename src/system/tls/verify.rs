//! Sees the certificates that a server shows, and lets the handshake go on whether they can be trusted or not.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The certificates that were shown, and whether they can be trusted.
type Shown = (Vec<Vec<u8>>, Result<(), String>);

/// Asks a real verifier, and remembers what it says instead of acting on it. Nothing is ever sent over such a connection.
#[derive(Debug)]
pub(super) struct Witness {
    inner: Arc<dyn ServerCertVerifier>,
    shown: Mutex<Option<Shown>>,
}

impl Witness {
    /// One that trusts the certificates in a file, or those of the system.
    pub(super) fn new(ca: Option<&Path>, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let inner: Arc<dyn ServerCertVerifier> = match ca {
            None => Arc::new(rustls_platform_verifier::Verifier::new(provider).map_err(|error| error.to_string())?),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in super::certificates(path)? {
                    roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
                }
                let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.build().map_err(|error| error.to_string())?
            }
        };
        Ok(Self { inner, shown: Mutex::default() })
    }

    /// What was shown, once the server has shown it.
    pub(super) fn shown(&self) -> Option<Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let trusted = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp, now);
        let trusted = trusted.map(drop).map_err(|error| plain(&error, intermediates.is_empty()));
        let chain = std::iter::once(end_entity).chain(intermediates).map(|der| der.to_vec()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((chain, trusted));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Why a certificate cannot be trusted, in plain words.
fn plain(error: &Error, alone: bool) -> String {
    let Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for other names".to_owned()
        }
        CertificateError::UnknownIssuer if alone => {
            "its issuer is not known (does the server send the certificates in between?)".to_owned()
        }
        CertificateError::UnknownIssuer => "its issuer is not known".to_owned(),
        CertificateError::BadSignature => "its issuer is not known: another one of that name signed it".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers".to_owned()
        }
        other => other.to_string().to_lowercase(),
    }
}
