//! Mail: a plain text, handed to a server that speaks SMTP.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

/// A server that takes mail.
#[derive(Clone)]
pub struct MailServer {
    /// Its name; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// The certificates (PEM) that are trusted, instead of the system's.
    pub trusted: Option<Vec<u8>>,
    /// User and password.
    pub login: Option<(String, String)>,
    /// How long all of it may take.
    pub timeout: Duration,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// It is encrypted before anything is said, or given up.
    StartTls,
    /// It is encrypted from the beginning.
    Implicit,
    /// Not at all.
    Plain,
}

/// A mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Who writes.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// Its name, with the angle brackets.
    pub id: String,
    /// The name of the first mail of its thread, with the angle brackets.
    pub thread: Option<String>,
    /// Whether it is marked as important.
    pub urgent: bool,
    /// When it is sent.
    pub date: Timestamp,
}

/// A mail that a server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSent {
    /// What the server said.
    pub answer: String,
    /// The addresses that it did not take, with its words.
    pub refused: Vec<String>,
}

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MailError {
    /// What failed.
    pub message: String,
    /// Whether the server may have taken it all the same.
    pub sent: bool,
}

impl MailError {
    fn new(doing: &str, why: impl Display) -> Self {
        Self { message: format!("{doing}: {why}"), sent: false }
    }
}

/// Says why a text is no address, `name@host` or `Name <name@host>`.
pub fn check_mail_address(text: &str) -> Result<(), String> {
    text.parse::<Mailbox>().map(drop).map_err(|error| error.to_string().to_lowercase())
}

pub(super) async fn send(server: &MailServer, mail: &Mail) -> Result<MailSent, MailError> {
    let under_way = AtomicBool::new(false);
    match tokio::time::timeout(server.timeout, converse(server, mail, &under_way)).await {
        Ok(result) => result,
        Err(_) => Err(MailError { message: "timed out".to_owned(), sent: under_way.load(Ordering::Relaxed) }),
    }
}

/// `under_way` is set from the moment on from which the server may have the whole mail.
async fn converse(server: &MailServer, mail: &Mail, under_way: &AtomicBool) -> Result<MailSent, MailError> {
    let (envelope_from, recipients, bytes) = written(mail)?;
    let mut connection = connect(server).await?;
    if let Some((user, password)) = &server.login {
        let credentials = Credentials::new(user.clone(), password.clone());
        let login = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        login.map_err(|error| MailError::new("the server does not let us in", words(&error)))?;
    }
    let mut parameters = Vec::new();
    if connection.server_info().supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let sender = connection.command(MailFrom::new(Some(envelope_from), parameters)).await;
    sender.map_err(|error| MailError::new("the server does not take mail from us", words(&error)))?;
    // One address that is gone must not keep the others from being told.
    let (mut refused, total) = (Vec::new(), recipients.len());
    for recipient in recipients {
        let shown = recipient.to_string();
        match connection.command(Rcpt::new(recipient, Vec::new())).await {
            Ok(_) => {}
            Err(error) if error.status().is_some() => refused.push(format!("{shown}: {}", words(&error))),
            Err(error) => return Err(MailError::new("the connection was lost", words(&error))),
        }
    }
    if refused.len() == total {
        return Err(MailError::new("the server takes none of the addresses", refused.join(", ")));
    }
    let data = connection.command(Data).await;
    data.map_err(|error| MailError::new("the server does not take the text", words(&error)))?;
    under_way.store(true, Ordering::Relaxed);
    match connection.message(&bytes).await {
        Ok(answer) => {
            // It has the mail; whether it also takes a good-bye does not matter.
            drop(tokio::time::timeout(Duration::from_millis(500), connection.quit()).await);
            Ok(MailSent { answer: answer.message().collect::<Vec<_>>().join(" "), refused })
        }
        Err(error) => {
            let sent = error.status().is_none();
            Err(MailError { sent, ..MailError::new("the server did not confirm the mail", words(&error)) })
        }
    }
}

async fn connect(server: &MailServer) -> Result<AsyncSmtpConnection, MailError> {
    let hello = ClientId::default();
    let address = (server.host.as_str(), server.port);
    let implicit = if server.security == MailSecurity::Implicit { Some(tls(server)?) } else { None };
    let connected = AsyncSmtpConnection::connect_tokio1(address, Some(server.timeout), &hello, implicit, None).await;
    let mut connection = connected.map_err(|error| MailError::new("cannot be reached", words(&error)))?;
    if server.security == MailSecurity::StartTls {
        if !connection.can_starttls() {
            return Err(MailError::new("the connection cannot be encrypted", "the server offers no STARTTLS"));
        }
        let encrypted = connection.starttls(tls(server)?, &hello).await;
        encrypted.map_err(|error| MailError::new("the connection cannot be encrypted", words(&error)))?;
    }
    Ok(connection)
}

fn tls(server: &MailServer) -> Result<TlsParameters, MailError> {
    let wrong = |error: Error| MailError::new("the certificates cannot be used", words(&error));
    let mut builder: TlsParametersBuilder = TlsParameters::builder(server.host.clone());
    if let Some(trusted) = &server.trusted {
        builder = builder.certificate_store(CertificateStore::None);
        builder = builder.add_root_certificate(Certificate::from_pem(trusted).map_err(wrong)?);
    }
    builder.build_rustls().map_err(wrong)
}

/// The mail as it goes over the wire, with who sends it and who gets it.
fn written(mail: &Mail) -> Result<(lettre::Address, Vec<lettre::Address>, Vec<u8>), MailError> {
    let invalid = |why: &dyn Display| MailError::new("the mail cannot be written", why);
    let from: Mailbox = mail.from.parse().map_err(|error| invalid(&error))?;
    let mut to = Vec::new();
    for address in &mail.to {
        to.push(address.parse::<Mailbox>().map_err(|error| invalid(&error))?);
    }
    let mut builder = Message::builder()
        .from(from.clone())
        .subject(&mail.subject)
        .message_id(Some(mail.id.clone()))
        .date(SystemTime::from(mail.date))
        // No answering machine should answer.
        .raw_header(header("Auto-Submitted", "auto-generated"));
    for mailbox in &to {
        builder = builder.to(mailbox.clone());
    }
    if let Some(thread) = &mail.thread {
        builder = builder.in_reply_to(thread.clone()).references(thread.clone());
    }
    if mail.urgent {
        builder = builder.raw_header(header("Importance", "high")).raw_header(header("X-Priority", "1"));
    }
    let message = builder.singlepart(SinglePart::plain(mail.text.clone())).map_err(|error| invalid(&error))?;
    Ok((from.email, to.into_iter().map(|mailbox| mailbox.email).collect(), message.formatted()))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// What the server said, or the innermost cause: lettre's own words only say what kind of error it is.
fn words(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    match error.status() {
        Some(code) => format!("{code} {text}"),
        None => text.to_lowercase(),
    }
}
