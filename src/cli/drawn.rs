//! Where progress is drawn: on a terminal that may go away while something goes on.
//!
//! The library that draws takes an error of the terminal for a mistake of its own and ends the process, in the middle of a run. What nobody
//! can see any more is simply not seen.

use std::io::{self, Write as _, stderr};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressDrawTarget, TermLike};

/// How often it is drawn in a second, at most.
const RATE: u8 = 20;

/// Standard error, as far as it is there. What is drawn together is written together.
#[derive(Debug, Default)]
struct Drawn(Mutex<String>);

/// A target on standard error, where somebody can see it.
pub(super) fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(Drawn::default()), RATE)
}

impl Drawn {
    fn put(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    fn moved(&self, n: usize, direction: char) {
        if n > 0 {
            self.put(&format!("\x1b[{n}{direction}"));
        }
    }

    fn size() -> (u16, u16) {
        let size = rustix::termios::tcgetwinsize(stderr()).ok().filter(|size| size.ws_col > 0);
        size.map_or((80, 24), |size| (size.ws_col, size.ws_row))
    }
}

impl TermLike for Drawn {
    /// With room for the `^C` that a terminal writes behind what is drawn: at the edge it would begin another line, and what is drawn
    /// would stay where it is.
    fn width(&self) -> u16 {
        Self::size().0.saturating_sub(3).max(1)
    }

    fn height(&self) -> u16 {
        Self::size().1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.moved(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(&format!("{text}\n"));
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let text = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut stderr = stderr().lock();
        let _ = stderr.write_all(text.as_bytes());
        let _ = stderr.flush();
        Ok(())
    }
}
