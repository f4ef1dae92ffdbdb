//! What there is to see in a session: what is owed, targets, variables, who is there.

use crate::cli::printer::Style;
use crate::cli::wrap::wrap;
use crate::runtime::{Owed, Past, Retraced};
use crate::system::whoami;

use super::{Console, Next, prompt};

impl Console<'_> {
    pub(super) fn show_owed(&self) {
        let owed = self.session.owed();
        self.list_owed(&owed);
        if owed.is_nothing() {
            self.printer.out("nothing is owed");
        }
        if !owed.leases.is_empty() {
            self.say(&format!("nobody else may change: {}", owed.leases.join(", ")));
        }
    }

    pub(super) fn list_owed(&self, owed: &Owed) {
        let say = |text: &str, style: Style| {
            for (n, line) in wrap(text, self.printer.width() - 2).iter().enumerate() {
                let lead = if n == 0 { "" } else { "  " };
                self.printer.out(&format!("{lead}{}", self.printer.paint(style, line)));
            }
        };
        for (n, title) in owed.steps.iter().enumerate() {
            let when = if n == 0 { "`:undo` undoes it" } else { "after that" };
            say(&format!("to be undone: {title} ({when})"), Style::Caution);
        }
        for target in &owed.maintenance {
            say(&format!("in maintenance: {target}"), Style::Caution);
        }
        for (key, what) in &owed.in_doubt {
            say(&format!("in doubt: {what}: `:settle {key} applied` or `:settle {key} not-applied`"), Style::Bad);
        }
    }

    pub(super) fn show_targets(&self) {
        let cast = self.session.cast();
        let targets = &cast.environment.targets;
        let longest = targets.keys().map(|name| name.chars().count()).max().unwrap_or_default();
        for (name, target) in targets {
            let takes = cast.registry.signatures().filter(|s| cast.handler(s.name, name).is_some()).map(|s| s.name);
            let text = format!("{}, {}: {}", target.kind, target.driver, takes.collect::<Vec<_>>().join(" "));
            for (n, line) in wrap(&text, self.printer.width().saturating_sub(longest + 2)).iter().enumerate() {
                let name = if n == 0 { name.as_str() } else { "" };
                let pad = longest - name.chars().count();
                self.printer.out(&format!("{}{:pad$}  {line}", self.printer.paint(Style::Bold, name), ""));
            }
        }
    }

    pub(super) fn show_variables(&self) {
        let variables = self.session.script().variables();
        let longest = variables.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in &variables {
            let value = value.as_ref().map_or_else(|| "a closure".to_owned(), ToString::to_string);
            let room = self.printer.width().saturating_sub(longest + 2).max(20);
            let mut shown: String = value.lines().next().unwrap_or_default().chars().take(room).collect();
            if shown != value {
                shown = shown.chars().take(room - 1).chain(['…']).collect();
            }
            self.printer.out(&format!("{}  {shown}", self.printer.paint(Style::Bold, &format!("{name:<longest$}"))));
        }
        for function in self.session.script().functions() {
            self.say(&format!("fn {function}"));
        }
        for module in self.session.script().modules() {
            self.printer.out(&format!("module {module}"));
        }
        if variables.is_empty() && self.session.script().functions().is_empty() {
            self.printer.out("nothing is defined yet: `let web = probe(\"web\");`");
        }
    }

    /// Probes targets, each in its line.
    pub(super) fn health(&mut self, target: Option<&str>) -> Next {
        let cast = self.session.cast();
        let probed = |name: &&String| cast.handler("probe", name).is_some();
        let targets: Vec<String> = match target {
            Some(target) => vec![target.to_owned()],
            None => cast.environment.targets.keys().filter(probed).cloned().collect(),
        };
        if targets.is_empty() {
            self.printer.out("no target here can be probed");
            return Next::GoOn;
        }
        let calls = targets.iter().map(|target| format!("probe({target:?});"));
        let text = calls.collect::<Vec<_>>().join(" ");
        self.evaluate(&text)
    }

    pub(super) fn who(&mut self) -> Next {
        let session = &self.session;
        self.say(&format!("{} in {}, session {}", whoami(), session.environment().name, session.id()));
        if let Some(incident) = session.incident() {
            self.say(&format!("incident: {incident}, for {}", prompt::short(session.age())));
        }
        let leases = session.owed().leases;
        if !leases.is_empty() {
            self.say(&format!("holds: {}", leases.join(", ")));
        }
        self.printer.out("under way:");
        self.subcommand(&["runs", "--status", "running"])
    }

    /// What is said first.
    pub(super) fn greet(&self, retraced: Option<&Retraced>) {
        if let Some(retraced) = retraced {
            self.told_again(retraced);
        }
        if !self.at_terminal {
            return;
        }
        let environment = self.session.environment();
        let protected = if environment.protected { ", protected" } else { "" };
        let head = match self.session.incident() {
            Some(incident) => format!("{incident} ({}{protected})", environment.name),
            None => format!("{}{protected}", environment.name),
        };
        self.say_in(Style::Bold, &head);
        match self.session.looks_back_at() {
            Some(past) => self.say_past(past),
            None => self.say_in(Style::Dim, "dry: looks are real, changes are only planned until `:arm`"),
        }
        self.say_in(Style::Dim, ":help lists the commands, ?NAME explains one, Tab completes, Ctrl-D ends");
    }

    /// At which run it looks back, and how far that had come.
    fn say_past(&self, past: &Past) {
        let began = past.began.strftime("%Y-%m-%d %H:%M:%SZ");
        let (run, runbook, environment) = (&past.run, &past.runbook, &past.environment);
        let point = match &past.before {
            Some((key, what)) => format!("as it was before {what} ({key})"),
            None => "as it was at its end".to_owned(),
        };
        self.say_in(
            Style::Caution,
            &format!("looks back at run {run} of {runbook} in {environment}, begun {began}: {point}"),
        );
        self.say_in(Style::Dim, "dry, and stays so: looks are real, and of now; changes are only planned");
    }
}
