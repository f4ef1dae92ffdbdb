//! Cases that carry out a call in a scratch directory: what a look leaves, what one key does twice, what can be proved afterwards.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use crate::model::{ImpactKind, Value};
use crate::primitives::Signature;
use crate::primitives::external::protocol::{
    Description, Done, Kind, Previewed, Reconciliation, Request, SettingType, TargetOf, Trial, Verdict,
};
use crate::system::random_u32;

use super::Conforms;
use super::bench::{Answer, Bench, difference};
use super::messages::{refused, same};

/// A call in its scratch directory.
struct Call<'a> {
    bench: &'a Bench<'a>,
    signature: &'a Signature,
    scratch: &'a Path,
    target: TargetOf,
    args: BTreeMap<String, Json>,
}

/// All cases of one trial.
pub(super) async fn all(bench: &Bench<'_>, description: &Description, trial: &Trial) {
    let case = |text: &str| format!("{}: {text}", trial.primitive);
    let Some(signature) = bench.registry.signature(&trial.primitive).cloned() else {
        return bench.note(&case("can be tried"), Conforms::Failed("there is no such primitive".to_owned()));
    };
    let scratch = match bench.act.empty_directory() {
        Ok(scratch) => scratch,
        Err(error) => return bench.note(&case("can be tried"), Conforms::Skipped(format!("no scratch: {error}"))),
    };
    let call = match Call::new(bench, description, trial, &signature, scratch.path()) {
        Ok(call) => call,
        Err(why) => return bench.note(&case("can be tried"), Conforms::Failed(why)),
    };
    let args = Value::from_json(Json::Object(call.args.clone().into_iter().collect()));
    let looks = signature.impact(&args).is_ok_and(|impact| impact.kind == ImpactKind::Look);
    if looks { call.looks(&case).await } else { call.changes(&case).await }
}

impl<'a> Call<'a> {
    fn new(
        bench: &'a Bench<'a>,
        description: &Description,
        trial: &Trial,
        signature: &'a Signature,
        scratch: &'a Path,
    ) -> Result<Self, String> {
        let place = scratch.to_string_lossy();
        let mut settings: BTreeMap<String, Json> =
            trial.settings.iter().map(|(name, value)| (name.clone(), placed(value, &place))).collect();
        for (name, schema) in &description.settings.properties {
            if schema.write_only && schema.kind == SettingType::String {
                let made = || Json::from(format!("secret-{:08x}{:08x}", random_u32(), random_u32()));
                let value = settings.entry(name.clone()).or_insert_with(made);
                bench.keep_secret(name, value.as_str().unwrap_or_default());
            }
        }
        let target = TargetOf {
            name: "trial".to_owned(),
            kind: trial.kind.clone(),
            environment: "trial".to_owned(),
            root: place.to_string(),
            settings,
            withheld: Vec::new(),
        };
        let mut args = trial.args.clone();
        if let Some(target_arg) = signature.target {
            args.insert(target_arg.name.to_owned(), Json::from("trial"));
        }
        let args = args.iter().map(|(name, value)| (name.clone(), placed(value, &place))).collect();
        let complete = signature
            .complete(&Value::from_json(Json::Object(args)))
            .map_err(|why| format!("the trial has arguments that `{}` does not take: {why}", signature.name))?;
        let args = match complete.to_json() {
            Json::Object(args) => args.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => BTreeMap::new(),
        };
        Ok(Self { bench, signature, scratch, target, args })
    }

    fn request(&self, kind: Kind, key: Option<&str>) -> Request {
        Request {
            primitive: Some(self.signature.name.to_owned()),
            target: Some(self.target.clone()),
            args: Some(self.args.clone()),
            idempotency_key: key.map(str::to_owned),
            ..self.bench.request(kind)
        }
    }

    async fn ask(&self, kind: Kind, key: Option<&str>) -> Answer {
        self.bench.ask(&self.request(kind, key)).await
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.bench.files(self.scratch)
    }

    /// An argument that the primitive may get in a later version.
    async fn refuses_arguments(&self, case: &(impl Fn(&str) -> String + Sync), kind: Kind) {
        let mut request = self.request(kind, (kind == Kind::Perform).then_some("trial/unknown"));
        let args = request.args.get_or_insert_default();
        args.insert("urgency".to_owned(), Json::from("high"));
        self.bench.judge(&case("refuses an argument that it does not know"), refused(&self.bench.ask(&request).await));
    }

