//! Which primitives there are, which drivers carry them out, and what serves the targets of an environment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{Assumption, AssumptionError, Case, CaseResult, Impact, Unknown, Value, did_you_mean, instead};

use super::contract::{Driver, FromTarget, NoTarget, Observer, Primitive, TargetArg};
use super::erased::{Drives, Handler, Observes};
use super::evidence::Evidence;
use super::notify::{Carrier, Carries, Channel, Notify};
use super::resolve::Resolve;
use super::schema::{ArgSpec, ArgType, FieldSpec, args_of, description, items_of, output_of};
use super::side::{Reach, Side};

type CarrierFactory = Arc<dyn Fn(&Target, &Environment) -> Result<Arc<dyn Carrier>, ConfigError> + Send + Sync>;
pub(super) type Factory = Arc<dyn Fn(&Target, &Environment) -> Result<Arc<dyn Handler>, ConfigError> + Send + Sync>;

/// A primitive as data.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own about a primitive")]
pub struct Signature {
    /// The name that scripts call.
    pub name: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// The description from its arguments' type.
    pub description: String,
    /// A call as a script writes it.
    pub example: &'static str,
    /// The arguments given by position, in order.
    pub positional: &'static [&'static str],
    /// All arguments.
    pub args: Vec<ArgSpec>,
    /// What it returns.
    pub output: ArgType,
    /// The fields of what it returns, if that is a map.
    pub fields: Vec<FieldSpec>,
    /// The fields of each item of what it returns, if that is a list of maps.
    pub item_fields: Vec<FieldSpec>,
    /// The argument that names its target.
    pub target: Option<TargetArg>,
    /// Whether it is refused outside drill environments.
    pub drill_only: bool,
    /// Whether a call names the state in which its target is to be, so that the same call again changes nothing.
    pub declares_state: bool,
    /// Whether what it finds is another thing each time, though nothing has changed.
    pub fleeting: bool,
    /// How far what it changes reaches.
    pub reach: Reach,
    /// Whether it belongs to the language rather than to a driver.
    pub is_language: bool,
    impact: fn(&Value) -> Result<Impact, String>,
    cases: fn(&Value) -> Result<Vec<Case>, String>,
    complete: fn(&Value) -> Result<Value, String>,
    returned: fn(&Value) -> Result<Value, String>,
    sides: fn(&Value, Option<&Value>) -> Vec<Side>,
}

impl Signature {
    fn of<P: Primitive>() -> Self {
        let (output, fields) = output_of::<P::Output>();
        Self {
            name: P::NAME,
            summary: P::SUMMARY,
            description: description::<P::Args>(),
            example: P::EXAMPLE,
            positional: P::POSITIONAL,
            args: args_of::<P::Args>(),
            output,
            fields,
            item_fields: items_of::<P::Output>(),
            target: P::TARGET,
            drill_only: P::DRILL_ONLY,
            declares_state: P::DECLARES_STATE,
            fleeting: P::FLEETING,
            reach: P::REACH,
            is_language: false,
            impact: |args| args.decode::<P::Args>().map(|args| P::impact(&args)),
            cases: |args| args.decode::<P::Args>().map(|args| P::cases(&args)),
            complete: |args| args.decode::<P::Args>().map(|args| Value::encode(&args)),
            returned: |output| output.decode::<P::Output>().map(|output| Value::encode(&output)),
            sides: |args, output| args.decode::<P::Args>().map_or_else(|_| vec![], |args| P::sides(&args, output)),
        }
    }

    /// The arguments that are given in the options map.
    pub fn options(&self) -> impl Iterator<Item = &ArgSpec> {
        self.args.iter().filter(|arg| !self.positional.contains(&arg.name.as_str()))
    }

    /// The argument called `name`.
    pub fn arg(&self, name: &str) -> Option<&ArgSpec> {
        self.args.iter().find(|arg| arg.name == name)
    }

    /// What the call does. The error says which argument is wrong.
    pub fn impact(&self, args: &Value) -> Result<Impact, String> {
        (self.impact)(args)
    }

