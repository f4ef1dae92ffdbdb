//! What a runbook needs of the lines that stand in it as remarks: what such a line defined is there, and what follows goes on from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Left;

use super::colour::{Part, parts};
use super::load::statements;
use super::story::{Line, is_message};

/// What becomes of a line in a runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stands there as it was typed, or as what is expected of it.
    Stands,
    /// It is a remark with this head.
    Remark(String),
    /// It stands there at a later place.
    Later,
}

/// The numbers of lines that would stand in the runbook and use what is not there: only a line defines it that was only planned.
pub(super) fn baseless(all: &[Line], fate: &dyn Fn(&Line) -> Fate) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut missing: BTreeSet<String> = BTreeSet::new();
    for line in all.iter().filter(|line| !line.is_command()) {
        let texts = statements(&line.text);
        let mut stands = fate(line) == Fate::Stands;
        if stands && line.went_well() && texts.iter().any(|text| !names(text).is_disjoint(&missing)) {
            stands = false;
            found.insert(line.number);
        }
        let there = match stands {
            true => vec![true; texts.len()],
            false if found.contains(&line.number) => vec![false; texts.len()],
            false => definitions(line, &texts, &|name| is_defined_before(all, line, name)),
        };
        for (text, there) in texts.iter().zip(there) {
            let Some(name) = defined(text) else { continue };
            if there {
                missing.remove(&name);
            } else {
                missing.insert(name);
            }
        }
    }
    found
}

/// Whether an earlier line defines a name as well.
fn is_defined_before(all: &[Line], line: &Line, name: &str) -> bool {
    let earlier = all.iter().filter(|other| other.number < line.number && !other.is_command());
    earlier.flat_map(|other| statements(&other.text)).any(|text| defined(&text).as_deref() == Some(name))
}

/// By the number of its line: the definitions of lines that are remarks, as far as what stands in the runbook needs them.
pub(super) fn needed(all: &[Line], fate: &dyn Fn(&Line) -> Fate) -> BTreeMap<u32, Vec<String>> {
    let mut needed = BTreeMap::new();
    // What is used from here on, and is not defined from here on.
    let mut used: BTreeSet<String> = BTreeSet::new();
    // A runbook has one function of each name, the newest, and has it from its beginning.
    let mut functions: BTreeSet<String> = BTreeSet::new();
    for line in all.iter().rev().filter(|line| !line.is_command()) {
        let texts = statements(&line.text);
        let before = |name: &str| is_defined_before(all, line, name);
        let is_remark = fate(line) != Fate::Stands;
        let there = if is_remark { definitions(line, &texts, &before) } else { vec![true; texts.len()] };
        let mut kept: Vec<String> = Vec::new();
        for (text, there) in texts.iter().zip(there).rev() {
            let (new, is_function) = (defined(text), begins_with(text, &["fn", "private"]));
            let name = new.clone().or_else(|| assigned(text));
            let is_needed = name.as_ref().is_some_and(|name| used.contains(name) && !functions.contains(name));
            if !there || (is_remark && !is_needed) {
                continue;
            }
            // An assignment needs what it is assigned to.
            if let Some(new) = new.filter(|_| !is_function) {
                used.remove(&new);
            }
            functions.extend(name.filter(|_| is_function));
            used.extend(names(text));
            if is_remark {
                kept.push(text.clone());
            }
        }
        kept.reverse();
        if !kept.is_empty() {
            needed.insert(line.number, kept);
        }
    }
    needed
}

/// Which statements of a line have defined something that is there, although the line is a remark. `before`: whether an earlier line
/// defines the same name.
fn definitions(line: &Line, texts: &[String], before: &dyn Fn(&str) -> bool) -> Vec<bool> {
    let own = format!("[{}]", line.number);
    let failed = match &line.left {
        Some(Left::Completed { .. }) => Some(texts.len()),
        Some(Left::Faulted(fault)) => fault.site.as_deref().and_then(|site| {
            let (row, column) = site.strip_prefix(&own)?.strip_prefix(':')?.split_once(':')?;
            holding(&line.text, texts, (row.parse().ok()?, column.parse().ok()?))
        }),
        _ => None,
    };
    // Where the place is not known, a function may have failed: the first that is called, or one behind it.
    let sure = failed.unwrap_or_else(|| texts.iter().position(|text| calls(text)).unwrap_or(0));
    // What was only planned is in no runbook, though what follows would need it: the check says so, and a person decides.
    let acts = line.planned.iter().filter(|call| call.impact.kind.is_change() || is_message(&call.impact));
    let planned: Vec<Option<usize>> = acts
        .map(|call| {
            let place = (usize::try_from(call.site.line).ok()?, usize::try_from(call.site.column).ok()?);
            holding(&line.text, texts, place).filter(|_| *call.site.file == *own)
        })
        .collect();
    let has_begun = |n: usize, text: &String| match (defined(text), begins_with(text, &["fn", "private", "import"])) {
        // They are there before anything is evaluated.
        (Some(_), true) => true,
        _ if planned.contains(&Some(n)) || (planned.contains(&None) && calls(text)) => false,
        _ if n < sure => true,
        // A later line that uses a name was only evaluated because it was there.
        (Some(name), false) => failed.is_none() && !before(&name),
        (None, _) => false,
    };
    texts.iter().enumerate().map(|(n, text)| has_begun(n, text)).collect()
}

