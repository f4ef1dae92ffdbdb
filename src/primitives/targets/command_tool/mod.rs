//! A program that runbooks may start: `driver = "command"`.

mod allowed;
mod remote;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{ImpactKind, SecretText, Span};
use crate::primitives::FromTarget;

pub use allowed::Allowed;
pub(in crate::primitives) use allowed::matches;
pub use remote::{STARTED, Ssh};

/// A program that runbooks may start.
#[derive(Clone, Debug)]
pub struct CommandTool {
    /// The target's name.
    pub name: String,
    /// The program and its first arguments.
    pub program: Vec<String>,
    /// What it does.
    pub impact: ImpactKind,
    /// The host on which it runs; `None` for this one.
    pub ssh: Option<Ssh>,
    /// Where it starts. On another host `None` is where its users begin.
    pub directory: Option<PathBuf>,
    /// What is added to its environment.
    pub env: BTreeMap<String, SecretText>,
    /// How long it may take.
    pub time_limit: Span,
    /// How many bytes of each output stream are kept.
    pub output_limit: usize,
    /// The exit codes of success.
    pub exit_codes: Vec<u8>,
    /// The exit codes by which it says that it failed and changed nothing.
    pub unchanged_codes: Vec<u8>,
    /// The program that finds out whether a call took place, with its arguments.
    pub check: Option<Vec<String>>,
    /// Whether what it writes is a secret.
    pub secret_output: bool,
    /// Which arguments scripts may give.
    pub allow: Allowed,
}

/// Settings of `driver = "command"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The program and its first arguments: `["pg_ctl", "-D", "data"]`. What a script gives comes after them. No shell reads it.
    program: Vec<String>,
    /// What it does: `look`, `change` or `destroy`. A plan runs what is declared to look: declare only what changes nothing.
    #[serde(default)]
    impact: ToolImpact,
    /// The host on which it runs, as `user@host`, reached with the system's ssh client; this one if not given. The user's shell there
    /// must be a POSIX shell.
    ssh: Option<String>,
    /// The ssh client.
    #[serde(default = "ssh")]
    ssh_program: String,
    /// Where it starts; the project's directory if not given, or the user's own on another host.
    directory: Option<PathBuf>,
    /// What is added to its environment, which holds PATH, HOME, LANG, TZ and `LIFEBOAT_IDEMPOTENCY_KEY`, and nothing else. It may
    /// hold secrets (`{secret:NAME}`), but not on another host, where every user could read them.
    #[serde(default)]
    env: BTreeMap<String, SecretText>,
    /// Whether what it writes to its standard output is a secret: nobody sees it, and the script gets a reference that later calls of the
    /// same run can use.
    #[serde(default)]
    secret_output: bool,
    /// How long it may take. Then it and all that it started get SIGTERM, and five seconds later SIGKILL.
    #[serde(default = "five_minutes")]
    time_limit: Span,
    /// How many bytes of each output stream are kept: half from its beginning, half from its end.
    #[serde(default = "kept")]
    output_limit: usize,
    /// The exit codes of success.
    #[serde(default = "zero")]
    exit_codes: Vec<u8>,
    /// The exit codes by which it says that it failed and changed nothing.
    #[serde(default)]
    unchanged_codes: Vec<u8>,
    /// A program that changes nothing and says whether a call took place, such as `["pg_is_stopped", "{args}"]`: exit code 0 for yes,
    /// 1 for no, any other for unknown. `{args}` stands for the call's arguments. It is asked after a failure or a lost connection.
    check: Option<Vec<String>>,
    /// Which arguments scripts may give; any if not given, but none for a tool that looks. A text is the first argument (more may
    /// follow), a list all of them, and at its end `"..."` for any more. `*` stands for any characters.
    allow: Option<Allowed>,
}

/// What a tool does.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ToolImpact {
    /// It changes nothing.
    Look,
    /// It changes something, in a way that can be undone.
    #[default]
    Change,
    /// It changes something in a way that loses something.
    Destroy,
}

fn ssh() -> String {
    "ssh".to_owned()
}

fn five_minutes() -> Span {
    Span::from_secs(300)
}

fn kept() -> usize {
    64 << 10
}

fn zero() -> Vec<u8> {
    vec![0]
}

/// The largest `output_limit`: what a call returns goes into the journal.
const MOST_KEPT: usize = 4 << 20;
/// The variable that holds the idempotency key of a call.
pub(in crate::primitives) const KEY: &str = crate::model::IdempotencyKey::VARIABLE;

