//! `log`: tells the person at the terminal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Arg, Case, Fault, IdempotencyKey, Impact, ImpactKind, Symbol, Value};
use crate::system::{Act, Look};

use super::{Driver, Evidence, NoTarget, Preview, Primitive, Reconciled, TargetArg};

/// The contract of `log`.
#[derive(Clone, Copy, Debug)]
pub struct Log;

/// Shows a message to whoever runs the runbook, and keeps it in the journal. To tell others, use `notify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The message.
    pub message: Arg<String>,
    /// How much it matters.
    #[serde(default)]
    pub level: Level,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good to know.
    #[default]
    Info,
    /// Worth a second look.
    Warn,
    /// Something is wrong.
    Error,
}

impl Args {
    /// The message as it is shown.
    fn line(&self) -> String {
        match self.level {
            Level::Info => self.message.to_string(),
            Level::Warn => format!("warning: {}", self.message),
            Level::Error => format!("error: {}", self.message),
        }
    }
}

impl Primitive for Log {
    const NAME: &'static str = "log";
    const SUMMARY: &'static str = "shows a message to whoever runs the runbook";
    const POSITIONAL: &'static [&'static str] = &["message"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"log("the replica lags behind", #{ level: "warn" })"#;
    type Args = Args;
    type Output = ();

    fn impact(_: &Args) -> Impact {
        Impact::of(ImpactKind::Tell)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![Case::returns("shown", Value::Null)]
    }
}

impl Driver<Log> for NoTarget {
    const EVIDENCE: Evidence = Evidence::NotNeeded;

    async fn preview(&self, args: &Args, _: &Look) -> Result<Preview, Fault> {
        Ok(Preview::new(Symbol::Tell, args.line()).output(Value::Null))
    }

    async fn perform(&self, args: &Args, act: &Act, _: &IdempotencyKey) -> Result<(), Fault> {
        act.show(&args.line());
        Ok(())
    }

    async fn reconcile(&self, _: &Args, _: &Look, _: &IdempotencyKey) -> Reconciled<()> {
        Reconciled::NotApplied { evidence: "a message leaves no trace, and does no harm if shown again".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::{Key, Unknown};
    use crate::primitives::{ArgType, Registry};
    use crate::system::{Console, System};

    #[derive(Default)]
    struct Page(Mutex<Vec<String>>);

    impl Console for Page {
        fn show(&self, message: &str) {
            self.0.lock().expect("not poisoned").push(message.to_owned());
        }
    }

    #[tokio::test]
    async fn messages_are_shown_with_their_level() {
        let page = Arc::new(Page::default());
        let mut system = System::new("/nowhere".into());
        system.console = page.clone();
        let act = Act::grant(&Look::new(Arc::new(system)));
        for level in [Level::Info, Level::Warn, Level::Error] {
            let args = Args { message: Arg::Known("disk 91 % full".into()), level };
            Driver::<Log>::perform(&NoTarget, &args, &act, &IdempotencyKey::new("run", &Key::ROOT))
                .await
                .expect("shown");
        }
        let shown = page.0.lock().expect("not poisoned").clone();
        assert_eq!(shown, ["disk 91 % full", "warning: disk 91 % full", "error: disk 91 % full"]);
    }

    #[tokio::test]
    async fn a_plan_shows_what_it_cannot_know() {
        let look = Look::new(Arc::new(System::new("/nowhere".into())));
        let message = Arg::Unknown(Unknown::text("restored ‹latest_backup:primary.id›"));
        let preview = Driver::<Log>::preview(&NoTarget, &Args { message, level: Level::Warn }, &look).await;
        assert_eq!(preview.expect("shown").summary, "warning: restored ‹latest_backup:primary.id›");
    }

    #[test]
    fn the_level_is_a_choice_with_a_default() {
        let registry = Registry::empty().driver_without_target::<Log>();
        let log = registry.signature("log").expect("declared");
        let level = log.arg("level").expect("declared");
        assert_eq!(level.kind, ArgType::Choice(vec!["info".into(), "warn".into(), "error".into()]));
        assert_eq!(level.default, Some("info".into()));
        assert!(!level.required && log.arg("message").expect("declared").required);
        assert_eq!(log.assumed_output(&Value::Null, &Value::Null), Value::Null);
    }
}
