//! What came of tests, as people read it: what failed, with its story; then how many did, and what no test has met.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::diagnostics;
use crate::cli::printer::{Printer, Style};
use crate::cli::wrap::wrap;
use crate::model::{Played, StoryLine};
use crate::runtime::{Missed, TestReport, TestStatus, Tested, TestedFile};
use crate::script::Failure;

/// Of a long story, so many lines from its beginning and from its end.
const SHOWN: usize = 15;

/// The tests, one in a line.
pub(super) fn list(report: &TestReport, printer: &Printer) -> String {
    let mut page = Page { printer, text: String::new() };
    for file in &report.files {
        page.errors(file);
        for test in &file.tests {
            page.say("", &format!("{}: {}", file.name, test.title), None);
        }
    }
    page.text
}

/// What came of them. `coverage`: whether that is said, and how much of it is wanted.
pub(super) fn render(report: &TestReport, coverage: Option<u8>, printer: &Printer) -> String {
    let mut page = Page { printer, text: String::new() };
    for file in &report.files {
        page.errors(file);
        for test in file.tests.iter().filter(|test| !test.failures.is_empty()) {
            page.test(file, test);
        }
    }
    if let Some(at_least) = coverage {
        page.coverage(report, at_least);
    }
    page.summary(report);
    page.text
}

struct Page<'a> {
    printer: &'a Printer,
    text: String,
}

impl Page<'_> {
    fn errors(&mut self, file: &TestedFile) {
        for error in &file.errors {
            let shown = diagnostics::render(error, self.is_coloured());
            self.raw(&shown);
        }
    }

    fn test(&mut self, file: &TestedFile, test: &Tested) {
        let word = if test.status == TestStatus::Failed { "failed" } else { "wrong" };
        self.say("", &format!("✗ {word}: {}:{}: {}", file.name, test.site.line, test.title), Some(Style::Bad));
        for (n, failure) in test.failures.iter().enumerate() {
            let shown = diagnostics::render(&failure.diagnostic, self.is_coloured());
            self.raw(&shown);
            self.found(failure);
            let Some(played) = &failure.played else {
                self.stuck(&failure.story);
                continue;
            };
            // What several expectations are about is told behind the last of them.
            let next = test.failures.get(n + 1).and_then(|next| next.played.as_ref());
            if next.is_none_or(|next| !Arc::ptr_eq(next, played)) {
                self.played(played);
            }
        }
    }

    fn found(&mut self, failure: &Failure) {
        if let Some(expected) = &failure.expected {
            self.say("  expected  ", expected, None);
        }
        for (n, found) in failure.found.iter().enumerate() {
            self.say(if n == 0 { "  found     " } else { "            " }, found, None);
        }
    }

    fn played(&mut self, played: &Played) {
        self.say("  ", &format!("what {} did:", played.runbook), Some(Style::Dim));
        self.story(&played.story, Some(&played.runbook));
        self.say("        … ", &played.ends, Some(Style::Dim));
        self.text.push('\n');
    }

    fn stuck(&mut self, story: &[StoryLine]) {
        if !story.is_empty() {
            self.say("  ", "what it did until then:", Some(Style::Dim));
            self.story(story, None);
        }
        self.text.push('\n');
    }

    fn story(&mut self, story: &[StoryLine], runbook: Option<&str>) {
        let hidden = story.len().saturating_sub(2 * SHOWN);
        for (n, line) in story.iter().enumerate() {
            if hidden > 1 && n == SHOWN {
                self.say("        ", &format!("… {hidden} more lines …"), Some(Style::Dim));
            }
            if hidden > 1 && (SHOWN..SHOWN + hidden).contains(&n) {
                continue;
            }
            let elsewhere = runbook.is_some_and(|runbook| *line.site.file != *runbook);
            let place = if elsewhere { format!(" ({})", line.site.file) } else { String::new() };
            let style = line.odd.then_some(Style::Caution);
            self.say(&format!("  {:>4}  ", line.site.line), &format!("{}{place}", line.text), style);
        }
    }

    fn coverage(&mut self, report: &TestReport, at_least: u8) {
        for of in &report.coverage {
            let met = format!("{}: {} of {} outcomes met, {} %", of.runbook, of.met, of.all, of.percent());
            self.say("", &met, Some(Style::Bold));
            for missed in &of.missed {
                self.say(&format!("  {:>4}  ", missed.site.line), &never(missed), None);
            }
        }
        if report.coverage.is_empty() {
            self.say("", "no runbook was played", None);
        }
        let covered = report.covered_percent();
        if covered < at_least {
            let less = format!("{covered} % of the outcomes are met, and {at_least} % are wanted");
            self.say("", &less, Some(Style::Bad));
        }
    }

    fn summary(&mut self, report: &TestReport) {
        let (passed, failed) = (report.count(TestStatus::Passed), report.count(TestStatus::Failed));
        let wrong = report.count(TestStatus::Mistaken);
        let files = report.files.iter().filter(|file| !file.errors.is_empty()).count();
        let tests = |n: usize| if n == 1 { "1 test".to_owned() } else { format!("{n} tests") };
        let mut text = format!("{} passed", tests(passed));
        if failed > 0 {
            let _ = write!(text, ", {failed} failed");
        }
        if wrong > 0 {
            let _ = write!(text, ", {wrong} wrong");
        }
        if files > 0 {
            let _ = write!(
                text,
                ", {} cannot be read",
                if files == 1 { "1 file".into() } else { format!("{files} files") }
            );
        }
        let _ = write!(text, " in {}", seconds(report.took));
        if report.cancelled {
            text.push_str("; the others were not run");
        }
        let good = failed + wrong + files == 0 && !report.cancelled;
        self.say("", &text, Some(if good { Style::Good } else { Style::Bad }));
    }

    fn is_coloured(&self) -> bool {
        !self.printer.paint(Style::Bold, "").is_empty()
    }

    fn raw(&mut self, text: &str) {
        self.text.push_str(&self.printer.short(text.trim_end()));
        self.text.push('\n');
    }

    fn say(&mut self, indent: &str, text: &str, style: Option<Style>) {
        let width = self.printer.width().saturating_sub(indent.chars().count());
        for (n, line) in wrap(text, width).into_iter().enumerate() {
            let indent = if n == 0 { indent.to_owned() } else { " ".repeat(indent.chars().count()) };
            let line = format!("{indent}{line}");
            match style {
                Some(style) => self.text.push_str(&self.printer.paint(style, &line)),
                None => self.text.push_str(&line),
            }
            self.text.push('\n');
        }
    }
}

fn never(missed: &Missed) -> String {
    match missed {
        Missed { rollback: true, what, .. } => format!("step \"{what}\": never rolled back"),
        Missed { outcomes, what, .. } if outcomes.is_empty() => format!("{what}: never reached"),
        Missed { outcomes, what, .. } => format!("{what}: never {}", outcomes.join(", ")),
    }
}

/// `0.2 s`.
fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
