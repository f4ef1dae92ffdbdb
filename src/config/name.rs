//! Which words may be names.

/// Whether `text` may be the name of an environment, a target or a process.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

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
