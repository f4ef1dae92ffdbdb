//! What a review says of one runbook, folded away under its name.

use std::fmt::Write as _;

use crate::cli::diff::rows::{self, Row};
use crate::cli::markdown::{block, block_in, code, prose};
use crate::model::{
    Bound, Exploration, ImpactKind, PathCounts, PlanNode, PlanVerdict, ReviewFinding, ReviewedPlan, RunbookReview,
    ScopeKind, StoryLine, Stuck, Violated,
};

/// The details of one runbook may take so much, bytes.
const LIMIT: usize = 14_000;
/// A block of code may have so many lines.
const LINES: usize = 50;
/// A line of one may have so many characters.
const LENGTH: usize = 180;

/// The details; what does not fit is counted, with the command that shows it.
pub(super) fn details(runbook: &RunbookReview, command: &str) -> String {
    let mut sections: Vec<String> = Vec::new();
    sections.extend(findings(&runbook.findings));
    if let Some(exploration) = &runbook.exploration {
        let new = runbook.new_violations();
        let broken = exploration.violations.iter().filter(|one| one.waived.is_none());
        let (worse, known): (Vec<&Violated>, Vec<&Violated>) = broken.partition(|one| new.contains(&&*one.invariant));
        sections.extend(waivers(runbook));
        sections.extend(worse.into_iter().map(violated));
        sections.extend(dead_ends(exploration, runbook.before.as_ref()));
        sections.extend(broken_before(&known));
    }
    sections.extend(plans(&runbook.plans));
    if let Some(exploration) = &runbook.exploration {
        sections.push(paths(exploration, runbook.before.as_ref()));
    }
    let mut page = String::new();
    let mut left_out = 0;
    for section in sections {
        if page.len() + section.len() <= LIMIT {
            page.push_str(&section);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let _ = writeln!(page, "\n… and {left_out} more: {}", code(command));
    }
    page
}

fn findings(findings: &[ReviewFinding]) -> Option<String> {
    let told = |finding: &ReviewFinding| {
        let level = if finding.error { "error" } else { "warning" };
        let place = finding.site.as_ref().map(|site| format!("{}:{}: ", site.file, site.line)).unwrap_or_default();
        let known = if finding.known { " (it was there before)" } else { "" };
        let help = finding.help.as_ref().map(|help| format!("\n    help: {help}")).unwrap_or_default();
        format!("{level}: {place}{}{known}{help}", finding.message)
    };
    let lines: Vec<String> = findings.iter().flat_map(|finding| lines_of(&told(finding))).collect();
    (!lines.is_empty()).then(|| format!("**What `lifeboat check` finds**\n\n{}\n", block(&capped(lines))))
}

fn waivers(runbook: &RunbookReview) -> Vec<String> {
    let told = |(name, reason): (&str, &str)| format!("**Waives {}**, because: {}\n\n", code(name), prose(reason));
    runbook.new_waivers().into_iter().map(told).collect()
}

fn violated(violated: &Violated) -> String {
    let paths = if violated.paths == 1 { "1 path".to_owned() } else { format!("{} paths", violated.paths) };
    // What it comes to stands at its end.
    let mut lines = story(&violated.story);
    let before = lines.len().saturating_sub(LINES - 2);
    if before > 0 {
        lines.drain(..before);
        lines.insert(0, format!("… {before} lines before"));
    }
    lines.push(format!("          … {}", violated.ends));
    format!(
        "**Breaks {}**: {}. {}; the shortest of {paths}:\n\n{}\n",
        code(&violated.invariant),
        prose(&violated.summary),
        prose(&violated.why),
        block(&capped(lines))
    )
}

/// What was broken before is no news.
fn broken_before(known: &[&Violated]) -> Option<String> {
    let names: Vec<String> = known.iter().map(|violated| code(&violated.invariant)).collect();
    (!names.is_empty()).then(|| format!("Breaks as before: {}.\n\n", names.join(", ")))
}

fn story(story: &[StoryLine]) -> Vec<String> {
    let line = |line: &StoryLine| {
        let mark = match (line.broken, line.odd) {
            (true, _) => '✗',
            (_, true) => '!',
            _ => ' ',
        };
        cut(&format!("{mark} line {:<4} {}", line.site.line, line.text))
    };
    story.iter().map(line).collect()
}

fn dead_ends(exploration: &Exploration, before: Option<&Exploration>) -> Vec<String> {
    let told = |stuck: &Stuck| {
        let what = if stuck.mistake { "end at a mistake" } else { "cannot be followed" };
        let known = before.is_some_and(|before| before.stuck.iter().any(|old| old.why == stuck.why));
        let known = if known { ", as before" } else { "" };
        let place = stuck.site.as_ref().map(|site| format!("at {}:{}", site.file, site.line)).unwrap_or_default();
        let paths = if stuck.paths == 1 { "1 path".to_owned() } else { format!("{} paths", stuck.paths) };
        format!("**{paths} {what}** {}{known}: {}\n\n", prose(&place), prose(&cut(&stuck.why)))
    };
    exploration.stuck.iter().map(told).collect()
}

/// Plans that differ in the same way are told once.
fn plans(plans: &[ReviewedPlan]) -> Vec<String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for plan in plans {
        let Some(body) = plan_body(plan) else { continue };
        let name = plan.scenario.clone().unwrap_or_else(|| "as it is called".to_owned());
        match groups.iter_mut().find(|(known, _)| *known == body) {
            Some((_, names)) => names.push(name),
            None => groups.push((body, vec![name])),
        }
    }
    let told = |(body, names): (String, Vec<String>)| {
        let names: Vec<String> = names.iter().map(|name| prose(name)).collect();
        format!("**Plan, {}**\n\n{body}\n", names.join("; "))
    };
    groups.into_iter().map(told).collect()
}

