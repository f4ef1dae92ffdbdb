//! A journal at a real libSQL server, for tests.

#[path = "../../tests/support/sqld.rs"]
mod sqld;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use super::{LibsqlJournal, Transport};
use sqld::Sqld;

/// The server.
pub(crate) struct Server(Sqld);

impl Server {
    /// `None` where there is none: see [`Sqld::start`].
    pub(crate) fn start() -> Option<Self> {
        Sqld::start().map(Self)
    }

    /// Its journal, opened once more.
    pub(crate) fn journal(&self) -> LibsqlJournal {
        LibsqlJournal::remote(&format!("http://127.0.0.1:{}", self.0.port()), Arc::new(Plain)).expect("it opens")
    }
}

/// One exchange for each connection, and no TLS.
pub(crate) struct Plain;

impl Transport for Plain {
    fn post(&self, url: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        let (host, path) = url.trim_start_matches("http://").split_once('/').ok_or("no path")?;
        let exchange = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(host)?;
            let (length, kind) = (body.len(), "application/json");
            write!(
                stream,
                "POST /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
            )?;
            stream.write_all(&body)?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        let answer = exchange().map_err(|error| error.to_string())?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("no end of the headers")?;
        let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((status.ok_or("no status")?, answer[end + 4..].to_vec()))
    }
}
