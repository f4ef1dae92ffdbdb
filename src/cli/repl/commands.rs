//! The commands of a session: what begins with `:`.

use crate::model::{Span, did_you_mean};

/// A command as `:help` lists it.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// What stands behind it.
    pub(super) takes: &'static str,
    pub(super) help: &'static str,
}

const fn known(name: &'static str, takes: &'static str, help: &'static str) -> Known {
    Known { name, takes, help }
}

/// All of them, in the order of `:help`.
pub(super) const COMMANDS: &[Known] = &[
    known("arm", "[TIME]", "let changes take place, for 15m at most"),
    known("disarm", "", "only plan changes from now on"),
    known("owed", "", "what would be left: steps to undo, maintenance, doubts, leases"),
    known("undo", "[all]", "undo the newest step that is owed, or all of them"),
    known("settle", "KEY applied|not-applied", "say what became of a change that is in doubt"),
    known("targets", "", "the targets, and what each of them takes"),
    known("health", "[TARGET]", "probe all targets, or one"),
    known("watch", "TIME EXPRESSION", "look again and again, until Ctrl-C: :watch 5s probe(\"web\")"),
    known("vars", "", "the variables and functions that are there"),
    known("plan", "EXPRESSION|FILE", "only plan it, armed or not"),
    known("explore", "FILE", "walk every path of a runbook"),
    known("load", "FILE [NAME=VALUE …]", "take a runbook statement by statement"),
    known("next", "", "carry out the next statement of the runbook that is loaded"),
    known("go", "", "carry out the rest of it, up to a failure"),
    known("skip", "WHY", "leave out its next statement"),
    known("edit", "", "take its next statement into the line, to change it"),
    known("step", "TITLE|end", "what follows belongs to a step of this title"),
    known("timeline", "", "what happened so far, and when"),
    known("who", "", "who and where you are, and who else changes something"),
    known("save", "FILE", "write a runbook of what was typed"),
    known("postmortem", "FILE", "write a report of the incident"),
    known("help", "[COMMAND]", "all commands, or what one of them takes; ?NAME explains a primitive"),
    known("quit", "", "end the session"),
];

/// A command that was typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    Arm(Option<Span>),
    Disarm,
    Owed,
    Undo { all: bool },
    Settle { key: String, applied: bool },
    Targets,
    Health(Option<String>),
    Watch { every: Span, expression: String },
    Vars,
    Plan(String),
    Explore(String),
    Load { file: String, params: Vec<(String, String)> },
    Next,
    Go,
    Skip(String),
    Edit,
    Step(String),
    Timeline,
    Who,
    Save(String),
    Postmortem(String),
    Help(Option<String>),
    Quit,
}

/// What is wrong with a command, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wrong {
    pub(super) why: String,
    pub(super) help: Option<String>,
}

impl Command {
    /// Reads what was typed behind `:`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let text = text.trim();
        let (name, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(name, rest)| (name, rest.trim()));
        let name = match name {
            "h" | "?" => "help",
            "q" | "exit" => "quit",
            name => name,
        };
        let Some(known) = COMMANDS.iter().find(|known| known.name == name) else {
            let near = did_you_mean(name, COMMANDS.iter().map(|known| known.name));
            return Err(Wrong {
                why: format!("there is no command `:{name}`"),
                help: Some(near.unwrap_or_else(|| "`:help` lists them".to_owned())),
            });
        };
        let usage = || Wrong {
            why: format!("write it as `:{} {}`", known.name, known.takes).trim_end().to_owned(),
            help: Some(known.help.to_owned()),
        };
        let needed = || if rest.is_empty() { Err(usage()) } else { Ok(rest.to_owned()) };
        if known.takes.is_empty() && !rest.is_empty() {
            return Err(Wrong { why: format!("`:{name}` takes nothing: `{rest}`"), help: Some(known.help.to_owned()) });
        }
        Ok(match name {
            "arm" => Command::Arm(if rest.is_empty() { None } else { Some(span(rest)?) }),
            "disarm" => Command::Disarm,
            "owed" => Command::Owed,
            "undo" => Command::Undo {
                all: match rest {
                    "" => false,
                    "all" => true,
                    _ => return Err(usage()),
                },
            },
            "settle" => match rest.split_once(' ') {
                Some((key, "applied")) => Command::Settle { key: key.to_owned(), applied: true },
                Some((key, "not-applied")) => Command::Settle { key: key.to_owned(), applied: false },
                _ => return Err(usage()),
            },
            "targets" => Command::Targets,
            "health" => Command::Health((!rest.is_empty()).then(|| rest.trim_matches('"').to_owned())),
            "watch" => match rest.split_once(' ') {
                Some((every, expression)) => {
                    Command::Watch { every: span(every)?, expression: expression.trim().to_owned() }
                }
                None => return Err(usage()),
            },
            "vars" => Command::Vars,
            "plan" => Command::Plan(needed()?),
            "explore" => Command::Explore(needed()?),
            "load" => load(&needed()?)?,
            "next" => Command::Next,
            "go" => Command::Go,
            "skip" => Command::Skip(needed()?),
            "edit" => Command::Edit,
            "step" => Command::Step(needed()?.trim_matches('"').to_owned()),
            "timeline" => Command::Timeline,
            "who" => Command::Who,
            "save" => Command::Save(needed()?),
            "postmortem" => Command::Postmortem(needed()?),
            "quit" => Command::Quit,
            _ => Command::Help((!rest.is_empty()).then(|| rest.to_owned())),
        })
    }
}

