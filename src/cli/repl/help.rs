//! `:help`: all commands on one screen, or one of them with what it takes.

use crate::cli::printer::Style;
use crate::cli::wrap::columns;
use crate::model::did_you_mean;
use crate::runtime::Error;

use super::Console;
use super::commands::COMMANDS;

/// What belongs together, each command in the few words that fit beside it. The first column, and the second.
type Group = (&'static str, &'static [(&'static str, &'static str)]);
const COLUMNS: [&[Group]; 2] = [
    &[
        (
            "Change",
            &[
                ("arm", "let changes take place"),
                ("disarm", "only plan them"),
                ("owed", "what would be left"),
                ("undo", "the newest step"),
                ("settle", "what became of a doubt"),
            ],
        ),
        ("Try", &[("plan", "only plan it"), ("explore", "every path of a file")]),
        (
            "Take a runbook",
            &[
                ("load", "statement by statement"),
                ("next", "the next statement"),
                ("go", "all the others"),
                ("skip", "leave one out"),
                ("edit", "change one first"),
            ],
        ),
    ],
    &[
        (
            "Look",
            &[
                ("targets", "and what they take"),
                ("health", "probe targets"),
                ("watch", "again and again"),
                ("vars", "variables, functions"),
                ("timeline", "what happened so far"),
                ("who", "you, and who else"),
            ],
        ),
        (
            "Leave something behind",
            &[("step", "what belongs together"), ("save", "a runbook"), ("postmortem", "a report")],
        ),
        ("This console", &[("help", ":help COMMAND"), ("quit", "end the session")]),
    ],
];

/// How wide the name of a command is there, with its colon.
const NAME: usize = 12;
/// How wide a column is.
const COLUMN: usize = 38;

const FOOT: &str = "`:help COMMAND` explains one, `?NAME` a primitive. `# text` is a remark. Ctrl-C stops what goes on, Ctrl-D ends \
                    the session";

impl Console<'_> {
    pub(super) fn help(&self, command: Option<&str>) -> Result<(), Error> {
        if let Some(name) = command {
            return self.explain(name.trim_start_matches(':'));
        }
        let bold = |text: &str| self.printer.paint(Style::Bold, text);
        let column = |groups: &[Group]| -> Vec<String> {
            let lines = groups.iter().flat_map(|(title, commands)| {
                let of =
                    |(name, does): &(&str, &str)| format!("{}{does}", bold(&format!("{:<NAME$}", format!(":{name}"))));
                std::iter::once(self.printer.paint(Style::Dim, title)).chain(commands.iter().map(of))
            });
            lines.collect()
        };
        let [left, right] = COLUMNS.map(column);
        if self.printer.width() < 2 * COLUMN {
            left.iter().chain(&right).for_each(|line| self.printer.out(line));
        } else {
            for n in 0..left.len().max(right.len()) {
                let (left, right) = (left.get(n).map_or("", |line| line), right.get(n).map_or("", |line| line));
                let pad = COLUMN - columns(left);
                self.printer.out(format!("{left}{:pad$}{right}", "").trim_end());
            }
        }
        self.say_in(Style::Dim, FOOT);
        Ok(())
    }

    fn explain(&self, name: &str) -> Result<(), Error> {
        let Some(known) = COMMANDS.iter().find(|known| known.name == name) else {
            let near = did_you_mean(name, COMMANDS.iter().map(|known| known.name));
            return Err(Error::Params {
                why: format!("there is no command `:{name}`"),
                help: Some(near.unwrap_or_else(|| format!("`:help` lists them; is it a primitive? `?{name}`"))),
            });
        };
        self.say_in(Style::Bold, format!(":{} {}", known.name, known.takes).trim_end());
        self.say(known.help);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_stands_in_a_column_and_fits() {
        let all = || COLUMNS.iter().flat_map(|groups| groups.iter()).flat_map(|(_, commands)| commands.iter());
        for known in COMMANDS {
            assert_eq!(all().filter(|(name, _)| *name == known.name).count(), 1, "{}", known.name);
        }
        for (name, does) in all() {
            assert!(COMMANDS.iter().any(|known| known.name == *name), "{name}");
            assert!(name.len() + 2 <= NAME && NAME + does.len() < COLUMN, "{name}: {does}");
        }
    }
}
