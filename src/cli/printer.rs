//! The printer: results on standard output, everything else on standard error. Nothing else writes to either.

use std::borrow::Cow;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use clap::ValueEnum;
use indicatif::{MultiProgress, ProgressDrawTarget};

use crate::system::Redactor;

use super::wrap::wrap;
use super::{diagnostics, drawn};

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Bold,
    Dim,
    Good,
    Caution,
    Bad,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Caution => "33",
            Style::Bad => "1;31",
        }
    }
}

/// Owns the streams.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each stream may be a terminal, and may have colours")]
pub(crate) struct Printer {
    /// Whether results are JSON.
    pub(crate) json: bool,
    out_color: bool,
    err_color: bool,
    err_terminal: bool,
    /// Progress bars are drawn through it, so that messages do not tear them.
    pub(crate) bars: Arc<MultiProgress>,
    width: usize,
    lost: Arc<AtomicBool>,
    /// The project's directory, which is left out of paths.
    root: Arc<OnceLock<String>>,
    /// What takes secrets out of everything that is printed.
    redactor: Arc<OnceLock<Arc<Redactor>>>,
    /// Where results are kept that go into a file.
    kept: Option<Arc<Mutex<String>>>,
    /// Whether only text is kept, and JSON is printed all the same.
    only_text: bool,
}

impl Printer {
    pub(crate) fn new(color: Color, json: bool) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "NO_COLOR is a convention of terminals, and this is the terminal"
        )]
        let unwanted =
            std::env::var("NO_COLOR").is_ok_and(|v| !v.is_empty()) || std::env::var("TERM").is_ok_and(|t| t == "dumb");
        let on = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !unwanted,
        };
        let seen = !json && stderr().is_terminal();
        let target = if seen { drawn::target() } else { ProgressDrawTarget::hidden() };
        Self {
            json,
            out_color: on(stdout().is_terminal()),
            err_color: on(stderr().is_terminal()),
            err_terminal: stderr().is_terminal(),
            bars: Arc::new(MultiProgress::with_draw_target(target)),
            width: if stdout().is_terminal() { usize::from(console_width()).clamp(40, 100) } else { 80 },
            root: Arc::default(),
            redactor: Arc::default(),
            lost: Arc::default(),
            kept: None,
            only_text: false,
        }
    }

    /// A printer that keeps results, for a file: without colours, in 80 columns.
    pub(crate) fn keeping(&self) -> Self {
        Self { kept: Some(Arc::default()), only_text: false, out_color: false, width: 80, ..self.clone() }
    }

    /// A printer that keeps text, for whoever makes JSON of it, and prints JSON at once.
    pub(crate) fn keeping_text(&self) -> Self {
        Self { only_text: true, ..self.keeping() }
    }

    /// What it has kept so far, which it forgets.
    pub(crate) fn take_kept(&self) -> String {
        let kept =
            self.kept.as_ref().map(|kept| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner)));
        kept.unwrap_or_default()
    }

    /// What it has kept.
    pub(crate) fn kept(&self) -> String {
        self.kept.as_ref().map_or_else(String::new, |kept| kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// From now on, paths below `root` are shown from there.
    pub(crate) fn shorten(&self, root: &std::path::Path) {
        let _ = self.root.set(format!("{}/", root.display()));
    }

    /// From now on, what `redactor` knows is never printed. What is printed should hold no secret in the first place: this is for
    /// what nobody thought of.
    pub(crate) fn conceal(&self, redactor: &Arc<Redactor>) {
        let _ = self.redactor.set(redactor.clone());
    }

    fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redactor.get().map_or(Cow::Borrowed(text), |redactor| redactor.clean(text))
    }

    /// Text with the paths of the project as people know them.
    pub(crate) fn short(&self, text: &str) -> String {
        self.root.get().filter(|root| root.len() > 1).map_or_else(|| text.to_owned(), |root| text.replace(root, ""))
    }

    /// A text as it may be printed: for whoever makes something else of it before it is.
    pub(crate) fn told(&self, text: &str) -> String {
        self.short(&self.clean(text))
    }

    /// Whether a part of the result could not be written.
    pub(crate) fn lost_output(&self) -> bool {
        let flushed = stdout().lock().flush();
        self.lost.load(Ordering::Relaxed) || flushed.is_err_and(|e| e.kind() != std::io::ErrorKind::BrokenPipe)
    }

    /// A line of a result.
    pub(crate) fn out(&self, line: &str) {
        let line = self.clean(line);
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_str(&line);
            kept.push('\n');
            return;
        }
        self.write(&line);
    }

    fn write(&self, line: &str) {
        let written = self.bars.suspend(|| writeln!(stdout().lock(), "{line}"));
        // A reader that has gone away is not our mistake; a disk that is full is.
        if written.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe) {
            self.lost.store(true, Ordering::Relaxed);
        }
    }

    /// A result for machines, on one line.
    pub(crate) fn out_json(&self, value: &impl serde::Serialize) {
        match serde_json::to_string(value) {
            Ok(text) if self.only_text => self.write(&self.clean(&text)),
            Ok(text) => self.out(&text),
            Err(_) => {}
        }
    }

    /// A line about how it goes.
    pub(crate) fn err(&self, line: &str) {
        let line = self.short(&self.clean(line));
        self.bars.suspend(|| {
            let _ = writeln!(stderr().lock(), "{line}");
        });
    }

    /// Says something where errors are said, in lines that fit.
    pub(crate) fn warn(&self, style: Style, text: &str) {
        for line in wrap(text, self.width()) {
            self.err(&self.paint_err(style, &line));
        }
    }

    /// Draws a line over the one that was drawn before; nothing takes it away.
    pub(crate) fn draw(&self, line: &str) {
        let line = self.clean(line);
        let _ = write!(stderr().lock(), "\r\x1b[2K{line}");
        let _ = stderr().flush();
    }

    /// An error with all that is known about it.
    pub(crate) fn error(&self, error: &dyn miette::Diagnostic) {
        self.err(diagnostics::render(error, self.err_color).trim_end());
    }

    /// Text for standard output in a style.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        paint(self.out_color, style, text)
    }

    /// Text for standard error in a style.
    pub(crate) fn paint_err(&self, style: Style, text: &str) -> String {
        paint(self.err_color, style, text)
    }

    /// Whether a person can watch what is drawn on standard error.
    pub(crate) fn watched(&self) -> bool {
        !self.json && self.err_terminal
    }

    /// Whether a person can answer: both ends of the terminal are there.
    pub(crate) fn interactive(&self) -> bool {
        !self.json && std::io::stdin().is_terminal() && self.err_terminal
    }

    /// Asks the person at the terminal for a line; `None` where there is none, or they close it.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        if !self.interactive() {
            return None;
        }
        let _ = write!(stderr(), "{question}");
        let _ = stderr().flush();
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        read.is_ok_and(|count| count > 0).then(|| line.trim().to_owned())
    }

    /// The width of standard output in columns: that of the terminal, at most 100; 80 where there is none.
    pub(crate) fn width(&self) -> usize {
        self.width
    }
}

/// 0 columns is what a terminal says that does not know.
fn console_width() -> u16 {
    rustix::termios::tcgetwinsize(stdout()).map_or(80, |size| if size.ws_col == 0 { 80 } else { size.ws_col })
}

fn paint(color: bool, style: Style, text: &str) -> String {
    if color { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.to_owned() }
}
