//! Diagnostics as people read them: what, where with the line of the source, what to do.

use miette::{GraphicalReportHandler, GraphicalTheme};

/// Renders a diagnostic with everything related to it.
pub(super) fn render(error: &dyn miette::Diagnostic, color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(80).with_context_lines(1).with_cause_chain();
    let mut text = String::new();
    match handler.render_report(&mut text, error) {
        Ok(()) => text,
        Err(_) => error.to_string(),
    }
}
