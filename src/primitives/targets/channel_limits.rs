//! What channels beyond this machine have in common: how long they may take, and how much they take.

use crate::config::{ConfigError, Target};
use crate::model::{Part, SecretText, Span};
use crate::primitives::notify::AtMost;

/// A channel that takes longer is given up: a recovery waits for it.
pub(super) const LONGEST: Span = Span::from_secs(30);

/// How long an answer may take, unless told otherwise.
pub(super) fn five_seconds() -> Span {
    Span::from_secs(5)
}

/// For how long the same text is not sent again, unless told otherwise.
pub(super) fn five_minutes() -> Span {
    Span::from_secs(5 * 60)
}

/// Checks the settings that channels share.
pub(super) fn check(target: &Target, timeout: Span, at_most: Option<AtMost>) -> Result<(), ConfigError> {
    if timeout > LONGEST || timeout == Span::default() {
        let message =
            format!("`timeout` of channel `{}` must be longer than nothing and at most {LONGEST}", target.name);
        return Err(target.error("timeout", message).help("a recovery waits so long when the channel is dead"));
    }
    if at_most.is_some_and(|most| most.messages == 0 || most.per == Span::default()) {
        let message = format!("`at_most` of channel `{}` lets no message through", target.name);
        return Err(target.error("at_most", message).help("write it as `{ messages = 10, per = \"1m\" }`"));
    }
    Ok(())
}

/// Checks that a setting is an address of HTTP, as far as it is not a secret.
pub(super) fn check_url(target: &Target, setting: &str, url: &SecretText, example: &str) -> Result<(), ConfigError> {
    let begins = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    match url.parts().first() {
        Some(Part::Text(text)) if begins(text) => return Ok(()),
        Some(Part::Secret { .. }) => return Ok(()),
        _ => {}
    }
    // What stands there may be a credential that was put into the wrong place: it is not repeated.
    let message = format!("`{setting}` of channel `{}` is not an address: it must begin with `https://`", target.name);
    Err(target.error(setting, message).help(format!("write it as `{example}`")))
}
