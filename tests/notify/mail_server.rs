//! A mail server that is strict about SMTP (RFC 5321), and keeps what it takes.

use std::collections::BTreeSet;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;

/// What the server offers, and how it ails.
#[derive(Clone, Default)]
pub(crate) struct House {
    /// Whether it speaks TLS from the beginning.
    pub(crate) implicit: bool,
    /// Whether it offers STARTTLS, and takes nothing before that.
    pub(crate) starttls: bool,
    /// Who must log in, and the password.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// Addresses that it does not know.
    pub(crate) unknown: &'static [&'static str],
    /// How often it takes a mail without confirming it.
    pub(crate) silent: usize,
    /// How often it takes no mail for now.
    pub(crate) busy: usize,
}

/// A mail as it was taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
    pub(crate) encrypted: bool,
    pub(crate) login: Option<String>,
}

struct State {
    house: Mutex<House>,
    taken: Mutex<Vec<Taken>>,
    mistakes: Mutex<Vec<String>>,
    tls: Arc<rustls::ServerConfig>,
}

/// The server. Whoever drops it learns of every mistake that its clients made.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    /// The certificate that must be trusted, as PEM.
    pub(crate) certificate: String,
    state: Arc<State>,
}

impl MailServer {
    pub(crate) fn start(house: House) -> Self {
        let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.expect("versions").with_no_client_auth().with_single_cert(vec![signed.cert.der().clone()], key);
        let (house, tls) = (Mutex::new(house), Arc::new(tls.expect("a certificate and its key")));
        let state = Arc::new(State { house, taken: Mutex::default(), mistakes: Mutex::default(), tls });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let (address, shared) = (listener.local_addr().expect("its address"), state.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        let lines = STANDARD.encode(signed.cert.der());
        let certificate = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
        Self { address, certificate, state }
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.state.taken.lock().expect("nobody panicked").clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let mistakes = std::mem::take(&mut *self.state.mistakes.lock().expect("nobody panicked"));
        if !std::thread::panicking() {
            assert_eq!(mistakes, [""; 0], "a mail server would not have taken these");
        }
    }
}

/// A connection, in the clear or not.
trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

#[derive(Default)]
struct Session {
    greeted: bool,
    encrypted: bool,
    login: Option<String>,
    from: Option<String>,
    to: Vec<String>,
    eight_bits: bool,
}

/// What happens after a command.
enum Next {
    Says(String),
    Encrypts,
    Ends,
}

impl State {
    fn serve(&self, stream: TcpStream) {
        let encrypted = self.house().implicit;
        let session = Session { encrypted, ..Session::default() };
        if encrypted { self.talk(self.wrap(stream), session, true) } else { self.talk(stream, session, true) }
    }

    fn wrap(&self, stream: TcpStream) -> rustls::StreamOwned<rustls::ServerConnection, TcpStream> {
        let connection = rustls::ServerConnection::new(self.tls.clone()).expect("a connection");
        rustls::StreamOwned::new(connection, stream)
    }

    fn house(&self) -> House {
        self.house.lock().expect("nobody panicked").clone()
    }

    fn mistake(&self, what: impl Into<String>) {
        self.mistakes.lock().expect("nobody panicked").push(what.into());
    }

    fn talk<S: Line + Splits>(&self, stream: S, mut session: Session, greets: bool) {
        let mut stream = BufReader::new(stream);
        if greets && reply(&mut stream, "220 mail.test ESMTP").is_none() {
            return;
        }
        while let Some(line) = self.line(&mut stream, 512) {
            match self.command(&line, &mut session, &mut stream) {
                Next::Says(answer) => {
                    if reply(&mut stream, &answer).is_none() {
                        return;
                    }
                }
                Next::Encrypts => {
                    if reply(&mut stream, "220 go on").is_none() {
                        return;
                    }
                    // Nothing of the encrypted part was read ahead: a client waits for the answer to STARTTLS.
                    let Some(plain) = stream.into_inner().plain() else { return };
                    let session = Session { encrypted: true, ..Session::default() };
                    return self.talk(self.wrap(plain), session, false);
                }
                Next::Ends => {
                    let _ = reply(&mut stream, "221 bye");
                    return;
                }
            }
        }
    }

    /// A line without its end, which must be CR LF.
    fn line(&self, stream: &mut impl std::io::BufRead, longest: usize) -> Option<String> {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
        if line.len() > longest {
            self.mistake(format!("a line of {} bytes", line.len()));
        }
        let Some(line) = line.strip_suffix(b"\r\n") else {
            self.mistake(format!("a line without CR LF: {}", String::from_utf8_lossy(&line)));
            return None;
        };
        if line.contains(&b'\r') {
            self.mistake("a CR inside a line");
        }
        Some(String::from_utf8_lossy(line).into_owned())
    }

