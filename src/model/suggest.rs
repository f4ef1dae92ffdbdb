//! What to write instead of a name that is not known.

/// The one of `known` that was probably meant by `typed`.
pub(crate) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = typed.chars().count();
    let allowed = match length {
        0..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    let near = known.into_iter().map(|name| (strsim::damerau_levenshtein(typed, name), name));
    // A distance as long as the name itself only says that both are short.
    near.filter(|(distance, _)| *distance <= allowed && *distance < length).min().map(|(_, name)| name)
}

/// ``did you mean `…`?`` for the nearest of the known names.
pub(crate) fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(typed, known).map(|name| format!("did you mean `{name}`?"))
}

/// A question that names what was probably meant by `typed`, or else the list of what is `known`, introduced by `what`
/// (`environments`).
pub(crate) fn instead(typed: &str, known: &[&str], what: &str) -> String {
    did_you_mean(typed, known.iter().copied()).unwrap_or_else(|| match known {
        [] => format!("{what}: none is defined"),
        _ => format!("{what}: {}", known.join(", ")),
    })
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
    fn the_longer_a_name_the_more_slips_it_may_have() {
        assert_eq!(nearest("wbe", ["web", "primary"]), Some("web"));
        assert_eq!(nearest("wxy", ["web"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("maintenence", ["maintenance"]), Some("maintenance"));
        assert_eq!(nearest("point_of_noreturn", ["point_of_no_return", "probe"]), Some("point_of_no_return"));
    }
}
