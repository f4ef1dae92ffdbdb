//! One request to a driver's program: started, written to, read from, and judged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::config::DriverSpec;
use crate::model::{Applied, Fault, IdempotencyKey};
use crate::system::{Act, CommandEnd, CommandLine, Ended, Look, NotStarted, OnLine, hex};

use super::answer::one_line;
use super::protocol::{DriverFault, Kind, Reply, Request, VERSION};

/// How long a driver has after SIGTERM.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
/// How many bytes an answer may have, and how many of its standard error are kept.
const OUTPUT_LIMIT: usize = 4 << 20;
/// What a driver finds in its environment beside what the configuration passes on and adds.
const INHERITED: [&str; 3] = ["PATH", "LANG", "TZ"];
/// How many characters of a driver's standard error a fault repeats.
const REPEATED: usize = 400;

/// What a driver answered: the content of `ok`, or its fault.
pub(super) type Answered = Result<Json, DriverFault>;

/// The command that starts the driver `spec` in `directory`, for a look. The error says why it cannot be started.
pub(crate) fn command(spec: &DriverSpec, look: &Look, directory: &Path, input: Vec<u8>) -> Result<CommandLine, Fault> {
    let program = find(spec, look)?;
    if let Some(expected) = &spec.sha256 {
        let found = look.read(&program).map(|bytes| hex(&bytes)).map_err(|error| {
            not_started(spec, &format!("{} cannot be read: {error}", program.display()), "see that it may be read")
        })?;
        if found != *expected {
            let message =
                format!("{} is not the file that lifeboat.toml declares: its SHA-256 is {found}", program.display());
            return Err(not_started(spec, &message, "find out who changed it; set `sha256` if that was meant"));
        }
    }
    let pass: Vec<&str> = INHERITED.into_iter().chain(spec.pass.iter().map(String::as_str)).collect();
    let mut environment = look.environment(&pass);
    environment.extend(spec.env.clone());
    Ok(CommandLine {
        program,
        arguments: spec.program[1..].to_vec(),
        environment,
        input: Zeroizing::new(input),
        directory: directory.to_path_buf(),
        time_limit: spec.look_time_limit.0,
        grace: GRACE,
        output_limit: OUTPUT_LIMIT,
    })
}

/// The driver's file. One that is named without a `/` is looked for on the PATH: the configuration says so.
pub(super) fn find(spec: &DriverSpec, look: &Look) -> Result<PathBuf, Fault> {
    let name = spec.program.first().map(String::as_str).unwrap_or_default();
    let path = spec.env.get("PATH").cloned().or_else(|| look.environment(&["PATH"]).remove("PATH")).unwrap_or_default();
    let named = if name.contains('/') { spec.root.join(name).to_string_lossy().into_owned() } else { name.to_owned() };
    look.find_program(&named, &path).ok_or_else(|| {
        let there = name.contains('/') && look.exists(&spec.root.join(name));
        let why = if there { "it may not be executed" } else { "there is no such program" };
        let hint = if there { "make it executable: chmod +x" } else { "see `program` in lifeboat.toml" };
        not_started(spec, &format!("cannot start {name}: {why}"), hint)
    })
}

/// Asks something that changes nothing.
pub(super) async fn look(spec: &DriverSpec, request: &Request, look: &Look) -> Result<Answered, Fault> {
    let directory = look.empty_directory().map_err(|error| no_directory(spec, &error))?;
    let command = command(spec, look, directory.path(), input(request))?;
    let declared = command.declared_read_only(format!("`[drivers.{}]`", spec.name));
    let end = look.exchange_declared(&declared).await.map_err(|error| refused(spec, &error))?;
    read(&spec.name, request, &end).map_err(|fault| fault.applied(Applied::No))
}

/// Has it change something.
pub(super) async fn act(spec: &DriverSpec, request: &Request, act: &Act, heard: OnLine) -> Result<Answered, Fault> {
    let directory = act.empty_directory().map_err(|error| no_directory(spec, &error))?;
    let mut command = command(spec, act, directory.path(), input(request))?;
    command.time_limit = spec.time_limit.0;
    if let Some(key) = &request.idempotency_key {
        command.environment.insert(IdempotencyKey::VARIABLE.to_owned(), key.clone());
    }
    let end = act.exchange(&command, heard).await.map_err(|error| refused(spec, &error))?;
    read(&spec.name, request, &end)
}