    async fn looks(&self, case: &(impl Fn(&str) -> String + Sync)) {
        let before = self.files();
        let answer = self.ask(Kind::Observe, None).await;
        self.bench.judge(&case("observes what the primitive returns"), self.returned(&answer).map(|_| ()));
        self.bench.judge(&case("observes without changing anything"), difference(&before, &self.files()));
        self.refuses_arguments(case, Kind::Observe).await;
    }

    async fn changes(&self, case: &(impl Fn(&str) -> String + Sync)) {
        let (key, other) = (format!("trial-{:08x}/0", random_u32()), format!("trial-{:08x}/1", random_u32()));
        let before = self.files();
        let first = self.ask(Kind::Preview, None).await;
        let again = self.ask(Kind::Preview, None).await;
        let previewed = answered::<Previewed>(&first);
        self.bench.judge(&case("previews"), previewed.as_ref().map(|_| ()).map_err(Clone::clone));
        self.bench.judge(&case("previews the same twice"), same(&first, &again));
        self.bench.judge(&case("previews without changing anything"), difference(&before, &self.files()));
        self.refuses_arguments(case, Kind::Preview).await;
        self.refuses_arguments(case, Kind::Perform).await;
        let untouched = self.reconciled(&key).await;
        self.bench.judge(&case("proves that nothing was done yet"), is(untouched, Verdict::NotApplied).map(|_| ()));
        self.bench.judge(&case("looks for proof without changing anything"), difference(&before, &self.files()));

        let done = self.ask(Kind::Perform, Some(&key)).await;
        let output = self.returned(&done);
        self.bench.judge(&case("performs, and returns what the primitive does"), output.clone().map(|_| ()));
        if let (Ok(previewed), Ok(output)) = (&previewed, &output) {
            self.bench.judge(&case("does what its preview predicts"), predicted(&previewed.output, output));
        }
        let after = self.files();
        let repeated = self.ask(Kind::Perform, Some(&key)).await;
        let once = difference(&after, &self.files()).and_then(|()| same(&done, &repeated));
        self.bench.judge(&case("does nothing more for the same idempotency key"), once);
        let proved = is(self.reconciled(&key).await, Verdict::Applied).and_then(|found| {
            let known =
                self.signature.returned(&Value::from_json(found.output)).map_err(|why| format!("its output: {why}"))?;
            if Ok(&known) == output.as_ref() {
                Ok(())
            } else {
                Err("it gives another output than `perform`".to_owned())
            }
        });
        self.bench.judge(&case("proves that it was done"), proved);
        let foreign = is(self.reconciled(&other).await, Verdict::NotApplied).map(|_| ());
        self.bench.judge(&case("takes another call's key for another call"), foreign);
        self.bench.judge(&case("proves without changing anything"), difference(&after, &self.files()));
    }

    async fn reconciled(&self, key: &str) -> Result<Reconciliation, String> {
        answered(&self.ask(Kind::Reconcile, Some(key)).await)
    }

    fn returned(&self, answer: &Answer) -> Result<Value, String> {
        let done: Done = answered(answer)?;
        self.signature.returned(&Value::from_json(done.output)).map_err(|why| format!("its output is none: {why}"))
    }
}

fn answered<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, String> {
    match answer {
        Ok(Ok(ok)) => serde_path_to_error::deserialize(ok).map_err(|error| format!("its answer is none: {error}")),
        Ok(Err(fault)) => Err(format!("it answered with a fault: {}", fault.message)),
        Err(why) => Err(why.clone()),
    }
}

fn is(found: Result<Reconciliation, String>, wanted: Verdict) -> Result<Reconciliation, String> {
    let found = found?;
    if found.verdict == wanted { Ok(found) } else { Err(format!("it says {:?}: {}", found.verdict, found.evidence)) }
}

/// Every field that was predicted is so.
fn predicted(predicted: &Json, output: &Value) -> Result<(), String> {
    let output = output.to_json();
    let differs = match predicted {
        Json::Null => None,
        Json::Object(fields) if output.is_object() => {
            fields.iter().find(|(name, value)| output.get(name.as_str()) != Some(*value)).map(|(name, _)| name.clone())
        }
        whole if *whole == output => None,
        _ => Some("the output".to_owned()),
    };
    differs.map_or(Ok(()), |name| Err(format!("it predicted another value of {name}")))
}

/// A value in whose texts `{scratch}` is the directory.
fn placed(value: &Json, scratch: &str) -> Json {
    match value {
        Json::String(text) => Json::from(text.replace("{scratch}", scratch)),
        Json::Array(list) => list.iter().map(|item| placed(item, scratch)).collect(),
        Json::Object(map) => map.iter().map(|(name, item)| (name.clone(), placed(item, scratch))).collect(),
        other => other.clone(),
    }
}
