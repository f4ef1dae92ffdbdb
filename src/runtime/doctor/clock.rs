//! Clocks: ours beside those of services that answer, and the time zone.

use std::path::Path;
use std::time::Duration;

use jiff::fmt::rfc2822;
use serde_json::Value as Json;

use crate::config::Target;
use crate::system::{HttpRequest, Look};

use super::Finding;

/// From how many seconds on two clocks differ: a `Date` has whole seconds, and the way takes its time.
const DIFFERENT: i64 = 5;

/// What the `Date` of a service says about our clock; nothing where there is none.
pub(super) async fn of_service(target: &Target, look: &Look, patience: Duration) -> Option<Finding> {
    let url = target.settings.get("url").and_then(Json::as_str)?;
    // A channel's address takes messages and nothing else.
    if target.kind != crate::config::TargetKind::Service {
        return None;
    }
    let request = HttpRequest { timeout: patience, body_limit: 1 << 16, ..HttpRequest::new(url) };
    let began = look.now();
    let response = look.http_get(&request).await.ok()?;
    let theirs = rfc2822::parse(response.headers.get("date")?).ok()?.timestamp();
    skewed(&target.name, began.as_second(), look.now().as_second(), theirs.as_second())
}

/// Their clock read at some moment between `began` and `ended`.
fn skewed(name: &str, began: i64, ended: i64, theirs: i64) -> Option<Finding> {
    let behind = theirs - ended;
    let ahead = began - theirs;
    let (seconds, how) = if behind > ahead { (behind, "behind") } else { (ahead, "ahead of") };
    (seconds >= DIFFERENT).then(|| {
        let message = format!("this machine's clock is {seconds} s {how} that of service {name}");
        Finding::warn("clock", message).hint("synchronise both with NTP: measured objectives and records depend on it")
    })
}

/// Which time it is here. Lifeboat itself writes UTC.
pub(super) fn zone(look: &Look) -> Finding {
    let named = look.environment(&["TZ"]).remove("TZ").filter(|zone| !zone.is_empty());
    let linked = || {
        let path = look.real_path(Path::new("/etc/localtime")).ok()?;
        let text = path.to_string_lossy().into_owned();
        text.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned())
    };
    let zone = named.or_else(linked).unwrap_or_else(|| "UTC".to_owned());
    Finding::ok("clock", format!("{:.0} UTC; time zone {zone}", look.now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told_in_words() {
        assert_eq!(skewed("web", 100, 101, 100), None);
        assert_eq!(skewed("web", 100, 101, 104), None);
        let said = |theirs| skewed("web", 100, 101, theirs).expect("they differ").message;
        assert_eq!(said(3701), "this machine's clock is 3600 s behind that of service web");
        assert_eq!(said(40), "this machine's clock is 60 s ahead of that of service web");
    }
}
