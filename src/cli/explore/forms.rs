//! How one tells that a file holds an exploration, in whichever form: only such a file is replaced by another one.

/// Whether a text that begins like this is an exploration as `--format` prints it.
pub(super) fn is_exploration(beginning: &str) -> bool {
    let line = |wanted: &str| beginning.lines().any(|line| line.starts_with(wanted));
    let begins = |with: &str| beginning.starts_with(with);
    begins("{\"format\":") && beginning.contains("\"paths\":{\"all\":")
        || begins("<!doctype html>") && beginning.contains(PAGE)
        || begins("---\ntitle: ") && line("flowchart TD")
        || begins("digraph paths {")
        || begins("TN:") && line("SF:")
        || line("walked: ")
        || line("here: ")
}

/// What a page of an exploration says of itself.
const PAGE: &str = "<meta name=\"generator\" content=\"Lifeboat explore\">";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_no_explorations() {
        let runbook = include_str!("../../../runbooks/restore-database.rhai");
        let others = [
            "",
            "---\ntitle: A page\n---\n",
            "{\"format\":1}",
            "<!doctype html><title>walked</title>",
            "TN:\n",
            runbook,
        ];
        for other in others {
            assert!(!is_exploration(other), "{other}");
        }
    }
}
