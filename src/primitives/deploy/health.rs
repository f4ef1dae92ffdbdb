//! Waiting until a service is as it should be.

use std::time::Duration;

use crate::model::Span;
use crate::system::Look;

use super::service::Served;

/// The pause between two looks: short enough to be quick, long enough to be no load.
const EVERY: Duration = Duration::from_millis(100);

/// How waiting for a service's health ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// It is healthy.
    Healthy,
    /// It was not in time; what was found last.
    InVain(String),
    /// The run was asked to stop.
    Interrupted,
}

/// Waits until `service` is healthy and says that it is `version`, where it can be asked.
pub(super) async fn wait(service: &impl Served, version: &str, within: Span, look: &Look) -> Waited {
    let began = look.monotonic();
    loop {
        let ailment = match look.unless_cancelled(service.ailment(version, look)).await {
            Ok(None) => return Waited::Healthy,
            Ok(Some(ailment)) => ailment,
            Err(_) => return Waited::Interrupted,
        };
        if look.monotonic().saturating_sub(began) >= within.0 {
            return Waited::InVain(format!("not healthy within {within}: {ailment}"));
        }
        if look.sleep(EVERY).await.is_err() {
            return Waited::Interrupted;
        }
    }
}
