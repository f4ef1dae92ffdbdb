//! The commands of a session, carried out.

use crate::cli::printer::Style;
use crate::cli::{Cli, perform as carry_out};
use crate::model::{Key, Span};
use crate::runtime::Error;
use clap::Parser as _;

use super::commands::Command;
use super::load::Loaded;
use super::{Console, Next, shown};

impl Console<'_> {
    pub(super) fn command(&mut self, command: Command, text: &str) -> Next {
        let done = match command {
            Command::Arm(time) => self.arm(time),
            Command::Disarm => {
                self.session.disarm();
                self.printer.out("dry: changes are only planned");
                Ok(())
            }
            Command::Owed => {
                self.show_owed();
                Ok(())
            }
            Command::Undo { all } => self.undo(all),
            Command::Settle { key, applied } => self.settle(&key, applied),
            Command::Targets => {
                self.show_targets();
                Ok(())
            }
            Command::Health(target) => return self.health(target.as_deref()),
            Command::Watch { every, expression } => return self.watch(every, &expression),
            Command::Vars => {
                self.show_variables();
                Ok(())
            }
            Command::Plan(what) if is_file(&what) => return self.subcommand(&words("plan", &what)),
            Command::Plan(expression) => return self.only_plan(&expression),
            Command::Explore(what) => return self.subcommand(&words("explore", &what)),
            Command::Load { file, params } => self.load(&file, &params),
            Command::Next => return self.step_on(),
            Command::Go => return self.run_on(),
            Command::Skip(why) => self.skip(&why),
            Command::Edit => self.edit(),
            Command::Step(title) => {
                self.session.note(text);
                let said = if title == "end" { "the step ends".to_owned() } else { format!("step: {title}") };
                self.say_in(Style::Bold, &said);
                Ok(())
            }
            Command::Timeline => {
                let id = self.session.id().to_string();
                return self.subcommand(&["timeline", &id]);
            }
            Command::Who => return self.who(),
            Command::Save(file) => self.save(&file),
            Command::Postmortem(file) => self.postmortem(&file),
            Command::Help(command) => self.help(command.as_deref()),
            Command::Quit => return Next::Leave,
        };
        match done {
            Ok(()) => Next::GoOn,
            Err(error) => self.failed(&error),
        }
    }

    /// Another command of Lifeboat's, about this project and this environment.
    pub(super) fn subcommand(&self, words: &[&str]) -> Next {
        let config = self.session.config_file().display().to_string();
        let environment = self.session.environment().name.clone();
        let mut line = vec!["lifeboat", "--config", &config, "--env", &environment];
        line.extend(words);
        match Cli::try_parse_from(line) {
            Ok(cli) => match carry_out(cli.command, &cli.global, self.printer) {
                Ok(exit) if exit.code() == 0 => Next::GoOn,
                Ok(_) => Next::Failed,
                Err(error) => self.failed(&error),
            },
            Err(error) => {
                let _ = error.print();
                Next::Failed
            }
        }
    }

    fn arm(&mut self, time: Option<Span>) -> Result<(), Error> {
        let environment = self.session.environment();
        let name = environment.name.clone();
        let mut typed = None;
        if environment.protected {
            let question = format!("{name} is protected: type its name to let changes take place there: ");
            typed = self.ask(&question);
            if typed.as_deref().unwrap_or_default().is_empty() {
                let help = "nothing was typed; the session stays dry".to_owned();
                return Err(Error::Refused { why: format!("environment {name} is protected"), help: Some(help) });
            }
        }
        let time = self.session.arm(typed.as_deref(), time.map(|time| time.0))?;
        let text = format!("ARMED for {}: what you type changes {name}. `:disarm` ends it", Span(time));
        self.say_in(Style::Bad, &text);
        Ok(())
    }

    fn undo(&mut self, all: bool) -> Result<(), Error> {
        loop {
            let Some((step, verdict)) = self.session.undo()? else {
                self.printer.out("nothing is owed");
                return Ok(());
            };
            match (&step.fault, &verdict) {
                (None, crate::model::Verdict::Completed(_)) => self.say(&format!("undone: {}", step.title)),
                (Some(fault), _) => {
                    let why = format!("the rollback of {} FAILED, and is still owed: {fault}", step.title);
                    let help = "`:undo` tries it again; what it did is not done twice. `:timeline` shows what was done";
                    return Err(Error::Params { why, help: Some(help.to_owned()) });
                }
                (None, _) => {
                    let why = format!("the rollback of {} was stopped; it is still owed", step.title);
                    return Err(Error::Params { why, help: Some("`:undo` goes on with it".to_owned()) });
                }
            }
            if !all || self.session.script().owed().is_empty() {
                return Ok(());
            }
        }
    }

    fn settle(&mut self, key: &str, applied: bool) -> Result<(), Error> {
        let key = key.parse::<Key>().map_err(|error| Error::Params {
            why: error.to_string(),
            help: Some("`:owed` lists what is in doubt".to_owned()),
        })?;
        let what = self.session.settle(&key, applied)?;
        self.say(&format!("{what}: {}", if applied { "it took place" } else { "it did not take place" }));
        Ok(())
    }

    fn only_plan(&mut self, expression: &str) -> Next {
        match self.session.plan(expression) {
            Ok(typed) if shown::show(&typed, &self.session, self.printer) => Next::GoOn,
            Ok(_) => Next::Failed,
            Err(untyped) => self.untyped(untyped),
        }
    }

    pub(super) fn untyped(&self, untyped: crate::runtime::Untyped) -> Next {
        match untyped {
            crate::runtime::Untyped::Wrong(error) => self.failed(&error),
            crate::runtime::Untyped::Incomplete => {
                self.printer.err("that is not complete: a bracket, a text or a block is open");
                Next::Failed
            }
        }
    }

    pub(super) fn load(&mut self, file: &str, params: &[(String, String)]) -> Result<(), Error> {
        let text = self.session.loadable(file, params)?;
        let loaded = Loaded::of(file, &text);
        self.session.note(&format!(":load {file}"));
        let (_, count) = loaded.progress();
        self.say(&format!("{}: {count} statements; `:next` carries out the first, `:go` all", loaded.name()));
        self.loaded = Some(loaded);
        self.show_next();
        Ok(())
    }

    /// Shows what comes next of the runbook that is loaded.
    fn show_next(&self) {
        let Some(loaded) = &self.loaded else { return };
        let (done, count) = loaded.progress();
        match loaded.next() {
            None => self.say(&format!("{}: that was the last statement", loaded.name())),
            Some(statement) => {
                self.printer.out(&self.printer.paint(Style::Dim, &format!("next, {} of {count}:", done + 1)));
                let lines: Vec<&str> = statement.lines().collect();
                for line in lines.iter().take(12) {
                    self.quote(line);
                }
                if lines.len() > 12 {
                    self.printer.out(&format!("  … {} lines more", lines.len() - 12));
                }
            }
        }
    }

    fn statement(&self) -> Result<String, Error> {
        let none = |why: &str| Error::Refused { why: why.to_owned(), help: Some("`:load FILE` takes one".to_owned()) };
        let loaded = self.loaded.as_ref().ok_or_else(|| none("no runbook is loaded"))?;
        let next = loaded.next().ok_or_else(|| none("that was the last statement"));
        next.map(str::to_owned)
    }

    fn advance(&mut self) {
        if let Some(loaded) = &mut self.loaded {
            loaded.advance();
        }
    }

    fn step_on(&mut self) -> Next {
        let statement = match self.statement() {
            Ok(statement) => statement,
            Err(error) => return self.failed(&error),
        };
        let next = match self.session.evaluate(&statement) {
            Ok(typed) if shown::show(&typed, &self.session, self.printer) => Next::GoOn,
            Ok(_) => Next::Failed,
            Err(untyped) => self.untyped(untyped),
        };
        if next == Next::GoOn {
            self.advance();
            self.show_next();
        } else {
            self.warn("it stays the next one: `:next` tries it again, `:skip WHY` leaves it out, `:edit` changes it");
        }
        next
    }

    fn run_on(&mut self) -> Next {
        if let Err(error) = self.statement() {
            return self.failed(&error);
        }
        while self.loaded.as_ref().is_some_and(|loaded| loaded.next().is_some()) {
            let next = self.step_on();
            if next != Next::GoOn {
                return next;
            }
        }
        Next::GoOn
    }

    fn skip(&mut self, why: &str) -> Result<(), Error> {
        let statement = self.statement()?;
        let head = statement.lines().find(|line| !line.trim_start().starts_with("//")).unwrap_or_default();
        self.session.note(&format!(":skip {why} # {head}"));
        self.advance();
        self.show_next();
        Ok(())
    }

    fn edit(&mut self) -> Result<(), Error> {
        self.prefilled = Some(self.statement()?);
        self.advance();
        Ok(())
    }
}

/// Whether a runbook is meant, rather than an expression.
fn is_file(what: &str) -> bool {
    what.split_whitespace()
        .next()
        .is_some_and(|word| std::path::Path::new(word).extension().is_some_and(|e| e == "rhai"))
}

/// `plan a.rhai reason=x` as the command line has it.
fn words<'a>(command: &'a str, rest: &'a str) -> Vec<&'a str> {
    let mut words = vec![command];
    for (n, word) in rest.split_whitespace().enumerate() {
        if n > 0 && word.contains('=') && !word.starts_with('-') {
            words.push("--set");
        }
        words.push(word);
    }
    words
}
