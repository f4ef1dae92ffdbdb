//! `route(router, #{ to, percent })`: moves traffic between the backends of a router.

mod flow;
mod haproxy;
mod nginx;
mod outlook;
mod server;
mod shares;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests start real routers and set up their files")]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, Case, Impact, ImpactKind, Span, Value};

use super::side::returned;
use super::{Primitive, Side, TargetArg};

pub(super) use outlook::{SHARES, same_shares};
pub use server::{Server, State};
pub use shares::{Percent, Shares};

/// Moves traffic between the backends of a router.
#[derive(Clone, Copy, Debug)]
pub struct Route;

/// Moves traffic between the backends of a router: `to` gets `percent` of it, and the others share the rest as they did before. Or
/// `shares` says what each gets. Gives the shares before, so that a rollback can put them back:
/// `route("lb", #{ shares: before })`.
///
/// What was set is read back. A backend of which no server is up gets nothing: the call fails with `applied: "no"` instead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The router.
    pub target: String,
    /// The backend that gets `percent`.
    pub to: Option<Arg<String>>,
    /// What it gets, in per cent; 100 if not given.
    pub percent: Option<Arg<Percent>>,
    /// What each backend gets, in per cent: `#{ blue: 90, green: 10 }`. Those left out get nothing.
    pub shares: Option<Arg<Shares>>,
    /// Wait until the backends that get nothing any more have answered what they were asked before, at most for this time. nginx
    /// does not say when that is: it takes all of the time.
    pub drain: Option<Span>,
}

/// How traffic is shared out now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What each backend gets, in per cent by name.
    pub shares: Shares,
    /// What each got before.
    pub before: Shares,
    /// Whether anything was changed.
    pub changed: bool,
    /// Whether it was seen that backends which get nothing any more have nothing left to answer; only with `drain`.
    pub drained: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Primitive for Route {
    const NAME: &'static str = "route";
    const SUMMARY: &'static str = "moves traffic between the backends of a router";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Router] });
    const EXAMPLE: &'static str = r#"let before = route("lb", #{ to: "green", percent: 10 }).before;"#;
    const DECLARES_STATE: bool = true;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let certain = |changed: bool, drained: bool| {
            let fields = [("changed", changed), ("drained", drained)];
            Value::Map(BTreeMap::from(fields.map(|(name, value)| (name.to_owned(), Value::Bool(value)))))
        };
        let drains = args.drain.is_some();
        let mut cases =
            vec![Case::returns("routed", certain(true, drains)), Case::returns("already", certain(false, drains))];
        if drains {
            cases.push(Case::returns("not-drained", certain(true, false)));
        }
        cases.extend([
            Case::fails("unavailable", "backend-unavailable", Applied::No),
            Case::fails("failed", "route-failed", Applied::No),
            Case::fails("failed-but-applied", "route-failed", Applied::Yes),
        ]);
        cases
    }

    fn sides(args: &Args, output: Option<&Value>) -> Vec<Side> {
        let after = outlook::after(args, returned(output, "shares"));
        vec![Side { alike: same_shares, ..Side::set(SHARES, returned(output, "before"), after) }]
    }
}
