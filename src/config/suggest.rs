//! What to write instead of a name that is not known.

/// How far a typed name may be from a known one to be taken for a slip of the finger.
const NEAR: usize = 2;

/// The one of `known` that was probably meant by `typed`.
fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(typed, name);
    let nearest = known.iter().copied().min_by_key(|name| distance(name))?;
    // A distance as long as the name itself only says that both are short.
    (distance(nearest) <= NEAR && distance(nearest) < typed.chars().count()).then_some(nearest)
}

/// A question that names what was probably meant by `typed`, or else the list of what is `known`, introduced by `what`
/// (`environments`).
pub(super) fn instead(typed: &str, known: &[&str], what: &str) -> String {
    match nearest(typed, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => format!("{what}: none is defined"),
        None => format!("{what}: {}", known.join(", ")),
    }
}

/// Whether `text` may be the name of an environment, a target or a process.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_corrected_and_anything_else_is_answered_with_the_list() {
        let known = ["production", "sandbox"];
        assert_eq!(instead("prodcution", &known, "environments"), "did you mean `production`?");
        assert_eq!(instead("staging", &known, "environments"), "environments: production, sandbox");
        assert_eq!(instead("db", &["web"], "targets"), "targets: web");
        assert_eq!(instead("db", &[], "targets"), "targets: none is defined");
    }

    #[test]
    fn names_are_plain() {
        for name in ["web", "web-2", "a_b", "x"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Web", "2web", "-web", "web.eu", "wéb", "a b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
