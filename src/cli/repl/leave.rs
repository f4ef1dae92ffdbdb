//! The end of a session: nobody leaves by accident while something is owed.

use crate::cli::Exit;
use crate::cli::printer::Style;
use crate::runtime::Status;

use super::Console;

impl Console<'_> {
    /// Asks what is to become of what is owed. The exit code with which it ends, if it does.
    pub(super) fn leave(&mut self) -> Option<Exit> {
        let owed = self.session.owed();
        if owed.is_nothing() {
            return Some(Exit::Done);
        }
        self.printer.out(&self.printer.paint(Style::Caution, "if you leave now, this stays as it is:"));
        self.list_owed(&owed);
        let question = "leave it so? [leave/stay] ";
        let answer = self.printer.ask(&self.printer.paint_err(Style::Caution, question)).unwrap_or_default();
        if !answer.is_empty() && "leave".starts_with(&answer.to_lowercase()) {
            return Some(Exit::Done);
        }
        self.printer.out("the session goes on");
        None
    }

    /// Ends it, and says what is left. `exit`: where nothing worse is to be said.
    pub(super) fn end(self, exit: Exit) -> Exit {
        let Console { session, printer, .. } = self;
        let (owed, id, aftermath) = (session.owed(), session.id().clone(), session.aftermath());
        let ended = session.end();
        if let Some(why) = &ended.unrecorded {
            printer
                .err(&printer.paint_err(Style::Bad, &format!("the end of the session could not be recorded: {why}")));
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
