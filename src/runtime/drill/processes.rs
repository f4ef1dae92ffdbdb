//! The processes that a drill needs: started in order, each once the one before it is ready; stopped in reverse.

use std::path::Path;
use std::time::Duration;

use crate::config::{Environment, ProcessSpec, TargetKind};
use crate::system::{ChildProcess, Look};
use crate::worlds::Cast;

use super::super::{Error, Lifeboat};
use super::log_file;
use super::watch::Probing;

/// How long a process may take until its target passes.
const READY: Duration = Duration::from_secs(30);

/// What was started. Dropping it stops everything, newest first.
pub(super) struct Started(Vec<ChildProcess>);

impl Drop for Started {
    fn drop(&mut self) {
        while let Some(mut newest) = self.0.pop() {
            newest.stop();
        }
    }
}

pub(super) fn start(lifeboat: &Lifeboat, environment: &Environment, cast: &Cast) -> Result<Started, Error> {
    let look = lifeboat.look_in(environment);
    for spec in &environment.processes {
        // A database that is there already is only what the last drill left; a service that answers belongs to somebody.
        let is_service = |name: &str| environment.targets.get(name).is_some_and(|t| t.kind == TargetKind::Service);
        if let Some(target) = spec.ready.as_ref().filter(|name| is_service(name))
            && probing(lifeboat, cast, target)?.passes(&look)
        {
            let why = format!("`{target}` answers already, before the drill has started `{}`", spec.name);
            let help = "something else runs there: stop it, so that the drill does not break it".to_owned();
            return Err(Error::Processes { why, help: Some(help) });
        }
    }
    let mut started = Started(Vec::new());
    for spec in &environment.processes {
        let log = log_file(&lifeboat.state_directory(), &spec.name);
        let command = command(lifeboat, spec)?;
        let child =
            ChildProcess::start(&spec.name, &command, &environment.root, &log).map_err(|error| Error::Processes {
                why: format!("the drill's process `{}` cannot be started: {error}", spec.name),
                help: Some(format!("its command is: {}", command.join(" "))),
            })?;
        started.0.push(child);
        if let Some(target) = &spec.ready {
            let probing = probing(lifeboat, cast, target)?;
            let child = started.0.last_mut().ok_or_else(|| Error::Internal { why: "no process".into() })?;
            await_ready(&probing, &look, child, &log)?;
        }
    }
    Ok(started)
}

fn probing(lifeboat: &Lifeboat, cast: &Cast, target: &str) -> Result<Probing, Error> {
    Probing::new(cast, target, lifeboat.tokio.handle())
}

fn command(lifeboat: &Lifeboat, spec: &ProcessSpec) -> Result<Vec<String>, Error> {
    let program = lifeboat.program.as_ref().map(|p| p.to_string_lossy().into_owned());
    let part = |part: &String| match (part.as_str(), &program) {
        ("{lifeboat}", Some(program)) => Ok(program.clone()),
        ("{lifeboat}", None) => Err(Error::Processes {
            why: format!(
                "the process `{}` needs {{lifeboat}}, and the host did not say which program that is",
                spec.name
            ),
            help: Some("set it with Builder::program".to_owned()),
        }),
        (other, _) => Ok(other.to_owned()),
    };
    spec.command.iter().map(part).collect()
}

fn await_ready(probing: &Probing, look: &Look, child: &mut ChildProcess, log: &Path) -> Result<(), Error> {
    let name = child.name().to_owned();
    let failed = |what: &str| {
        let tail = look.read_text(log).unwrap_or_default();
        let tail = tail.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
        Error::Processes {
            why: format!("the drill's process `{name}` {what}"),
            help: Some(format!("it printed:\n{tail}")),
        }
    };
    let until = look.monotonic() + READY;
    loop {
        if probing.passes(look) {
            return Ok(());
        }
        if child.has_ended() {
            return Err(failed("ended before it was ready"));
        }
        if look.monotonic() > until || look.cancel().requested().is_some() {
            return Err(failed("did not get ready"));
        }
        probing.pause(look, Duration::from_millis(20));
    }
}
