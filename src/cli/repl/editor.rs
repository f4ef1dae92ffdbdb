//! The line that is being typed: completion, colours, hints, more lines where something is open.

use std::borrow::Cow;

use rustyline::completion::{Candidate, Completer};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::cli::printer::{Printer, Style};
use crate::cli::wrap::columns;
use crate::runtime::LiveSession;
use crate::system::LineHistory;

use super::colour::coloured;
use super::offers::Offers;
use super::words::{Choice, Words};

/// The editor of a session.
pub(super) type Lines = Editor<Typing, MemHistory>;

/// What knows what can be typed.
pub(super) struct Typing {
    printer: Printer,
    words: Words,
    offers: Offers,
    /// How many columns the prompt takes.
    prompt: usize,
}

/// An editor with what was typed before, and what of it may be offered.
pub(super) fn lines(printer: &Printer, words: Words, history: &LineHistory) -> rustyline::Result<Lines> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .completion_prompt_limit(60)
        .history_ignore_dups(true)?
        .max_history_size(5_000)?
        .auto_add_history(false)
        .bracketed_paste(true)
        .tab_stop(4)
        .build();
    let mut lines = {
        let history = MemHistory::with_config(&config);
        Editor::with_history(config, history)?
    };
    let offers = Offers::of(history.offered());
    lines.set_helper(Some(Typing { printer: printer.clone(), words, offers, prompt: 0 }));
    for entry in history.entries() {
        lines.add_history_entry(entry.as_str())?;
    }
    Ok(lines)
}

impl Typing {
    /// From now on these can be typed.
    pub(super) fn knows(&mut self, words: Words) {
        self.words = words;
    }

    /// This was typed, and may be offered or not.
    pub(super) fn typed(&mut self, text: &str, again: bool) {
        self.offers.typed(text, again);
    }

    /// The prompt of the next line takes so many columns.
    pub(super) fn prompted(&mut self, prompt: usize) {
        self.prompt = prompt;
    }

    /// As much of a hint as fits into the row of the cursor, so that the terminal breaks no word of it.
    fn fitting(&self, line: &str, hint: &str) -> Option<String> {
        let width = self.printer.width();
        let before = line.rsplit_once('\n').map_or_else(|| self.prompt + columns(line), |(_, last)| columns(last));
        let room = width - 1 - before % width;
        if columns(hint) <= room {
            return Some(hint.to_owned());
        }
        let shown: String = hint.chars().take(room.checked_sub(1)?).collect();
        let end = shown.rfind([' ', ',', '(']).map_or(0, |at| at + 1);
        Some(format!("{}…", &shown[..end]))
    }
}

/// A candidate in the list, with what it is.
pub(super) struct Offered {
    shown: String,
    text: String,
}

impl Candidate for Offered {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.text
    }
}

impl Offered {
    /// One of several: in columns, so that what each is can be read.
    fn of(choice: Choice, longest: usize, width: usize) -> Self {
        let room = width.saturating_sub(longest + 4);
        let what: String = if choice.what.chars().count() > room {
            choice.what.chars().take(room.saturating_sub(1)).chain(['…']).collect()
        } else {
            choice.what
        };
        let pad = longest.saturating_sub(choice.text.chars().count());
        Self { shown: format!("{}{:pad$}  {what}", choice.text, "").trim_end().to_owned(), text: choice.text }
    }
}

impl Completer for Typing {
    type Candidate = Offered;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Offered>)> {
        let (begins, choices) = self.words.choices(&line[..pos]);
        let longest = choices.iter().map(|choice| choice.text.chars().count()).max().unwrap_or_default();
        let width = self.printer.width();
        // A list of a thousand is read by nobody: names alone, in as many columns as fit.
        let brief = choices.len() > 40;
        let offered = choices.into_iter().map(|choice| {
            if brief {
                Offered { shown: choice.text.clone(), text: choice.text }
            } else {
                Offered::of(choice, longest, width)
            }
        });
        Ok((begins, offered.collect()))
    }
}

/// What is shown behind the cursor.
pub(super) struct Shown {
    text: String,
    /// What the right arrow takes over.
    taken: Option<String>,
}

impl Hint for Shown {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        self.taken.as_deref()
    }
}

impl Hinter for Typing {
    type Hint = Shown;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Shown> {
        if pos < line.len() || line.is_empty() {
            return None;
        }
        let taken = self.offers.behind(line, &self.words.destroying).map(str::to_owned);
        let hint = taken.clone().or_else(|| self.words.hint(line))?;
        Some(Shown { text: self.fitting(line, &hint)?, taken })
    }
}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if line.starts_with([':', '?']) {
            return Cow::Borrowed(line);
        }
        if line.starts_with('#') && !line.starts_with("#{") {
            return self.printer.paint(Style::Dim, line).into();
        }
        let registry = &self.words.registry;
        coloured(line, &self.printer, |name| registry.signature(name).is_some()).into()
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        self.printer.paint(Style::Dim, hint).into()
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        // Moving the cursor changes no colour.
        kind != CmdKind::MoveCursor
    }
}

impl Validator for Typing {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let complete = is_command(text) || !LiveSession::is_incomplete(text);
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Helper for Typing {}

/// Whether it is for the session rather than for the language.
pub(super) fn is_command(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with([':', '?']) || (text.starts_with('#') && !text.starts_with("#{"))
}
