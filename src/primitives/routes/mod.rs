//! `routes(router)`: how a router shares traffic out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Case, Impact, ImpactKind, Value};

use super::route::{Percent, SHARES, Server, Shares, same_shares};
use super::side::returned;
use super::targets::Backends;
use super::{Primitive, Side, TargetArg};

/// How a router shares traffic out.
#[derive(Clone, Copy, Debug)]
pub struct Routes;

/// How a router shares traffic out between its backends, and how their servers are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The router.
    pub target: String,
}

/// How traffic is shared out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What each backend gets, in per cent by name.
    pub shares: Shares,
    /// The servers, each with `name`, `backend`, `weight` and `state`: "up", "down", "drain" or "maintenance".
    pub servers: Vec<Server>,
}

impl Primitive for Routes {
    const NAME: &'static str = "routes";
    const SUMMARY: &'static str = "how a router shares traffic out between its backends";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Router] });
    const EXAMPLE: &'static str = r#"let before = routes("lb").shares;"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![Case::returns("known", Value::Map([].into())), Case::fails("failed", "routes-unknown", Applied::No)]
    }

    fn sides(_: &Args, output: Option<&Value>) -> Vec<Side> {
        vec![Side { alike: same_shares, ..Side::looked(SHARES, returned(output, "shares")) }]
    }
}

/// The ways in which a router with these backends can share traffic out, as far as scripts tell them apart: one of them has all of it,
/// or each has its part.
pub(super) fn cases(backends: &Backends) -> Vec<Case> {
    let names: Vec<&str> = backends.keys().map(String::as_str).collect();
    let shared = |share: &dyn Fn(usize) -> Percent| {
        let shares = names.iter().enumerate().map(|(n, name)| ((*name).to_owned(), Value::encode(&share(n))));
        Value::Map([("shares".to_owned(), Value::Map(shares.collect()))].into())
    };
    let alone = |live: usize| move |n: usize| if n == live { Percent::ALL } else { Percent::NONE };
    let even = |_: usize| Percent::of(1, names.len() as u64);
    let mut cases = vec![Case::returns("first has all", shared(&alone(0)))];
    if names.len() > 1 {
        cases.push(Case::returns("last has all", shared(&alone(names.len() - 1))));
        cases.push(Case::returns("each has its part", shared(&even)));
    }
    cases.push(Case::fails("failed", "routes-unknown", Applied::No));
    cases
}
