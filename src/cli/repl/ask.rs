//! Questions in a session, on the terminal that the line editor has between them.

use std::future::Future;
use std::io::BufRead as _;
use std::pin::Pin;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cli::people::meant;
use crate::cli::printer::{Printer, Style};
use crate::cli::wrap::wrap;
use crate::runtime::looks_secret;
use crate::system::{Answer, Answers, Asked, Interrupted, whoami};

/// How often it is looked whether something was typed. A question that was interrupted leaves nobody behind who reads.
const LOOK: Duration = Duration::from_millis(40);

/// Whoever sits at the terminal.
pub(super) struct AtTerminal(pub(super) Printer);

impl AtTerminal {
    async fn line(&self) -> Option<String> {
        loop {
            let ready = tokio::task::spawn_blocking(|| {
                let stdin = std::io::stdin();
                let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
                let none = Timespec { tv_sec: 0, tv_nsec: 0 };
                poll(&mut waiting, Some(&none)).is_ok_and(|count| count > 0)
            });
            if ready.await.unwrap_or(true) {
                let mut line = String::new();
                let read = std::io::stdin().lock().read_line(&mut line);
                return matches!(read, Ok(n) if n > 0).then_some(line);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Answers for AtTerminal {
    fn ask<'a>(&'a self, asked: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        Box::pin(async move {
            if !self.0.interactive() {
                return Ok(Answer::Nobody);
            }
            let choices =
                if asked.choices.is_empty() { String::new() } else { format!(" [{}]", asked.choices.join("/")) };
            // What was typed before the question was asked is no answer to it.
            let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
            loop {
                // Choices stand together: where they would be torn apart, in a line of their own.
                let mut lines = wrap(&format!("{}{choices}", asked.question), self.0.width());
                if !lines.iter().any(|line| line.ends_with(choices.trim_start())) {
                    lines = wrap(&asked.question, self.0.width());
                    lines.push(choices.trim_start().to_owned());
                }
                for line in lines {
                    self.0.err(&self.0.paint_err(Style::Caution, &line));
                }
                let Some(line) = self.line().await else { return Ok(Answer::Nobody) };
                if let Some(what) = looks_secret(&line) {
                    let text = format!("that is {what}: it was not taken for an answer, and kept nowhere");
                    for line in wrap(&text, self.0.width()) {
                        self.0.err(&line);
                    }
                    continue;
                }
                match meant(asked, line.trim()) {
                    Some(text) => return Ok(Answer::Said { text, by: whoami() }),
                    None => self.0.err(&format!("answer with one of: {}", asked.choices.join(", "))),
                }
            }
        })
    }
}
