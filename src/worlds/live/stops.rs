//! Which branches are to begin nothing more, and what waits there for nothing.

use tokio::sync::watch;

use crate::model::Key;

/// What was stopped so far. Nothing of it is ever taken back.
pub(super) struct Stops(watch::Sender<Vec<Stop>>);

struct Stop {
    within: Key,
    /// Whether rollbacks inside are stopped as well.
    rollbacks: bool,
}

impl Stop {
    fn reaches(&self, key: &Key) -> bool {
        key.starts_with(&self.within) && (self.rollbacks || !key.in_rollback_within(&self.within))
    }
}

impl Stops {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    pub(super) fn stop(&self, within: &Key, rollbacks: bool) {
        self.0.send_modify(|stops| stops.push(Stop { within: within.clone(), rollbacks }));
    }

    /// Whether the call at `key` may not begin any more.
    pub(super) fn reach(&self, key: &Key) -> bool {
        self.0.borrow().iter().any(|stop| stop.reaches(key))
    }

    /// Ends when the call at `key` is to be waited for no longer.
    pub(super) async fn wait(&self, key: &Key) {
        let stopped = |stops: &Vec<Stop>| stops.iter().any(|stop| stop.reaches(key));
        // It can only fail when the sender is gone, and that is ours.
        let _ = self.0.subscribe().wait_for(stopped).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_reaches_what_is_below_it_and_no_rollback_unless_it_says_so() {
        let key = |text: &str| text.parse::<Key>().expect(text);
        let stops = Stops::new();
        stops.stop(&key("3"), false);
        for (call, reached) in
            [("3.b0.1", true), ("3.b7", true), ("3.b0.1.r.0", false), ("4", false), ("30.b0.1", false)]
        {
            assert_eq!(stops.reach(&key(call)), reached, "{call}");
        }
        stops.stop(&key("3"), true);
        assert!(stops.reach(&key("3.b0.1.r.0")));
        let in_a_rollback = Stops::new();
        in_a_rollback.stop(&key("2.r.0"), false);
        assert!(in_a_rollback.reach(&key("2.r.0.b1.0")), "a rollback's own branches are no rollbacks of each other");
    }
}
