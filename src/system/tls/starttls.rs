//! What protocols say before TLS begins.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::TlsError;

/// A protocol that begins in the open and changes to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// Mail: `EHLO`, `STARTTLS` (RFC 3207).
    Smtp,
    /// Mailboxes: `STARTTLS` (RFC 9051).
    Imap,
    /// PostgreSQL: an `SSLRequest`.
    Postgres,
}

/// Nothing that begins in the open says more than this.
const LONGEST: usize = 8 << 10;

impl StartTls {
    pub(super) async fn ask(self, stream: &mut TcpStream) -> Result<(), TlsError> {
        match self {
            StartTls::Smtp => {
                reply(stream, is_last_of_smtp).await.and_then(|text| expect(&text, "220"))?;
                let hello = say(stream, "EHLO lifeboat.invalid\r\n", is_last_of_smtp).await?;
                expect(&hello, "250")?;
                let answer = say(stream, "STARTTLS\r\n", is_last_of_smtp).await?;
                expect(&answer, "220")
            }
            StartTls::Imap => {
                reply(stream, |text| text.ends_with("\r\n")).await.and_then(|text| expect(&text, "* OK"))?;
                let tagged = |text: &str| text.lines().any(|line| line.starts_with("a ")) && text.ends_with("\r\n");
                let answer = say(stream, "a STARTTLS\r\n", tagged).await?;
                let last = answer.lines().last().unwrap_or_default();
                expect(last, "a OK")
            }
            StartTls::Postgres => {
                // Its length, and the number that asks for TLS.
                let request = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
                stream.write_all(&request).await.map_err(|error| TlsError::answered(TlsError::io(&error)))?;
                let mut answer = [0];
                stream.read_exact(&mut answer).await.map_err(|_| TlsError::answered("hung up when asked for TLS"))?;
                match answer[0] {
                    b'S' => Ok(()),
                    b'N' => Err(TlsError::answered("the server has no TLS")),
                    _ => Err(TlsError::answered("what answers is no PostgreSQL")),
                }
            }
        }
    }
}

/// Whether the last line of an answer of SMTP is there: it has a space behind its number.
fn is_last_of_smtp(text: &str) -> bool {
    text.ends_with("\r\n") && text.lines().last().is_some_and(|line| line.as_bytes().get(3) != Some(&b'-'))
}

async fn say(stream: &mut TcpStream, line: &str, whole: impl Fn(&str) -> bool) -> Result<String, TlsError> {
    stream.write_all(line.as_bytes()).await.map_err(|error| TlsError::answered(TlsError::io(&error)))?;
    reply(stream, whole).await
}

async fn reply(stream: &mut TcpStream, whole: impl Fn(&str) -> bool) -> Result<String, TlsError> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 512]);
    loop {
        let read = stream.read(&mut chunk).await.map_err(|error| TlsError::answered(TlsError::io(&error)))?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes);
        if whole(&text) {
            return Ok(text.into_owned());
        }
        if read == 0 || bytes.len() > LONGEST {
            return Err(TlsError::answered("what answers does not speak the protocol of `starttls`"));
        }
    }
}

fn expect(text: &str, begin: &str) -> Result<(), TlsError> {
    if text.lines().last().unwrap_or_default().starts_with(begin) {
        return Ok(());
    }
    let line: String = text.lines().last().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
    Err(TlsError::answered(format!("the server does not change to TLS: {line}")))
}
