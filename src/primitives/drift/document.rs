//! `drift` of an env file, a JSON or a TOML document.

use std::collections::BTreeMap;

use crate::model::{Fault, Value, instead};
use crate::primitives::Observer;
use crate::primitives::documents::{
    self, Differs, Format, KeyPath, Leaf, Seal, Sealed, SecretKeys, flatten, reveal, secrets,
};
use crate::primitives::targets::{ConfigDocument, Document, DocumentSyntax, Peer, matches};
use crate::system::Look;

use super::{Args, Difference, Drift, How, Output, Status};

impl<S: DocumentSyntax> Observer<Drift> for ConfigDocument<S> {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        self.document.drift(args, look).await
    }
}

impl Document {
    fn drift_misuse(&self, message: impl Into<String>) -> Fault {
        Fault::new("drift-misuse", message).on(&self.name)
    }

    async fn drift(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        let found = self.read(look)?;
        let (seal, wanted, there, like) = if let Some(expect) = &args.expect {
            if args.against.is_some() || args.environment.is_some() {
                let message = "`expect` gives the values itself: leave `against` and `environment` out";
                return Err(self.drift_misuse(message));
            }
            let expected = flatten(self.format, expect).map_err(|why| self.drift_misuse(why))?;
            let seal = Seal::new(self.format == Format::EnvFile);
            let (wanted, there) = self.given(&seal, expected, found.leaves, look).await?;
            (seal, wanted, there, "what is expected".to_owned())
        } else {
            let peer = self.peer(args)?;
            let expected = peer.document.read(look)?.leaves;
            let seal = Seal::new([self.format, peer.document.format].contains(&Format::EnvFile));
            // What is secret in one of them is secret in both.
            let keys = with(&self.secrets, &peer.document.secrets);
            let (wanted, there) = (seal.document(expected, &keys), seal.document(found.leaves, &keys));
            (seal, wanted, there, peer.shown())
        };
        let differences = seal.compare(&wanted, &there);
        let ignore = args.ignore.known();
        let ignore = ignore.map_err(|label| self.drift_misuse(format!("{label} is not known before the run")))?;
        let differences: Vec<_> = differences.into_iter().filter(|d| !ignored(&ignore, &d.key)).collect();
        Ok(output(&self.name, &differences, &like))
    }

    /// What is given, and what is there of it. What is given as () must not be there, with anything below it.
    async fn given(
        &self,
        seal: &Seal,
        mut expected: Vec<Leaf>,
        found: Vec<Leaf>,
        look: &Look,
    ) -> Result<(Sealed, Sealed), Fault> {
        let open = |(path, value): &&Leaf| matches!(value, Value::String(_)) && self.secrets.hide(path, value);
        if let Some((path, _)) = expected.iter().find(open) {
            let message = format!("the value of `{path}` is a secret and stands in the runbook");
            return Err(self.drift_misuse(message).hint("give it as secret(\"NAME\")"));
        }
        let named: Vec<KeyPath> =
            expected.iter().filter(|(_, value)| !secrets(value).is_empty()).map(|(path, _)| path.clone()).collect();
        for (_, value) in &mut expected {
            reveal(value, look).await?;
        }
        let keys = self.secrets.and(&named);
        let of_interest = |path: &KeyPath| expected.iter().any(|(wanted, _)| wanted.holds(path) || path.holds(wanted));
        let there = found.into_iter().filter(|(path, _)| of_interest(path)).collect();
        let wanted = expected.into_iter().filter(|(_, value)| *value != Value::Null).collect();
        Ok((seal.document(wanted, &keys), seal.document(there, &keys)))
    }

    /// The document that this one should be like.
    fn peer(&self, args: &Args) -> Result<&Peer, Fault> {
        let (environment, name) = (args.environment.as_deref(), args.against.as_deref());
        if environment.is_none() && name.is_none() {
            let hint = "give `against`, `environment` or `expect`";
            return Err(self.drift_misuse("nothing is given to compare with").hint(hint));
        }
        let name = name.unwrap_or(&self.name);
        let mut all: BTreeMap<Option<&str>, Vec<&Peer>> = BTreeMap::new();
        for peer in &self.peers {
            all.entry(peer.environment.as_deref()).or_default().push(peer);
        }
        let Some(documents) = all.get(&environment) else {
            return Err(match environment {
                Some(other) => {
                    let known: Vec<&str> = all.keys().copied().flatten().collect();
                    let message = format!("there is no other environment `{other}` with documents");
                    self.drift_misuse(message).hint(instead(other, &known, "environments with documents"))
                }
                None => self.drift_misuse(format!("there is no other document beside {}", self.name)),
            });
        };
        documents.iter().find(|peer| peer.document.name == name).copied().ok_or_else(|| {
            let known: Vec<&str> = documents.iter().map(|peer| peer.document.name.as_str()).collect();
            let place = environment.map_or_else(|| "beside it".to_owned(), |name| format!("in environment {name}"));
            let message = format!("there is no document `{name}` {place}");
            self.drift_misuse(message).hint(instead(name, &known, "documents"))
        })
    }
}

impl Peer {
    fn shown(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{} of {environment}", self.document.name),
            None => self.document.name.clone(),
        }
    }
}

/// The keys that one of two documents calls secret; only what both call plain is plain.
fn with(ours: &SecretKeys, theirs: &SecretKeys) -> SecretKeys {
    let plain = ours.plain.iter().filter(|key| theirs.plain.contains(key)).cloned().collect();
    SecretKeys { more: ours.more.iter().chain(&theirs.more).cloned().collect(), plain, ..SecretKeys::default() }
}

/// Whether a key, or one above it, matches a pattern.
fn ignored(patterns: &[String], key: &KeyPath) -> bool {
    let mut above = key.ancestors();
    above.any(|path| patterns.iter().any(|pattern| matches(pattern, &path.to_string())))
}

fn output(name: &str, differences: &[documents::Difference], like: &str) -> Output {
    let ok = differences.is_empty();
    let detail = if ok {
        format!("{name} is like {like}")
    } else {
        let lines: Vec<String> = differences.iter().map(documents::Difference::line).collect();
        let keys = if lines.len() == 1 { "1 key differs".to_owned() } else { format!("{} keys differ", lines.len()) };
        format!("{keys} from {like}: {}", lines.join(", "))
    };
    let differences = differences.iter().map(|difference| Difference {
        key: difference.key.to_string(),
        change: match difference.differs {
            Differs::Added => How::Added,
            Differs::Removed => How::Removed,
            Differs::Changed => How::Changed,
        },
        expected: difference.before.clone(),
        found: difference.after.clone(),
        secret: difference.secret,
    });
    let status = if ok { Status::Pass } else { Status::Fail };
    Output { ok, status, differences: differences.collect(), detail }
}
