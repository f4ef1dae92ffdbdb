//! JUnit XML: what build servers read of tests, and of whatever else is good or not.

use std::fmt::Write as _;
use std::time::Duration;

/// Cases that belong together: those of one file.
pub(super) struct Suite {
    /// The file.
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// Something that is good or not.
pub(super) struct Case {
    pub(super) name: String,
    /// The line of the file, from 1.
    pub(super) line: Option<u32>,
    pub(super) took: Option<Duration>,
    /// Why it is not good; nothing where it is.
    pub(super) problems: Vec<Problem>,
}

/// Why something is not good.
pub(super) struct Problem {
    /// Whether it could not be judged; otherwise it was, and failed.
    pub(super) error: bool,
    pub(super) message: String,
    /// All that is known, in several lines.
    pub(super) text: String,
}

/// The document. `took`: how long all of it took, where that was measured.
pub(super) fn render(suites: &[Suite], took: Option<Duration>) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let cases: Vec<&Case> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let _ = writeln!(xml, "<testsuites name=\"lifeboat\" {}{}>", counts(&cases), time(took));
    for one in suites {
        suite(&mut xml, one);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, suite: &Suite) {
    let cases: Vec<&Case> = suite.cases.iter().collect();
    let took: Option<Duration> = cases.iter().map(|case| case.took).sum();
    let _ = writeln!(xml, "  <testsuite name=\"{}\" {}{}>", escaped(&suite.name), counts(&cases), time(took));
    for one in &suite.cases {
        case(xml, &suite.name, one);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, file: &str, case: &Case) {
    let file = escaped(file);
    let line = case.line.map(|line| format!(" line=\"{line}\"")).unwrap_or_default();
    let name = escaped(&case.name);
    let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\"{line}{}", time(case.took));
    if case.problems.is_empty() {
        xml.push_str("/>\n");
        return;
    }
    xml.push_str(">\n");
    for Problem { error, message, text } in &case.problems {
        let name = if *error { "error" } else { "failure" };
        let _ = writeln!(xml, "      <{name} message=\"{}\">{}</{name}>", escaped(message), lines(text));
    }
    xml.push_str("    </testcase>\n");
}

fn counts(cases: &[&Case]) -> String {
    let with = |error: bool| cases.iter().filter(move |case| case.problems.iter().any(|one| one.error) == error);
    let errors = with(true).count();
    let failures = with(false).filter(|case| !case.problems.is_empty()).count();
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", cases.len())
}

fn time(took: Option<Duration>) -> String {
    took.map(|took| format!(" time=\"{:.3}\"", took.as_secs_f64())).unwrap_or_default()
}

/// Text of several lines, which an element may have and an attribute may not.
fn lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}

/// Text as XML has it; characters that XML cannot have are left out.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\n' => xml.push_str("&#10;"),
            '\t' => xml.push('\t'),
            '\u{FFFE}' | '\u{FFFF}' => {}
            c if c.is_control() && c < ' ' => {}
            c => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_xml_cannot_have_is_escaped_or_left_out() {
        assert_eq!(escaped("a < b && \"c\"\n\u{1b}[1m\u{0}‹x›"), "a &lt; b &amp;&amp; &quot;c&quot;&#10;[1m‹x›");
    }
}
