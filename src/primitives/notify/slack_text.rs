//! A message in Slack's own markup: short first line, as a phone shows it; details; where it comes from.

use super::answer::one_line;
use super::message::{cut, visible};
use super::{Dispatch, MessageKind, Severity};

/// Slack cuts longer texts by itself, at a place that it chooses.
const LONGEST: usize = 3900;

/// The first line is what a phone shows while it is locked.
const LONGEST_HEADLINE: usize = 600;

/// The text of a message. `mention` is who is called to a critical one; with `key`, its key is shown, where there are no threads.
pub(super) fn text(dispatch: &Dispatch, mention: Option<&str>, key: bool) -> String {
    let message = dispatch.message;
    let sign = match (message.kind, message.severity) {
        (MessageKind::Resolve, _) => "✅",
        (_, Severity::Critical) => "🔴",
        (_, Severity::Warning) => "🟠",
        (_, Severity::Info) => "🔵",
    };
    let critical = message.kind == MessageKind::Notify && message.severity == Severity::Critical;
    let called = mention.filter(|_| critical).map(|who| format!(" {who}")).unwrap_or_default();
    let key = message.key.as_ref().filter(|_| key).map(|key| format!(" ({})", escaped(key))).unwrap_or_default();
    let headline = escaped(&one_line(&message.subject(), LONGEST_HEADLINE));
    let mut lines = vec![format!("{sign} *{headline}*{key}{called}")];
    lines.extend(message.detail_lines().map(|line| format!("• {}", escaped(&line))));
    let small = dispatch.remarks().into_iter().chain(Some(message.from_where()).filter(|from| !from.is_empty()));
    let small: Vec<String> = small.map(|line| format!("_{}_", escaped(&line))).collect();
    // Details may be cut, where it comes from may not.
    let room = LONGEST.saturating_sub(small.iter().map(|line| line.chars().count() + 1).sum());
    [vec![cut(&lines.join("\n"), room)], small].concat().join("\n")
}

/// With `&`, `<` and `>`, a text could call people or show a link that leads elsewhere.
fn escaped(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::ToSpan;

    use super::super::Message;
    use super::super::message::example;
    use super::*;
    use crate::model::Value;

    #[test]
    fn a_phone_shows_what_how_bad_and_where_in_the_first_line() {
        let message = example(0);
        insta::assert_snapshot!(text(&Dispatch::first(&message), Some("<!here>"), false), @r"
        🔴 *[critical] production: primary is down* <!here>
        • orders: 7
        _production · restore-database.rhai · run 20261120-205609-k3f7 · ann@desk_
        ");
        let over = Message { kind: MessageKind::Resolve, severity: Severity::Info, ..example(0) };
        let over = Dispatch { now: over.at + 14.minutes(), ..Dispatch::first(&over) };
        insta::assert_snapshot!(text(&over, Some("<!here>"), true), @r"
        ✅ *[resolved] production: primary is down* (primary-down)
        • orders: 7
        _late: written at 20:56:09 UTC, 14m 00s ago_
        _production · restore-database.rhai · run 20261120-205609-k3f7 · ann@desk_
        ");
    }

    #[test]
    fn a_text_calls_nobody_and_links_nowhere() {
        let message = Message { message: "<!channel> & <https://a|b>\nall is well".to_owned(), ..example(0) };
        let text = text(&Dispatch::first(&message), None, false);
        assert!(text.contains(r"&lt;!channel&gt; &amp; &lt;https://a|b&gt;\nall is well"), "{text}");
    }

    #[test]
    fn a_long_text_is_cut_and_still_says_where_it_comes_from() {
        let details = BTreeMap::from([("log".to_owned(), Value::from("é".repeat(9000).as_str()))]);
        let message = Message { details, ..example(0) };
        let text = text(&Dispatch::first(&message), None, false);
        assert!(text.chars().count() <= LONGEST, "{}", text.chars().count());
        assert!(text.contains("…\n_production ·"), "{text}");
    }
}