fn plan_body(plan: &ReviewedPlan) -> Option<String> {
    let mut lines = Vec::new();
    let ends = match &plan.plan.verdict {
        PlanVerdict::Completes => None,
        PlanVerdict::Fails { fault } => Some(format!("would fail: {}", fault.message)),
        PlanVerdict::Stops { why, .. } => Some(format!("cannot be planned to its end: {why}")),
    };
    let Some(diff) = &plan.diff else {
        // What it comes to must not be what is cut off.
        lines.extend(ends);
        whole(&plan.plan.nodes, 0, &mut lines);
        return Some(block(&capped(lines)));
    };
    if diff.is_empty() {
        return None;
    }
    if let Some((was, is)) = &diff.ends {
        lines.push(format!("! {is}; was: {was}"));
    }
    lines.extend(diff.cut_short.iter().map(|why| format!("! what follows is not compared: {why}")));
    lines.extend(diff.besides.iter().map(|what| format!("! {what}")));
    for row in rows::calls(diff) {
        push(&row, &mut lines);
    }
    let failures = rows::failures(diff);
    if !failures.is_empty() {
        lines.push("  if a call fails".to_owned());
        for row in &failures {
            push(row, &mut lines);
        }
    }
    let told = prose(&rows::told(diff));
    Some(format!("{}{told}\n", block_in("diff", &capped(lines.into_iter().map(|line| cut(&line)).collect()))))
}

fn push(row: &Row, lines: &mut Vec<String>) {
    let sign = match (row.word, row.grave && row.gained) {
        (_, true) => '!',
        ("added" | "gained", _) => '+',
        ("removed" | "lost", _) => '-',
        _ => ' ',
    };
    lines.push(format!("{sign} {:<8} {} ({})", row.word, row.call, row.place));
    let what = row.what.iter().flat_map(|what| lines_of(what));
    lines.extend(what.map(|what| cut(&format!("{sign}            {what}"))));
}

/// A plan of a new runbook: each call in a line.
fn whole(nodes: &[PlanNode], indent: usize, lines: &mut Vec<String>) {
    for node in nodes {
        match node {
            PlanNode::Call(line) => {
                let lead = " ".repeat(indent);
                let grave = if line.impact.kind == ImpactKind::Destroy { "  DESTROYS" } else { "" };
                lines.push(cut(&format!(
                    "{lead}{} {} {}{grave}",
                    line.symbol.glyph(),
                    line.primitive,
                    lines_of(&line.summary).join(" ")
                )));
            }
            PlanNode::Scope(scope) => {
                let title = &scope.scope.title;
                let head = match scope.scope.kind {
                    ScopeKind::Rehearsal => format!("if {title} is undone"),
                    _ => title.clone(),
                };
                if !head.is_empty() {
                    lines.push(cut(&format!("{}{head}", " ".repeat(indent))));
                }
                whole(&scope.nodes, indent + 2, lines);
            }
        }
    }
}

type Count = fn(&PathCounts) -> u64;

fn paths(now: &Exploration, before: Option<&Exploration>) -> String {
    let rows: [(&str, Count); 7] = [
        ("paths", |counts| counts.all),
        ("come to the end", |counts| counts.well),
        ("fail, and are rolled back", |counts| counts.restored),
        ("fail, and leave something changed", |counts| counts.left_changed),
        ("end in doubt", |counts| counts.in_doubt),
        ("end at a mistake", |counts| counts.mistaken),
        ("cannot be followed", |counts| counts.open),
    ];
    let mut page = "| | before | now |\n|---|--:|--:|\n".to_owned();
    for (name, count) in rows {
        let (was, is) = (before.map(|before| count(&before.paths)), count(&now.paths));
        if was.unwrap_or(0) > 0 || is > 0 {
            let was = was.map_or_else(|| "–".to_owned(), |was| was.to_string());
            let _ = writeln!(page, "| {name} | {was} | {is} |");
        }
    }
    for bound in &now.bounds {
        let told = match bound {
            Bound::Paths { at_most } => format!("there are more than {at_most} paths"),
            Bound::Time { seconds } => format!("the time was over after {seconds} s (`--time`)"),
            Bound::Cancelled => "it was cancelled".to_owned(),
            Bound::Faults { .. } | Bound::Repeated { .. } => continue,
        };
        let _ = writeln!(page, "\n**Not all of them were walked**: {told}.");
    }
    let faults = now.faults.map_or_else(
        || "as many failures as there are".to_owned(),
        |most| match most {
            1 => "at most one failure".to_owned(),
            most => format!("at most {most} failures"),
        },
    );
    let _ = writeln!(
        page,
        "\nPaths with {faults} on them; {} of {} calls stand on one.\n",
        now.coverage.reached, now.coverage.calls
    );
    page
}

/// So many lines that a reader stays with it.
fn capped(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

fn cut(line: &str) -> String {
    let cut: String = line.chars().take(LENGTH).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(cut).collect()
}
