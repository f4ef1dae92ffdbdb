//! A session that is taken up again: what is said about what was cut short, and where the runbook that is loaded stands.

use crate::cli::printer::Style;
use crate::runtime::{Cut, Fate, LeftOpen, Retraced, takes_up};

use super::commands::Command;
use super::load::{Loaded, fingerprint};
use super::story::{Line, lines};
use super::{Console, prompt};

impl Console<'_> {
    /// Says what was found.
    pub(super) fn told_again(&self, retraced: &Retraced) {
        let what = if retraced.inputs == 1 { "1 input" } else { &format!("{} inputs", retraced.inputs) };
        self.say_in(Style::Dim, &format!("taken up again: {what}, answered from the record; nothing was done twice"));
        for file in &retraced.edited {
            self.say_in(Style::Caution, &format!("{file} was edited since it began"));
        }
        for (number, why) in &retraced.lost {
            self.say_in(Style::Caution, &format!("[{number}] came to something else than before: {why}"));
        }
        if let Some(cut) = &retraced.cut {
            self.told_cut(cut);
        }
        self.list_owed(&self.session.owed());
    }

    fn told_cut(&self, cut: &Cut) {
        let head = cut.text.lines().next().unwrap_or_default();
        self.say_in(Style::Caution, &format!("[{}] was cut short: {head}", cut.number));
        for (what, fate) in &cut.under_way {
            let (text, style) = match fate {
                Fate::TookPlace(evidence) => {
                    (format!("{what} was under way: it took place ({evidence})"), Style::Caution)
                }
                Fate::DidNot(evidence) => {
                    (format!("{what} was under way: it did NOT take place ({evidence})"), Style::Caution)
                }
                Fate::InDoubt(why) => {
                    (format!("{what} was under way, and nobody knows whether it took place: {why}"), Style::Bad)
                }
                Fate::Unanswered => (format!("it asked `{what}`: that was not answered"), Style::Caution),
                Fate::Answered(answer) => {
                    (format!("it asked `{what}`: {answer}; nothing came of that"), Style::Caution)
                }
                Fate::Waited => (format!("{what} was under way: it was not over"), Style::Caution),
            };
            self.say_in(style, &text);
        }
        let behind = match cut.under_way.as_slice() {
            [] => "nothing of it was under way; what it had not begun was not done",
            all if all.iter().all(|(_, fate)| matches!(fate, Fate::DidNot(_))) => {
                "what stood behind it was not done either; type it again if it is still wanted"
            }
            _ => "what stood behind it was not done; type it again if it is still wanted",
        };
        self.say_in(Style::Dim, behind);
    }

    /// Takes up the runbook that was loaded, at the statement that comes next.
    pub(super) fn take_up_loaded(&mut self, cut: Option<&Cut>) {
        let all = lines(&self.session.events());
        let Some(at) = all.iter().rposition(|line| line.text.starts_with(":load ")) else { return };
        let (typed, known) = match all[at].text.rsplit_once(" # ") {
            Some((typed, known)) => (typed, Some(known)),
            None => (all[at].text.as_str(), None),
        };
        let Ok(Command::Load { file, params }) = Command::parse(typed.trim_start_matches(':')) else { return };
        let behind = &all[at + 1..];
        match self.session.loadable(&file, &params) {
            Ok(text) if known.is_none_or(|known| known == fingerprint(&text)) => {
                let mut loaded = Loaded::of(&file, &text);
                for line in behind {
                    loaded.follow(&line.text, line.went_well());
                }
                self.stands(loaded, cut);
            }
            Ok(_) => self.lost_place(typed, &format!("{file} was edited since it was loaded"), behind),
            Err(error) => self.lost_place(typed, &format!("{file} was loaded: {error}"), behind),
        }
    }

    fn stands(&mut self, loaded: Loaded, cut: Option<&Cut>) {
        let Some(next) = loaded.next() else { return };
        let again = cut.is_some_and(|cut| cut.text.trim() == next.trim());
        let (done, count) = loaded.progress();
        let text = format!("{}: {done} of {count} statements were taken; `:next` carries out the next", loaded.name());
        self.loaded = Some(loaded);
        self.say_in(Style::Bold, &text);
        self.show_next();
        if again {
            let text = "it is the one that was cut short: `:next` does all of it, `:edit` takes a part of it, `:skip WHY` \
                        goes on behind it";
            self.say_in(Style::Caution, text);
        }
    }

    /// Where it stood cannot be told; what was done last can.
    fn lost_place(&self, typed: &str, why: &str, behind: &[Line]) {
        let last = behind.iter().rev().find(|line| line.went_well() && !line.is_command());
        let last = last.map_or_else(
            || "nothing of it was done".to_owned(),
            |line| format!("[{}] was done last: {}", line.number, head(&line.text)),
        );
        let text = format!("{why}; {last}. `{typed}` takes it from its beginning, `:skip WHY` passes a statement by");
        self.say_in(Style::Caution, &text);
    }

    /// Sessions of this environment died and owe something: whoever begins another one is told.
    pub(super) fn told_left_open(&self, left: &[LeftOpen]) {
        let text = match left {
            [] => return,
            [one] => {
                let age = self.session.now().duration_since(one.began);
                let age = prompt::short(std::time::Duration::try_from(age).unwrap_or_default());
                let again = takes_up(crate::model::Mode::Session, &one.id);
                format!("a session of {age} ago died ({}): `{again}` takes it up again", one.owes.sentence())
            }
            more => {
                let count = more.len();
                format!("{count} sessions died and owe something: `lifeboat repl --resume` lists them")
            }
        };
        self.printer.warn(Style::Caution, &text);
    }
}

/// The first line of a statement that is no comment.
pub(super) fn head(statement: &str) -> &str {
    statement.lines().find(|line| !line.trim_start().starts_with("//")).unwrap_or_default()
}