fn load(rest: &str) -> Result<Command, Wrong> {
    let mut words = split(rest).into_iter();
    let file = words.next().unwrap_or_default();
    let mut params = Vec::new();
    for word in words {
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => params.push((name.to_owned(), value.to_owned())),
            _ => {
                return Err(Wrong {
                    why: format!("`{word}` is no parameter"),
                    help: Some("write it as NAME=VALUE".to_owned()),
                });
            }
        }
    }
    Ok(Command::Load { file, params })
}

/// Words, in which `"` holds spaces together and `\` takes the next character as it is.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What `:load` reads as this.
pub(super) fn load_command(file: &str, params: &[(String, String)]) -> String {
    let word = |text: &str| {
        let plain = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\\'));
        if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
    };
    let params = params.iter().map(|(name, value)| format!(" {name}={}", word(value)));
    format!(":load {}{}", word(file), params.collect::<String>())
}

fn span(text: &str) -> Result<Span, Wrong> {
    text.parse::<Span>().map_err(|error| Wrong { why: error.to_string(), help: Some("such as 5s, 10m".to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_and_mistakes_explained() {
        let read = |text: &str| Command::parse(text);
        assert_eq!(read("undo"), Ok(Command::Undo { all: false }));
        assert_eq!(read(" undo all "), Ok(Command::Undo { all: true }));
        assert_eq!(read("arm 5m"), Ok(Command::Arm(Some(Span::from_secs(300)))));
        let expression = "probe(\"web\")".to_owned();
        assert_eq!(read("watch 5s probe(\"web\")"), Ok(Command::Watch { every: Span::from_secs(5), expression }));
        let params = vec![("reason".to_owned(), "x".to_owned())];
        assert_eq!(read("load a.rhai reason=x"), Ok(Command::Load { file: "a.rhai".to_owned(), params }));
        let params = vec![("why".to_owned(), "it \"is\" C:\\ down".to_owned()), ("n".to_owned(), String::new())];
        let typed = load_command("my runbooks/a.rhai", &params);
        assert_eq!(read(&typed[1..]), Ok(Command::Load { file: "my runbooks/a.rhai".to_owned(), params }));
        assert_eq!(read("q"), Ok(Command::Quit));
        let wrong = |text: &str| {
            let wrong = read(text).expect_err(text);
            format!("{} [{}]", wrong.why, wrong.help.unwrap_or_default())
        };
        assert_eq!(wrong("amr"), "there is no command `:amr` [did you mean `arm`?]");
        assert_eq!(wrong("save"), "write it as `:save FILE` [write a runbook of what was typed]");
        assert_eq!(
            wrong("owed now"),
            "`:owed` takes nothing: `now` [what would be left: steps to undo, maintenance, doubts, leases]"
        );
        assert!(wrong("watch probe(1)").contains("write it as"), "{}", wrong("watch probe(1)"));
        assert!(wrong("arm soon").contains("soon"), "{}", wrong("arm soon"));
    }

    #[test]
    fn every_command_that_is_listed_can_be_read() {
        for known in COMMANDS {
            let example = match known.name {
                "settle" => "settle 1.0 applied",
                "watch" => "watch 1s 1",
                name if known.takes.is_empty() => name,
                name => &format!("{name} 1s"),
            };
            if known.name != "undo" {
                assert!(Command::parse(example).is_ok(), "{example}");
            }
        }
    }
}
