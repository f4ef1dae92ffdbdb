//! `lifeboat answer`: answer a question of a run from another terminal.

use clap::Args;

use crate::runtime::Error;

use super::printer::Printer;
use super::{Exit, Global, open};

/// Answer a question that a run asks
///
/// Where a process waits for it, the run goes on at once. Where none does (exit code 7), `lifeboat resume` carries on with it.
#[derive(Args)]
pub(super) struct Answer {
    /// The beginning or the end of a run's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// What to answer: one of the choices, or any text where there are none
    #[arg(value_name = "TEXT", required_unless_present = "list")]
    text: Option<String>,
    /// The call that asks, such as `4.1`; needed only where several do
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Show what is asked, and answer nothing
    #[arg(long, conflicts_with_all = ["text", "key"])]
    list: bool,
}

impl Answer {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = open::recording(global, |builder| builder)?;
        let Some(text) = &self.text else {
            for open in lifeboat.open_questions(&self.run)? {
                let choices =
                    if open.choices.is_empty() { String::new() } else { format!(" [{}]", open.choices.join("/")) };
                if printer.json {
                    printer.out_json(&serde_json::json!({
                        "key": open.key, "question": open.question, "choices": open.choices,
                    }));
                } else {
                    printer.out(&format!("{}: {}{choices}", open.key, open.question));
                }
            }
            return Ok(Exit::Done);
        };
        let answered = lifeboat.answer(&self.run, self.key.as_deref(), text)?;
        if printer.json {
            printer.out_json(&serde_json::json!({
                "run": answered.run, "question": answered.question, "answer": answered.answer, "goes_on": answered.goes_on,
            }));
            return Ok(Exit::Done);
        }
        printer.out(&format!("{} {}", answered.question, answered.answer));
        printer.out(&if answered.goes_on {
            format!("the run goes on: lifeboat attach {}", answered.run)
        } else {
            let edited = if answered.edited { " --edited" } else { "" };
            format!("carry on with: lifeboat resume {}{edited}", answered.run)
        });
        Ok(Exit::Done)
    }
}
