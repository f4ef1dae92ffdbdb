//! `exec` for `driver = "command"`: a program of this machine, or through ssh of another one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::{Applied, Arg, Fault, IdempotencyKey, ImpactKind, SecretText, Symbol, Value};
use crate::primitives::targets::{CommandTool, KEY, STARTED};
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, CommandEnd, CommandLine, Ended, Look, NotStarted};

use super::outcome::{judge, not_started};
use super::{Args, Exec, Output, Word};

/// What a program finds in its environment beside what the configuration adds.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];
/// How long a program may take to end by itself when its time is over.
const GRACE: Duration = Duration::from_secs(5);

impl Driver<Exec> for CommandTool {
    const EVIDENCE: Evidence = Evidence::Given("`check` of the tool", "its exit code: 0 if it took place, 1 if not");

    fn impact(&self, _: &Args) -> Option<ImpactKind> {
        Some(self.impact)
    }

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let refused = self.allowed(args).err();
        let summary = match &self.ssh {
            Some(ssh) => format!("{} on {}: {}", self.name, ssh.host, self.shown(args)),
            None => format!("{}: {}", self.name, self.shown(args)),
        };
        if self.impact == ImpactKind::Look {
            if let Some(fault) = refused {
                return Err(fault);
            }
            let end = self.look_at(args, look, None).await?;
            let output = self.kept(judge(self, args, &end)?, look, None)?;
            let said = output.stdout.as_plain().map(|text| text.lines().find(|line| !line.trim().is_empty()));
            let said = match said {
                None => "a secret".to_owned(),
                Some(None) => format!("exit code {}", output.code),
                Some(Some(line)) => line.to_owned(),
            };
            return Ok(Preview::new(Symbol::Look, format!("{summary} → {said}")).output(Value::encode(&output)));
        }
        let symbol = if self.impact == ImpactKind::Destroy { Symbol::Destroy } else { Symbol::Change };
        let mut preview = Preview::new(symbol, summary).assumed("what the program does is not known before the run");
        if let [code] = self.exit_codes[..] {
            preview.output = Value::Map([("code".to_owned(), Value::Int(code.into()))].into());
        }
        if self.check.is_none() {
            preview = preview.note("if it fails, a person must say whether it took place: this tool has no `check`");
        }
        if args.args.iter().any(|arg| matches!(arg, Arg::Known(Word::Secret(_)))) {
            let note = "a secret stands among its arguments, which every user of the machine can read";
            preview = preview.note(format!("{note}: prefer `env` or `stdin`"));
        }
        let refused = refused.or_else(|| self.find(look, &self.program).err());
        Ok(match refused.or_else(|| self.secrets(args).find_map(|secret| look.obstacle_to(secret))) {
            Some(fault) => preview.fault(fault),
            None => preview,
        })
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        self.allowed(args)?;
        let end = if self.impact == ImpactKind::Look {
            self.look_at(args, act, Some(key)).await?
        } else {
            let command = self.command(&self.words(args)?, args, act, Some(key)).await?;
            let (shown, name, secret) = (act.clone(), self.name.clone(), self.secret_output);
            let on_line = Arc::new(move |line: &str| {
                if line != STARTED && !secret {
                    shown.show(&format!("{name}: {line}"));
                }
            });
            act.run(&command, on_line).await.map_err(|error| self.refused(error))?
        };
        self.kept(judge(self, args, &end)?, act, Some(key))
    }

    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        let Some(check) = &self.check else {
            let why = format!("tool {} has no `check`: find out what `{}` did", self.name, self.shown(args));
            return Reconciled::Unknown { why };
        };
        let unknown = |why: String| Reconciled::Unknown { why: format!("the check of tool {}: {why}", self.name) };
        let end = match self.ask(check, args, look, key).await {
            Ok(end) => end,
            Err(fault) => return unknown(fault.message),
        };
        let said = format!("`{}` ended with exit code", readable(check));
        match end.ended {
            Ended::Exited(0) => {
                let code = self.exit_codes.first().copied().unwrap_or_default().into();
                let (stdout, stderr) = (SecretText::default(), String::new());
                let output = Output { code, ok: true, stdout, stderr, cut: false, took_ms: 0 };
                Reconciled::Applied { output, evidence: format!("{said} 0") }
            }
            Ended::Exited(1) => Reconciled::NotApplied { evidence: format!("{said} 1") },
            Ended::Exited(code) => unknown(format!("{said} {code}, which says neither yes (0) nor no (1)")),
            Ended::Killed(signal) => unknown(format!("it was ended by signal {signal}")),
            Ended::TimedOut => unknown(format!("it did not end within {}", self.time_limit)),
            Ended::Interrupted => unknown("it was interrupted".to_owned()),
        }
    }
}

