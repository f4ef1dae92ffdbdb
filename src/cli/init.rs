//! `lifeboat init`: a new project.

mod project;
mod questions;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::runtime::Error;
use crate::system::{create_files, free_ports, occupied};

use super::printer::{Printer, Style};
use super::{Exit, Global, open};
use questions::{Given, Interview};

/// Make a new project: a configuration and a first runbook
///
/// At a terminal it asks what the project is about, shows what it will write, and asks once more. With --env the environment gets
/// that name. Nothing is ever written over.
#[derive(Args)]
pub(super) struct Init {
    /// Where
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Make one with a small system to break and repair, and a drill that does
    #[arg(long)]
    sandbox: bool,
    /// Ask nothing, also at a terminal: whatever is not given has its default
    #[arg(long)]
    defaults: bool,
    #[command(flatten)]
    given: Given,
}

const GITIGNORE: &str = ".gitignore";
const RUNBOOK: &str = "runbooks/restore-database.rhai";
const DRILL: &str = "runbooks/drills/database-loss.rhai";
const FIRST: &str = "runbooks/first.rhai";
/// The ports in the configuration of our own sandbox; each new one gets others.
const PORTS: [&str; 2] = ["27610", "27611"];

impl Init {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let asks = printer.interactive() && !self.sandbox && !self.defaults;
        // Before anything is asked: a person should not answer in vain.
        self.vacant(&[open::CONFIG])?;
        let interview = Interview { printer, directory: &self.directory, asks };
        let files = if self.sandbox {
            sandbox()?
        } else if asks || self.given.any() || global.env.is_some() {
            let project = interview.project(&self.given, global.env.as_deref())?;
            vec![(open::CONFIG, project.config()), (FIRST, project.runbook())]
        } else {
            plain()
        };
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        self.vacant(&names)?;
        let mut all: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        // Whoever has one knows what to ignore, and the journal's directory ignores itself.
        if occupied(&self.directory, &[GITIGNORE]).is_none() {
            all.push((GITIGNORE, ".lifeboat/\n"));
        }
        interview.agreed(&all)?;
        create_files(&self.directory, &all).map_err(|error| Error::Refused {
            why: format!("{} cannot be made a project: {error}", self.directory.display()),
            help: Some(
                "nothing was written: see that the directory may be written, and that there is space".to_owned(),
            ),
        })?;
        self.report(&all, printer);
        Ok(Exit::Done)
    }

    /// That nothing lies where these files are to be written.
    fn vacant(&self, names: &[&str]) -> Result<(), Error> {
        occupied(&self.directory, names).map_or(Ok(()), |path| {
            Err(Error::Refused {
                why: format!("{} exists already", shown(&path)),
                help: Some("nothing was written: choose another directory, or move the file away".to_owned()),
            })
        })
    }

    fn report(&self, files: &[(&str, &str)], printer: &Printer) {
        let path = |name: &str| shown(&self.directory.join(name));
        if printer.json {
            let files: Vec<String> = files.iter().map(|(name, _)| path(name)).collect();
            return printer.out_json(&serde_json::json!({ "files": files }));
        }
        for (name, _) in files {
            printer.out(&format!("{} {}", printer.paint(Style::Good, "made"), path(name)));
        }
        printer.out("");
        let change = (self.directory != Path::new(".")).then(|| format!("cd {}", quoted(&self.directory)));
        let next = if self.sandbox {
            [
                (format!("lifeboat drill {DRILL}"), "rehearse a loss"),
                (format!("lifeboat plan {RUNBOOK}"), "what a restore would do"),
            ]
        } else {
            [
                (format!("lifeboat plan {FIRST}"), "what it would do; changes nothing"),
                ("lifeboat doctor".to_owned(), "is all there that a run needs?"),
            ]
        };
        printer.out("next:");
        if let Some(change) = change {
            printer.out(&format!("  {change}"));
        }
        let longest = next.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
        for (command, what) in next {
            printer.out(&format!("  {command:<longest$}  {}", printer.paint(Style::Dim, &format!("# {what}"))));
        }
    }
}

type Files = Vec<(&'static str, String)>;

fn plain() -> Files {
    vec![
        (open::CONFIG, include_str!("init/lifeboat.toml").to_owned()),
        (FIRST, include_str!("init/first.rhai").to_owned()),
    ]
}

/// The project that this repository itself is, on ports of its own.
fn sandbox() -> Result<Files, Error> {
    let ports: [u16; 2] = free_ports().map_err(|error| Error::Refused {
        why: format!("no free port was found on 127.0.0.1: {error}"),
        help: Some("nothing was written: the sandbox needs two ports between 20000 and 27599".to_owned()),
    })?;
    let mut config = include_str!("../../lifeboat.toml").to_owned();
    for (ours, port) in PORTS.iter().zip(ports) {
        config = config.replace(ours, &port.to_string());
    }
    Ok(vec![
        (open::CONFIG, config),
        (RUNBOOK, include_str!("../../runbooks/restore-database.rhai").to_owned()),
        (DRILL, include_str!("../../runbooks/drills/database-loss.rhai").to_owned()),
    ])
}

/// A path as people write it.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+~".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sandbox_has_ports_of_its_own() {
        let ours = include_str!("../../lifeboat.toml");
        assert!(PORTS.iter().all(|port| ours.contains(port)));
        let files = sandbox().expect("made");
        assert!(PORTS.iter().all(|port| !files[0].1.contains(port)));
        assert_ne!(sandbox().expect("made")[0].1, files[0].1);
    }

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(Path::new("/srv/a-b_c.d")), "/srv/a-b_c.d");
        assert_eq!(quoted(Path::new("it's mine")), r"'it'\''s mine'");
    }
}
