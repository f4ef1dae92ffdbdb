//! How one tells that a file holds the result of tests, in whichever form: only such a file is replaced by another one.

/// Whether a text that begins like this is what `lifeboat test` prints.
pub(super) fn is_tests(beginning: &str) -> bool {
    let begins = |with: &str| beginning.starts_with(with);
    let mut lines = beginning.lines().peekable();
    begins("{\"") && beginning.contains("\"lifeboat_tests\":")
        || begins("<?xml") && beginning.contains("<testsuites name=\"lifeboat\"")
        || begins("✗ failed: ")
        || begins("✗ wrong: ")
        || beginning.lines().any(is_summary)
        || lines.peek().is_some() && lines.all(|line| line.contains("_test.rhai: "))
}

/// `12 tests passed, 1 failed in 0.2 s`.
fn is_summary(line: &str) -> bool {
    let count = line.split_once(" passed").map(|(count, _)| count.trim_end_matches('s'));
    let count = count.and_then(|count| count.strip_suffix(" test"));
    count.is_some_and(|count| count.parse::<usize>().is_ok()) && line.contains(" in ") && line.contains(" s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_no_results() {
        let others = [
            "",
            "{\"format\":1}",
            "<?xml version=\"1.0\"?>\n<testsuites name=\"others\">",
            "many tests passed in no time",
            "see a_test.rhai: it is the best\nand nothing else",
            include_str!("../../../runbooks/restore-database_test.rhai"),
        ];
        for other in others {
            assert!(!is_tests(other), "{other}");
        }
    }

    #[test]
    fn every_form_is_known_again() {
        for ours in [
            "1 test passed in 0.0 s\n",
            "a.rhai: 3 of 4 outcomes met, 75 %\n12 tests passed, 1 failed in 0.2 s\n",
            "✗ failed: a_test.rhai:1: it\n",
            "a_test.rhai: it\nb_test.rhai: it\n",
        ] {
            assert!(is_tests(ours), "{ours}");
        }
    }
}
