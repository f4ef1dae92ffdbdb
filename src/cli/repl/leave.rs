//! The end of a session: nobody leaves by accident while something is owed.

use crate::cli::Exit;
use crate::cli::printer::Style;
use crate::runtime::{Error, Status};

use super::Console;

/// Whether a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It does.
    Now,
    /// It goes on.
    Not,
    /// Nobody is there any more who could say so.
    Gone,
}

impl Console<'_> {
    /// Asks what is to become of what is owed.
    pub(super) fn leave(&mut self) -> Leaving {
        let owed = self.session.owed();
        if owed.is_nothing() {
            return Leaving::Now;
        }
        self.printer.out(&self.printer.paint(Style::Caution, "if you leave now, this stays as it is:"));
        self.list_owed(&owed);
        let question = "leave it so? [leave/stay] ";
        let Some(answer) = self.printer.ask(&self.printer.paint_err(Style::Caution, question)) else {
            return Leaving::Gone;
        };
        if !answer.is_empty() && "leave".starts_with(&answer.to_lowercase()) {
            return Leaving::Now;
        }
        self.printer.out("the session goes on");
        Leaving::Not
    }

    /// The terminal is gone: what is owed stays owed, and nobody has ended the session.
    pub(super) fn gone(&self) -> Error {
        let help = format!("take the session up again: lifeboat repl --resume {}", self.session.id());
        Error::Refused { why: "the terminal is gone; nothing was undone".to_owned(), help: Some(help) }
    }

    /// Ends it, and says what is left. `exit`: where nothing worse is to be said.
    pub(super) fn end(self, exit: Exit) -> Exit {
        let Console { session, printer, .. } = self;
        let (owed, id, aftermath) = (session.owed(), session.id().clone(), session.aftermath());
        let ended = session.end();
        if let Some(why) = &ended.unrecorded {
            printer.warn(Style::Bad, &format!("the end of the session could not be recorded: {why}"));
        }
        if !printer.json {
            let changed = aftermath.sentence().replace("left changed: ", "changed: ");
            for line in crate::cli::wrap::wrap(&changed, printer.width()) {
                printer.out(&line);
            }
            if ended.undelivered > 0 {
                let text = format!("{} messages are NOT DELIVERED: `lifeboat outbox --send`", ended.undelivered);
                printer.err(&printer.paint_err(Style::Caution, &text));
            }
            if !owed.is_nothing() {
                printer.out(&format!("to go on with it: lifeboat repl --resume {id}"));
            }
            printer.out(&printer.paint(Style::Dim, &format!("session {id}")));
        }
        match (ended.status, owed.is_nothing()) {
            (Status::InDoubt, _) => Exit::InDoubt,
            (_, false) => Exit::LeftChanged,
            _ => exit,
        }
    }
}
