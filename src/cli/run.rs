//! `lifeboat run`: live.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::model::{Halt, SavedPlan, Span, Verdict};
use crate::runtime::{Error, Lifeboat, Ran, RunRequest, Status, is_plan, read_approvals};
use crate::system::Cancel;
use crate::worlds::{OnFault, Unanswered};

use super::people::{FaultCard, Person, stop_on_signals};
use super::plan::pair;
use super::printer::{Printer, Style};
use super::progress::RunView;
use super::wrap::wrap;
use super::{Exit, Global, exit, open};

/// Run a runbook for real, and record it in the journal
#[derive(Args)]
pub(super) struct Run {
    /// The runbook, or a plan that was saved with `plan -o`
    #[arg(value_name = "RUNBOOK|PLAN")]
    runbook: PathBuf,
    #[command(flatten)]
    live: LiveArgs,
    /// What to do when a call fails that the runbook does not catch [default: pause on a terminal, else rollback]
    #[arg(long, value_enum, value_name = "WHAT")]
    on_fault: Option<OnFaultArg>,
}

/// What `run` and `drill` have in common.
#[derive(Args)]
pub(super) struct LiveArgs {
    /// Give a parameter of the runbook
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    params: Vec<(String, String)>,
    #[command(flatten)]
    person: PersonArgs,
}

/// Whoever is there, and what was said in advance.
#[derive(Args)]
pub(super) struct PersonArgs {
    /// Confirm everything that is asked; with the name of a protected environment: let the run change it
    #[arg(long, value_name = "ENVIRONMENT", num_args = 0..=1, default_missing_value = "yes")]
    yes: Option<String>,
    /// Answer a question of the runbook (a confirmation with "yes"); several in their order
    #[arg(long = "answer", value_name = "TEXT")]
    answers: Vec<String>,
    /// What to do about a question that nobody is there to answer
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    unanswered: UnansweredArg,
    /// Wait so long for other runs that change the same targets, such as 10m, instead of being refused
    #[arg(long, value_name = "DURATION")]
    wait: Option<Span>,
    /// Go on although the shared journal does not answer, another machine has the leases or approvals are missing; the record says
    /// why
    #[arg(long, value_name = "WHY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    break_glass: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum UnansweredArg {
    /// The run ends with exit code 7, and goes on when the answer has come: lifeboat answer, lifeboat resume
    #[default]
    Wait,
    /// The question fails, and the runbook is rolled back unless it catches that
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OnFaultArg {
    /// A person decides: retry, skip, roll back, leave
    Pause,
    /// The fault goes to the runbook, which is rolled back unless it catches it
    Rollback,
    /// The run ends and leaves things as they are
    Stop,
}

impl OnFaultArg {
    /// What was asked for, or what suits the place: a person decides where one can be asked.
    pub(super) fn chosen(given: Option<Self>, printer: &Printer, lifeboat: &Arc<Lifeboat>) -> OnFault {
        let card = || FaultCard { printer: printer.clone(), lifeboat: Arc::downgrade(lifeboat) };
        let pause = || OnFault::Pause(Arc::new(card()));
        match given {
            Some(OnFaultArg::Pause) => pause(),
            Some(OnFaultArg::Stop) => OnFault::Stop,
            None if printer.interactive() => pause(),
            Some(OnFaultArg::Rollback) | None => OnFault::RollBack,
        }
    }
}

impl PersonArgs {
    /// How long to wait for other runs.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.wait.map(|wait| wait.0)
    }

    /// Why the leases of other machines are not heeded.
    pub(super) fn break_glass(&self) -> Option<String> {
        self.break_glass.clone()
    }

    /// What is done about questions that nobody is there to answer.
    pub(super) fn unanswered(&self) -> Unanswered {
        match self.unanswered {
            UnansweredArg::Wait => Unanswered::Wait,
            UnansweredArg::Fail => Unanswered::Fail,
        }
    }

    /// What was typed to change a protected environment.
    pub(super) fn acknowledged(&self) -> Option<String> {
        self.yes.clone()
    }

