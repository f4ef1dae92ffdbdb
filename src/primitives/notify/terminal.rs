//! A channel that is the terminal of whoever runs the runbook.

use crate::model::{Fault, IdempotencyKey};
use crate::primitives::targets::TerminalChannel;
use crate::primitives::{Evidence, Reconciled};
use crate::system::{Act, Look};

use super::{Channel, Dispatch, Receipt, Undelivered};

impl Channel for TerminalChannel {
    const EVIDENCE: Evidence = Evidence::None("the terminal");

    fn name(&self) -> &str {
        &self.name
    }

    fn obstacle(&self, _: &Look) -> Option<Fault> {
        None
    }

    async fn deliver(&self, dispatch: &Dispatch<'_>, act: &Act) -> Result<Receipt, Undelivered> {
        // Who runs a runbook knows which one it is; a message of another run says where it comes from.
        let here = act.outbox().is_some_and(|outbox| outbox.origin().run == dispatch.message.origin.run);
        let from = Some(dispatch.message.from_where()).filter(|from| !here && !from.is_empty());
        let lines = [dispatch.message.for_people()].into_iter().chain(dispatch.remarks()).chain(from);
        act.show(&lines.collect::<Vec<_>>().join("\n  "));
        Ok(Receipt::new("shown at the terminal"))
    }

    async fn delivered(&self, _: &Look, _: &IdempotencyKey) -> Reconciled<Receipt> {
        Reconciled::Unknown { why: "nothing records what a terminal has shown".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::message::example;
    use super::*;
    use crate::system::{Console, System};

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Console for Screen {
        fn show(&self, message: &str) {
            self.0.lock().expect("nobody panicked").push(message.to_owned());
        }
    }

    #[tokio::test]
    async fn the_person_at_the_terminal_reads_it() {
        let screen = Screen::default();
        let mut system = System::new(std::env::temp_dir());
        system.console = Arc::new(screen.clone());
        let act = Act::grant(&Look::new(Arc::new(system)));
        let channel = TerminalChannel { name: "desk".to_owned() };
        assert!(channel.deliver(&Dispatch::first(&example(0)), &act).await.is_ok());
        let shown = screen.0.lock().expect("nobody panicked").clone();
        assert_eq!(shown, [format!("{}\n  {}", example(0).for_people(), example(0).from_where())]);
        let settled = channel.delivered(&act, &example(0).idempotency_key).await;
        assert!(matches!(settled, Reconciled::Unknown { .. }));
    }
}