impl CommandTool {
    fn fault(&self, code: &str, message: String) -> Fault {
        Fault::new(code, message).on(&self.name)
    }

    /// Whether the configuration lets scripts give these arguments.
    fn allowed(&self, args: &Args) -> Result<(), Fault> {
        if self.ssh.is_some() && exposed(args) {
            let message = format!("tool {} runs on another host, where every user could read this secret", self.name);
            return Err(self.fault("exec-refused", message).hint("give it as `stdin`"));
        }
        if let Some(name) = args.env.keys().find(|name| name.is_empty() || name.contains(['=', '\0']) || *name == KEY) {
            return Err(self.fault("exec-refused", format!("`env` cannot set `{name}` for tool {}", self.name)));
        }
        let texts: Vec<Option<String>> = args.args.iter().map(|arg| arg.known().map(Word::to_string)).collect();
        if texts.iter().flatten().any(|text| text.contains('\0')) {
            let message = format!("an argument for tool {} holds a NUL character, which no program takes", self.name);
            return Err(self.fault("exec-refused", message));
        }
        if self.allow.allows(&texts.iter().map(Option::as_deref).collect::<Vec<_>>()) {
            return Ok(());
        }
        let given = readable(&texts.into_iter().flatten().collect::<Vec<_>>());
        let given = if given.is_empty() { "no arguments".to_owned() } else { format!("`{given}`") };
        let message = format!("tool {} does not take {given}: its `allow` is {}", self.name, self.allow);
        Err(self.fault("exec-refused", message).hint(format!("add it to `allow` of tool {} if it may", self.name)))
    }

    /// The program with all its arguments. Secrets stand there by name still.
    fn words(&self, args: &Args) -> Result<Vec<SecretText>, Fault> {
        let given = args.args.iter().map(|arg| match known(arg, self)? {
            Word::Text(text) => Ok(SecretText::plain(text)),
            Word::Number(number) => Ok(SecretText::plain(&number.to_string())),
            Word::Secret(secret) => Ok(secret.clone()),
        });
        self.program.iter().map(|word| Ok(SecretText::plain(word))).chain(given).collect()
    }

    /// Every text of a call in which a secret may stand.
    fn secrets<'a>(&'a self, args: &'a Args) -> impl Iterator<Item = &'a SecretText> {
        let words = args.args.iter().filter_map(|arg| match arg {
            Arg::Known(Word::Secret(secret)) => Some(secret),
            _ => None,
        });
        let added = args.env.values().chain(&args.stdin).filter_map(Arg::known);
        words.chain(added).chain(self.env.values())
    }

    /// The output of a program; what it wrote becomes a secret where its tool says so.
    fn kept(&self, output: Output, look: &Look, key: Option<&IdempotencyKey>) -> Result<Output, Fault> {
        if !self.secret_output {
            return Ok(output);
        }
        let name = match key {
            Some(key) => format!("{}@{key}", self.name),
            None => format!("{}@plan", self.name),
        };
        let text = output.stdout.as_plain().unwrap_or_default().trim_end_matches(['\r', '\n']);
        let applied = if self.impact == ImpactKind::Look { Applied::No } else { Applied::Yes };
        let stdout = look.secrets().adopt(&name, text).map_err(|fault| fault.on(&self.name).applied(applied))?;
        Ok(Output { stdout, ..output })
    }

    /// The program with all its arguments, for people.
    pub(super) fn shown(&self, args: &Args) -> String {
        let given = args.args.iter().map(ToString::to_string);
        readable(&self.program.iter().cloned().chain(given).collect::<Vec<_>>())
    }

    /// Runs the tool itself, which the configuration declares to be a look.
    async fn look_at(&self, args: &Args, look: &Look, key: Option<&IdempotencyKey>) -> Result<CommandEnd, Fault> {
        let command = self.command(&self.words(args)?, args, look, key).await?;
        let declared = command.declared_read_only(format!("`impact` of tool {}", self.name));
        look.run_declared(&declared).await.map_err(|error| self.refused(error))
    }

