//! Diagnostics as people read them: what, where with the line of the source, what to do.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// Renders a diagnostic. Where it only counts others, those are shown, and the count stands last, as their sum.
pub(super) fn render(error: &dyn Diagnostic, color: bool) -> String {
    let related: Vec<&dyn Diagnostic> = error.related().into_iter().flatten().collect();
    if related.is_empty() {
        return one(error, color);
    }
    let mut parts: Vec<String> = related.into_iter().map(|error| one(error, color).trim_end().to_owned()).collect();
    parts.push(error.to_string());
    parts.join("\n\n")
}

fn one(error: &dyn Diagnostic, color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(80).with_context_lines(1).with_cause_chain();
    // A run's id has hyphens, and is copied whole.
    let handler = handler.with_word_splitter(textwrap::WordSplitter::NoHyphenation);
    let mut text = String::new();
    match handler.render_report(&mut text, error) {
        Ok(()) => text,
        Err(_) => error.to_string(),
    }
}
