//! Output as it comes, cut into lines for a person to read.

/// A line longer than this is shown in parts.
const LONGEST: usize = 4096;

/// What was read of the current line.
#[derive(Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8], show: &dyn Fn(&str)) {
        for byte in bytes {
            if *byte == b'\n' || self.pending.len() == LONGEST {
                self.finish(show);
            }
            if *byte != b'\n' {
                self.pending.push(*byte);
            }
        }
    }

    /// Shows what stands on the current line.
    pub(super) fn finish(&mut self, show: &dyn Fn(&str)) {
        let line = plain(&String::from_utf8_lossy(&self.pending));
        self.pending.clear();
        if !line.trim().is_empty() {
            show(&line);
        }
    }
}

/// Without escape sequences and control characters: what a program prints may not paint over what we said. Of a line that a
/// program wrote over itself (a progress bar), the last state.
fn plain(line: &str) -> String {
    let line = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let (mut plain, mut chars) = (String::with_capacity(line.len()), line.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                // A control sequence ends with its first character from `@` to `~`.
                chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
            '\t' => plain.push(' '),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn shown(chunks: &[&str]) -> Vec<String> {
        let seen = RefCell::new(Vec::new());
        let show = |line: &str| seen.borrow_mut().push(line.to_owned());
        let mut lines = Lines::default();
        for chunk in chunks {
            lines.push(chunk.as_bytes(), &show);
        }
        lines.finish(&show);
        seen.into_inner()
    }

    #[test]
    fn lines_are_put_together_and_empty_ones_left_out() {
        assert_eq!(shown(&["on", "e\ntwo\r\n\n", "thr\u{e9}e"]), ["one", "two", "thr\u{e9}e"]);
        assert_eq!(shown(&[&"x".repeat(LONGEST + 5)]).iter().map(String::len).collect::<Vec<_>>(), [LONGEST, 5]);
    }

    #[test]
    fn nothing_reaches_the_terminal_that_would_move_its_cursor() {
        assert_eq!(shown(&["\u{1b}[31mred\u{1b}[0m\u{7}\n", "10%\r50%\r100%\n"]), ["red", "100%"]);
        assert_eq!(shown(&["\u{1b}]0;title\u{7}a\u{9b}b\u{1b}["]), ["]0;titleab"]);
    }
}
