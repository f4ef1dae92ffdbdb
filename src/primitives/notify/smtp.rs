//! A channel that is mail: a plain text with a subject that says all, in the thread of its problem.

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::targets::{SmtpChannel, SmtpTls};
use crate::primitives::{Evidence, Reconciled};
use crate::system::{Act, Look, Mail, MailError, MailSecurity, MailServer};

use super::answer::{hidden, one_line, revealed};
use super::{Channel, Dispatch, MessageKind, Policy, Receipt, Severity, Undelivered};

/// What phones show of a subject, and what mail servers take without folding it strangely.
const LONGEST_SUBJECT: usize = 150;

impl SmtpChannel {
    fn failed(&self, what: impl std::fmt::Display) -> Fault {
        let what = format!("{} was not told: mail to {}: {what}", self.name, self.host);
        Fault::new("notify-failed", what).on(&self.name)
    }

    /// The certificates are read each time: a file that was replaced counts from then on.
    fn trusted(&self, look: &Look) -> Result<Option<Vec<u8>>, Fault> {
        let read = |path: &std::path::PathBuf| {
            let why = |error| self.failed(format!("cannot read {}: {error}", path.display()));
            look.read(path).map_err(|error| why(error).hint(format!("see `ca` of channel {}", self.name)))
        };
        self.ca.as_ref().map(read).transpose()
    }

    async fn login(&self, look: &Look) -> Result<Option<(String, String)>, Fault> {
        let Some((user, password)) = &self.login else { return Ok(None) };
        let failed =
            |fault: Fault| Fault { hint: fault.hint, ..self.failed(format!("no password: {}", fault.message)) };
        let password = revealed(password, self.timeout, look).await.map_err(failed)?;
        Ok(Some((user.clone(), password.to_string())))
    }

    async fn server(&self, look: &Look) -> Result<MailServer, Fault> {
        Ok(MailServer {
            host: self.host.clone(),
            port: self.port,
            security: match self.tls {
                SmtpTls::Starttls => MailSecurity::StartTls,
                SmtpTls::Implicit => MailSecurity::Implicit,
                SmtpTls::None => MailSecurity::Plain,
            },
            trusted: self.trusted(look)?,
            login: self.login(look).await?,
            timeout: self.timeout.0,
        })
    }

    /// The name of a mail. It is made of the message's key: a mail that is sent twice has the same name, and most mail systems show
    /// it once.
    fn id(&self, key: &IdempotencyKey) -> String {
        let address = self.from.trim_end_matches('>');
        let host = address.rsplit('@').next().unwrap_or("localhost");
        format!("<{key}@{host}>")
    }

    fn mail(&self, dispatch: &Dispatch) -> Mail {
        let message = dispatch.message;
        Mail {
            from: self.from.clone(),
            to: self.to.clone(),
            subject: one_line(&message.subject(), LONGEST_SUBJECT),
            text: text(dispatch),
            id: self.id(&message.idempotency_key),
            thread: dispatch.root.map(str::to_owned),
            urgent: message.kind == MessageKind::Notify && message.severity == Severity::Critical,
            date: dispatch.now,
        }
    }

    fn undelivered(&self, error: &MailError, server: &MailServer) -> Undelivered {
        let login = server.login.iter().map(|(_, password)| password.as_str());
        let fault = self.failed(one_line(&hidden(&error.message, login), 300));
        let hint = format!("see channel {} in lifeboat.toml", self.name);
        let applied = if error.sent { Applied::Unknown } else { Applied::No };
        fault.applied(applied).hint(hint).into()
    }
}

/// The text of a mail: what is said, the details, and where it comes from.
fn text(dispatch: &Dispatch) -> String {
    let message = dispatch.message;
    let mut parts = vec![message.headline()];
    let details: Vec<String> = message.detail_lines().collect();
    let written = format!("written {}", message.at.strftime("%Y-%m-%d %H:%M:%S UTC"));
    let key = message.key.as_deref().map(|key| format!("about {}", one_line(key, 200)));
    let from = Some(message.from_where()).filter(|from| !from.is_empty());
    let small: Vec<String> = dispatch.remarks().into_iter().chain(key).chain([written]).chain(from).collect();
    parts.extend([details.join("\n"), small.join("\n")].into_iter().filter(|part| !part.is_empty()));
    format!("{}\n", parts.join("\n\n"))
}

impl Channel for SmtpChannel {
    const EVIDENCE: Evidence = Evidence::None("the log of the mail server, which has the `Message-ID`");

    fn name(&self) -> &str {
        &self.name
    }

    fn obstacle(&self, look: &Look) -> Option<Fault> {
        self.trusted(look).err()
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    async fn deliver(&self, dispatch: &Dispatch<'_>, act: &Act) -> Result<Receipt, Undelivered> {
        let (server, mail) = (self.server(act).await?, self.mail(dispatch));
        let sent = act.mail(&server, &mail).await.map_err(|error| self.undelivered(&error, &server))?;
        let said = one_line(&sent.answer, 100);
        let detail = match sent.refused.as_slice() {
            [] => format!("the mail server took it: {said}"),
            refused => format!("the mail server took it, but not for {}", one_line(&refused.join(", "), 200)),
        };
        Ok(Receipt { detail, id: Some(mail.id) })
    }

    async fn delivered(&self, _: &Look, key: &IdempotencyKey) -> Reconciled<Receipt> {
        let why = format!("a mail server cannot be asked what it took: look for {} in its log", self.id(key));
        Reconciled::Unknown { why }
    }
}
