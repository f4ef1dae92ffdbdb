//! HAProxy's runtime socket: one command, one answer. A look can only `show`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::{Act, Look};

/// Answers are small; one that never ends is no answer.
const LONGEST: u64 = 8 << 20;

/// Where HAProxy takes commands: its `stats socket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaproxySocket {
    /// A file.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

impl std::fmt::Display for HaproxySocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp(address) => f.write_str(address),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HaproxyError {
    /// What failed, such as `connection refused`.
    pub message: String,
    /// Whether HAProxy may have got the command.
    pub sent: bool,
}

impl Look {
    /// What HAProxy answers to `show WHAT`. More than one command in `what` is refused.
    pub async fn haproxy_show(
        &self,
        socket: &HaproxySocket,
        what: &str,
        timeout: Duration,
    ) -> Result<String, HaproxyError> {
        if what.contains([';', '\n', '\r']) {
            return Err(HaproxyError { message: format!("`show {what}` is more than one command"), sent: false });
        }
        exchange(socket, &format!("show {what}"), timeout).await
    }
}

impl Act {
    /// What HAProxy answers to `command`, or to several with `;` between them. It is empty where there is nothing to complain of.
    pub async fn haproxy(
        &self,
        socket: &HaproxySocket,
        command: &str,
        timeout: Duration,
    ) -> Result<String, HaproxyError> {
        exchange(socket, command, timeout).await
    }
}

async fn exchange(socket: &HaproxySocket, command: &str, timeout: Duration) -> Result<String, HaproxyError> {
    let mut sent = false;
    let work = async {
        match socket {
            HaproxySocket::Unix(path) => converse(UnixStream::connect(path).await?, command, &mut sent).await,
            HaproxySocket::Tcp(address) => converse(TcpStream::connect(address).await?, command, &mut sent).await,
        }
    };
    let failed = match tokio::time::timeout(timeout, work).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
        Err(_) => "timed out".to_owned(),
    };
    Err(HaproxyError { message: failed, sent })
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    command: &str,
    sent: &mut bool,
) -> io::Result<String> {
    *sent = true;
    stream.write_all(format!("{command}\n").as_bytes()).await?;
    // Not in interactive mode, HAProxy closes the connection after its answer.
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::system::System;

    #[tokio::test]
    async fn a_look_asks_for_one_thing_and_nobody_there_is_told_from_nobody_answering() {
        let dir = tempfile::tempdir().expect("a directory");
        let look = Look::new(Arc::new(System::new(dir.path().into())));
        let nowhere = HaproxySocket::Unix(dir.path().join("none.sock"));
        let two = look.haproxy_show(&nowhere, "info; set weight a/b 0", Duration::from_secs(1)).await;
        assert!(two.expect_err("refused").message.contains("more than one command"));
        let error = look.haproxy_show(&nowhere, "info", Duration::from_secs(1)).await.expect_err("nobody");
        assert!(!error.sent && error.message.contains("no such file"), "{error:?}");

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let silent = HaproxySocket::Tcp(listener.local_addr().expect("an address").to_string());
        let error = look.haproxy_show(&silent, "info", Duration::from_millis(50)).await.expect_err("no answer");
        assert_eq!(error, HaproxyError { message: "timed out".to_owned(), sent: true });
    }
}
