//! One program from its start to its end.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::kept::Kept;
use super::lines::Lines;
use super::{CommandEnd, CommandLine, Ended, NotStarted, OnLine};
use crate::system::Look;
use crate::system::secrets::{Redacting, Redactor};

/// How long a program that got SIGKILL is waited for: one that the kernel itself holds up does not end.
const KILLED: Duration = Duration::from_secs(5);
/// How long output is still read after the end of a program: what it left running may keep the pipe open for ever.
const DRAIN: Duration = Duration::from_secs(1);

/// Who hears what comes out of a program, and how it is kept company.
pub(super) struct Streams {
    pub(super) on_stdout: OnLine,
    pub(super) on_stderr: OnLine,
    pub(super) redactor: Arc<Redactor>,
    /// Whether its input stays open, and nothing comes.
    pub(super) held: bool,
    /// Whether what it started ends with it.
    pub(super) alone: bool,
}

impl Streams {
    /// All lines that come out are heard.
    pub(super) fn heard(on_line: OnLine, redactor: &Arc<Redactor>) -> Self {
        let (on_stdout, redactor) = (on_line.clone(), redactor.clone());
        Self { on_stdout, on_stderr: on_line, redactor, held: false, alone: false }
    }
}

pub(super) async fn run(command: CommandLine, look: Look, streams: Streams) -> Result<CommandEnd, NotStarted> {
    // Dropped with this future: then nobody waits for the program any more.
    let (_waiting, abandoned) = oneshot::channel::<()>();
    // A task of its own: a program whose caller is gone is still ended in good order.
    let work = tokio::spawn(carry_out(command, look, streams, abandoned));
    work.await.unwrap_or_else(|_| {
        // The runtime is being shut down. How far the program came is not known.
        let nothing = Kept::new(0);
        Ok(CommandEnd {
            ended: Ended::Interrupted,
            stdout: nothing.clone(),
            stderr: nothing,
            took: Duration::default(),
        })
    })
}

async fn carry_out(
    command: CommandLine,
    look: Look,
    streams: Streams,
    abandoned: oneshot::Receiver<()>,
) -> Result<CommandEnd, NotStarted> {
    let began = look.monotonic();
    let (mut child, group) = start(&command, streams.held)?;
    let held = child.stdin.take_if(|_| streams.held);
    if let Some(mut pipe) = child.stdin.take() {
        let input = command.input.clone();
        // A program may end, or answer, before it has read all of it.
        tokio::spawn(async move { pipe.write_all(&input).await });
    }
    let (limit, redacting) = (command.output_limit, || Redacting::new(streams.redactor.clone()));
    let stdout = Reader::start(child.stdout.take(), limit, streams.on_stdout, redacting());
    let stderr = Reader::start(child.stderr.take(), limit, streams.on_stderr, redacting());
    let stop = async {
        tokio::select! {
            () = sleep(command.time_limit) => Ended::TimedOut,
            () = look.cancel().wait() => Ended::Interrupted,
            _ = abandoned => Ended::Interrupted,
        }
    };
    let ended = tokio::select! {
        biased;
        status = child.wait() => ended(status.ok()),
        why = stop => {
            group.end(&mut child, command.grace).await;
            why
        }
    };
    drop(held);
    if streams.alone {
        group.signal(Signal::KILL);
    }
    group.forget();
    let until = Instant::now() + DRAIN;
    let (stdout, stderr) = (stdout.finish(until).await, stderr.finish(until).await);
    let took = look.monotonic().saturating_sub(began);
    Ok(CommandEnd { ended, stdout, stderr, took })
}

/// `child.wait` fails only for a child that somebody else has waited for: how it ended is not known then.
fn ended(status: Option<ExitStatus>) -> Ended {
    match status {
        Some(status) => status.code().map_or(Ended::Killed(status.signal().unwrap_or(0)), Ended::Exited),
        None => Ended::Killed(0),
    }
}

fn start(command: &CommandLine, held: bool) -> Result<(Child, Group), NotStarted> {
    let failed = |message: String, hint| NotStarted { message, hint };
    let (program, directory) = (command.program.display(), &command.directory);
    if !directory.is_dir() {
        let message = format!("cannot start {program}: there is no directory {}", directory.display());
        return Err(failed(message, "make it, or set `directory` to one that exists"));
    }
    let child = Command::new(&command.program)
        .args(&command.arguments)
        .env_clear()
        .envs(&command.environment)
        .current_dir(directory)
        .stdin(if command.input.is_empty() && !held { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| {
            let text = error.to_string().to_lowercase();
            let text = text.split(" (os error").next().unwrap_or_default();
            let hint = match error.raw_os_error() {
                Some(8) => "if it is a script, begin it with `#!` and the program that reads it",
                _ => "see whether the file is there and may be executed",
            };
            failed(format!("cannot start {program}: {text}"), hint)
        })?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    Ok((child, Group(Mutex::new(group))))
}

/// The process group of a program. What is left of it is killed when this is dropped before the program's end.
struct Group(Mutex<Option<Pid>>);

impl Group {
    fn id(&self) -> Option<Pid> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The program has ended: what it left running on purpose stays.
    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.id() {
            // It fails when nobody is left in the group.
            let _ = kill_process_group(group, signal);
        }
    }

    fn is_alive(&self) -> bool {
        self.id().is_some_and(|group| test_kill_process_group(group).is_ok())
    }

    /// Asks the whole group to end, and makes it after a while. A group keeps its number from being used again while anybody is
    /// left in it.
    async fn end(&self, child: &mut Child, grace: Duration) {
        const PAUSE: Duration = Duration::from_millis(20);
        self.signal(Signal::TERM);
        let until = Instant::now() + grace;
        let gone = timeout_at(until, child.wait()).await.is_ok();
        while gone && self.is_alive() && Instant::now() < until {
            sleep(PAUSE).await;
        }
        if self.is_alive() {
            self.signal(Signal::KILL);
        }
        if !gone {
            let _ = timeout(KILLED, child.wait()).await;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Reads one output stream.
struct Reader {
    kept: Arc<Mutex<Kept>>,
    work: JoinHandle<()>,
}

impl Reader {
    fn start(
        stream: Option<impl AsyncRead + Unpin + Send + 'static>,
        limit: usize,
        on_line: OnLine,
        mut redacting: Redacting,
    ) -> Self {
        let kept = Arc::new(Mutex::new(Kept::new(limit)));
        let into = kept.clone();
        let work = tokio::spawn(async move {
            let Some(mut stream) = stream else { return };
            let (mut chunk, mut lines) = (vec![0; 16 << 10], Lines::default());
            // Secrets are taken out before anything is cut, kept or shown.
            let take = |clean: &[u8], lines: &mut Lines| {
                into.lock().unwrap_or_else(PoisonError::into_inner).push(clean);
                lines.push(clean, &*on_line);
            };
            while let Ok(read @ 1..) = stream.read(&mut chunk).await {
                take(&redacting.push(&chunk[..read]), &mut lines);
            }
            take(&redacting.finish(), &mut lines);
            lines.finish(&*on_line);
        });
        Self { kept, work }
    }

    /// What was read until the stream's end, or until then.
    async fn finish(mut self, until: Instant) -> Kept {
        if timeout_at(until, &mut self.work).await.is_err() {
            self.work.abort();
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.work.abort();
    }
}
