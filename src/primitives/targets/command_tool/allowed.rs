//! Which arguments a script may give to a tool.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// What may follow the program of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Allowed(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Pattern {
    /// The first argument; more may follow.
    First(String),
    /// All arguments; `...` at the end for any more.
    All(Vec<String>),
}

/// At the end of a list: any more arguments.
const MORE: &str = "...";

impl Allowed {
    /// Any arguments.
    pub fn anything() -> Self {
        Self(vec![Pattern::All(vec![MORE.to_owned()])])
    }

    /// No arguments.
    pub fn nothing() -> Self {
        Self(vec![Pattern::All(Vec::new())])
    }

    /// Whether a script may give these. `None` is an argument that is not known yet, and may become anything.
    pub fn allows(&self, arguments: &[Option<&str>]) -> bool {
        self.0.iter().any(|pattern| pattern.takes(arguments))
    }
}

impl Pattern {
    fn takes(&self, arguments: &[Option<&str>]) -> bool {
        let fits = |pattern: &String, text: Option<&str>| text.is_none_or(|text| matches(pattern, text));
        match self {
            Pattern::First(pattern) => arguments.first().is_some_and(|first| fits(pattern, *first)),
            Pattern::All(all) => {
                let (fixed, open) = match all.split_last() {
                    Some((last, fixed)) if last == MORE => (fixed, true),
                    _ => (&all[..], false),
                };
                let count = arguments.len() == fixed.len() || (open && arguments.len() > fixed.len());
                count && fixed.iter().zip(arguments).all(|(pattern, text)| fits(pattern, *text))
            }
        }
    }
}

/// Whether `text` is `pattern`, in which each `*` stands for any characters.
pub(in crate::primitives) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        // The earliest place leaves the most for what comes after it.
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() || *self == Self::nothing() {
            return f.write_str("no arguments");
        }
        for (i, pattern) in self.0.iter().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            match pattern {
                Pattern::First(first) => write!(f, "`{first} …`")?,
                Pattern::All(all) => write!(f, "`{}`", all.join(" "))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allow: serde_json::Value, arguments: &[&str]) -> bool {
        let allowed: Allowed = serde_json::from_value(allow).expect("patterns");
        allowed.allows(&arguments.iter().map(|a| Some(*a)).collect::<Vec<_>>())
    }

    #[test]
    fn a_text_is_the_first_argument() {
        let allow = || serde_json::json!(["status", "get-*"]);
        for good in [&["status"][..], &["status", "-v"], &["get-pods"], &["get-"]] {
            assert!(allows(allow(), good), "{good:?}");
        }
        for bad in [&[][..], &["stop"], &["statuses"], &["-v", "status"], &["get"]] {
            assert!(!allows(allow(), bad), "{bad:?}");
        }
    }

    #[test]
    fn a_list_is_all_arguments() {
        let allow = || serde_json::json!([[], ["get", "pod/*"], ["logs", "..."]]);
        for good in [&[][..], &["get", "pod/a"], &["logs"], &["logs", "-f", "x"]] {
            assert!(allows(allow(), good), "{good:?}");
        }
        for bad in [&["get"][..], &["get", "pod/a", "-o"], &["get", "svc/a"], &["log"]] {
            assert!(!allows(allow(), bad), "{bad:?}");
        }
        assert!(allows(serde_json::json!([["..."]]), &[]) && allows(serde_json::json!(["*"]), &["x", "y"]));
        assert!(!allows(serde_json::json!([]), &[]), "an empty list allows nothing at all");
        assert!(Allowed::anything().allows(&[Some("x")]) && !Allowed::nothing().allows(&[Some("x")]));
    }

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text) in [("*", ""), ("*", "é"), ("a*b*c", "abc"), ("a*b*c", "a-b-b-c"), ("**x", "x")] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a*a", "a"), ("a*b*c", "acb"), ("*b", "ba"), ("a*bc*c", "abc"), ("", "x")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_known_yet_may_become_anything() {
        let allowed: Allowed = serde_json::from_value(serde_json::json!([["get", "pod/*"]])).expect("patterns");
        assert!(allowed.allows(&[Some("get"), None]) && !allowed.allows(&[Some("rm"), None]));
    }
}
