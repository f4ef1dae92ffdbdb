//! What is wrong in a review as JUnit XML: each runbook is a suite, each thing that was judged of it a case.

use std::fmt::Write as _;

use crate::cli::junit::{self, Case, Problem, Suite};
use crate::model::{Exploration, Review, ReviewFinding, RunbookReview, StoryLine, Stuck, Violated};

/// The document.
pub(super) fn render(review: &Review) -> String {
    let suites: Vec<Suite> = review.runbooks.iter().map(suite).collect();
    junit::render(&suites, None)
}

fn suite(runbook: &RunbookReview) -> Suite {
    let mut cases = vec![case("check", checked(&runbook.findings))];
    if let Some(exploration) = &runbook.exploration {
        for invariant in &exploration.invariants {
            let broken =
                exploration.violations.iter().find(|one| one.invariant == invariant.name && one.waived.is_none());
            let new = broken.filter(|one| runbook.new_violations().contains(&&*one.invariant));
            cases.push(case(&invariant.name, new.map(violated).into_iter().collect()));
        }
        cases.push(case("every path can be followed to an end", stuck(exploration, runbook.before.as_ref())));
    }
    Suite { name: runbook.runbook.clone(), cases }
}

fn case(name: &str, problems: Vec<Problem>) -> Case {
    Case { name: name.to_owned(), line: None, took: None, problems }
}

fn checked(findings: &[ReviewFinding]) -> Vec<Problem> {
    let problem = |finding: &ReviewFinding| {
        let place = finding.site.as_ref().map(|site| format!("{site}: ")).unwrap_or_default();
        let help = finding.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default();
        Problem { error: true, message: finding.message.clone(), text: format!("{place}{}{help}", finding.message) }
    };
    findings.iter().filter(|finding| finding.error).map(problem).collect()
}

fn violated(violated: &Violated) -> Problem {
    let mut text = format!("{}: {}", violated.summary, violated.why);
    told(&violated.story, &mut text);
    let _ = write!(text, "\n  {}", violated.ends);
    Problem { error: false, message: violated.why.clone(), text }
}

/// What was so before is no news.
fn stuck(now: &Exploration, before: Option<&Exploration>) -> Vec<Problem> {
    let is_new = |stuck: &&Stuck| before.is_none_or(|before| before.stuck.iter().all(|old| old.why != stuck.why));
    let problem = |stuck: &Stuck| {
        let mut text = stuck.why.clone();
        told(&stuck.story, &mut text);
        Problem { error: false, message: stuck.why.clone(), text }
    };
    now.stuck.iter().filter(is_new).map(problem).collect()
}

fn told(story: &[StoryLine], text: &mut String) {
    for line in story {
        let mark = if line.broken { "✗ " } else { "" };
        let _ = write!(text, "\n  {}:{}  {mark}{}", line.site.file, line.site.line, line.text);
    }
}
