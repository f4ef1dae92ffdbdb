//! `:save`: the session as a runbook that can be reviewed, explored and run again.

use std::collections::BTreeMap;

use crate::model::{Event, Value};
use crate::runtime::Error;

use super::colour::{Part, parts};
use super::expected::expected;
use super::kept::{Fate, baseless, needed};
use super::ours::{Ours, seal};
use super::postmortem::named;
use super::story::{Line, acts, lines};
use super::{Console, Next};

/// How a file begins that was written by `:save`.
const MARK: &str = "//! Written from session ";
const OURS: Ours<'static> = Ours { command: ":save", what: "runbook", mark: MARK };

/// Where a literal is proposed as a parameter: the argument that holds it.
const PROPOSED: &[&str] = &["version", "from", "reason"];

impl Console<'_> {
    pub(super) fn save(&mut self, file: &str) -> Result<(), Error> {
        let path = std::path::PathBuf::from(file);
        let known = |name: &str| self.session.cast().registry.signature(name).is_some();
        let events = self.session.events();
        let title = self.session.incident().map_or_else(|| "What was done".to_owned(), str::to_owned);
        let text = runbook(&events, &title, self.session.id().as_str(), known);
        let Some(text) = text else {
            let help = "type what is to be in it, armed, or looks and definitions".to_owned();
            return Err(Error::Refused {
                why: "nothing was typed that could stand in a runbook".to_owned(),
                help: Some(help),
            });
        };
        OURS.write(&path, &text, self.printer)?;
        self.session.note(&format!(":save {file}"));
        let shown = self.printer.short(&path.display().to_string());
        self.say(&format!("written to {shown}; review it before anybody runs it"));
        let path = path.display().to_string();
        if self.subcommand(&["check", &path]) == Next::GoOn {
            // Who waits for the prompt does not want to wait for a million paths.
            self.subcommand(&["explore", "--time", "5s", &path]);
        }
        Ok(())
    }
}

