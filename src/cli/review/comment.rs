//! A review as one comment in Markdown, which always fits: the table first, then as many details as there is room for.

use std::fmt::Write as _;

use crate::cli::markdown::{code, folded, prose};
use crate::model::{Review, RunbookChange, RunbookReview, Urgency};

use super::details::details;

/// What a comment may hold, bytes. The limit of GitHub is so many characters, which are never more than the bytes.
pub(crate) const LIMIT: usize = 65_536;
/// The table may take so much of it.
const TABLE: usize = 20_000;
/// The foot needs so much.
const FOOT: usize = 600;
/// Of files and keys, so many are named.
const NAMED: usize = 15;
/// By this the comment is found again.
const MARKER: &str = "<!-- lifeboat review -->";

/// The comment.
pub(crate) fn comment(review: &Review) -> String {
    let mut page = head(review);
    page.push_str(&table(review));
    let (mut left_out, mut shown) = (Vec::new(), String::new());
    let says_more =
        |runbook: &&RunbookReview| runbook.urgency() < Urgency::Alike && runbook.change != RunbookChange::Removed;
    for runbook in review.runbooks.iter().filter(says_more) {
        let detail = fold(runbook, &command(review, &runbook.runbook));
        if page.len() + shown.len() + detail.len() + FOOT <= LIMIT {
            shown.push_str(&detail);
        } else {
            left_out.push(runbook);
        }
    }
    page.push_str(&shown);
    if let Some(first) = left_out.first() {
        let runbooks =
            if left_out.len() == 1 { "1 more runbook".to_owned() } else { format!("{} more runbooks", left_out.len()) };
        let command = shortened(&command(review, &first.runbook));
        let _ = writeln!(page, "\nThe details of {runbooks} did not fit. To see them: {command}");
    }
    page
}

/// A command that is too long for the foot is not shown in full.
fn shortened(command: &str) -> String {
    if command.len() <= FOOT / 2 { code(command) } else { code("lifeboat review BASE..HEAD --runbook RUNBOOK") }
}

fn command(review: &Review, runbook: &str) -> String {
    let range = format!("{}..{}", review.base.name, review.head.name);
    format!("lifeboat review {} --runbook {}", quoted(&range), quoted(runbook))
}

/// A word of a command line that somebody may copy into a shell, whatever the branch called its files.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn head(review: &Review) -> String {
    let mut page = format!("{MARKER}\n### Lifeboat: {}\n\n", headline(review));
    let short = |commit: &str| commit.get(..10).unwrap_or(commit).to_owned();
    let protected = if review.protected { " (protected)" } else { "" };
    let _ = writeln!(
        page,
        "{} {} ← {} {}, in {}{protected}. Nothing of the branch was executed, and nothing was looked at; configuration and policy are \
         those of {}.",
        code(&review.base.name),
        short(&review.base.commit),
        code(&review.head.name),
        short(&review.head.commit),
        code(&review.environment),
        code(&review.base.name),
    );
    page.push_str(&configuration(review));
    let policies: Vec<String> = review.policies.iter().take(NAMED).map(|name| code(&cut(name))).collect();
    if !policies.is_empty() {
        let more = more(review.policies.len());
        let _ = writeln!(
            page,
            "\n**The branch changes the policy**, which does not count here: {}{more}.",
            policies.join(", ")
        );
    }
    if !review.others.is_empty() {
        let names: Vec<String> = review.others.iter().take(NAMED).map(|name| code(&cut(name))).collect();
        let more = more(review.others.len());
        let _ = writeln!(page, "\nChanged besides, and not looked at: {}{more}.", names.join(", "));
    }
    page
}

fn configuration(review: &Review) -> String {
    if review.configuration.is_empty() {
        return String::new();
    }
    let grave = review.configuration.iter().filter(|change| change.grave).count();
    let warning = match grave {
        0 => String::new(),
        1 => ", **one of which decides what is allowed or started**".to_owned(),
        grave => format!(", **{grave} of which decide what is allowed or started**"),
    };
    let keys = if review.configuration.len() == 1 { "key" } else { "keys" };
    let mut page = format!(
        "\nThe branch changes {} {keys} of the configuration{warning}. None of that counts in this review:\n\n",
        review.configuration.len()
    );
    for change in review.configuration.iter().take(NAMED) {
        let value =
            |value: &Option<String>| value.as_ref().map_or_else(|| "not set".to_owned(), |value| code(&cut(value)));
        let mark = if change.grave { "**!** " } else { "" };
        let _ =
            writeln!(page, "- {mark}{}: {} → {}", code(&cut(&change.key)), value(&change.before), value(&change.after));
    }
    if review.configuration.len() > NAMED {
        let _ = writeln!(page, "- {}", more(review.configuration.len()).trim_start());
    }
    if review.urgency() == Urgency::Errors {
        page.push_str(
            "\nIf a runbook needs what is new there, bring in the configuration first, in a change of its own.\n",
        );
    }
    page
}