    /// A call on `target` with as few arguments as it takes, for what does not depend on them.
    pub fn shortest(&self, target: &str) -> Value {
        let aimed = |arg: &ArgSpec| self.target.is_some_and(|known| known.name == arg.name);
        let needed = self.args.iter().filter(|arg| arg.required);
        let given = needed.map(|arg| {
            let any = if aimed(arg) { Value::from(target) } else { arg.kind.example() };
            (arg.name.clone(), any)
        });
        Value::Map(given.collect())
    }

    /// The ways in which the call can end, the likely one first.
    pub fn cases(&self, args: &Value) -> Result<Vec<Case>, String> {
        (self.cases)(args)
    }

    /// The arguments with their defaults. The error says which one is wrong.
    pub fn complete(&self, args: &Value) -> Result<Value, String> {
        (self.complete)(args)
    }

    /// What a call returns, with what the primitive does not know left out. The error says which field is wrong or missing.
    pub fn returned(&self, output: &Value) -> Result<Value, String> {
        (self.returned)(output)
    }

    /// The sides of its target that the call reads and sets; `output` is what it returned, if it did.
    pub fn sides(&self, args: &Value, output: Option<&Value>) -> Vec<Side> {
        (self.sides)(args, output)
    }

    /// The target that the arguments name.
    pub fn target_of<'a>(&self, args: &'a Value) -> Option<&'a str> {
        args.get(self.target?.name)?.as_str()
    }

    /// What the call returns when only the fields in `certain` are known: all others are unknowns labelled with the call.
    pub fn assumed_output(&self, args: &Value, certain: &Value) -> Value {
        self.output_labelled(&self.label(args), certain)
    }

    /// What people call a call whose output is not known: `probe:web`.
    pub fn label(&self, args: &Value) -> String {
        match self.target_of(args) {
            Some(target) => format!("{}:{target}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The same as [`Signature::assumed_output`] for a call that is called something else.
    pub fn output_labelled(&self, label: &str, certain: &Value) -> Value {
        let label = Unknown::labelled(label);
        if self.fields.is_empty() {
            return match certain {
                Value::Map(map) if map.is_empty() && self.output != ArgType::Map => Value::Unknown(label),
                value => value.clone(),
            };
        }
        let field = |f: &FieldSpec| {
            let known = certain.get(&f.name).cloned();
            (f.name.clone(), known.unwrap_or_else(|| Value::Unknown(label.field(&f.name))))
        };
        Value::Map(self.fields.iter().map(field).collect())
    }

    /// The likely way in which the call ends; `None` when the arguments are wrong.
    pub fn likely(&self, args: &Value) -> Option<CaseResult> {
        self.cases(args).ok()?.into_iter().next().map(|case| case.result)
    }
}

/// A driver of a kind of target; `None` where a primitive has no target.
type Serving = Option<(TargetKind, &'static str)>;

/// Which primitives there are and which drivers carry them out. Hosts add their own.
#[derive(Clone, Default)]
pub struct Registry {
    signatures: BTreeMap<&'static str, Arc<Signature>>,
    factories: HashMap<(&'static str, TargetKind, String), Factory>,
    settings: BTreeMap<(TargetKind, String), Arc<[ArgSpec]>>,
    without_target: HashMap<&'static str, Arc<dyn Handler>>,
    carriers: HashMap<String, CarrierFactory>,
    evidence: BTreeMap<(&'static str, Serving), Evidence>,
}

impl Registry {
    /// No primitive at all.
    pub fn empty() -> Self {
        Self::default()
    }

    fn declare<P: Primitive>(&mut self) {
        self.signatures.entry(P::NAME).or_insert_with(|| Arc::new(Signature::of::<P>()));
    }

    fn serve<P: Primitive, D: FromTarget>(&mut self, make: fn(D) -> Arc<dyn Handler>) {
        self.declare::<P>();
        let factory = move |target: &Target, environment: &Environment| {
            D::from_target(target.settings::<D::Settings>()?, target, environment).map(make)
        };
        self.settings.entry((D::KIND, D::DRIVER.to_owned())).or_insert_with(|| args_of::<D::Settings>().into());
        self.factories.insert((P::NAME, D::KIND, D::DRIVER.to_owned()), Arc::new(factory));
    }

    /// What `factory` makes carries out `primitive` for targets of `kind` with this driver.
    pub(super) fn serve_by(&mut self, primitive: &'static str, kind: TargetKind, driver: &str, factory: Factory) {
        self.factories.insert((primitive, kind, driver.to_owned()), factory);
    }

    /// A driver takes these settings.
    pub(super) fn takes(&mut self, kind: TargetKind, driver: &str, settings: Vec<ArgSpec>) {
        self.settings.insert((kind, driver.to_owned()), settings.into());
    }

    /// `D` carries out `P` for targets with its driver's name. Replaces an earlier driver of that name.
    #[must_use]
    pub fn driver<P: Primitive, D: Driver<P> + FromTarget>(mut self) -> Self {
        self.serve::<P, D>(|driver| Arc::new(Drives::<P, D>(driver, PhantomData)));
        self.evidence.insert((P::NAME, Some((D::KIND, D::DRIVER))), <D as Driver<P>>::EVIDENCE);
        self
    }

    /// `C` carries out `notify` and `resolve` for channels with its driver's name, and delivers what waits in the outbox. Replaces an
    /// earlier one of that name.
    #[must_use]
    pub fn channel<C: Channel + FromTarget>(mut self) -> Self {
        let factory = |target: &Target, environment: &Environment| {
            let channel = C::from_target(target.settings::<C::Settings>()?, target, environment)?;
            Ok(Arc::new(Carries(channel)) as Arc<dyn Carrier>)
        };
        self.carriers.insert(C::DRIVER.to_owned(), Arc::new(factory));
        self.driver::<Notify, C>().driver::<Resolve, C>()
    }

    /// `D` looks for `P` at targets with its driver's name. Replaces an earlier driver of that name.
    #[must_use]
    pub fn observer<P: Primitive, D: Observer<P> + FromTarget>(mut self) -> Self {
        self.serve::<P, D>(|driver| Arc::new(Observes::<P, D>(driver, PhantomData)));
        self
    }

    /// `P` has no target, and may change something or speak with people.
    #[must_use]
    pub fn driver_without_target<P: Primitive>(mut self) -> Self
    where
        NoTarget: Driver<P>,
    {
        self.declare::<P>();
        self.without_target.insert(P::NAME, Arc::new(Drives::<P, NoTarget>(NoTarget, PhantomData)));
        self.evidence.insert((P::NAME, None), <NoTarget as Driver<P>>::EVIDENCE);
        self
    }

    /// `P` has no target and only looks.
    #[must_use]
    pub fn observer_without_target<P: Primitive>(mut self) -> Self
    where
        NoTarget: Observer<P>,
    {
        self.declare::<P>();
        self.without_target.insert(P::NAME, Arc::new(Observes::<P, NoTarget>(NoTarget, PhantomData)));
        self
    }

    /// Only the contract of `P`: it can be checked and explored, not carried out.
    #[must_use]
    pub fn contract<P: Primitive>(mut self) -> Self {
        self.declare::<P>();
        self
    }

    /// `P` is carried out by the language itself; only its contract is registered.
    #[must_use]
    pub fn language<P: Primitive>(mut self) -> Self {
        self.signatures.insert(P::NAME, Arc::new(Signature { is_language: true, ..Signature::of::<P>() }));
        self
    }

    /// The primitive called `name`.
    pub fn signature(&self, name: &str) -> Option<&Arc<Signature>> {
        self.signatures.get(name)
    }

    /// Whether there is such a primitive as an assumption is about. In which ways a call of it can end is known when it is met.
    pub fn knows(&self, assumption: &Assumption) -> Result<(), AssumptionError> {
        let name = assumption.primitive.as_str();
        if self.signatures.contains_key(name) {
            return Ok(());
        }
        let hint = did_you_mean(name, self.signatures.keys().copied());
        Err(AssumptionError { message: format!("`{assumption}`: there is no primitive `{name}`"), hint })
    }

    /// All primitives, by name.
    pub fn signatures(&self) -> impl Iterator<Item = &Arc<Signature>> {
        self.signatures.values()
    }

    /// The names of the drivers for a kind of target.
    pub fn drivers(&self, kind: TargetKind) -> BTreeSet<&str> {
        self.settings.keys().filter(|(k, _)| *k == kind).map(|(_, name)| name.as_str()).collect()
    }

    /// How drivers find out after a crash what took place: by primitive, and by the kind of target and the driver where there is a target.
    pub fn evidence(&self) -> impl Iterator<Item = (&'static str, Option<(TargetKind, &'static str)>, Evidence)> {
        self.evidence.iter().map(|((primitive, driver), evidence)| (*primitive, *driver, *evidence))
    }

    /// The settings of a driver.
    pub fn settings(&self, kind: TargetKind, driver: &str) -> Option<&[ArgSpec]> {
        self.settings.get(&(kind, driver.to_owned())).map(AsRef::as_ref)
    }

    /// The primitives that a driver serves, by name.
    pub fn served_by(&self, kind: TargetKind, driver: &str) -> BTreeSet<&'static str> {
        self.factories.keys().filter(|(_, k, d)| *k == kind && d == driver).map(|(name, _, _)| *name).collect()
    }

    /// Makes the drivers of an environment. Every mistake in the settings of its targets is reported.
    pub fn bind(&self, environment: &Environment) -> Result<Bound, Vec<ConfigError>> {
        let (mut handlers, mut carriers, mut errors) = (HashMap::new(), HashMap::new(), Vec::new());
        for target in environment.targets.values() {
            let names = self.served_by(target.kind, &target.driver);
            if names.is_empty() {
                errors.push(self.unknown_driver(target));
            }
            for name in names {
                let factory = &self.factories[&(name, target.kind, target.driver.clone())];
                match factory(target, environment) {
                    Ok(handler) => drop(handlers.insert((name, target.name.clone()), handler)),
                    Err(error) => {
                        errors.push(error);
                        break;
                    }
                }
            }
            let carrier = self.carriers.get(&target.driver).filter(|_| target.kind == TargetKind::Channel);
            // A mistake in its settings was found above.
            if let Some(Ok(carrier)) = carrier.map(|make| make(target, environment)) {
                carriers.insert(target.name.clone(), carrier);
            }
        }
        errors.sort_by_key(|error| error.span.map(|span| span.offset()));
        if errors.is_empty() {
            Ok(Bound { handlers, without_target: self.without_target.clone(), carriers })
        } else {
            Err(errors)
        }
    }

    fn unknown_driver(&self, target: &Target) -> ConfigError {
        let known: Vec<_> = self.drivers(target.kind).into_iter().collect();
        let help = instead(&target.driver, &known, &format!("drivers for a {}", target.kind));
        target.error("driver", format!("there is no driver `{}` for a {}", target.driver, target.kind)).help(help)
    }
}

/// The drivers of one environment.
#[derive(Clone, Default)]
pub struct Bound {
    handlers: HashMap<(&'static str, String), Arc<dyn Handler>>,
    without_target: HashMap<&'static str, Arc<dyn Handler>>,
    carriers: HashMap<String, Arc<dyn Carrier>>,
}

impl Bound {
    /// What carries out `primitive`, for `target` if it has one.
    pub fn handler(&self, primitive: &'static str, target: Option<&str>) -> Option<&Arc<dyn Handler>> {
        match target {
            Some(target) => self.handlers.get(&(primitive, target.to_owned())),
            None => self.without_target.get(primitive),
        }
    }
    /// What delivers the letters for a channel.
    pub fn carrier(&self, channel: &str) -> Option<&Arc<dyn Carrier>> {
        self.carriers.get(channel)
    }
}
