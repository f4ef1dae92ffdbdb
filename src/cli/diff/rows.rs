//! What differs between two plans, put together as a reader wants it: what is alike on many targets is one row.

use crate::model::{CallChange, CallDiff, FailureDiff, FailureEnd, ImpactKind, PlanDiff, Site};

/// Of many targets, so many are named.
const NAMED: usize = 4;

/// One difference.
pub(crate) struct Row {
    /// `added`, `worse`.
    pub(crate) word: &'static str,
    /// The call: `! restore primary`.
    pub(crate) call: String,
    /// Where it stands and stood: `line 31, was 28`.
    pub(crate) place: String,
    /// What of it differs.
    pub(crate) what: Vec<String>,
    /// Whether a reader must look: it destroys, or it is worse.
    pub(crate) grave: bool,
    /// Whether something is new, or worse.
    pub(crate) gained: bool,
}

/// The calls that differ.
pub(crate) fn calls(diff: &PlanDiff) -> Vec<Row> {
    let alike = |one: &CallDiff, other: &CallDiff| {
        (one.change, &one.primitive, &one.before, &one.after, &one.what, one.kind)
            == (other.change, &other.primitive, &other.before, &other.after, &other.what, other.kind)
    };
    let mut groups: Vec<(&CallDiff, Vec<String>)> = Vec::new();
    for call in &diff.calls {
        match groups.iter_mut().find(|(first, _)| alike(first, call)) {
            Some((_, targets)) => targets.extend(call.targets.iter().cloned()),
            None => groups.push((call, call.targets.clone())),
        }
    }
    groups.into_iter().map(|(call, targets)| call_row(call, &targets)).collect()
}

fn call_row(call: &CallDiff, targets: &[String]) -> Row {
    let word = match call.change {
        CallChange::Added => "added",
        CallChange::Removed => "removed",
        CallChange::Changed => "changed",
        CallChange::Moved => "moved",
    };
    let targets = named(targets);
    let gap = if targets.is_empty() { "" } else { " " };
    let mut what = call.what.clone();
    // Of what is new or gone, the reader knows nothing yet.
    if matches!(call.change, CallChange::Added | CallChange::Removed) && !call.summary.is_empty() {
        what.insert(0, call.summary.clone());
    }
    let mut place = lines(call.before.as_ref(), call.after.as_ref());
    if let Some(step) = &call.step {
        place = format!("{place}, step \"{step}\"");
    }
    if call.in_rollback {
        place.push_str(", in its rollback");
    }
    Row {
        word,
        call: format!("{} {}{gap}{targets}", glyph(call.kind), call.primitive),
        place,
        what,
        grave: call.kind == ImpactKind::Destroy,
        gained: call.change != CallChange::Removed,
    }
}

/// `a, b, c, d and 8 more`.
fn named(targets: &[String]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for target in targets {
        if !names.contains(&target.as_str()) {
            names.push(target);
        }
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

fn lines(before: Option<&Site>, after: Option<&Site>) -> String {
    match (before, after) {
        (Some(was), Some(is)) if was == is => format!("line {}", is.line),
        (Some(was), Some(is)) if was.file == is.file => format!("line {}, was {}", is.line, was.line),
        (_, Some(is)) => format!("line {}", is.line),
        (Some(was), None) => format!("was line {}", was.line),
        (None, None) => String::new(),
    }
}

fn glyph(kind: ImpactKind) -> char {
    match kind {
        ImpactKind::Destroy => '!',
        ImpactKind::Change => '~',
        ImpactKind::Tell => '>',
        ImpactKind::Ask => '@',
        ImpactKind::Look => '?',
        ImpactKind::Wait => '.',
        ImpactKind::Mark => '|',
    }
}

/// The ways of failing that differ: ways of one call that come to the same are one row.
pub(crate) fn failures(diff: &PlanDiff) -> Vec<Row> {
    let alike = |one: &FailureDiff, other: &FailureDiff| {
        (one.worse, &one.site, one.before, one.after, &one.what)
            == (other.worse, &other.site, other.before, other.after, &other.what)
    };
    let mut groups: Vec<(&FailureDiff, Vec<&str>, Vec<&str>)> = Vec::new();
    for failure in &diff.failures {
        match groups.iter_mut().find(|(first, ..)| alike(first, failure)) {
            Some((_, calls, ways)) => {
                calls.push(&failure.call);
                ways.push(&failure.way);
            }
            None => groups.push((failure, vec![&failure.call], vec![&failure.way])),
        }
    }
    groups.into_iter().map(failure_row).collect()
}

fn failure_row((failure, calls, mut ways): (&FailureDiff, Vec<&str>, Vec<&str>)) -> Row {
    let said = |end: FailureEnd| match end {
        FailureEnd::Completes => "completes all the same",
        FailureEnd::Restored => "ends restored",
        FailureEnd::LeftChanged => "LEAVES SOMETHING CHANGED",
        FailureEnd::InDoubt => "ends IN DOUBT",
        FailureEnd::Mistaken => "ends at a mistake",
        FailureEnd::Open => "is not known",
    };
    ways.sort_unstable();
    ways.dedup();
    let mut what = match (failure.before, failure.after) {
        (Some(before), Some(after)) if before != after => vec![format!("{}, was: {}", said(after), said(before))],
        (_, Some(after)) => vec![said(after).to_owned()],
        (Some(before), None) => vec![format!("was: {}", said(before))],
        (None, None) => vec![],
    };
    what.extend(failure.what.iter().cloned());
    let word = match (failure.before, failure.after, failure.worse) {
        (Some(_), Some(_), true) => "worse",
        (Some(_), Some(_), false) => "other",
        (None, ..) => "gained",
        (_, None, _) => "lost",
    };
    Row {
        word,
        call: format!(
            "{} → {}",
            named(&calls.iter().map(|call| (*call).to_owned()).collect::<Vec<_>>()),
            ways.join(" or ")
        ),
        place: format!("line {}", failure.site.line),
        what,
        grave: failure.worse,
        gained: failure.after.is_some(),
    }
}

/// `2 calls added, 1 changed; 3 ways of failing differ, 1 of them worse`.
pub(crate) fn told(diff: &PlanDiff) -> String {
    let counts = [
        (CallChange::Added, "added"),
        (CallChange::Removed, "removed"),
        (CallChange::Changed, "changed"),
        (CallChange::Moved, "moved"),
    ];
    let counts = counts.map(|(change, word)| (diff.count(change), word));
    let calls: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let calls = match calls.as_slice() {
        [] => "no call differs".to_owned(),
        calls => format!("calls: {}", calls.join(", ")),
    };
    let worse = diff.failures.iter().filter(|failure| failure.worse).count();
    match (diff.failures.len(), worse) {
        (0, _) => format!("{calls}; it fails in the same ways"),
        (ways, worse) if ways == worse => format!("{calls}; ways of failing that differ: {ways}, all of them worse"),
        (ways, 0) => format!("{calls}; ways of failing that differ: {ways}, none of them worse"),
        (ways, worse) => format!("{calls}; ways of failing that differ: {ways}, {worse} of them worse"),
    }
}