/// The statement that holds a place, a line and a column from 1.
fn holding(text: &str, statements: &[String], (row, column): (usize, usize)) -> Option<usize> {
    let begins = text.split_inclusive('\n').take(row.checked_sub(1)?).map(str::len).sum::<usize>();
    let within: usize = text[begins..].chars().take(column.checked_sub(1)?).map(char::len_utf8).sum();
    let mut end = 0;
    for (n, statement) in statements.iter().enumerate() {
        end += text[end..].find(statement.as_str())? + statement.len();
        if begins + within < end {
            return Some(n);
        }
    }
    None
}

/// The words of a statement, without spaces and remarks.
fn words(text: &str) -> Vec<(Part, &str)> {
    parts(text).into_iter().filter(|(part, word)| *part != Part::Comment && !word.trim().is_empty()).collect()
}

fn begins_with(text: &str, known: &[&str]) -> bool {
    words(text).first().is_some_and(|(_, word)| known.contains(word))
}

fn calls(text: &str) -> bool {
    words(text).iter().any(|(part, _)| *part == Part::Called)
}

/// What a statement defines.
fn defined(text: &str) -> Option<String> {
    let words = words(text);
    words.get(defined_at(&words)?).map(|(_, name)| (*name).to_owned())
}

/// Which of its words is the name that a statement defines.
fn defined_at(words: &[(Part, &str)]) -> Option<usize> {
    match words.first()?.1 {
        "let" | "const" | "fn" | "param" => Some(1),
        "private" => Some(2),
        "import" => Some(words.iter().position(|(_, word)| *word == "as")? + 1),
        _ => None,
    }
}

/// The variable to which a statement gives another value.
fn assigned(text: &str) -> Option<String> {
    let words = words(text);
    let [(Part::Name, name), (_, "="), (_, next), ..] = words.as_slice() else { return None };
    (*next != "=").then(|| (*name).to_owned())
}

