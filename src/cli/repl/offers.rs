//! What was typed before and is worth typing again: one key takes it, so nothing is offered that failed or destroys.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ImpactKind;
use crate::worlds::Cast;

use super::colour::{Part, parts};
use super::story::lines;
use super::{Console, Next};

/// The primitives that destroy something, each with the targets on which it does.
pub(super) struct Destroying(BTreeMap<&'static str, BTreeSet<String>>);

impl Destroying {
    /// Those of an environment: the primitive says it, or the settings of the target do.
    pub(super) fn of(cast: &Cast) -> Self {
        let mut found: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for signature in cast.registry.signatures() {
            for target in cast.environment.targets.keys() {
                let args = signature.shortest(target);
                let Some(handler) = cast.handler(signature.name, target) else { continue };
                let said = signature.impact(&args).ok().map(|impact| impact.kind);
                if handler.impact(&args).or(said) == Some(ImpactKind::Destroy) {
                    found.entry(signature.name).or_default().insert(target.clone());
                }
            }
        }
        Self(found)
    }

    /// Whether a call in a text destroys something, as far as the text tells.
    fn called_in(&self, text: &str) -> bool {
        let words: Vec<(Part, &str)> = parts(text).into_iter().filter(|(_, word)| !word.trim().is_empty()).collect();
        words.iter().enumerate().any(|(n, (part, name))| {
            let Some(targets) = self.0.get(name).filter(|_| *part == Part::Called) else { return false };
            match words.get(n + 2) {
                Some((Part::Text, text)) if text.starts_with('"') => targets.contains(text.trim_matches('"')),
                // Which target it is, is not known before.
                _ => true,
            }
        })
    }
}

/// What may be offered, the oldest first.
#[derive(Default)]
pub(super) struct Offers(Vec<String>);

impl Offers {
    pub(super) fn of(entries: Vec<String>) -> Self {
        Self(entries)
    }

    /// Takes note of what was typed, and of whether it may be offered.
    pub(super) fn typed(&mut self, text: &str, again: bool) {
        self.0.retain(|known| known != text);
        if again {
            self.0.push(text.to_owned());
        }
    }

    /// What makes `line` the newest entry that begins with it.
    pub(super) fn behind(&self, line: &str, destroying: &Destroying) -> Option<&str> {
        let rests = self.0.iter().rev().filter_map(|entry| Some((entry, entry.strip_prefix(line)?)));
        let fitting =
            |(entry, rest): &(&String, &str)| !rest.is_empty() && !rest.contains('\n') && !destroying.called_in(entry);
        rests.into_iter().find(fitting).map(|(_, rest)| rest)
    }
}

impl Console<'_> {
    /// Whether what was typed as the input `number` and ended with `next` may be offered. What a function or a rollback destroys is only
    /// known afterwards.
    pub(super) fn may_be_offered(&self, number: u32, next: Next) -> bool {
        let destroys = |kind: ImpactKind| kind == ImpactKind::Destroy;
        let lines = lines(&self.session.events());
        let mut own = lines.iter().filter(|line| line.number >= number);
        next != Next::Failed
            && !own.any(|line| {
                line.done.iter().any(|call| destroys(call.impact.kind))
                    || line.planned.iter().any(|call| destroys(call.impact.kind))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_destroys_is_passed_over() {
        let targets = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let destroying = Destroying([("restore", targets(&["primary"])), ("exec", targets(&["wipe"]))].into());
        let entries = [
            "exec(\"count\");",
            "restore(\"primary\", #{ from: b.id });",
            "exec(\"wipe\");",
            "exec(tool);",
            "log(\"exec(x)\");",
            "if true {\n    1\n}",
            "probe(\"web\")",
        ];
        let mut offers = Offers::of(entries.map(str::to_owned).to_vec());
        let behind = |offers: &Offers, line: &str| offers.behind(line, &destroying).map(str::to_owned);
        assert_eq!(behind(&offers, "ex").as_deref(), Some("ec(\"count\");"));
        assert_eq!(behind(&offers, "re"), None);
        assert_eq!(behind(&offers, "log(").as_deref(), Some("\"exec(x)\");"), "a text calls nothing");
        assert_eq!(behind(&offers, "if"), None, "more than one line");
        offers.typed("probe(\"web\")", false);
        assert_eq!(behind(&offers, "pr"), None);
        offers.typed("probe(\"web\")", true);
        assert_eq!(behind(&offers, "pr").as_deref(), Some("obe(\"web\")"));
    }
}
