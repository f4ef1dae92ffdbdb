//! What may be a version: it becomes the name of a directory and an argument of programs.

use std::cmp::Ordering;

use crate::model::Fault;

/// The longest version: the name of a file may have 255 bytes, and something is added to it on the way.
const LONGEST: usize = 200;

/// Why `text` cannot be a version.
pub(in crate::primitives) fn refusal(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-~:@".contains(c);
    if text.is_empty() {
        return Some("a version cannot be empty".to_owned());
    }
    if let Some(c) = text.chars().find(|c| !plain(*c)) {
        return Some(format!("{text:?} cannot be a version: it holds {c:?}"));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Some(format!("`{text}` cannot be a version: it does not begin with a letter or a digit"));
    }
    if text.contains("..") {
        return Some(format!("`{text}` cannot be a version: it holds `..`"));
    }
    (text.len() > LONGEST).then(|| format!("a version of {} characters is too long: at most {LONGEST}", text.len()))
}

/// The fault of a version that is none.
pub(super) fn check<'a>(target: &str, version: Option<&'a str>) -> Result<&'a str, Fault> {
    let fault = |why: String| Fault::new("deploy-refused", format!("{target}: {why}")).on(target);
    let Some(version) = version else {
        let hint = "no version was live before: see by hand what should be";
        return Err(fault("there is no version to deploy".to_owned()).hint(hint));
    };
    refusal(version).map_or(Ok(version), |why| {
        Err(fault(why).hint("a version has letters, digits and . _ + - ~ : @, and begins with a letter or digit"))
    })
}

/// Compares versions as people do: runs of digits as numbers.
pub(in crate::primitives) fn compare(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one, other);
    loop {
        let ((x, rest_a), (y, rest_b)) = (part(a), part(b));
        let order = match (number(x), number(y)) {
            (Some(x), Some(y)) => x.len().cmp(&y.len()).then_with(|| x.cmp(y)),
            _ => x.cmp(y),
        };
        if order != Ordering::Equal {
            return order;
        }
        if rest_a.is_empty() || rest_b.is_empty() {
            return rest_a.len().cmp(&rest_b.len()).then_with(|| one.cmp(other));
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The first run of digits, or of anything else, and the rest.
fn part(text: &str) -> (&str, &str) {
    let digit = text.starts_with(|c: char| c.is_ascii_digit());
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(text.len()))
}

fn number(part: &str) -> Option<&str> {
    part.starts_with(|c: char| c.is_ascii_digit()).then(|| part.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_kinds_are_versions() {
        for version in ["1.5.0", "v2", "2026-11-20_1", "1.0.0-rc.1+build~3", "sha256:ab12", "main@4f2c9a1", "7"] {
            assert_eq!(refusal(version), None, "{version}");
        }
    }

    #[test]
    fn what_would_lead_elsewhere_or_be_taken_for_an_option_is_none() {
        for text in
            ["", "../etc", "a/b", "a..b", ".hidden", "-rf", "a b", "a\nb", "ä", "a\0", "$(id)", &"1".repeat(201)]
        {
            assert!(refusal(text).is_some(), "{text:?}");
        }
        let fault = check("web", Some("../1")).expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.target.as_deref()), ("deploy-refused", Some("web")));
    }

    #[test]
    fn versions_are_ordered_as_people_do() {
        let mut versions = ["1.10.0", "1.9.0", "1.10", "2", "1.9.0-rc1", "1.09.0"];
        versions.sort_by(|a, b| compare(a, b));
        assert_eq!(versions, ["1.09.0", "1.9.0", "1.9.0-rc1", "1.10", "1.10.0", "2"]);
    }
}
