//! Who carries out what: the primitives, and the drivers of one environment.

use std::sync::Arc;

use crate::config::{ConfigError, Environment, TargetKind};
use crate::model::{Halt, Impact, Invocation, Unknown, Value};
use crate::primitives::notify::Carrier;
use crate::primitives::{Bound, Evidence, Handler, Registry, Signature};

/// The primitives, the environment, and the drivers that serve its targets.
#[derive(Clone)]
pub struct Cast {
    /// Which primitives there are.
    pub registry: Arc<Registry>,
    /// The environment.
    pub environment: Arc<Environment>,
    bound: Bound,
}

/// A call with everything that is needed to carry it out.
pub(super) struct Role<'a> {
    pub(super) signature: &'a Signature,
    pub(super) impact: Impact,
    pub(super) target: Option<&'a str>,
    pub(super) handler: &'a Arc<dyn Handler>,
}

impl Cast {
    /// Makes the drivers of an environment. Every mistake in its settings is reported.
    pub fn new(registry: Arc<Registry>, environment: &Environment) -> Result<Self, Vec<ConfigError>> {
        let bound = registry.bind(environment)?;
        Ok(Self { registry, environment: Arc::new(environment.clone()), bound })
    }

    /// What carries out `primitive` for `target`.
    pub fn handler(&self, primitive: &'static str, target: &str) -> Option<Arc<dyn Handler>> {
        self.bound.handler(primitive, Some(target)).cloned()
    }

    /// What delivers the letters for `channel`.
    pub(super) fn carrier(&self, channel: &str) -> Option<&Arc<dyn Carrier>> {
        self.bound.carrier(channel)
    }

    /// Whether nobody can tell of a change whose answer was lost whether it took place.
    pub(super) fn is_doubtful(&self, primitive: &str, target: Option<&str>) -> bool {
        let serving = target.and_then(|name| self.environment.targets.get(name));
        let same = |driver: Option<(TargetKind, &'static str)>| match (driver, serving) {
            (Some((kind, driver)), Some(target)) => kind == target.kind && driver == target.driver,
            (None, None) => true,
            _ => false,
        };
        let found = self.registry.evidence().find(|(name, driver, _)| *name == primitive && same(*driver));
        matches!(found, Some((_, _, Evidence::None(_) | Evidence::Given(..))))
    }

    /// Finds what a call needs. What is wrong here escaped the check, because it was computed: no script may catch it.
    pub(super) fn role<'a>(&'a self, call: &'a Invocation) -> Result<Role<'a>, Halt> {
        let mistake = |why: String, hint: Option<String>| Halt::Mistake { why, site: call.site.clone(), hint };
        let name = call.primitive;
        let signature = self.registry.signature(name);
        let signature = signature.ok_or_else(|| mistake(format!("there is no primitive `{name}`"), None))?;
        if signature.drill_only && !self.environment.drill {
            return Err(Halt::Refused {
                why: format!("`{name}` in environment {}, which is no drill environment", self.environment.name),
                hint: Some("faults are injected only where `drill = true` stands in lifeboat.toml".into()),
            });
        }
        let target = signature.target_of(&call.args);
        if signature.target.is_some() && target.is_none() {
            return Err(unplannable(call, signature));
        }
        let mut impact = signature.impact(&call.args).map_err(|why| match call.args.find_unknown() {
            Some(_) => unplannable(call, signature),
            None => mistake(format!("`{name}`: {why}"), None),
        })?;
        let handler = self.bound.handler(signature.name, target).ok_or_else(|| self.unserved(call, target))?;
        if let Some(kind) = handler.impact(&call.args) {
            impact.kind = kind;
        }
        Ok(Role { signature, impact, target, handler })
    }

    fn unserved(&self, call: &Invocation, target: Option<&str>) -> Halt {
        let environment = &self.environment.name;
        let (why, hint) = match target.map(|name| (name, self.environment.targets.get(name))) {
            Some((name, None)) => {
                let known: Vec<&str> = self.environment.targets.keys().map(String::as_str).collect();
                (
                    format!("environment {environment} has no target `{name}`"),
                    format!("its targets: {}", known.join(", ")),
                )
            }
            Some((name, Some(target))) => (
                format!(
                    "`{}` does not work on `{name}`: a {} served by {}",
                    call.primitive, target.kind, target.driver
                ),
                "run `lifeboat check` to see which primitives a target takes".to_owned(),
            ),
            None => (format!("nothing carries out `{}` here", call.primitive), "register a driver for it".to_owned()),
        };
        Halt::Mistake { why, site: call.site.clone(), hint: Some(hint) }
    }
}

/// The unknown value without which nothing can be said of a call. Most arguments may well be unknown.
fn needed<'a>(args: &'a Value, signature: &Signature) -> Option<&'a Unknown> {
    let Value::Map(given) = args else { return args.find_unknown() };
    let unknown = || given.iter().filter_map(|(name, value)| Some((name, value.find_unknown()?)));
    let without = |name: &String| {
        let rest = given.iter().filter(|(other, _)| *other != name);
        Value::Map(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    let culprit = unknown().find(|(name, _)| signature.impact(&without(name)).is_ok());
    culprit.or_else(|| unknown().next()).map(|(_, unknown)| unknown)
}

/// A call that cannot even be looked at, because an argument is not known yet.
fn unplannable(call: &Invocation, signature: &Signature) -> Halt {
    let label = needed(&call.args, signature).map_or_else(|| "an argument".to_owned(), ToString::to_string);
    Halt::Unplannable {
        why: format!("`{}` needs {label}, which is not known before the run", call.primitive),
        site: call.site.clone(),
        hint: Some("pin the call it comes from with --assume, or give it as a parameter".into()),
    }
}
