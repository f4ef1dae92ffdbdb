//! `--output FILE`: a result that goes into a file, whole or not at all, and never over a file that is something else.

use std::path::PathBuf;

use clap::Args;

use crate::runtime::Error;
use crate::system::ResultFile;

use super::printer::Printer;

/// In which form a result is printed: the one that was named with `--format`, if it is not another one than `--json` names.
pub(super) fn form<F: Copy + PartialEq>(named: Option<F>, is_json: bool, (text, json): (F, F)) -> Result<F, Error> {
    match named {
        None if is_json => Ok(json),
        None => Ok(text),
        Some(form) if is_json && form != json => Err(Error::Params {
            why: "--json and --format name two forms".to_owned(),
            help: Some("give one of them".to_owned()),
        }),
        Some(form) => Ok(form),
    }
}

/// So many bytes of a file tell what it is.
const LOOKED_AT: u64 = 64 * 1024;

/// Where the result goes.
#[derive(Args, Debug)]
pub(super) struct Output {
    /// Write the result to this file, whole or not at all; only an earlier result is replaced [default: the standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A place for a result: a file that can be written, or the standard output.
pub(super) struct Destination(Option<ResultFile>);

impl Output {
    /// The result goes to this file.
    pub(super) fn to(file: PathBuf) -> Self {
        Self { output: Some(file) }
    }

    /// Looks whether the file can be written, before anybody waits for what is to stand in it. A file that is there is replaced only
    /// if `is_ours` takes its beginning for an earlier result, which is called `what`.
    pub(super) fn open(&self, what: &str, is_ours: impl Fn(&str) -> bool) -> Result<Destination, Error> {
        // As everywhere else, `-` is the standard output.
        let Some(path) = self.output.as_ref().filter(|path| path.as_os_str() != "-") else {
            return Ok(Destination(None));
        };
        let file = ResultFile::at(path).map_err(unwritten)?;
        let there = file.beginning(LOOKED_AT).map_err(unwritten)?;
        if !there.is_empty() && !is_ours(&String::from_utf8_lossy(&there)) {
            return Err(Error::Refused {
                why: format!("{} exists, and is no {what}", file.shown()),
                help: Some("nothing was written: name another file".to_owned()),
            });
        }
        Ok(Destination(Some(file)))
    }
}

impl Destination {
    /// Has the result printed, and writes it.
    pub(super) fn write(&self, printer: &Printer, print: impl FnOnce(&Printer)) -> Result<(), Error> {
        let Some(file) = &self.0 else {
            print(printer);
            return Ok(());
        };
        let keeping = printer.keeping();
        print(&keeping);
        file.write(keeping.kept().as_bytes()).map_err(unwritten)
    }
}

/// A result that could not be written.
pub(super) fn unwritten(why: String) -> Error {
    Error::Unwritten { why, help: "name a file in a directory that is there, and that you may write".to_owned() }
}