    /// Runs the tool's `check`, which by its meaning is a look.
    async fn ask(&self, check: &[String], args: &Args, look: &Look, key: &IdempotencyKey) -> Result<CommandEnd, Fault> {
        let given = self.words(args)?.split_off(self.program.len());
        let word = |word: &String| if word == "{args}" { given.clone() } else { vec![SecretText::plain(word)] };
        let words: Vec<SecretText> = check.iter().flat_map(word).collect();
        let args = Args { time_limit: None, ..args.clone() };
        let command = self.command(&words, &args, look, Some(key)).await?;
        let declared = command.declared_read_only(format!("`check` of tool {}", self.name));
        look.run_declared(&declared).await.map_err(|error| self.refused(error))
    }

    /// What is started, here or (through ssh) over there.
    async fn command(
        &self,
        words: &[SecretText],
        args: &Args,
        look: &Look,
        key: Option<&IdempotencyKey>,
    ) -> Result<CommandLine, Fault> {
        let mut revealed = Vec::with_capacity(words.len());
        for word in words {
            revealed.push(look.reveal(word).await?.to_string());
        }
        let words = revealed;
        let mut added = BTreeMap::new();
        let given = args.env.iter().map(|(name, text)| known(text, self).map(|text| (name, text)));
        for entry in self.env.iter().map(Ok).chain(given) {
            let (name, text) = entry?;
            added.insert(name.clone(), look.reveal(text).await?.to_string());
        }
        added.extend(key.map(|key| (KEY.to_owned(), key.to_string())));
        let input = match &args.stdin {
            Some(text) => look.reveal(known(text, self)?).await?.as_bytes().to_vec().into(),
            None => Zeroizing::default(),
        };
        let program = self.find(look, &words)?;
        let mut environment = look.environment(&INHERITED);
        let (arguments, directory) = if let Some(ssh) = &self.ssh {
            // The client needs its agent; the program over there does not see it.
            environment.extend(look.environment(&["SSH_AUTH_SOCK"]));
            (ssh.arguments(&words, &added, self.directory.as_deref()), PathBuf::from("/"))
        } else {
            environment.extend(added);
            (words[1..].to_vec(), self.directory.clone().unwrap_or_default())
        };
        let (time_limit, output_limit) = (args.time_limit.unwrap_or(self.time_limit).0, self.output_limit);
        Ok(CommandLine { program, arguments, environment, input, directory, time_limit, grace: GRACE, output_limit })
    }

    /// The file that is started on this machine.
    fn find(&self, look: &Look, words: &[String]) -> Result<PathBuf, Fault> {
        let name = self.ssh.as_ref().map_or(&words[0], |ssh| &ssh.program);
        let path = match (&self.ssh, self.env.get("PATH")) {
            (None, Some(path)) => path.as_plain().unwrap_or_default().to_owned(),
            _ => look.environment(&["PATH"]).remove("PATH").unwrap_or_else(|| "/usr/bin:/bin".to_owned()),
        };
        look.find_program(name, &path).ok_or_else(|| {
            let message = if name.contains('/') {
                format!("cannot start {name}: there is no such program")
            } else {
                format!("cannot start {name}: no program of this name is on the PATH ({path})")
            };
            let hint = format!("install it, or name its file in lifeboat.toml (tool {})", self.name);
            self.fault("exec-not-started", message).hint(hint)
        })
    }

    fn refused(&self, error: NotStarted) -> Fault {
        not_started(self, error.message, error.hint)
    }
}

/// What an argument holds; in a live run it is always known.
fn known<'a, T: std::fmt::Display>(arg: &'a Arg<T>, tool: &CommandTool) -> Result<&'a T, Fault> {
    match arg {
        Arg::Known(value) => Ok(value),
        Arg::Unknown(label) => Err(tool.fault("argument", format!("{label} is not known before the run"))),
    }
}

/// Whether a secret stands where a command line on another host would show it.
fn exposed(args: &Args) -> bool {
    let among = |text: &Arg<SecretText>| text.known().is_some_and(|text| text.names().next().is_some());
    args.env.values().any(among) || args.args.iter().any(|arg| matches!(arg, Arg::Known(Word::Secret(_))))
}

/// Words as a person types them into a shell.
fn readable(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@,+%‹›{}".contains(c);
    let word = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else if word.chars().any(char::is_control) {
            format!("{word:?}")
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}
