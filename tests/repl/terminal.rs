//! A real terminal, of so many columns and rows, in which the program runs: tmux draws it, and says what stands on it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// A terminal. It is gone with the value.
pub(crate) struct Terminal {
    socket: String,
}

impl Terminal {
    /// A terminal of 80 columns and 24 rows, in which `lifeboat ARGUMENTS` has been started.
    pub(crate) fn open(directory: &Path, arguments: &str) -> Self {
        Self::of_size(directory, arguments, (80, 24), "xterm-256color")
    }

    /// The same of another size, and of another kind.
    pub(crate) fn of_size(directory: &Path, arguments: &str, (columns, rows): (u16, u16), kind: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let socket = format!("lifeboat-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let terminal = Self { socket };
        let program = env!("CARGO_BIN_EXE_lifeboat");
        let line = format!("TERM={kind} {program} {arguments}; echo \"it ended with $?\"; exec cat");
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let directory = directory.display().to_string();
        let started = terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &rows,
            "-c",
            &directory,
            &line,
        ]);
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.args(["-u", "-L", &self.socket]).args(arguments);
        command.env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR").env_remove("TMUX");
        command.output().expect("`tmux` (Debian: tmux) starts")
    }

    /// Types characters, as they are.
    pub(crate) fn keys(&self, text: &str) {
        // tmux takes a `;` at the end of an argument for its own.
        let text = text.strip_suffix(';').map_or_else(|| text.to_owned(), |text| format!("{text}\\;"));
        assert!(self.tmux(&["send-keys", "-l", "--", &text]).status.success());
    }

    /// Presses a key: `Enter`, `Tab`, `C-c`.
    pub(crate) fn press(&self, key: &str) {
        assert!(self.tmux(&["send-keys", key]).status.success());
    }

    /// Pastes a text as a terminal does that tells the program that it is pasted.
    pub(crate) fn paste(&self, text: &str) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("writes");
        assert!(self.tmux(&["load-buffer", &file.path().display().to_string()]).status.success());
        assert!(self.tmux(&["paste-buffer", "-p"]).status.success());
    }

    /// What stands on it, with what has scrolled away, without spaces at the ends of lines.
    pub(crate) fn all(&self) -> String {
        let captured = self.tmux(&["capture-pane", "-p", "-S", "-2000"]);
        let text = String::from_utf8_lossy(&captured.stdout);
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Whether the terminal broke a line of its own accord, wherever its last column was.
    pub(crate) fn broke_a_line(&self) -> bool {
        let captured = self.tmux(&["capture-pane", "-p", "-J", "-S", "-2000"]);
        let text = String::from_utf8_lossy(&captured.stdout);
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end() != self.all()
    }

    /// The same with colours.
    pub(crate) fn coloured(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p", "-e", "-S", "-2000"]).stdout).into_owned()
    }

    /// Waits until this holds of what stands on it.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let shown = self.all();
            if holds(&shown) {
                return shown;
            }
            assert!(began.elapsed() < PATIENCE, "{what} never came:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until this stands on it.
    pub(crate) fn shows(&self, text: &str) -> String {
        self.until(text, |shown| shown.contains(text))
    }

    /// Waits until the input of this number is asked for.
    pub(crate) fn asks_for(&self, number: u32) -> String {
        let prompt = format!("[{number}] ");
        self.until(&prompt, |shown| {
            let last = shown.lines().last().unwrap_or_default();
            last.starts_with(&prompt) && last.trim_end().ends_with('>')
        })
    }

    /// Types a line, and waits for the next prompt, of the input of this number.
    pub(crate) fn line(&self, text: &str, next: u32) -> String {
        let asked = prompts(&self.all());
        self.keys(text);
        self.press("Enter");
        self.until("the next prompt", |shown| prompts(shown) > asked);
        self.asks_for(next)
    }

    /// The number of the input that is asked for.
    pub(crate) fn number(&self) -> u32 {
        let shown = self.all();
        let last = shown.lines().last().and_then(|line| line.strip_prefix('[')?.split(']').next()?.parse().ok());
        last.expect("it asks for something")
    }

    /// Waits for the end of the program; its exit code.
    pub(crate) fn ends(&self) -> i32 {
        let shown = self.shows("it ended with ");
        let code = shown.rsplit("it ended with ").next().unwrap_or_default();
        code.lines().next().unwrap_or_default().trim().parse().expect("a number")
    }

    /// The number of the process that runs in it.
    pub(crate) fn process(&self) -> i32 {
        let listed = self.tmux(&["list-panes", "-F", "#{pane_pid}"]);
        let shell = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).expect("the shell runs");
        children.split_whitespace().next().expect("the program runs").parse().expect("a number")
    }
}

/// How often something was asked for.
fn prompts(shown: &str) -> usize {
    let is_prompt =
        |line: &&str| line.starts_with('[') && (line.contains(" dry") || line.contains(" ARMED")) && line.contains('>');
    shown.lines().filter(is_prompt).count()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