    /// The project with the person at the terminal. `rehearsal`: nobody is asked to confirm what may be broken.
    pub(super) fn open(&self, global: &Global, printer: &Printer, rehearsal: bool) -> Result<Lifeboat, Error> {
        let cancel = Cancel::new();
        let person = Person::new(printer, rehearsal || self.yes.as_deref() == Some("yes"), &self.answers);
        let view = RunView::new(printer);
        let program = std::env::current_exe().unwrap_or_else(|_| "lifeboat".into());
        let lifeboat = open::recording(global, |builder| {
            builder
                .answers(person)
                .console(Arc::new(printer.clone()))
                .progress(view.clone())
                .listener(view)
                .cancel(cancel.clone())
                .program(program)
        })?;
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        stop_on_signals(printer, &cancel);
        Ok(lifeboat)
    }
}

impl LiveArgs {
    /// See [`PersonArgs::open`].
    pub(super) fn open(&self, global: &Global, printer: &Printer, rehearsal: bool) -> Result<Lifeboat, Error> {
        self.person.open(global, printer, rehearsal)
    }

    pub(super) fn request(&self, global: &Global, runbook: &std::path::Path, on_fault: OnFault) -> RunRequest {
        RunRequest {
            runbook: runbook.to_owned(),
            environment: global.env.clone(),
            params: self.params.clone(),
            acknowledged: self.person.acknowledged(),
            on_fault,
            unanswered: self.person.unanswered(),
            wait: self.person.wait(),
            break_glass: self.person.break_glass(),
            ..RunRequest::default()
        }
    }
}

impl Run {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let plan = if is_plan(&self.runbook) { Some(Arc::new(self.saved(global)?)) } else { None };
        let lifeboat = Arc::new(self.live.open(global, printer, false)?);
        let on_fault = OnFaultArg::chosen(self.on_fault, printer, &lifeboat);
        let approvals = if plan.is_some() { read_approvals(&self.runbook)? } else { Vec::new() };
        let ran =
            lifeboat.run(&RunRequest { plan, approvals, ..self.live.request(global, &self.runbook, on_fault) })?;
        Ok(conclude(&ran, printer))
    }

    /// The saved plan, which has its environment and its parameters.
    fn saved(&self, global: &Global) -> Result<SavedPlan, Error> {
        let saved = SavedPlan::read(&self.runbook)?;
        let other = global.env.as_ref().is_some_and(|given| *given != saved.plan.environment);
        let why = match (other, self.live.params.first()) {
            (true, _) => format!("the plan is one for environment {}", saved.plan.environment),
            (_, Some((name, _))) => format!("the plan has its parameters: `--set {name}=…` would be another plan"),
            (false, None) => return Ok(saved),
        };
        let help = format!("plan again: lifeboat plan {} -o FILE", saved.plan.runbook);
        Err(Error::Params { why, help: Some(help) })
    }
}

/// Says how a run ended and in which state the world is.
pub(super) fn conclude(ran: &Ran, printer: &Printer) -> Exit {
    let exit = exit::of_run(ran);
    if let Some(why) = &ran.unrecorded {
        printer.err(&printer.paint_err(Style::Bad, &format!("the end of the run could not be recorded: {why}")));
    }
    if printer.json {
        return exit;
    }
    let (style, word) = match ran.status {
        Status::Completed => (Style::Good, "completed"),
        Status::RolledBack => (Style::Bad, "failed"),
        Status::LeftChanged if matches!(ran.verdict, Verdict::Halted { halt: Halt::Cancelled | Halt::Aborted, .. }) => {
            (Style::Bad, "cancelled, and left changed")
        }
        Status::LeftChanged if matches!(ran.verdict, Verdict::Halted { halt: Halt::RolledBack { .. }, .. }) => {
            (Style::Caution, "rolled back; what no step undoes is left")
        }
        Status::LeftChanged => (Style::Bad, "failed, and left changed"),
        Status::Cancelled => (Style::Caution, "cancelled"),
        Status::InDoubt => (Style::Bad, "in doubt"),
        Status::Waiting => (Style::Caution, "waiting for an answer"),
        Status::LeaseLost | Status::Unrecorded | Status::Diverged => (Style::Bad, "stopped"),
        Status::Undone => (Style::Good, "rolled back"),
        Status::Refused => (Style::Caution, "refused"),
        Status::Mistake => (Style::Bad, "the runbook is wrong"),
        Status::Internal => (Style::Bad, "internal error"),
    };
    let (why, hint) = reason(&ran.verdict);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let say = |indent: &str, text: &str| say(printer, indent, text);
    say("", &format!("{}{why}", printer.paint(style, word)));
    if let Some(hint) = hint {
        say("  ", &format!("help: {hint}"));
    }
    if ran.status == Status::Waiting {
        printer.out(&format!("  so far: {}", ran.aftermath.sentence()));
    } else if ran.status != Status::Completed {
        // One line, however long: whoever greps for it in a log must find all of it.
        printer.out(&format!("  state: {}", ran.aftermath.sentence()));
    } else if !ran.aftermath.skipped.is_empty() {
        say(
            "  ",
            &printer.paint(Style::Caution, &format!("skipped by a person: {}", ran.aftermath.skipped.join(", "))),
        );
    }
    way_on(ran, printer);
    if let [first, rest @ ..] = ran.undelivered.as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
        let what = format!("NOT DELIVERED: {} → {}{more}", first.channel, first.headline);
        say("  ", &printer.paint(Style::Caution, &what));
        say("  ", "help: `lifeboat outbox --send` tries again; the next run does, too");
    }
    printer.out(&printer.paint(Style::Dim, &format!("run {}", ran.id)));
    exit
}

