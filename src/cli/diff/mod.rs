//! `lifeboat diff`: how two plans differ, or a runbook at two commits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::model::{Assumption, Plan, PlanVerdict, SavedPlan};
use crate::runtime::{Error, Lifeboat, PlanRequest, is_plan};
use crate::system::{Repository, Revision, absolute};

use super::printer::Printer;
use super::{Exit, Global, open, plan};

pub(super) mod rows;
mod text;

/// Compare two plans, or a runbook at two commits; what destroys comes first
#[derive(Args)]
pub(super) struct Diff {
    /// What to compare: a saved plan, a runbook, or one at a commit, such as main:runbooks/x.rhai
    #[arg(value_name = "BEFORE")]
    before: String,
    /// What to compare it with [default: of a runbook, BEFORE as it is now, against its last commit; of a plan, the plan now]
    #[arg(value_name = "AFTER")]
    after: Option<String>,
    /// Give a parameter of the runbook
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = plan::pair)]
    params: Vec<(String, String)>,
    /// Pin how a call ends, such as 'probe(primary)=fail'
    #[arg(long = "assume", value_name = "CALL=CASE", value_parser = plan::assumption)]
    assumptions: Vec<Assumption>,
    /// Pin what a scenario of the runbook pins
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Look at the targets as `plan` does [default: only where a saved plan is compared]
    #[arg(long)]
    look: bool,
    /// How to print what differs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with 2 when something differs
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// One of the two.
enum Side {
    Saved(Box<SavedPlan>),
    At(Arc<Revision>, PathBuf),
    Here(PathBuf),
}

impl Diff {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = open::reading(global)?;
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        let root = lifeboat.config().root.clone();
        let (before, after) = self.sides(&root)?;
        let saved = [&before, &after].into_iter().find_map(|side| match side {
            Side::Saved(saved) => Some(saved.as_ref().clone()),
            _ => None,
        });
        let planned = |side: &Side| self.planned(side, saved.as_ref(), global, &lifeboat);
        let (old, new) = (planned(&before)?, planned(&after)?);
        let diff = old.diff(&new);
        if self.format == Format::Json || printer.json {
            printer.out_json(&diff);
        } else {
            let mut head = vec![heading(&before, &after, &root)];
            if saved.is_none() && !self.look {
                head.push("nothing was looked at: what is not pinned ends as is likely".to_owned());
            }
            if !new.assumptions.is_empty() {
                head.push(format!("assuming {}", new.assumptions.join(", ")));
            } else if new.verdict != PlanVerdict::Completes {
                head.extend(new.scenarios.iter().map(|name| format!("as it is meant: --scenario '{name}'")));
            }
            text::print(&diff, &head, printer);
        }
        Ok(if self.detailed_exitcode && (!diff.is_empty() || diff.cut_short.is_some()) {
            Exit::Changes
        } else {
            Exit::Done
        })
    }

    fn sides(&self, root: &Path) -> Result<(Side, Side), Error> {
        let first = side(&self.before, root)?;
        if let Some(second) = &self.after {
            return Ok((first, side(second, root)?));
        }
        Ok(match first {
            Side::Saved(saved) => {
                let runbook = root.join(&saved.plan.runbook);
                (Side::Saved(saved), Side::Here(runbook))
            }
            Side::At(revision, path) => {
                let here = Side::Here(path.clone());
                (Side::At(revision, path), here)
            }
            Side::Here(path) => (Side::At(revision("HEAD", root)?, path.clone()), Side::Here(path)),
        })
    }

    /// The plan of one side; with what a saved plan was made with, where it is compared with one.
    fn planned(
        &self,
        side: &Side,
        saved: Option<&SavedPlan>,
        global: &Global,
        lifeboat: &Lifeboat,
    ) -> Result<Plan, Error> {
        let of_plan = |saved: &SavedPlan| saved.plan.environment.clone();
        let request = |runbook: &Path| PlanRequest {
            runbook: runbook.to_owned(),
            environment: global.env.clone().or_else(|| saved.map(of_plan)),
            params: if self.params.is_empty() { saved.map(|saved| saved.given.clone()) } else { None }
                .unwrap_or_else(|| self.params.clone()),
            assumptions: self.assumptions.clone(),
            scenario: self.scenario.clone(),
            offline: saved.is_none() && !self.look,
        };
        match side {
            Side::Saved(saved) => Ok(saved.plan.clone()),
            Side::Here(path) => lifeboat.plan(&request(path)),
            Side::At(revision, path) => {
                let at = Lifeboat::builder(open::config(global)?).revision(revision.clone()).build()?;
                at.plan(&request(path))
            }
        }
    }
}

/// What somebody means: a file that is there, or one at a commit.
fn side(given: &str, root: &Path) -> Result<Side, Error> {
    let path = Path::new(given);
    if path.is_file() && is_plan(path) {
        return SavedPlan::read(path).map(|saved| Side::Saved(Box::new(saved)));
    }
    if path.extension().is_none_or(|extension| extension != "rhai") {
        let why = format!("{given} is neither a runbook (.rhai) nor a saved plan");
        let help = "name a saved plan, a runbook, or one at a commit: main:runbooks/x.rhai".to_owned();
        return Err(Error::Params { why, help: Some(help) });
    }
    match given.split_once(':') {
        Some((name, path)) if !Path::new(given).exists() => Ok(Side::At(revision(name, root)?, PathBuf::from(path))),
        _ => Ok(Side::Here(path.to_owned())),
    }
}

fn revision(name: &str, root: &Path) -> Result<Arc<Revision>, Error> {
    let found = Repository::around(root).and_then(|repository| repository.at(&repository.commit(name)?));
    found.map(Arc::new).map_err(|why| Error::Params {
        why,
        help: Some("name a saved plan, a runbook, or one at a commit: main:runbooks/x.rhai".to_owned()),
    })
}

/// `runbooks/x.rhai: 6dc2eb5f60 → as it is`.
fn heading(before: &Side, after: &Side, root: &Path) -> String {
    let file = |side: &Side| match side {
        Side::Saved(saved) => saved.plan.runbook.clone(),
        Side::At(_, path) | Side::Here(path) => {
            let path = if path.is_file() { absolute(path) } else { path.clone() };
            path.strip_prefix(root).unwrap_or(&path).display().to_string()
        }
    };
    let state = |side: &Side| match side {
        Side::Saved(saved) => format!("plan {}", saved.short()),
        Side::At(revision, _) => revision.short().to_owned(),
        Side::Here(_) => "as it is".to_owned(),
    };
    let (was, is) = (file(before), file(after));
    if was == is {
        format!("{is}: {} → {}", state(before), state(after))
    } else {
        format!("{was}, {} → {is}, {}", state(before), state(after))
    }
}
