//! The questions of `lifeboat init`, each with a default, and the same answers as options for scripts.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::config::is_name;
use crate::runtime::Error;
use crate::system::{Look, System};

use super::super::printer::{Printer, Style};
use super::super::wrap::wrap;
use super::project::{Project, Tell};

/// What stands for something that there is not.
const NONE: &str = "none";

/// What a new project is about, as options.
#[derive(Args, Default)]
pub(super) struct Given {
    /// The URL at which the service says that it is well, or `none`
    #[arg(long, value_name = "URL", conflicts_with = "sandbox", value_parser = |text: &str| url(text))]
    url: Option<String>,
    /// The file of its SQLite or libSQL database, seen from DIR, or `none`
    #[arg(long, value_name = "FILE", conflicts_with = "sandbox", value_parser = |text: &str| path(text))]
    database: Option<String>,
    /// Where backups are kept: a directory, seen from DIR
    #[arg(long, value_name = "DIR", conflicts_with = "sandbox", value_parser = |text: &str| path(text))]
    backups: Option<String>,
    /// Where people are told: `terminal`, a file, or the URL of a webhook
    #[arg(long, value_name = "WHERE", conflicts_with = "sandbox", value_parser = |text: &str| path(text))]
    tell: Option<String>,
    /// Runs in the environment must be confirmed by its name
    #[arg(long, conflicts_with = "sandbox")]
    protected: bool,
}

impl Given {
    /// Whether anything was given.
    pub(super) fn any(&self) -> bool {
        let texts = [&self.url, &self.database, &self.backups, &self.tell];
        self.protected || texts.into_iter().any(Option::is_some)
    }
}

/// A URL, or that there is none.
fn url(text: &str) -> Result<String, String> {
    let address = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match address {
        _ if text == NONE => Ok(text.to_owned()),
        Some(_) => Ok(text.to_owned()),
        None => Err("write it as http://host:port/path or https://…, or say none".to_owned()),
    }
}

fn path(text: &str) -> Result<String, String> {
    match text {
        "" => Err("it is empty".to_owned()),
        text if text.chars().any(char::is_control) => Err("it holds a control character".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("begin it with a letter from a to z, and go on with a to z, 0 to 9, _ and -".to_owned())
    }
}

fn yes_or_no(text: &str) -> Result<String, String> {
    match text.to_lowercase().as_str() {
        "y" | "yes" => Ok("yes".to_owned()),
        "n" | "no" => Ok("no".to_owned()),
        _ => Err("say yes or no".to_owned()),
    }
}

/// Who answers: the person at the terminal, or the defaults.
pub(super) struct Interview<'a> {
    pub(super) printer: &'a Printer,
    pub(super) directory: &'a Path,
    /// Whether somebody is asked.
    pub(super) asks: bool,
}

impl Interview<'_> {
    /// Every answer: what was given, what the person says, or else the default.
    pub(super) fn project(&self, given: &Given, environment: Option<&str>) -> Result<Project, Error> {
        if self.asks {
            self.say(
                "A few questions; an empty answer takes what stands in brackets, Ctrl-C ends it and leaves nothing.",
            );
        }
        let service = "At which URL does the service say that it is well? (`none` if it has none)";
        let url = self.answer(given.url.as_ref(), service, "http://127.0.0.1:8080/health", url)?;
        let database = "In which file is its SQLite or libSQL database? (`none` if it has none)";
        let database = self.answer(given.database.as_ref(), database, &self.found_database(), path)?;
        let backups = match database.as_str() {
            NONE => String::new(),
            _ => self.answer(given.backups.as_ref(), "In which directory are backups kept?", "backups", path)?,
        };
        let tell = "Where are people told? (`terminal`, a file, or the URL of a webhook)";
        let tell = self.answer(given.tell.as_ref(), tell, "terminal", path)?;
        let near = url == NONE || url.contains("//127.") || url.contains("//localhost");
        let usual = if near { "local" } else { "production" };
        if let Some(Err(why)) = environment.map(name) {
            return Err(Error::Params { why: "--env cannot be the name of an environment".into(), help: Some(why) });
        }
        let environment = environment.map(str::to_owned);
        let environment = self.answer(environment.as_ref(), "How is this environment called?", usual, name)?;
        let usual = if environment.starts_with("prod") { "yes" } else { "no" };
        let usual = if self.asks { usual } else { "no" };
        let question = format!("Must runs in {environment} be confirmed by its name? (yes, no)");
        let protected = given.protected.then(|| "yes".to_owned());
        let protected = self.answer(protected.as_ref(), &question, usual, yes_or_no)? == "yes";
        let some = |text: String| Some(text).filter(|text| text != NONE);
        let tell = match tell.as_str() {
            "terminal" => Tell::Terminal,
            url if url.starts_with("http://") || url.starts_with("https://") => Tell::Webhook(tell),
            _ => Tell::File(tell),
        };
        Ok(Project { url: some(url), database: some(database), backups, tell, environment, protected })
    }

    /// Whether these files may be written.
    pub(super) fn agreed(&self, files: &[(&str, &str)]) -> Result<(), Error> {
        if !self.asks {
            return Ok(());
        }
        for (name, text) in files {
            self.say("");
            self.say(&self.printer.paint_err(Style::Bold, &super::shown(&self.directory.join(name))));
            text.lines().for_each(|line| self.printer.err(&format!("  {line}")));
        }
        self.say("");
        match self.answer(None, "Write these files? (yes, no)", "yes", yes_or_no)?.as_str() {
            "yes" => Ok(()),
            _ => Err(nothing("you said no")),
        }
    }

    fn say(&self, text: &str) {
        for line in wrap(text, self.printer.width()) {
            self.printer.err(&line);
        }
    }

    fn answer(
        &self,
        given: Option<&String>,
        question: &str,
        usual: &str,
        read: impl Fn(&str) -> Result<String, String>,
    ) -> Result<String, Error> {
        if let Some(given) = given {
            return Ok(given.clone());
        }
        if !self.asks {
            return Ok(usual.to_owned());
        }
        loop {
            self.say(&self.printer.paint_err(Style::Caution, question));
            self.printer.err(&format!("[{usual}]"));
            let mut line = String::new();
            let heard = std::io::stdin().lock().read_line(&mut line);
            if !heard.is_ok_and(|bytes| bytes > 0) {
                return Err(nothing("nobody answered"));
            }
            match line.trim() {
                "" => return Ok(usual.to_owned()),
                text => match read(text) {
                    Ok(answer) => return Ok(answer),
                    Err(why) => self.say(&why),
                },
            }
        }
    }

    /// The first database that lies about; the usual place if there is none.
    fn found_database(&self) -> String {
        let look = Look::new(Arc::new(System::new(PathBuf::new())));
        let is_database = |path: &Path| path.extension().is_some_and(|e| e == "db" || e == "sqlite" || e == "sqlite3");
        let folders = ["", "data", "db"].into_iter().filter(|_| self.asks);
        let entries = folders.flat_map(|folder| look.list(&self.directory.join(folder)).unwrap_or_default());
        let found = entries.into_iter().find(|entry| !entry.directory && is_database(&entry.path));
        let found = found.and_then(|entry| entry.path.strip_prefix(self.directory).ok().map(Path::to_path_buf));
        found.map_or_else(|| "data/app.db".to_owned(), |path| path.display().to_string())
    }
}

fn nothing(why: &str) -> Error {
    Error::Refused { why: why.to_owned(), help: Some("nothing was written".to_owned()) }
}