/// ` and 12 more`, of so many in all.
fn more(all: usize) -> String {
    if all > NAMED { format!(" and {} more", all - NAMED) } else { String::new() }
}

fn cut(text: &str) -> String {
    let cut: String = text.chars().take(120).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// What the whole review comes to.
pub(crate) fn headline(review: &Review) -> String {
    let runbooks = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 runbook {one}"),
        count => format!("{count} runbooks {many}"),
    };
    let all = review.runbooks.len();
    match review.urgency() {
        _ if all == 0 => "this branch changes no runbook".to_owned(),
        Urgency::Errors => runbooks(review.urgent(Urgency::Errors), "has errors", "have errors"),
        Urgency::Unsafe => runbooks(review.urgent(Urgency::Unsafe), "is unsafe now", "are unsafe now"),
        Urgency::Look => runbooks(
            review.urgent(Urgency::Look),
            "needs a look: it destroys more, fails worse, rolls back or ends otherwise",
            "need a look: they destroy more, fail worse, roll back or end otherwise",
        ),
        Urgency::Differs => format!("{}; none got worse", runbooks(all, "changed", "changed")),
        Urgency::Alike => runbooks(all, "changed; it does the same as before", "changed; they do the same as before"),
    }
}

fn table(review: &Review) -> String {
    if review.runbooks.is_empty() {
        return String::new();
    }
    let mut page = "\n| | runbook | |\n|---|---|---|\n".to_owned();
    let mut shown = 0;
    for runbook in &review.runbooks {
        let row = format!(
            "| {} | {} | {} |\n",
            urgency(runbook.urgency()),
            code(&cut(&runbook.runbook)),
            summary(runbook).join("; ")
        );
        if page.len() + row.len() > TABLE {
            break;
        }
        page.push_str(&row);
        shown += 1;
    }
    if shown < review.runbooks.len() {
        let _ = writeln!(page, "| | and {} more | |", review.runbooks.len() - shown);
    }
    if review.untouched > 0 {
        let runbooks = if review.untouched == 1 { "runbook is" } else { "runbooks are" };
        let _ = writeln!(page, "\n{} other {runbooks} not touched.", review.untouched);
    }
    page.push('\n');
    page
}

/// A word and a sign: nobody needs to tell colours.
pub(crate) fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Errors => "✗ errors",
        Urgency::Unsafe => "✗ unsafe",
        Urgency::Look => "! look",
        Urgency::Differs => "~ differs",
        Urgency::Alike => "= alike",
    }
}

/// What became of a runbook, in a few words each.
fn summary(runbook: &RunbookReview) -> Vec<String> {
    let mut said = vec![match &runbook.change {
        RunbookChange::Added => "new".to_owned(),
        RunbookChange::Changed => "changed".to_owned(),
        RunbookChange::Removed => "**removed**".to_owned(),
        RunbookChange::Moved(from) => format!("moved from {}", code(&cut(from))),
        RunbookChange::Through(files) => match files.as_slice() {
            [one] => format!("through {}", code(&cut(one))),
            files => format!("through {} files", files.len()),
        },
    }];
    let errors = runbook.findings.iter().filter(|finding| finding.error).count();
    if errors > 0 {
        said.push(format!("**{errors} {}**", if errors == 1 { "error" } else { "errors" }));
    }
    for name in runbook.new_violations() {
        said.push(format!("**breaks {}**", prose(name)));
    }
    for name in runbook.broken_otherwise() {
        said.push(format!("**breaks {} in more ways than before**", prose(name)));
    }
    said.extend((runbook.new_dead_ends() > 0).then(|| "**paths end at a mistake, or cannot be followed**".to_owned()));
    said.extend(runbook.new_waivers().into_iter().map(|(name, _)| format!("**waives {}**", prose(name))));
    let (destroys, worse) = runbook.graver();
    said.extend((destroys > 0).then(|| format!("{destroys} destructive")));
    let weakened = runbook.plans.iter().flat_map(|plan| &plan.diff).flat_map(|diff| &diff.calls);
    let weakened = weakened.filter(|call| call.weakens_rollback()).count();
    said.extend((weakened > 0).then(|| "**rolls back otherwise**".to_owned()));
    said.extend((worse > 0).then(|| format!("{worse} fail worse")));
    said.extend(runbook.is_cut_short().then(|| "**not all paths were walked**".to_owned()));
    if let Some(now) = runbook.exploration.as_ref().filter(|now| !now.is_cut_short()) {
        let paths = now.paths.all;
        said.push(match runbook.before.as_ref().map(|before| before.paths.all) {
            Some(before) if before != paths => format!("{before} → {paths} paths"),
            _ if paths == 1 => "1 path".to_owned(),
            _ => format!("{paths} paths"),
        });
    }
    said
}

fn fold(runbook: &RunbookReview, command: &str) -> String {
    let summary = format!("{} {}", urgency(runbook.urgency()), cut(&runbook.runbook));
    folded(&summary, &details(runbook, command)) + "\n"
}