/// What a person does about a run that is not over.
fn way_on(ran: &Ran, printer: &Printer) {
    let say = |text: &str| say(printer, "  ", text);
    let edited = if ran.edited { " --edited" } else { "" };
    let resume = || printer.out(&format!("    lifeboat resume {}{edited}", ran.id));
    match (ran.status, &ran.verdict) {
        (Status::InDoubt, _) => {
            for change in &ran.aftermath.in_doubt {
                let (id, key) = (&ran.id, &change.key);
                say(&format!(
                    "look at {}, and say what you found: that it took place, or not:",
                    change.impact.targets.join(", ")
                ));
                printer.out(&format!("    lifeboat settle {id} {key} --applied"));
                printer.out(&format!("    lifeboat settle {id} {key} --not-applied"));
            }
            say("then let it go on:");
            resume();
        }
        (Status::Diverged, _) => {
            say("nothing more was done. Put the runbook back as it was when the run began, then let it go on:");
            resume();
        }
        (Status::Unrecorded, _) => {
            say("nothing was done that is not recorded. See to the journal, then let it go on:");
            resume();
        }
        (_, Verdict::Halted { halt: Halt::Waiting { key, choices, .. }, .. }) => {
            say("nobody is here to answer. Answer:");
            let shown = if (1..=MANY).contains(&choices.len()) { choices.as_slice() } else { &["TEXT".to_owned()] };
            for answer in shown {
                printer.out(&format!("    lifeboat answer {} --key {key} {}", ran.id, quoted(answer)));
            }
            say("then let it go on:");
            resume();
        }
        _ => {}
    }
}

/// More choices than these are not written out.
const MANY: usize = 6;

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Text in as many lines as it needs.
fn say(printer: &Printer, indent: &str, text: &str) {
    for line in wrap(&printer.short(text), printer.width().saturating_sub(indent.len())) {
        printer.out(&format!("{indent}{line}"));
    }
}

fn reason(verdict: &Verdict) -> (Option<String>, Option<String>) {
    match verdict {
        Verdict::Completed(_) => (None, None),
        Verdict::Failed { fault, unwinding_halted, .. } => {
            let site = fault.site.as_deref().map(|site| format!(" ({site})")).unwrap_or_default();
            let halted = unwinding_halted.as_ref().map(|h| format!("; while rolling back: {h}")).unwrap_or_default();
            (Some(format!("{}{site}{halted}", fault.message)), fault.hint.clone())
        }
        Verdict::Halted { halt, owed, .. } => {
            let still = if owed.is_empty() { String::new() } else { format!("; still owed: {}", owed.join(", ")) };
            match halt {
                Halt::Cancelled | Halt::Aborted | Halt::RolledBack { .. } => (None, None),
                Halt::Waiting { question, .. } => (Some(question.clone()), None),
                Halt::InDoubt { why, .. } => (Some(format!("{why}{still}")), None),
                Halt::Mistake { why, site, hint } | Halt::Unplannable { why, site, hint } => {
                    (Some(format!("{why} ({site}){still}")), hint.clone())
                }
                Halt::Refused { why, hint } => (Some(format!("{why}{still}")), hint.clone()),
                Halt::Unplanned { why, site } => {
                    let hint = "it is held to its plan; plan again, and have that reviewed".to_owned();
                    (Some(format!("not as planned: {why} ({site}){still}")), Some(hint))
                }
                other => (Some(format!("{other}{still}")), None),
            }
        }
    }
}
