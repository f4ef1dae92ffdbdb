//! What an HTTP answer says about a message: how long to wait, and nothing that gives access.

use std::time::Duration;

use crate::model::{Fault, SecretText, Span};
use crate::system::{HttpResponse, Look, Revealed};

use super::message::{cut, visible};

/// How much of an answer is shown, in characters.
pub(super) const SHOWN: usize = 200;

/// What a setting stands for. A secret can come from a program, which must not delay a recovery longer than the channel may.
pub(super) async fn revealed(text: &SecretText, limit: Span, look: &Look) -> Result<Revealed, Fault> {
    let slow = |_| Fault::new("secret-unavailable", format!("what `{text}` stands for was not there within {limit}"));
    look.unless_slow(limit.0, look.reveal(text)).await.map_err(slow)?
}

/// How long to wait, if the answer says so in seconds.
pub(super) fn retry_after(response: &HttpResponse) -> Option<Duration> {
    response.headers.get("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

/// The beginning of an answer's body, without the credentials that a server may echo.
pub(super) fn shown<'c>(response: &HttpResponse, credentials: impl IntoIterator<Item = &'c str>) -> String {
    let body = String::from_utf8_lossy(&response.body);
    let body = hidden(body.trim(), credentials);
    let body: String = visible(&body).chars().take(SHOWN).collect();
    body
}

/// Servers echo what they were sent. None of the parts of what gives access may reach a journal or a screen.
pub(super) fn hidden<'c>(text: &str, credentials: impl IntoIterator<Item = &'c str>) -> String {
    const SHORTEST: usize = 6;
    let mut parts: Vec<&str> = Vec::new();
    for credential in credentials {
        // Of an address, what follows its host: with most chat systems that is the secret.
        let secret = match credential.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => credential,
        };
        parts.extend([credential, secret]);
        parts.extend(secret.split([' ', '=', ',', ';', '/', '?', '&', '#']));
    }
    parts.retain(|part| part.len() >= SHORTEST);
    // The longest first, or a part would break up the whole.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts.into_iter().fold(text.to_owned(), |text, part| text.replace(part, "[hidden]"))
}

/// A text in one line, no longer than `most`.
pub(super) fn one_line(text: &str, most: usize) -> String {
    cut(&visible(text), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_access_is_hidden_whole_and_in_parts() {
        let credentials = ["https://hooks.example.com/services/T0123456/B0123456/s3cr3ts3cr3t", "Bearer abc123xyz"];
        let hide = |text: &str| hidden(text, credentials);
        assert_eq!(hide("no /services/T0123456/B0123456/s3cr3ts3cr3t here"), "no /[hidden] here");
        assert_eq!(hide("s3cr3ts3cr3t, abc123xyz"), "[hidden], [hidden]");
        assert_eq!(hide("hooks.example.com said no"), "hooks.example.com said no", "people must know who it was");
    }
}
