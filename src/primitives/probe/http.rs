//! `probe` for `driver = "http"`: one GET request, and what its answer must be.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::attempts::attempts;
use super::certificate;
use super::certificate::Certificate;
use super::expect::{expect, show};
use super::finding::{Finding, shorten, took};
use super::misuse::{check, misuse};
use super::{Args, Output, Probe, security_headers};
use crate::model::{Arg, Fault, Value};
use crate::primitives::Observer;
use crate::primitives::targets::HttpService;
use crate::system::{HttpErrorKind, HttpRequest, HttpResponse, Look};

const TAKES: [&str; 16] = [
    "path",
    "status",
    "contains",
    "headers",
    "pointer",
    "equals",
    "at_least",
    "at_most",
    "above",
    "below",
    "warn_size",
    "fail_size",
    "tls_days_warn",
    "tls_days_fail",
    "tls_names",
    "security_headers",
];
/// How much of a body is read, unless a limit of its size needs more.
const BODY: u64 = 1 << 20;
/// A body is held in memory.
const LARGEST: u64 = 64 << 20;

impl Observer<Probe> for HttpService {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        check(args, "a service that speaks HTTP", &TAKES)?;
        let request = HttpRequest { headers: self.headers(look).await?, ..self.request(args)? };
        let request = &request;
        attempts(args, look, || async move {
            let started = look.monotonic();
            let error = match look.http_get(request).await {
                Ok(response) => {
                    let mut finding = judge(args, &response, request.body_limit, look.now());
                    if args.security_headers {
                        self.judge_headers(&response, request, look, &mut finding).await;
                    }
                    return Ok(finding);
                }
                Err(error) => error,
            };
            let latency = look.monotonic().saturating_sub(started);
            match error.kind {
                HttpErrorKind::NoAnswer => Ok(Finding::silent(latency, error.message)),
                HttpErrorKind::BadAnswer => Ok(Finding::useless(latency, error.message)),
                HttpErrorKind::Invalid => {
                    let message = format!("no request can be sent to {}: {}", request.url, error.message);
                    Err(misuse(args, message).hint("look at `path`, and at the target's `url`, `headers` and `ca`"))
                }
            }
        })
        .await
    }
}

impl HttpService {
    /// Judges the headers of an answer, and what plain HTTP answers in its place.
    async fn judge_headers(&self, response: &HttpResponse, request: &HttpRequest, look: &Look, finding: &mut Finding) {
        let https = request.url.starts_with("https://");
        security_headers::judge(response, https, finding);
        let Some(plain) = https.then(|| self.plain_url.clone().or_else(|| plain_url(&request.url))).flatten() else {
            return;
        };
        // Without the headers of the service: they may hold a token, and this is in the open.
        let asked = HttpRequest { timeout: request.timeout, body_limit: 1024, ..HttpRequest::new(plain.clone()) };
        let answer = look.http_get(&asked).await;
        security_headers::redirect(&plain, answer.as_ref(), finding);
    }

    fn request(&self, args: &Args) -> Result<HttpRequest, Fault> {
        let url = match args.path.as_ref().and_then(Arg::known) {
            None => self.url.clone(),
            Some(path) if path.starts_with('/') => format!("{}{path}", origin(&self.url)),
            Some(path) => {
                let message = format!("`path` is `{path}`: it must begin with `/`");
                return Err(misuse(args, message).hint("it replaces the path of the target's url"));
            }
        };
        if let Some(pointer) = args.pointer.as_ref().filter(|p| !p.is_empty() && !p.starts_with('/')) {
            let message = format!("`pointer` is `{pointer}`: a JSON pointer begins with `/`");
            return Err(misuse(args, message).hint("write it as `/orders/count` or `/items/0/id`"));
        }
        let certificate = args.tls_days_warn.is_some() || args.tls_days_fail.is_some() || args.tls_names.is_some();
        if certificate && !self.url.starts_with("https://") {
            return Err(misuse(args, format!("{} has no certificate: it is not reached over https", args.target)));
        }
        let size = args.warn_size.max(args.fail_size).unwrap_or_default();
        if size > LARGEST {
            return Err(misuse(args, format!("{size} bytes is too large a size: at most {LARGEST} bytes are read")));
        }
        let body_limit = usize::try_from(BODY.max(size + 1)).unwrap_or(usize::MAX);
        let timeout = args.timeout.unwrap_or(self.timeout).0;
        Ok(HttpRequest { timeout, body_limit, ca: self.ca.clone(), ..HttpRequest::new(url) })
    }
}

