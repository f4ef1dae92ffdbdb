//! Drivers behind one type, so that worlds need not know which primitive they carry out.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use crate::model::{Case, Fault, IdempotencyKey, ImpactKind, Outcome, Value};
use crate::system::{Act, Look};

use super::{Driver, Observer, Preview, Primitive, Reconciled};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Reconciled`] with its output as a value.
pub type ErasedReconciled = Reconciled<Value>;

/// A driver of one primitive for one target, with arguments and output as values.
pub trait Handler: Send + Sync {
    /// What the call does, where the driver knows it better than the primitive.
    fn impact(&self, args: &Value) -> Option<ImpactKind>;

    /// The ways in which the call can end, where the driver knows them better than the primitive.
    fn cases(&self, args: &Value) -> Option<Vec<Case>>;

    /// What a look finds; `None` for primitives that are previewed instead.
    fn observe<'a>(&'a self, args: &'a Value, look: &'a Look) -> Option<Boxed<'a, Outcome>>;

    /// What the call would do.
    fn preview<'a>(&'a self, args: &'a Value, look: &'a Look) -> Boxed<'a, Result<Preview, Fault>>;

    /// Does it.
    fn perform<'a>(&'a self, args: &'a Value, act: &'a Act, key: &'a IdempotencyKey) -> Boxed<'a, Outcome>;

    /// Whether an earlier attempt took place.
    fn reconcile<'a>(&'a self, args: &'a Value, look: &'a Look, key: &'a IdempotencyKey)
    -> Boxed<'a, ErasedReconciled>;
}

pub(super) struct Drives<P, D>(pub(super) D, pub(super) PhantomData<fn() -> P>);
pub(super) struct Observes<P, D>(pub(super) D, pub(super) PhantomData<fn() -> P>);

/// Arguments are checked against their schema before a handler is asked, so this fails only where a plan does not know one.
fn decode<P: Primitive>(args: &Value) -> Result<P::Args, Fault> {
    args.decode().map_err(|why| Fault::new("argument", format!("{}: {why}", P::NAME)))
}

impl<P: Primitive, D: Driver<P>> Handler for Drives<P, D> {
    fn impact(&self, args: &Value) -> Option<ImpactKind> {
        self.0.impact(&decode::<P>(args).ok()?)
    }

    fn cases(&self, args: &Value) -> Option<Vec<Case>> {
        self.0.cases(&decode::<P>(args).ok()?)
    }

    fn observe<'a>(&'a self, _: &'a Value, _: &'a Look) -> Option<Boxed<'a, Outcome>> {
        None
    }

    fn preview<'a>(&'a self, args: &'a Value, look: &'a Look) -> Boxed<'a, Result<Preview, Fault>> {
        Box::pin(async move { self.0.preview(&decode::<P>(args)?, look).await })
    }

    fn perform<'a>(&'a self, args: &'a Value, act: &'a Act, key: &'a IdempotencyKey) -> Boxed<'a, Outcome> {
        Box::pin(async move { self.0.perform(&decode::<P>(args)?, act, key).await.map(|o| Value::encode(&o)) })
    }

    fn reconcile<'a>(
        &'a self,
        args: &'a Value,
        look: &'a Look,
        key: &'a IdempotencyKey,
    ) -> Boxed<'a, ErasedReconciled> {
        Box::pin(async move {
            let args = match decode::<P>(args) {
                Ok(args) => args,
                Err(fault) => return Reconciled::Unknown { why: fault.message },
            };
            match self.0.reconcile(&args, look, key).await {
                Reconciled::Applied { output, evidence } => {
                    Reconciled::Applied { output: Value::encode(&output), evidence }
                }
                Reconciled::NotApplied { evidence } => Reconciled::NotApplied { evidence },
                Reconciled::Unknown { why } => Reconciled::Unknown { why },
            }
        })
    }
}

impl<P: Primitive, D: Observer<P>> Handler for Observes<P, D> {
    fn impact(&self, _: &Value) -> Option<ImpactKind> {
        None
    }

    fn cases(&self, args: &Value) -> Option<Vec<Case>> {
        self.0.cases(&decode::<P>(args).ok()?)
    }

    fn observe<'a>(&'a self, args: &'a Value, look: &'a Look) -> Option<Boxed<'a, Outcome>> {
        Some(Box::pin(async move { self.0.observe(&decode::<P>(args)?, look).await.map(|o| Value::encode(&o)) }))
    }

    fn preview<'a>(&'a self, _: &'a Value, _: &'a Look) -> Boxed<'a, Result<Preview, Fault>> {
        Box::pin(async { Err(Fault::new("internal", "a look is observed, not previewed")) })
    }

    fn perform<'a>(&'a self, args: &'a Value, act: &'a Act, _: &'a IdempotencyKey) -> Boxed<'a, Outcome> {
        Box::pin(async move { self.0.observe(&decode::<P>(args)?, act).await.map(|o| Value::encode(&o)) })
    }

    fn reconcile<'a>(&'a self, _: &'a Value, _: &'a Look, _: &'a IdempotencyKey) -> Boxed<'a, ErasedReconciled> {
        Box::pin(async { Reconciled::NotApplied { evidence: "a look changes nothing".to_owned() } })
    }
}
