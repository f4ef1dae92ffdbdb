//! A driver of another language behind the same type as our own.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::config::{Environment, Target};
use crate::model::{Applied, Case, Fault, IdempotencyKey, ImpactKind, Outcome, Symbol, Value};
use crate::primitives::{ErasedReconciled, Handler, Preview, Reconciled, Signature};
use crate::system::{Act, Look};

use super::answer::{self, message, one_line};
use super::driver::{ExternalDriver, request};
use super::exchange::{self, Answered, broken};
use super::protocol::{Done, Kind, Previewed, Reconciliation, Request, TargetOf, Verdict};
use super::secrets;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One primitive for one target.
pub(super) struct External {
    driver: Arc<ExternalDriver>,
    signature: Arc<Signature>,
    target: TargetOf,
}

impl External {
    pub(super) fn new(
        driver: Arc<ExternalDriver>,
        signature: Arc<Signature>,
        target: &Target,
        environment: &Environment,
    ) -> Self {
        let settings = target.settings.as_object().cloned().unwrap_or_default();
        let target = TargetOf {
            name: target.name.clone(),
            kind: target.kind.to_string(),
            environment: environment.name.clone(),
            root: environment.root.to_string_lossy().into_owned(),
            settings: settings.into_iter().collect(),
            withheld: Vec::new(),
        };
        Self { driver, signature, target }
    }

    async fn request(
        &self,
        kind: Kind,
        args: &Value,
        key: Option<&IdempotencyKey>,
        look: &Look,
    ) -> Result<Request, Fault> {
        let wrong = |why: String| Fault::new("argument", format!("{}: {why}", self.signature.name));
        let args = match self.signature.complete(args).map_err(wrong)?.to_json() {
            Json::Object(args) => args.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => BTreeMap::new(),
        };
        let trusted = matches!(kind, Kind::Perform | Kind::Reconcile) || self.driver.spec.secrets_for_looks;
        let (target, args) = if trusted {
            let settings = secrets::revealed(&self.target.settings, look).await?;
            (TargetOf { settings, ..self.target.clone() }, secrets::revealed(&args, look).await?)
        } else {
            (secrets::withheld(&self.target), args)
        };
        Ok(Request {
            primitive: Some(self.signature.name.to_owned()),
            target: Some(target),
            args: Some(args),
            idempotency_key: key.map(|key| key.as_str().to_owned()),
            ..request(kind, &self.driver.spec)
        })
    }

    /// A fault of the driver that is a mistake in its answer.
    fn broken(&self, request: &Request, why: &str) -> Fault {
        broken(&self.driver.spec.name, request, why).on(&self.target.name)
    }

    /// The answer as the message that it must be, or the driver's fault.
    fn read<T: DeserializeOwned>(&self, request: &Request, answered: Answered) -> Result<T, Fault> {
        let unsaid = if request.request == Kind::Perform { Applied::Unknown } else { Applied::No };
        match answered {
            Ok(ok) => message(ok).map_err(|why| self.broken(request, &why)),
            Err(fault) => {
                let fault = answer::fault(fault, &self.target.name, unsaid);
                Err(fault.unwrap_or_else(|why| self.broken(request, &why)))
            }
        }
    }

    async fn looked<T: DeserializeOwned>(&self, request: &Request, look: &Look) -> Result<T, Fault> {
        let answered = exchange::look(&self.driver.spec, request, look).await;
        let answered = answered.map_err(|fault| fault.on(&self.target.name))?;
        self.read(request, answered).map_err(|fault| fault.applied(Applied::No))
    }

    async fn observed(&self, args: &Value, look: &Look) -> Outcome {
        let request = self.request(Kind::Observe, args, None, look).await?;
        let done: Done = self.looked(&request, look).await?;
        let output = answer::output(&self.signature, done.output);
        output.map_err(|why| self.broken(&request, &why).applied(Applied::No))
    }

    async fn previewed(&self, args: &Value, look: &Look) -> Result<Preview, Fault> {
        let request = self.request(Kind::Preview, args, None, look).await?;
        let previewed: Previewed = self.looked(&request, look).await?;
        let symbol = match self.kind(args) {
            Some(ImpactKind::Destroy) => Symbol::Destroy,
            Some(ImpactKind::Tell) => Symbol::Tell,
            _ => Symbol::Change,
        };
        let preview = answer::preview(&self.signature, previewed, symbol, &self.target.name);
        let mut preview = preview.map_err(|why| self.broken(&request, &why).applied(Applied::No))?;
        // The driver was not given them, and cannot know.
        let secrets = [&self.target.settings, &request.args.unwrap_or_default()].map(secrets::of).concat();
        preview.fault = preview.fault.or_else(|| secrets.iter().find_map(|secret| look.obstacle_to(secret)));
        Ok(preview)
    }

    async fn performed(&self, args: &Value, act: &Act, key: &IdempotencyKey) -> Outcome {
        let request = self.request(Kind::Perform, args, Some(key), act).await?;
        let (shown, name) = (act.clone(), self.target.name.clone());
        let heard = Arc::new(move |line: &str| shown.show(&format!("{name}: {line}")));
        let answered = exchange::act(&self.driver.spec, &request, act, heard).await;
        let answered = answered.map_err(|fault| fault.on(&self.target.name))?;
        let done: Done = self.read(&request, answered)?;
        answer::output(&self.signature, done.output).map_err(|why| self.broken(&request, &why))
    }

    async fn reconciled(&self, args: &Value, look: &Look, key: &IdempotencyKey) -> Result<ErasedReconciled, Fault> {
        let request = self.request(Kind::Reconcile, args, Some(key), look).await?;
        let found: Reconciliation = self.looked(&request, look).await?;
        let evidence = one_line(&found.evidence);
        Ok(match found.verdict {
            Verdict::Applied => match answer::output(&self.signature, found.output) {
                Ok(output) => Reconciled::Applied { output, evidence },
                Err(why) => return Err(self.broken(&request, &why)),
            },
            Verdict::NotApplied => Reconciled::NotApplied { evidence },
            Verdict::Unknown => Reconciled::Unknown { why: evidence },
        })
    }

    fn kind(&self, args: &Value) -> Option<ImpactKind> {
        self.signature.impact(args).ok().map(|impact| impact.kind)
    }
}

impl Handler for External {
    fn impact(&self, _: &Value) -> Option<ImpactKind> {
        None
    }

    fn cases(&self, _: &Value) -> Option<Vec<Case>> {
        None
    }

    fn observe<'a>(&'a self, args: &'a Value, look: &'a Look) -> Option<Boxed<'a, Outcome>> {
        (self.kind(args) == Some(ImpactKind::Look)).then(|| Box::pin(self.observed(args, look)) as Boxed<'a, Outcome>)
    }

    fn preview<'a>(&'a self, args: &'a Value, look: &'a Look) -> Boxed<'a, Result<Preview, Fault>> {
        Box::pin(self.previewed(args, look))
    }

    fn perform<'a>(&'a self, args: &'a Value, act: &'a Act, key: &'a IdempotencyKey) -> Boxed<'a, Outcome> {
        if self.kind(args) == Some(ImpactKind::Look) {
            return Box::pin(self.observed(args, act));
        }
        Box::pin(self.performed(args, act, key))
    }

    fn reconcile<'a>(
        &'a self,
        args: &'a Value,
        look: &'a Look,
        key: &'a IdempotencyKey,
    ) -> Boxed<'a, ErasedReconciled> {
        Box::pin(async move {
            let found = self.reconciled(args, look, key).await;
            found.unwrap_or_else(|fault| Reconciled::Unknown { why: fault.message })
        })
    }
}