/// The names that a statement uses; those in texts with `${…}` too.
fn names(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (all, is_function) = (words(text), begins_with(text, &["fn", "private"]));
    let at = |n: Option<usize>| n.and_then(|n| all.get(n)).map_or("", |(_, word)| *word);
    for (n, (part, word)) in all.iter().enumerate() {
        let (before, after) = (at(n.checked_sub(1)), at(Some(n + 1)));
        let is_module = after == ":" && at(Some(n + 2)) == ":";
        let is_field = before == "." || (before == ":" && at(n.checked_sub(2)) == ":") || (after == ":" && !is_module);
        // A function sees nothing but its parameters and other functions.
        let sees = !is_function || is_module || *part == Part::Called;
        match part {
            _ if defined_at(&all) == Some(n) => {}
            Part::Name | Part::Called if !is_field && sees => found.extend([(*word).to_owned()]),
            Part::Text if word.starts_with('`') => {
                let inner = word.split("${").skip(1).filter_map(|rest| rest.split('}').next());
                found.extend(inner.flat_map(names));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Basis, Fault, Foreseen, Impact, ImpactKind, Site, Value};

    /// A line, and the place at which it failed if it did.
    fn line(number: u32, text: &str, failed: Option<&str>) -> Line {
        let left = match failed {
            None => Left::Completed { owes: false },
            Some(site) => Left::Faulted(Fault { site: Some(site.to_owned()), ..Fault::new("thrown", "no") }),
        };
        Line {
            number,
            armed: true,
            text: text.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            left: Some(left),
            done: Vec::new(),
            planned: Vec::new(),
            undone: Vec::new(),
            undone_keys: Vec::new(),
        }
    }

    fn kept(lines: &[(&str, Option<&str>)]) -> Vec<String> {
        let lines: Vec<Line> = (1..).zip(lines).map(|(n, (text, failed))| line(n, text, *failed)).collect();
        let fate = |line: &Line| if line.went_well() { Fate::Stands } else { Fate::Remark(line.why()) };
        needed(&lines, &fate)
            .into_iter()
            .flat_map(|(n, kept)| kept.into_iter().map(move |text| format!("{n}: {text}")))
            .collect()
    }

    #[test]
    fn what_a_line_defined_before_it_failed_is_needed_where_it_is_used() {
        let failed = "let b = latest_backup(\"primary\"); let c = 1; throw \"x\"; let d = 2;";
        let at = Some("[1]:1:46");
        assert_eq!(
            kept(&[(failed, at), ("restore(\"primary\", #{ from: b.id });", None)]),
            ["1: let b = latest_backup(\"primary\");"]
        );
        assert_eq!(kept(&[(failed, at), ("`${c}`", None)]), ["1: let c = 1;"]);
        assert!(kept(&[(failed, at), ("#{ b: 1 }.b; t::b(); d", None)]).is_empty(), "a field is no variable");
        assert!(kept(&[(failed, at), ("let b = 1; b", None)]).is_empty(), "it was defined anew");
        assert!(kept(&[(failed, at), ("b", Some("[2]:1:1"))]).is_empty(), "only a remark uses it");
    }

    #[test]
    fn what_a_definition_needs_is_needed_as_well() {
        let found = kept(&[("let a = 1; let b = a + 1; throw b;", Some("[1]:1:27")), ("b", None)]);
        assert_eq!(found, ["1: let a = 1;", "1: let b = a + 1;"]);
        let found = kept(&[("let n = 1;", None), ("n = 2; throw n;", Some("[2]:1:8")), ("n", None)]);
        assert_eq!(found, ["2: n = 2;"], "and what was assigned");
        let found = kept(&[("import \"tools\" as t; throw 1; fn f() { 1 }", Some("[1]:1:22")), ("t::x(f())", None)]);
        assert_eq!(found, ["1: import \"tools\" as t;", "1: fn f() { 1 }"], "they are there from the beginning");
    }

    #[test]
    fn where_the_fault_is_in_a_function_what_was_there_is_known_by_its_use() {
        let failed = "let b = latest(); probe_fails(b); let c = 2;";
        assert_eq!(kept(&[(failed, Some("[9]:1:4")), ("b", None)]), ["1: let b = latest();"]);
        let found = kept(&[("let c = 1;", None), (failed, Some("tools.rhai:3:1")), ("c", None)]);
        assert!(found.is_empty(), "it is the one from before: {found:?}");
    }

    /// A backup that was only planned, in this column of the first line.
    fn foreseen(column: usize) -> Foreseen {
        Foreseen {
            key: "1.0".parse().expect("a key"),
            primitive: "backup".to_owned(),
            args: Value::Null,
            site: Site { file: "[1]".into(), line: 1, column: u32::try_from(column).expect("few") },
            impact: Impact::on(ImpactKind::Change, "primary"),
            summary: String::new(),
            basis: Basis::Predicted,
            outcome: Ok(Value::Null),
            repeats: None,
        }
    }

    #[test]
    fn what_was_only_planned_is_not_taken_up() {
        let mut dry = line(1, "let n = 1; let b = backup(\"primary\");", None);
        dry.planned.push(foreseen(20));
        let lines = [dry, line(2, "`${n} ${b.id}`", None)];
        let fate = |line: &Line| if line.number == 2 { Fate::Stands } else { Fate::Remark("only planned".to_owned()) };
        assert_eq!(needed(&lines, &fate), BTreeMap::from([(1, vec!["let n = 1;".to_owned()])]));
    }

    #[test]
    fn what_needs_what_was_only_planned_is_none_of_the_runbook() {
        let mut dry = line(1, "let b = backup(\"primary\");", None);
        dry.planned.push(foreseen("let b = ".len() + 1));
        let uses = |n, text| line(n, text, None);
        let lines = [
            dry,
            uses(2, "let id = b.id;"),
            uses(3, "`${id}`"),
            uses(4, "#{ b: 1 }.b"),
            uses(5, "let b = latest_backup(\"primary\");"),
            uses(6, "b.id"),
            uses(7, "id"),
        ];
        let fate = |line: &Line| if line.number == 1 { Fate::Remark("only planned".to_owned()) } else { Fate::Stands };
        assert_eq!(baseless(&lines, &fate), BTreeSet::from([2, 3, 7]), "b is there again, id is not");
    }
}