fn input(request: &Request) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(request).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// What the end of a program means that was asked `request`. A fault of its own says that nobody knows what it did.
pub(crate) fn read(name: &str, request: &Request, end: &CommandEnd) -> Result<Result<Json, DriverFault>, Fault> {
    let reply = reply(request, end);
    match (end.ended, reply) {
        // One that was told to stop and still says how far it came is believed.
        (Ended::Exited(0) | Ended::TimedOut | Ended::Interrupted, Ok(answered)) => Ok(answered),
        (Ended::Exited(0), Err(why)) => Err(failed(name, request, &why, end)),
        (Ended::Exited(code), _) => Err(failed(name, request, &format!("ended with exit code {code}"), end)),
        (Ended::Killed(signal), _) => Err(failed(name, request, &format!("was ended by signal {signal}"), end)),
        (Ended::TimedOut, Err(_)) => {
            let limit = if request.request == Kind::Perform { "time_limit" } else { "look_time_limit" };
            let message = format!(
                "driver {name} did not answer `{}` within {}, and was ended{}",
                request.request.name(),
                crate::model::Span::from_millis(request.time_limit_ms),
                said(end)
            );
            let hint = format!("raise `{limit}` of [drivers.{name}] if it only needs longer");
            Err(Fault::new("driver-timeout", message).hint(hint).applied(Applied::Unknown))
        }
        (Ended::Interrupted, Err(_)) => {
            let message = format!("driver {name} was ended because the run was asked to stop");
            Err(Fault::new("interrupted", message).applied(Applied::Unknown))
        }
    }
}

/// The reply, or what is wrong with it.
fn reply(request: &Request, end: &CommandEnd) -> Result<Answered, String> {
    let Some(bytes) = end.stdout.whole() else {
        return Err(format!("wrote more than {} MiB", OUTPUT_LIMIT >> 20));
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("wrote no reply".to_owned());
    }
    let json: Json =
        serde_json::from_slice(&bytes).map_err(|error| format!("wrote something that is no JSON: {error}"))?;
    // The version decides what all the rest means.
    match json.get("protocol").and_then(Json::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            return Err(format!("speaks version {version} of the protocol; this Lifeboat speaks {VERSION}"));
        }
        None => return Err("wrote a reply without `protocol`".to_owned()),
    }
    let reply: Reply =
        serde_path_to_error::deserialize(json).map_err(|error| format!("wrote a reply that is none: {error}"))?;
    if reply.id != request.id {
        return Err(format!("answered request `{}`, not `{}`", one_line(&reply.id), request.id));
    }
    match (reply.ok, reply.fault) {
        (Some(ok), None) => Ok(Ok(ok)),
        (None, Some(fault)) => Ok(Err(fault)),
        _ => Err("wrote a reply that has not just one of `ok` and `fault`".to_owned()),
    }
}

/// A driver that does not keep to the protocol.
pub(super) fn failed(name: &str, request: &Request, why: &str, end: &CommandEnd) -> Fault {
    broken(name, request, &format!("{why}{}", said(end)))
}

/// The same, where its end says nothing more.
pub(super) fn broken(name: &str, request: &Request, why: &str) -> Fault {
    let message = format!("driver {name} {why} (asked to `{}`)", request.request.name());
    let hint = format!("a fault of the driver: try it with `lifeboat doctor --driver {name}`");
    Fault::new("driver-failed", message).hint(hint).applied(Applied::Unknown)
}

/// The last that it wrote to its standard error.
fn said(end: &CommandEnd) -> String {
    let text = end.stderr.text();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = one_line(&lines[lines.len().saturating_sub(3)..].join("; "));
    let excess = last.chars().count().saturating_sub(REPEATED);
    let last: String = last.chars().skip(excess).collect();
    if last.is_empty() { last } else { format!(": {last}") }
}

fn not_started(spec: &DriverSpec, message: &str, hint: &str) -> Fault {
    Fault::new("driver-not-started", format!("driver {}: {message}", spec.name)).hint(hint)
}

fn refused(spec: &DriverSpec, error: &NotStarted) -> Fault {
    not_started(spec, &error.message, error.hint)
}

fn no_directory(spec: &DriverSpec, error: &std::io::Error) -> Fault {
    let message = format!("no empty directory for it could be made: {error}");
    not_started(spec, &message, "see that the system's directory for temporary files may be written")
}
