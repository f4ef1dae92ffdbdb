//! `lifeboat attach`: follow a run from another terminal.

use std::sync::OnceLock;

use clap::Args;

use crate::model::{Event, EventBody, Mode, RunId};
use crate::runtime::{Error, Followed, Status, takes_up};
use crate::system::Cancel;
use crate::worlds::Listener;

use super::people::leave_on_signals;
use super::printer::{Printer, Style};
use super::progress::RunView;
use super::{Exit, Global, exit, open};

/// Follow a run that goes on in another terminal
///
/// Shows what it has done, and what it does from now on, until it ends. Ctrl-C ends the following, never the run.
#[derive(Args)]
pub(super) struct Attach {
    /// The beginning or the end of a run's id [default: the newest]
    #[arg(value_name = "RUN", default_value = "latest", hide_default_value = true)]
    run: String,
}

impl Attach {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let cancel = Cancel::new();
        let lifeboat = open::recording(global, |builder| builder.cancel(cancel.clone()))?;
        printer.shorten(&lifeboat.config().root);
        leave_on_signals(&cancel);
        let view = RunView::new(printer);
        let questions = Questions { view: view.as_ref(), printer, run: OnceLock::new() };
        let followed = lifeboat.follow(&self.run, &questions)?;
        let mode = questions.run.get().map_or(Mode::Run, |(_, mode)| *mode);
        if let (Followed::Interrupted(run) | Followed::Left(run), false) = (&followed, printer.json)
            && let Ok(ways) = lifeboat.ways_on(run.as_str())
        {
            printer.err(&ways.sentence());
        }
        Ok(conclude(&followed, mode, printer))
    }
}

/// Shows a run, and how its questions are answered from here.
struct Questions<'a> {
    view: &'a dyn Listener,
    printer: &'a Printer,
    run: OnceLock<(RunId, Mode)>,
}

impl Listener for Questions<'_> {
    fn on_event(&self, event: &Event) {
        self.view.on_event(event);
        if let EventBody::Started(started) = &event.body {
            self.run.get_or_init(|| (started.run.clone(), started.mode));
        }
        if let EventBody::Awaiting { key, primitive, args, .. } = &event.body
            && matches!(primitive.as_str(), "ask" | "confirm")
            && !self.printer.json
        {
            let question = args.get("question").map(ToString::to_string).unwrap_or_default();
            self.printer.err(&self.printer.paint_err(Style::Caution, &format!("asked: {question}")));
            let run = self.run.get().map(|(run, _)| run.to_string()).unwrap_or_default();
            self.printer.err(&format!("  lifeboat answer {run} --key {key} TEXT"));
        }
    }
}

/// Says what became of a run that was followed.
pub(super) fn conclude(followed: &Followed, mode: Mode, printer: &Printer) -> Exit {
    match followed {
        Followed::Ended(run, status, aftermath) => {
            if !printer.json {
                printer.out(&printer.paint(super::runs::style(status), status));
                if status != Status::Completed.name() {
                    printer.out(&format!("  state: {}", aftermath.sentence()));
                }
                printer.out(&printer.paint(Style::Dim, &format!("run {run}")));
            }
            Status::ALL.into_iter().find(|known| known.name() == status).map_or(Exit::Internal, exit::of_status)
        }
        Followed::Interrupted(run) => {
            printer.err(&printer.paint_err(Style::Bad, "interrupted: its process is gone, and it is not over"));
            let undo = match mode {
                Mode::Session => "`:undo` there undoes what it owes".to_owned(),
                _ => format!("or undo it: lifeboat cancel {run}"),
            };
            printer.err(&format!("  go on with: {}, {undo}", takes_up(mode, run)));
            Exit::LeftChanged
        }
        Followed::Left(run) => {
            printer.err(&format!("no longer followed; it goes on: lifeboat attach {run}"));
            Exit::Done
        }
        Followed::Elsewhere(run, process) => {
            printer.err(&format!("run {run} is carried out on {}: this is what is recorded here", process.host));
            Exit::Done
        }
    }
}