impl FromTarget for CommandTool {
    const DRIVER: &'static str = "command";
    const KIND: TargetKind = TargetKind::Tool;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        if let Some((setting, why, help)) = mistake(&settings) {
            return Err(target.error(setting, format!("`{setting}` of tool `{}` {why}", target.name)).help(help));
        }
        let impact = match settings.impact {
            ToolImpact::Look => ImpactKind::Look,
            ToolImpact::Change => ImpactKind::Change,
            ToolImpact::Destroy => ImpactKind::Destroy,
        };
        let allow = settings.allow.unwrap_or(match settings.impact {
            // A plan runs it, and whoever wrote the runbook would decide what.
            ToolImpact::Look => Allowed::nothing(),
            _ => Allowed::anything(),
        });
        let ssh = settings.ssh.map(|host| Ssh { host, program: here(settings.ssh_program, environment) });
        let local = |mut words: Vec<String>| {
            if ssh.is_none() {
                words[0] = here(std::mem::take(&mut words[0]), environment);
            }
            words
        };
        let (program, check) = (local(settings.program), settings.check.map(local));
        let directory = match (&ssh, settings.directory) {
            (Some(_), directory) => directory,
            (None, directory) => Some(environment.resolve(&directory.unwrap_or_default())),
        };
        Ok(Self {
            name: target.name.clone(),
            program,
            impact,
            ssh,
            directory,
            env: settings.env,
            secret_output: settings.secret_output,
            time_limit: settings.time_limit,
            output_limit: settings.output_limit,
            exit_codes: settings.exit_codes,
            unchanged_codes: settings.unchanged_codes,
            check,
            allow,
        })
    }
}

/// A program of this machine: one that is named by a path starts at the project's directory, like every path of the configuration.
fn here(program: String, environment: &Environment) -> String {
    if program.contains('/') {
        environment.resolve(Path::new(&program)).to_string_lossy().into_owned()
    } else {
        program
    }
}

/// The setting that is wrong, why, and what to do.
fn mistake(settings: &Settings) -> Option<(&'static str, &'static str, &'static str)> {
    let no_program = |words: &[String]| words.first().is_none_or(String::is_empty);
    let holds_nul = |text: &String| text.contains('\0');
    let bad_name = |name: &String| name.is_empty() || name.contains(['=', '\0']);
    let bad_host = |host: &String| host.is_empty() || host.starts_with('-') || host.contains(char::is_whitespace);
    let check = settings.check.as_deref();
    if no_program(&settings.program) {
        return Some(("program", "names no program", "write it as `program = [\"program\", \"argument\"]`"));
    }
    if check.is_some_and(no_program) {
        return Some(("check", "names no program", "write it as `check = [\"program\", \"argument\"]`"));
    }
    if settings.program.iter().chain(check.into_iter().flatten()).any(holds_nul) {
        return Some(("program", "holds a NUL character, which no program takes", "remove it"));
    }
    if settings.env.keys().any(bad_name) {
        return Some(("env", "has a name that is empty or holds `=`", "write it as `env = { NAME = \"text\" }`"));
    }
    if settings.ssh.is_some() && settings.env.values().any(|text| text.names().next().is_some()) {
        return Some((
            "env",
            "holds a secret, which every user of the other host could read",
            "let the runbook give it as `stdin`, or keep it over there",
        ));
    }
    if settings.env.contains_key(KEY) {
        return Some(("env", "sets LIFEBOAT_IDEMPOTENCY_KEY, which every call has of its own", "remove it"));
    }
    if settings.ssh.as_ref().is_some_and(bad_host) {
        return Some((
            "ssh",
            "is no host",
            "write it as `ssh = \"user@host\"`, or as an alias of your ssh configuration",
        ));
    }
    if settings.ssh.is_some() && [Some(&*settings.program), check].into_iter().flatten().any(|w| w[0].contains('=')) {
        return Some(("program", "has a `=` in its name", "start it through a script without one"));
    }
    if settings.time_limit == Span::default() {
        return Some(("time_limit", "is 0: a program needs time", "write it as `time_limit = \"5m\"`"));
    }
    if !(256..=MOST_KEPT).contains(&settings.output_limit) {
        return Some(("output_limit", "must be from 256 to 4194304 bytes", "what is kept goes into the journal"));
    }
    if settings.exit_codes.is_empty() {
        return Some(("exit_codes", "is empty: nothing would be a success", "write it as `exit_codes = [0]`"));
    }
    if settings.unchanged_codes.iter().any(|code| settings.exit_codes.contains(code)) {
        return Some(("unchanged_codes", "has a code of success in it", "an exit code says one or the other"));
    }
    None
}
