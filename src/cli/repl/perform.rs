//! The commands of a session, carried out.

use crate::cli::printer::Style;
use crate::cli::{Cli, perform as carry_out};
use crate::model::{Halt, Key, Span, Verdict};
use crate::runtime::Error;
use clap::Parser as _;

use super::again::head;
use super::commands::{Command, load_command};
use super::load::{Loaded, fingerprint};
use super::story::{Line, lines};
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
            // Help was asked for.
            Err(error) if error.exit_code() == 0 => {
                self.printer.out(error.render().to_string().trim_end());
                Next::GoOn
            }
            Err(error) => {
                self.printer.err(error.render().to_string().trim_end());
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
            if typed.as_deref() == Some("") || (typed.is_none() && self.at_terminal) {
                let help = "nothing was typed; the session stays dry".to_owned();
                return Err(Error::Refused { why: format!("environment {name} is protected"), help: Some(help) });
            }
        }
        let time = self.session.arm(typed.as_deref(), time.map(|time| time.0))?;
        let text = format!("ARMED for {}: what you type changes {name}. `:disarm` ends it", Span(time));
        self.say_in(Style::Bad, &text);
        self.tell_planned();
        Ok(())
    }

    /// Of a runbook that is taken statement by statement, what was done while the session was dry.
    fn tell_planned(&self) {
        let all = lines(&self.session.events());
        let since = all.iter().rposition(|line| line.text.starts_with(":load ")).unwrap_or(all.len());
        let planned: Vec<&Line> =
            all[since..].iter().filter(|line| line.only_planned() && !line.made_so_later(&all)).collect();
        if let (Some(loaded), [first, ..]) = (&self.loaded, planned.as_slice()) {
            let (name, file, count) = (loaded.name(), &loaded.file, planned.len());
            let what = if count == 1 { "1 statement" } else { &format!("{count} statements") };
            let text = format!(
                "what was typed since {name} was loaded holds {what} that did NOT take place, the first is [{}]; `:load \
                 {file}` begins anew",
                first.number
            );
            self.say_in(Style::Caution, &text);
        }
    }

    fn undo(&mut self, all: bool) -> Result<(), Error> {
        loop {
            let Some((step, verdict)) = self.session.undo()? else {
                let owed = self.session.owed();
                self.printer.out(if owed.is_nothing() { "nothing is owed" } else { "no step is to be undone" });
                self.list_owed(&owed);
                return Ok(());
            };
            match (&step.fault, &verdict) {
                (None, Verdict::Completed(_)) => self.say(&format!("undone: {}", step.title)),
                (Some(fault), _) => {
                    let why = format!("the rollback of {} FAILED, and is still owed: {fault}", step.title);
                    let help = "`:undo` tries it again; what it did is not done twice. `:timeline` shows what was done";
                    return Err(Error::Params { why, help: Some(help.to_owned()) });
                }
                (None, verdict) => return Err(still_owed(&step.title, verdict)),
            }
            let left = self.session.script().owed().len();
            if all && left > 0 && self.session.was_stopped() {
                let what = if left == 1 { "1 step is".to_owned() } else { format!("{left} steps are") };
                self.printer.out(&format!("stopped: {what} still owed; `:undo all` goes on"));
                return Ok(());
            }
            if !all || left == 0 {
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
        self.session.note(&format!("{} # {}", load_command(file, params), fingerprint(&text)));
        let (_, count) = loaded.progress();
        self.say(&format!("{}: {count} statements; `:next` carries out the first, `:go` all", loaded.name()));
        self.loaded = Some(loaded);
        self.show_next();
        Ok(())
    }

    /// Shows what comes next of the runbook that is loaded.
    pub(super) fn show_next(&self) {
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

    /// What was typed may have taken the place of the next statement. Whether it has.
    pub(super) fn follow(&mut self, typed: &str, went_well: bool) -> bool {
        let over = self.loaded.as_mut().is_some_and(|loaded| loaded.follow(typed, went_well));
        if over {
            self.show_next();
        }
        over
    }

    fn step_on(&mut self) -> Next {
        let statement = match self.statement() {
            Ok(statement) => statement,
            Err(error) => return self.failed(&error),
        };
        let next = self.evaluate(&statement);
        if next != Next::GoOn {
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
        let text = format!(":skip {why} # {}", head(&statement));
        self.session.note(&text);
        self.follow(&text, true);
        Ok(())
    }

    fn edit(&mut self) -> Result<(), Error> {
        let statement = self.statement()?;
        let text = format!(":edit # {}", head(&statement));
        self.session.note(&text);
        self.prefilled = Some(statement);
        if let Some(loaded) = &mut self.loaded {
            loaded.follow(&text, true);
        }
        Ok(())
    }
}

/// Why a rollback did not come to its end.
fn still_owed(title: &str, verdict: &Verdict) -> Error {
    let (why, help) = match verdict {
        Verdict::Halted { halt: Halt::Refused { why, hint }, .. } => (
            format!("the rollback of {title} was refused, and is still owed: {why}"),
            hint.clone().unwrap_or_else(|| "`:undo` goes on with it".to_owned()),
        ),
        Verdict::Halted { halt: Halt::InDoubt { key, .. }, .. } => (
            format!("the rollback of {title} is still owed, and what it did is in doubt"),
            format!("look at it, say so with `:settle {key} applied` or `not-applied`; then `:undo` goes on with it"),
        ),
        _ => (format!("the rollback of {title} was stopped; it is still owed"), "`:undo` goes on with it".to_owned()),
    };
    Error::Params { why, help: Some(help) }
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
