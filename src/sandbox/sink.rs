//! The webhook sink: it keeps every message it is sent, one JSON line each.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::server::{Answer, Call, Server};
use super::{Ready, SandboxError, now_ms, placed};

/// How the sink runs.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file that messages are appended to.
    pub log: PathBuf,
}

/// Runs the sink until `stop`.
///
/// A POST on any path becomes a line `{"at", "path", "headers", "body"}` of the log: `at` in RFC 3339, of the headers only
/// `content-type` and `idempotency-key`, the body as JSON where it is JSON and as text where it is not. `GET /` tells how many
/// lines there are.
pub async fn sink(
    options: SinkOptions,
    stop: CancellationToken,
    ready: impl FnOnce(Ready) + Send,
) -> Result<(), SandboxError> {
    let server = Server::bind(options.listen).await?;
    let path = placed(&options.log)?;
    let failed = |source| SandboxError::File { doing: "open the log", path: path.clone(), source };
    let received = Arc::new(Mutex::new(mend(&path).map_err(failed)?));

    let address = server.address();
    let message = format!("the sandbox's sink listens on http://{address} and writes to {}", path.display());
    ready(Ready { address: Some(address), message });
    let handler = move |call: Call| {
        let answer = answer(&call, &path, &mut received.lock().unwrap_or_else(PoisonError::into_inner));
        std::future::ready(answer)
    };
    server.run(None, stop, handler).await;
    Ok(())
}

fn answer(call: &Call, log: &Path, received: &mut usize) -> Answer {
    match (&call.method, call.path.as_str()) {
        (&Method::POST, _) => match append(log, &line(call)) {
            Ok(()) => {
                *received += 1;
                Answer(StatusCode::OK, json!({"ok": true}))
            }
            Err(error) => {
                let message = format!("cannot write to {}: {error}", log.display());
                Answer::error(StatusCode::INTERNAL_SERVER_ERROR, &message)
            }
        },
        (&Method::GET, "/") => Answer(StatusCode::OK, json!({"received": *received})),
        _ => Answer::unknown(call),
    }
}

fn line(call: &Call) -> String {
    let text = || Value::String(String::from_utf8_lossy(&call.body).into_owned());
    let body = serde_json::from_slice(&call.body).unwrap_or_else(|_| text());
    let at = jiff::Timestamp::from_millisecond(now_ms()).unwrap_or_default().to_string();
    let line = json!({"at": at, "path": call.path, "headers": kept(&call.headers), "body": body});
    format!("{line}\n")
}

fn kept(headers: &HeaderMap) -> Map<String, Value> {
    let names = [CONTENT_TYPE.as_str(), "idempotency-key"];
    let found = names.iter().filter_map(|name| {
        let value = String::from_utf8_lossy(headers.get(*name)?.as_bytes()).into_owned();
        Some(((*name).to_owned(), Value::String(value)))
    });
    found.collect()
}

/// Opened anew for each line: whoever moves the log away between two rehearsals finds the next line in a new one.
fn append(log: &Path, line: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(log)?.write_all(line.as_bytes())
}

/// Counts the lines of an earlier sink, and ends the one that it was killed in.
fn mend(log: &Path) -> io::Result<usize> {
    let mut file = OpenOptions::new().append(true).create(true).read(true).open(log)?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    if bytes.last().is_some_and(|last| *last != b'\n') {
        file.write_all(b"\n")?;
        bytes.push(b'\n');
    }
    Ok(bytes.split(|byte| *byte == b'\n').count() - 1)
}
