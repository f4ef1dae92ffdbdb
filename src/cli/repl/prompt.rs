//! The prompt: where one is, whether changes take place, for how long the incident goes on, what is owed. In words, whatever the
//! colours.

use std::time::Duration;

use crate::cli::printer::{Printer, Style};
use crate::runtime::LiveSession;

/// The prompt without colours, and with them.
pub(super) fn prompt(session: &LiveSession, printer: &Printer) -> (String, String) {
    let number = format!("[{}] ", session.next_number());
    let environment = session.environment();
    let armed = session.armed();
    let state = match armed {
        Some(left) => format!("ARMED {}", short(left)),
        None => "dry".to_owned(),
    };
    let style = if armed.is_some() { Style::Bad } else { Style::Good };
    let mut facts = String::new();
    if session.incident().is_some() {
        facts = format!(" +{}", short(session.age()));
    }
    let owed = session.script().owed().len();
    if owed > 0 {
        facts = format!("{facts} owes {owed}");
    }
    let name = &environment.name;
    let plain = format!("{number}{name} {state}{facts}> ");
    let named = if environment.protected { printer.paint(Style::Caution, name) } else { name.clone() };
    let number = printer.paint(Style::Dim, &number);
    let (state, facts) = (printer.paint(style, &state), printer.paint(Style::Caution, &facts));
    (plain, format!("{number}{named} {state}{facts}> "))
}

/// A time as short as it can be read: `42s`, `14m`, `2h05m`.
pub(super) fn short(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown = [0, 59, 60, 899, 3600, 7500].map(|seconds| short(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "59s", "1m", "14m", "1h00m", "2h05m"]);
    }
}
