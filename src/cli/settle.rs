//! `lifeboat settle`: a person says whether an effect took place.

use clap::{ArgGroup, Args};

use crate::model::Value;
use crate::runtime::{Error, Settled};

use super::printer::Printer;
use super::{Exit, Global, open};

/// Say whether an effect that is in doubt took place
///
/// Look at the target first. After that, `lifeboat resume` carries on: with what took place as done, and with what did not as still
/// to be done. A session is taken up again with `lifeboat repl --resume`.
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).args(["applied", "not_applied", "output"])))]
pub(super) struct Settle {
    /// The beginning or the end of a run's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// The call, such as `4.1`; needed only where several are in doubt
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// It took place
    #[arg(long)]
    applied: bool,
    /// It did not take place: resume carries it out again
    #[arg(long)]
    not_applied: bool,
    /// It took place, and returned this
    #[arg(long, value_name = "JSON")]
    output: Option<String>,
}

impl Settle {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let settled = match &self.output {
            Some(json) => Settled::Applied(Some(parse(json)?)),
            None if self.applied => Settled::Applied(None),
            None => Settled::NotApplied,
        };
        let lifeboat = open::recording(global, |builder| builder)?;
        let (run, what) = lifeboat.settle(&self.run, self.key.as_deref(), &settled)?;
        if printer.json {
            printer.out_json(&serde_json::json!({ "run": run, "settled": what, "applied": !self.not_applied }));
        } else {
            let said = if self.not_applied { "did not take place" } else { "took place" };
            printer.out(&format!("recorded: {what} {said}"));
            printer.out(&format!("carry on with: {}", lifeboat.taken_up_by(&run)?));
        }
        Ok(Exit::Done)
    }
}

fn parse(json: &str) -> Result<Value, Error> {
    serde_json::from_str(json).map(Value::from_json).map_err(|error| Error::Params {
        why: format!("--output is no JSON: {error}"),
        help: Some("write it as --output '{\"ok\": true}'".to_owned()),
    })
}
