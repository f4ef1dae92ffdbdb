//! The load's HTTP client: one kept connection, one attempt for each request, nothing repeated behind the caller's back.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::SandboxError;
use super::server::VERSION;

/// Whom to call.
#[derive(Clone)]
pub(super) struct Service {
    authority: String,
    address: String,
    base: String,
}

impl Service {
    /// The service at `url`, which must be plain `http`.
    pub(super) fn at(url: &str) -> Result<Self, SandboxError> {
        let wrong = || SandboxError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some("http"), Some(authority), Some(host)) = (uri.scheme_str(), uri.authority(), uri.host()) else {
            return Err(wrong());
        };
        Ok(Self {
            authority: authority.to_string(),
            address: format!("{host}:{}", uri.port_u16().unwrap_or(80)),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// A client with a connection of its own.
pub(super) struct Caller {
    service: Service,
    timeout: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
    version: Option<String>,
}

impl Caller {
    /// A client whose exchanges may take `timeout`, connecting included.
    pub(super) fn new(service: Service, timeout: Duration) -> Self {
        Self { service, timeout, connection: None, version: None }
    }

    /// The version of whoever answered last; none if nobody answered, or did not say it.
    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Sends one request and receives the whole answer: its status and its JSON. An error says in a few words what failed.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        // Taken, so that a connection that failed or ran out of time is not used again.
        let kept = self.connection.take();
        self.version = None;
        let exchange = exchange(&self.service, kept, method, path, body);
        let answered = tokio::time::timeout(self.timeout, exchange).await;
        let Exchanged { status, version, content, connection } = answered.map_err(|_| "timed out".to_owned())??;
        self.connection = Some(connection);
        self.version = version;
        let value = serde_json::from_slice(&content).map_err(|e| format!("HTTP {status} without JSON: {e}"))?;
        Ok((status, value))
    }
}

/// An answer, received whole, and the connection on which it came.
struct Exchanged {
    status: u16,
    version: Option<String>,
    content: Bytes,
    connection: SendRequest<Full<Bytes>>,
}

async fn exchange(
    service: &Service,
    kept: Option<SendRequest<Full<Bytes>>>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Exchanged, String> {
    // The service may have hung up since: that is no failure of the request that was not sent yet.
    let kept = match kept {
        Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
        None => None,
    };
    let mut connection = match kept {
        Some(kept) => kept,
        None => connect(&service.address).await?,
    };
    let content = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", service.base))
        .header(HOST, &service.authority)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(content))
        .map_err(|e| e.to_string())?;
    let response = connection.send_request(request).await.map_err(|e| innermost(&e))?;
    let status = response.status().as_u16();
    let version = response.headers().get(VERSION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let content = response.into_body().collect().await.map_err(|e| innermost(&e))?.to_bytes();
    Ok(Exchanged { status, version, content, connection })
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|e| innermost(&e))?;
    let _ = stream.set_nodelay(true);
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| innermost(&e))?;
    // It ends when the sender is dropped; what goes wrong on it is told to the request.
    tokio::spawn(connection);
    Ok(sender)
}

/// The innermost cause says what happened.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let message = cause.to_string().to_lowercase();
    message.split(" (os error").next().unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http_with_a_port_or_80() {
        let service = Service::at("http://127.0.0.1:8080/shop/").expect("an address");
        assert_eq!((service.address.as_str(), service.base.as_str()), ("127.0.0.1:8080", "/shop"));
        assert_eq!(Service::at("http://[::1]").expect("an address").address, "[::1]:80");
        for wrong in ["https://127.0.0.1", "127.0.0.1:80", "http://", "", "http:///orders", "ftp://x"] {
            assert!(Service::at(wrong).is_err(), "{wrong}");
        }
    }
}