/// The same place without TLS, at port 80.
fn plain_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    Some(format!("http://{}{path}", host.rsplit_once('@').map_or(host, |(_, host)| host)))
}

/// The part of a url before its path: `https://host:port`.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

/// What an answer is worth. `read` is how much of the body was read at most.
fn judge(args: &Args, response: &HttpResponse, read: usize, now: Timestamp) -> Finding {
    let HttpResponse { status, elapsed, body, .. } = response;
    let summary = format!("{status} in {}", took(*elapsed));
    let mut finding = Finding::answered(*elapsed, Value::Int(i64::from(*status)), summary);
    let expected = args.status.clone().unwrap_or_default();
    if !expected.contain(*status) {
        finding.fail(format!("expected {expected}"));
    }
    for (name, text) in args.headers.iter().flatten() {
        match response.headers.get(&name.to_ascii_lowercase()) {
            None => finding.fail(format!("no header {name}")),
            Some(found) if !found.contains(text.as_str()) => {
                finding.fail(format!("header {name} is {:?}, expected {text:?} in it", shorten(found, 80)));
            }
            Some(_) => {}
        }
    }
    let cut = body.len() >= read;
    let whole = if cut { format!(" in its first {read} bytes") } else { String::new() };
    if let Some(text) = args.contains.as_ref().and_then(Arg::known)
        && !String::from_utf8_lossy(body).contains(text.as_str())
    {
        finding.fail(format!("no {:?} in the body{whole}", shorten(text, 80)));
    }
    if let Some(pointer) = &args.pointer {
        match serde_json::from_slice::<Json>(body) {
            Err(_) => finding.fail(format!("the body is not JSON{whole}")),
            Ok(json) => judge_value(args, json.pointer(pointer), pointer, &mut finding),
        }
    }
    let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
    finding.limit([args.warn_size, args.fail_size], |limit| size > limit, |limit| format!("more than {limit} bytes"));
    judge_certificate(args, response.certificate.as_deref(), now, &mut finding);
    finding
}

/// The value that `pointer` found. Lists and maps become text: a script takes no structures from a server, which could forge
/// what a plan or a secret looks like as JSON.
fn judge_value(args: &Args, found: Option<&Json>, pointer: &str, finding: &mut Finding) {
    finding.value = Value::Null;
    let Some(found) = found else {
        return finding.fail(format!("nothing at `{pointer}` in the body"));
    };
    finding.value = match found {
        Json::Array(_) | Json::Object(_) => Value::from(found.to_string()),
        scalar => Value::from_json(scalar.clone()),
    };
    let value = finding.value.clone();
    finding.note(&format!("{pointer} is {}", show(&value)));
    expect(args, Some(&value), finding);
}

fn judge_certificate(args: &Args, certificate: Option<&[u8]>, now: Timestamp, finding: &mut Finding) {
    let limits = [args.tls_days_warn, args.tls_days_fail].map(|days| days.map(i64::from));
    if limits == [None, None] && args.tls_names.is_none() {
        return;
    }
    match certificate.ok_or_else(|| "no certificate".to_owned()).and_then(Certificate::read) {
        Ok(read) => {
            finding.note(&read.shown());
            certificate::judge(&read, limits, args, now, finding);
        }
        Err(why) => finding.fail(why),
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "https_tests.rs"]
mod https_tests;
