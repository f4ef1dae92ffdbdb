//! HTTP requests, with what probes want to know of the answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::{Client, ClientBuilder, Method, redirect};
use tokio::task::JoinSet;

/// A request.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The address, `http` or `https`.
    pub url: String,
    /// Headers by name.
    pub headers: BTreeMap<String, String>,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// How many bytes of the answer's body are read at most.
    pub body_limit: usize,
    /// A file of PEM certificates that are trusted, and no others; those of the system if not given.
    pub ca: Option<PathBuf>,
}

impl HttpRequest {
    /// A request that may take 10 seconds and bring 1 MiB.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: BTreeMap::new(),
            timeout: Duration::from_secs(10),
            body_limit: 1 << 20,
            ca: None,
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Headers by lower-case name; repeated ones joined with `, `.
    pub headers: BTreeMap<String, String>,
    /// The body, cut at the request's limit.
    pub body: Vec<u8>,
    /// From the start until the last byte.
    pub elapsed: Duration,
    /// The server's certificate (DER), over TLS.
    pub certificate: Option<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What failed, such as `connection refused`.
    pub message: String,
    /// Whether the request may have reached the server.
    pub sent: bool,
    /// How far it came.
    pub kind: HttpErrorKind,
}

/// How far a request came that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// It could not even be sent: the address or a header makes no sense.
    Invalid,
    /// Nothing answered: refused, timed out, closed without a word.
    NoAnswer,
    /// Something answered, but not with a whole HTTP answer that can be trusted.
    BadAnswer,
}

/// The clients of one process, each made when it is first needed.
#[derive(Default)]
pub(super) struct Clients {
    keeping: OnceLock<Client>,
    looking: OnceLock<Client>,
    looking_without_tls: OnceLock<Client>,
}

impl Clients {
    /// Keeps a few connections, for requests that change something or tell somebody.
    pub(super) fn keeping(&self) -> &Client {
        self.keeping.get_or_init(|| built(Client::builder().pool_max_idle_per_host(4)))
    }

    /// Opens a connection for each request. A service that takes no new connections is down, however well those go on that were
    /// opened before; and how long it takes to open one is a part of how long an answer takes.
    pub(super) fn looking(&self, url: &str) -> &Client {
        // Each exchange has a time of its own after which it is given up: the kernel need not watch the connection as well.
        let looking = || {
            let builder = Client::builder().pool_max_idle_per_host(0).tcp_user_timeout(None);
            builder.tcp_keepalive(None).tcp_keepalive_interval(None).tcp_keepalive_retries(None)
        };
        match url.get(..8) {
            Some(scheme) if scheme.eq_ignore_ascii_case("https://") => self.looking.get_or_init(|| built(looking())),
            // Reading the machine's certificates takes longer than most looks.
            _ => self.looking_without_tls.get_or_init(|| built(looking().tls_certs_only([]))),
        }
    }
}

/// A client that trusts the certificates in a file and no others. It keeps no connection open: the next request sees the next
/// certificate.
fn private_client(ca: &Path) -> Result<Client, HttpError> {
    let invalid = |message: String| HttpError { message, sent: false, kind: HttpErrorKind::Invalid };
    let certificates = super::tls::certificates(ca).map_err(invalid)?.into_iter();
    let certificates = certificates.map(|der| reqwest::Certificate::from_der(&der)).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| invalid(format!("{}: {error}", ca.display())))?;
    let client = ours(Client::builder().pool_max_idle_per_host(0).tls_certs_only(certificates)).build();
    client.map_err(|error| invalid(format!("{}: {error}", ca.display())))
}

fn built(builder: ClientBuilder) -> Client {
    ours(builder).build().unwrap_or_default()
}

/// What all our clients have in common.
fn ours(builder: ClientBuilder) -> ClientBuilder {
    // An error here only says that some other part of the process chose a provider first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = builder.user_agent(concat!("lifeboat/", env!("CARGO_PKG_VERSION")));
    builder.redirect(redirect::Policy::none()).tls_info(true).no_proxy()
}

/// Sends a request on the runtime's own thread: of many at the same time, none needs a deep stack or wakes a thread more often
/// than once. It is given up when the returned future is dropped.
pub(super) async fn send(
    client: &Client,
    method: Method,
    request: &HttpRequest,
    body: Option<Vec<u8>>,
) -> Result<HttpResponse, HttpError> {
    let mut exchanges = JoinSet::new();
    exchanges.spawn(exchange(client.clone(), method, request.clone(), body));
    match exchanges.join_next().await {
        Some(Ok(answered)) => answered,
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is being shut down.
        _ => Err(HttpError { message: "given up".to_owned(), sent: true, kind: HttpErrorKind::NoAnswer }),
    }
}

async fn exchange(
    client: Client,
    method: Method,
    request: HttpRequest,
    body: Option<Vec<u8>>,
) -> Result<HttpResponse, HttpError> {
    let private = request.ca.as_deref().map(private_client).transpose()?;
    let client = private.as_ref().unwrap_or(&client);
    let started = Instant::now();
    let mut builder = client.request(method, &request.url).timeout(request.timeout);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    if let Some(body) = body {
        builder = builder.body(body);
    }
    let mut response = builder.send().await.map_err(|e| describe(&e))?;
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let certificate = response.extensions().get::<reqwest::tls::TlsInfo>();
    let certificate = certificate.and_then(|info| info.peer_certificate()).map(<[u8]>::to_vec);
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while body.len() < request.body_limit {
        match response.chunk().await.map_err(|e| describe_body(&e))? {
            Some(chunk) => body.extend_from_slice(&chunk[..chunk.len().min(request.body_limit - body.len())]),
            None => break,
        }
    }
    Ok(HttpResponse { status, headers, body, elapsed: started.elapsed(), certificate })
}

/// The innermost cause says what happened; reqwest's own words only say that sending failed.
fn describe(error: &reqwest::Error) -> HttpError {
    let sent = !(error.is_connect() || error.is_builder());
    if error.is_timeout() {
        return HttpError { message: "timed out".to_owned(), sent, kind: HttpErrorKind::NoAnswer };
    }
    let (mut cause, mut tls): (&dyn std::error::Error, bool) = (error, false);
    while let Some(inner) = cause.source() {
        cause = inner;
        tls |= is_tls(cause);
    }
    let message = cause.to_string();
    let message = message.split(" (os error").next().unwrap_or(&message).to_lowercase();
    // hyper's words for bytes that are no HTTP: `invalid http version parsed`.
    let kind = match () {
        () if error.is_builder() => HttpErrorKind::Invalid,
        () if tls || message.ends_with(" parsed") => HttpErrorKind::BadAnswer,
        () => HttpErrorKind::NoAnswer,
    };
    HttpError { message, sent, kind }
}

/// Whether an error of I/O wraps one of TLS, maybe several layers deep: the sources of such errors leave their own layers out.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<rustls::Error>() || is_tls(inner))
}

/// An error after the headers have come.
fn describe_body(error: &reqwest::Error) -> HttpError {
    let HttpError { message, sent, .. } = describe(error);
    HttpError { message: format!("{message} in the middle of the answer"), sent, kind: HttpErrorKind::BadAnswer }
}
