//! What the console says, in lines that fit: a terminal breaks them in the middle of words.

use crate::cli::printer::Style;
use crate::cli::wrap::wrap;

use super::Console;

impl Console<'_> {
    pub(super) fn say(&self, text: &str) {
        for line in wrap(text, self.printer.width()) {
            self.printer.out(&line);
        }
    }

    pub(super) fn say_in(&self, style: Style, text: &str) {
        for line in wrap(text, self.printer.width()) {
            self.printer.out(&self.printer.paint(style, &line));
        }
    }

    /// Says it where errors are said.
    pub(super) fn warn(&self, text: &str) {
        for line in wrap(text, self.printer.width()) {
            self.printer.err(&line);
        }
    }

    /// Asks, with the cursor behind the last line of the question.
    pub(super) fn ask(&self, question: &str) -> Option<String> {
        let mut lines = wrap(question, self.printer.width() - 1);
        let last = lines.pop().unwrap_or_default();
        for line in lines {
            self.printer.err(&self.printer.paint_err(Style::Caution, &line));
        }
        self.printer.ask(&self.printer.paint_err(Style::Caution, &format!("{} ", last.trim_end())))
    }

    /// A line of a script, two columns from the margin.
    pub(super) fn quote(&self, line: &str) {
        for line in quoted(line, self.printer.width()) {
            self.printer.out(&line);
        }
    }
}

fn quoted(line: &str, width: usize) -> Vec<String> {
    let code = line.trim_start();
    let indent = 2 + line.chars().count() - code.chars().count();
    let lines = wrap(code, width.saturating_sub(indent + 4).max(20));
    let begins = |n: usize| if n == 0 { indent } else { indent + 4 };
    lines.iter().enumerate().map(|(n, line)| format!("{:1$}{line}", "", begins(n))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_in_the_next_line_stands_further_to_the_right() {
        assert_eq!(quoted("    a();", 40), ["      a();"]);
        let found = quoted("    notify(\"incidents\", \"orders are lost\");", 40);
        assert_eq!(found, ["      notify(\"incidents\", \"orders", "          are lost\");"]);
    }
}
