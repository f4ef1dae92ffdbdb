//! An HTTP/1.1 server that speaks JSON and whose door can be shut by a file.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::SandboxError;

/// How often files that steer the service are looked at.
pub(super) const POLL: Duration = Duration::from_millis(20);

const BODY_LIMIT: usize = 1 << 20;

/// A request, received whole.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// An answer, and the version of whoever gives it.
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) version: Option<String>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, version: None }
    }
}

/// The header that holds the version of whoever answers.
pub(super) const VERSION: &str = "x-version";

/// The answer to a [`Call`].
pub(super) struct Answer(pub(super) StatusCode, pub(super) Value);

impl Answer {
    /// An answer that says what went wrong.
    pub(super) fn error(status: StatusCode, error: &(impl ToString + ?Sized)) -> Self {
        Self(status, json!({"status": "error", "error": error.to_string()}))
    }

    /// The path exists, or not; the method does not fit.
    pub(super) fn unknown(call: &Call) -> Self {
        Self::error(StatusCode::NOT_FOUND, &format!("there is no {} {}", call.method, call.path))
    }
}

/// A server that has its address but serves nobody yet.
pub(super) struct Server {
    address: SocketAddr,
    listener: TcpListener,
}

impl Server {
    /// Takes the address; port 0 takes a free one.
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, SandboxError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => SandboxError::AddressTaken(address),
            _ => SandboxError::Listen { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        Ok(Self { address: listener.local_addr().map_err(failed)?, listener })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`. While a file `refuse` exists, connections are refused and the open ones hung up.
    pub(super) async fn run<H, F, R>(self, refuse: Option<PathBuf>, stop: CancellationToken, handler: H)
    where
        H: Fn(Call) -> F + Clone + Send + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Into<Reply> + Send + 'static,
    {
        let refused = || refuse.as_ref().is_some_and(|path| path.exists());
        let address = self.address;
        let mut listener = Some(self.listener).filter(|_| !refused());
        let mut hang_up = stop.child_token();
        let mut connections = JoinSet::new();
        let mut poll = tokio::time::interval(POLL);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = poll.tick(), if refuse.is_some() => match (&listener, refused()) {
                    (Some(_), true) => {
                        listener = None;
                        hang_up.cancel();
                    }
                    // Should the port be taken for a moment, the next tick tries again.
                    (None, false) => if let Ok(again) = TcpListener::bind(address).await {
                        listener = Some(again);
                        hang_up = stop.child_token();
                    }
                    _ => {}
                },
                accepted = accept(listener.as_ref()) => match accepted {
                    Ok(stream) => drop(connections.spawn(converse(stream, handler.clone(), hang_up.clone()))),
                    // No file descriptors left, most likely: some will be free again.
                    Err(_) => tokio::time::sleep(POLL).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        // Requests on the way are answered; a client that dawdles does not keep the process from ending.
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), all).await;
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn converse<H, F, R>(stream: TcpStream, handler: H, hang_up: CancellationToken)
where
    H: Fn(Call) -> F + Clone + Send + 'static,
    F: Future<Output = R> + Send + 'static,
    R: Into<Reply> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| respond(request, handler.clone()));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // An error says that the client went away: its loss.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = hang_up.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn respond<H, F, R>(request: Request<Incoming>, handler: H) -> Result<Response<Full<Bytes>>, Infallible>
where
    H: Fn(Call) -> F,
    F: Future<Output = R>,
    R: Into<Reply>,
{
    let (head, body) = request.into_parts();
    let Reply { answer: Answer(status, value), version } = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => {
            let path = head.uri.path().to_owned();
            handler(Call { method: head.method, path, headers: head.headers, body: body.to_bytes() }).await.into()
        }
        Err(error) => Answer::error(StatusCode::BAD_REQUEST, &format!("cannot read the body: {error}")).into(),
    };
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(version) = version.and_then(|version| HeaderValue::try_from(version).ok()) {
        response.headers_mut().insert(VERSION, version);
    }
    Ok(response)
}