    fn command<S: Line>(&self, line: &str, session: &mut Session, stream: &mut BufReader<S>) -> Next {
        let says = |answer: &str| Next::Says(answer.to_owned());
        let house = self.house();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_uppercase();
        let early =
            house.starttls && !session.encrypted && !["EHLO", "STARTTLS", "QUIT", "NOOP"].contains(&verb.as_str());
        if early {
            self.mistake(format!("{verb} before STARTTLS"));
            return says("530 5.7.0 Must issue a STARTTLS command first");
        }
        match verb.as_str() {
            "EHLO" => {
                if rest.is_empty() {
                    self.mistake("EHLO without a name");
                }
                session.greeted = true;
                let mut lines = vec!["mail.test".to_owned(), "8BITMIME".to_owned()];
                lines.extend(Some("STARTTLS".to_owned()).filter(|_| house.starttls && !session.encrypted));
                lines.extend(house.login.map(|_| "AUTH PLAIN LOGIN".to_owned()));
                let last = lines.len() - 1;
                let line = |(n, line): (usize, String)| format!("250{}{line}", if n == last { ' ' } else { '-' });
                Next::Says(lines.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n"))
            }
            "STARTTLS" => Next::Encrypts,
            "QUIT" => Next::Ends,
            "NOOP" => says("250 ok"),
            _ if !session.greeted => {
                self.mistake(format!("{verb} before EHLO"));
                says("503 EHLO first")
            }
            "AUTH" => self.auth(rest, session),
            "MAIL" | "RCPT" if house.login.is_some() && session.login.is_none() => says("530 5.7.0 log in first"),
            "MAIL" if house.busy > 0 => {
                self.house.lock().expect("nobody panicked").busy -= 1;
                says("451 4.3.0 try again later")
            }
            "MAIL" => self.mail(rest, session),
            "RCPT" => self.rcpt(rest, session),
            "DATA" if session.from.is_none() || session.to.is_empty() => {
                self.mistake("DATA without MAIL and RCPT");
                says("503 nobody to send it to")
            }
            "DATA" => match reply(stream, "354 end with a dot").and_then(|()| self.data(session, stream)) {
                Some(answer) => Next::Says(answer),
                None => Next::Ends,
            },
            _ => {
                self.mistake(format!("what is {line}?"));
                says("500 what?")
            }
        }
    }

    fn auth(&self, rest: &str, session: &mut Session) -> Next {
        if !session.encrypted {
            self.mistake("a password in the clear");
        }
        let decoded = rest.strip_prefix("PLAIN ").and_then(|encoded| STANDARD.decode(encoded).ok());
        let said = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let expected = self.house().login.map(|(user, password)| format!("\0{user}\0{password}"));
        if expected.as_deref() != Some(said.as_str()) {
            return Next::Says("535 5.7.8 Authentication credentials invalid".to_owned());
        }
        session.login = said.split('\0').nth(1).map(str::to_owned);
        Next::Says("235 welcome".to_owned())
    }

    fn mail(&self, rest: &str, session: &mut Session) -> Next {
        let (address, parameters) = rest.split_once('>').unwrap_or((rest, ""));
        let Some(from) = address.to_uppercase().starts_with("FROM:<").then(|| address[6..].to_owned()) else {
            self.mistake(format!("MAIL {rest}"));
            return Next::Says("501 who?".to_owned());
        };
        session.eight_bits = parameters.contains("BODY=8BITMIME");
        (session.from, session.to) = (Some(from), Vec::new());
        Next::Says("250 ok".to_owned())
    }

    fn rcpt(&self, rest: &str, session: &mut Session) -> Next {
        let to = rest.strip_prefix("TO:<").and_then(|rest| rest.strip_suffix('>'));
        match (to, &session.from) {
            (Some(to), Some(_)) if self.house().unknown.contains(&to) => {
                Next::Says("550 5.1.1 no such user".to_owned())
            }
            (Some(to), Some(_)) => {
                session.to.push(to.to_owned());
                Next::Says("250 ok".to_owned())
            }
            _ => {
                self.mistake(format!("RCPT {rest}"));
                Next::Says("503 MAIL first".to_owned())
            }
        }
    }

    /// The mail until the dot. `None` when it is taken and not confirmed.
    fn data<S: Line>(&self, session: &mut Session, stream: &mut BufReader<S>) -> Option<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line(stream, 1000)?;
            if line == "." {
                break;
            }
            if !session.eight_bits && !line.is_ascii() {
                self.mistake(format!("eight bits that were not announced: {line}"));
            }
            lines.push(line.strip_prefix('.').unwrap_or(&line).to_owned());
        }
        let names = lines.iter().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with([' ', '\t']));
        let names: Vec<String> = names.filter_map(|line| Some(line.split_once(": ")?.0.to_lowercase())).collect();
        if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            self.mistake(format!("a header twice: {names:?}"));
        }
        for needed in ["from", "to", "date", "message-id", "subject", "mime-version", "content-type"] {
            if !names.iter().any(|name| name == needed) {
                self.mistake(format!("no header {needed}"));
            }
        }
        let (from, to) = (session.from.take().unwrap_or_default(), std::mem::take(&mut session.to));
        let (encrypted, login) = (session.encrypted, session.login.clone());
        self.taken.lock().expect("nobody panicked").push(Taken { from, to, data: lines.join("\n"), encrypted, login });
        let mut house = self.house.lock().expect("nobody panicked");
        if house.silent > 0 {
            house.silent -= 1;
            drop(house);
            // Until the client has gone.
            let _ = stream.read_to_end(&mut Vec::new());
            return None;
        }
        Some("250 2.0.0 queued as 4711".to_owned())
    }
}

fn reply<S: Line>(stream: &mut BufReader<S>, line: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).and_then(|()| stream.get_mut().flush()).ok()
}

/// What can become an encrypted connection.
trait Splits {
    fn plain(self) -> Option<TcpStream>;
}

impl Splits for TcpStream {
    fn plain(self) -> Option<TcpStream> {
        Some(self)
    }
}

impl Splits for rustls::StreamOwned<rustls::ServerConnection, TcpStream> {
    fn plain(self) -> Option<TcpStream> {
        None
    }
}