/// The runbook; nothing where there is nothing to write.
fn runbook(events: &[Event], title: &str, session: &str, is_primitive: impl Fn(&str) -> bool) -> Option<String> {
    let all = lines(events);
    let mut fates: Fates = all.iter().map(|line| (line.number, fate(line, &all))).collect();
    let baseless = baseless(&all, &|line| fates[&line.number].clone());
    let remark = || Fate::Remark("needs what was only planned".to_owned());
    fates.extend(baseless.into_iter().map(|number| (number, remark())));
    let needed = needed(&all, &|line| fates[&line.number].clone());
    let mut writer = Writer { out: Vec::new(), step: None, body: Vec::new(), opened: 0 };
    for line in &all {
        writer.line(line, &all, &fates);
        if let Some(needed) = needed.get(&line.number) {
            if fates[&line.number] != Fate::Later {
                writer.body.push("// What follows needs of it:".to_owned());
            }
            for text in needed {
                writer.statement(text);
            }
        }
    }
    writer.close();
    let code = writer.out.iter().any(|line| !line.trim_start().starts_with("//") && !line.trim().is_empty());
    if !code {
        return None;
    }
    let body = writer.out.join("\n");
    let (params, body) = with_parameters(&body, &is_primitive);
    let at = all.first().map(|line| line.at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    let mut text = vec![format!("//! {}", one_line(title))];
    text.push(format!("{MARK}{session} of {at}; read it before you run it ({}).", seal()));
    if !params.is_empty() {
        text.push(String::new());
    }
    text.extend(params.iter().map(|(name, value)| format!("param {name}: string = {value};")));
    text.extend([String::new(), body.trim().to_owned()]);
    Some(text.join("\n") + "\n")
}

/// What becomes of each line, by its number.
type Fates = BTreeMap<u32, Fate>;

/// Gathers what was typed into steps.
struct Writer {
    out: Vec<String>,
    /// The title of the step that is open.
    step: Option<String>,
    body: Vec<String>,
    /// How many blocks the step has had: what it defines stands between them.
    opened: usize,
}

impl Writer {
    fn line(&mut self, line: &Line, all: &[Line], fates: &Fates) {
        let text = line.text.trim();
        if line.is_command() {
            return self.command(text);
        }
        match &fates[&line.number] {
            Fate::Remark(head) => return self.comment(head, text),
            Fate::Later => return,
            Fate::Stands => {}
        }
        let text = &expected(line, all);
        if text.lines().all(|line| line.starts_with("//")) {
            self.body.extend(text.lines().map(str::to_owned));
            return;
        }
        // What was looked at twice in a row is looked at once.
        if self.body.last().or(self.out.last()).is_some_and(|last| *last == ended(text)) {
            return;
        }
        if let Some(target) = maintenance_on(line) {
            self.flush();
            self.closes(text, &target);
        } else {
            self.statement(text);
        }
    }

    /// What it defines stands outside of steps, where everything that follows sees it.
    fn statement(&mut self, text: &str) {
        if defines(text) || begins_with(text, &["step"]) {
            self.flush();
            self.out.push(ended(text));
        } else {
            self.body.push(ended(text));
        }
    }

    fn command(&mut self, text: &str) {
        if let Some(title) = text.strip_prefix(":step ") {
            self.close();
            let title = title.trim().trim_matches('"');
            self.step = (title != "end").then(|| title.to_owned());
        } else if text.starts_with('#') {
            let remark = text.trim_start_matches('#').trim();
            if !remark.is_empty() {
                self.body.push(format!("// {}", one_line(remark)));
            }
        } else if text.starts_with(":skip") {
            self.body.push(format!("// left out: {}", one_line(text.trim_start_matches(":skip").trim())));
        }
    }

    /// What closes a service is a step of its own that opens it again when the runbook fails.
    fn closes(&mut self, text: &str, target: &str) {
        let name: String = target.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let title = self.title().unwrap_or_else(|| format!("Close {target}"));
        self.out.push(format!("let {name}_before = maintenance({target:?});"));
        self.out.push(format!(
            "step {title:?} {{\n    {}\n}} rollback {{\n    maintenance({target:?}, {name}_before);\n}}",
            ended(text)
        ));
    }

    fn comment(&mut self, head: &str, text: &str) {
        self.body.push(format!("// {}:", one_line(head)));
        self.body.extend(text.lines().map(|line| format!("//     {line}")));
    }

    /// The title of the next block of the step that is open.
    fn title(&mut self) -> Option<String> {
        let title = self.step.clone()?;
        self.opened += 1;
        Some(if self.opened > 1 { format!("{title} ({})", self.opened) } else { title })
    }

    /// Writes what was gathered: as a step where one is open and something in it is no comment.
    fn flush(&mut self) {
        let body = std::mem::take(&mut self.body);
        let only_comments = body.iter().all(|line| line.starts_with("//"));
        match self.step {
            Some(_) if !only_comments => {
                let title = self.title().unwrap_or_default();
                self.out.push(format!("step {title:?} {{"));
                self.out.extend(
                    body.iter().flat_map(|text| text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>()),
                );
                self.out.push("}".to_owned());
            }
            _ => self.out.extend(body),
        }
    }

    fn close(&mut self) {
        self.flush();
        (self.step, self.opened) = (None, 0);
    }
}

/// What becomes of a line.
fn fate(line: &Line, all: &[Line]) -> Fate {
    if !line.went_well() {
        let done: Vec<String> = line.done.iter().filter(|call| acts(call)).map(named).collect();
        let done = if done.is_empty() { String::new() } else { format!("; it had done: {}", done.join(", ")) };
        return Fate::Remark(format!("{}{done}", line.came_to_nothing("failed")));
    }
    if defined_again(line, all) {
        return Fate::Remark("defined anew later".to_owned());
    }
    if undone_later(line, all) {
        return Fate::Remark("undone afterwards".to_owned());
    }
    if line.only_planned() {
        return if line.made_so_later(all) { Fate::Later } else { Fate::Remark("only planned".to_owned()) };
    }
    Fate::Stands
}

/// Whether a step that a line completed was undone by a later line.
fn undone_later(line: &Line, all: &[Line]) -> bool {
    let own = format!("{}.", line.number);
    let later = all.iter().filter(|other| other.number > line.number);
    later.flat_map(|other| &other.undone_keys).any(|key| key.to_string().starts_with(&own))
}

/// Whether a function that a line defines is defined by a later one as well: a runbook has one of each name.
fn defined_again(line: &Line, all: &[Line]) -> bool {
    let name = |text: &str| {
        let words: Vec<&str> =
            parts(text).into_iter().map(|(_, word)| word).filter(|word| !word.trim().is_empty()).take(2).collect();
        (words.first() == Some(&"fn")).then(|| words.get(1).map(|name| (*name).to_owned())).flatten()
    };
    let Some(own) = name(line.text.trim()) else { return false };
    let later = all.iter().filter(|other| other.number > line.number && other.went_well());
    later.filter_map(|other| name(other.text.trim())).any(|other| other == own)
}

/// The target that a line of one call puts into maintenance.
fn maintenance_on(line: &Line) -> Option<String> {
    let acting: Vec<_> = line.done.iter().filter(|call| acts(call)).collect();
    let [call] = acting.as_slice() else { return None };
    let single = begins_with(line.text.trim(), &["maintenance"]) && line.text.matches(';').count() <= 1;
    let [target] = call.impact.targets.as_slice() else { return None };
    let on = parts(&line.text).iter().any(|(part, text)| *part == Part::Text && *text == "\"on\"");
    (call.primitive == "maintenance" && single && on).then(|| target.clone())
}

fn begins_with(text: &str, words: &[&str]) -> bool {
    let first = parts(text).into_iter().find(|(part, piece)| *part != Part::Comment && !piece.trim().is_empty());
    first.is_some_and(|(_, piece)| words.contains(&piece))
}

/// Whether it defines something that what follows may need.
fn defines(text: &str) -> bool {
    begins_with(text, &["let", "const", "fn", "private", "import", "param"])
}

/// A statement with its end.
fn ended(text: &str) -> String {
    let text = text.trim();
    if let Some((Part::Comment, comment)) = parts(text).last().filter(|(_, comment)| comment.starts_with("//")) {
        let code = text[..text.len() - comment.len()].trim_end();
        if !code.is_empty()
            && !code.ends_with([';', '}', '\n'])
            && !code.lines().last().is_some_and(|l| l.trim_start().starts_with("//"))
        {
            return format!("{code}; {comment}");
        }
    }
    let remark = text.lines().last().is_some_and(|line| line.trim_start().starts_with("//"));
    let closed = remark || text.ends_with(';') || (text.ends_with('}') && !begins_with(text, &["let", "const"]));
    if closed { text.to_owned() } else { format!("{text};") }
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The literals that are worth a parameter, by the name that is proposed; and the text with these names in their place.
fn with_parameters(body: &str, is_primitive: &impl Fn(&str) -> bool) -> (BTreeMap<String, String>, String) {
    let mut params: BTreeMap<String, String> = BTreeMap::new();
    let mut text = String::new();
    // The name of the argument that stands before a literal, `version: "…"`.
    let (mut name, mut colon) = (String::new(), false);
    for (part, piece) in parts(body) {
        let proposed = part == Part::Text && piece.starts_with('"') && colon && PROPOSED.contains(&name.as_str());
        if proposed {
            let param = if name == "from" { "backup".to_owned() } else { name.clone() };
            let free = |param: &str| params.get(param).is_none_or(|known| known == piece);
            let mut wanted = param.clone();
            let mut n = 2;
            while !free(&wanted) || is_primitive(&wanted) || declared(body, &wanted) {
                wanted = format!("{param}_{n}");
                n += 1;
            }
            params.insert(wanted.clone(), piece.to_owned());
            text.push_str(&wanted);
        } else {
            text.push_str(piece);
        }
        match part {
            Part::Name | Part::Called => (name, colon) = (piece.to_owned(), false),
            _ if piece == ":" => colon = true,
            _ if piece.trim().is_empty() => {}
            _ => (name, colon) = (String::new(), false),
        }
    }
    (params, text)
}

/// Whether a text defines a variable of this name.
fn declared(body: &str, name: &str) -> bool {
    ["let", "const", "param"]
        .iter()
        .any(|word| body.contains(&format!("{word} {name} ")) || body.contains(&format!("{word} {name}:")))
}

/// A value that a report shows.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { text.chars().take(59).chain(['…']).collect() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_backups_are_proposed_as_parameters() {
        let body = "deploy(\"web\", #{ version: \"1.4.2\" });\nrestore(\"primary\", #{ from: \"20260101T000000Z-abc\" });\n\
                    deploy(\"api\", #{ version: \"2.0.0\" });\ndeploy(\"web\", #{ version: \"1.4.2\" });\nlog(\"version: 1\");";
        let (params, text) = with_parameters(body, &|name| name == "backup");
        let params: Vec<_> = params.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        assert_eq!(
            params,
            ["backup_2 = \"20260101T000000Z-abc\"", "version = \"1.4.2\"", "version_2 = \"2.0.0\""],
            "no parameter is called like a primitive"
        );
        assert_eq!(
            text,
            "deploy(\"web\", #{ version: version });\nrestore(\"primary\", #{ from: backup_2 });\n\
             deploy(\"api\", #{ version: version_2 });\ndeploy(\"web\", #{ version: version });\nlog(\"version: 1\");"
        );
    }

    #[test]
    fn a_statement_gets_its_end_once() {
        for (text, ends) in [
            ("a();\n// b", "a();\n// b"),
            ("a() // b", "a(); // b"),
            ("a()", "a();"),
            ("a();", "a();"),
            ("if x { }", "if x { }"),
            ("let m = #{ }", "let m = #{ };"),
        ] {
            assert_eq!(ended(text), ends);
        }
    }
}
