//! Cases that need no target: how a driver describes itself, what it refuses, and how it ends.

use std::time::Duration;

use serde_json::Value as Json;

use crate::config::TargetKind;
use crate::primitives::external::GRACE;
use crate::primitives::external::protocol::{Description, Kind};
use crate::system::Ended;

use super::bench::{Answer, Bench};

/// How long a driver waits for its request before it is told to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// All of them. The description, if there is one that can be read.
pub(super) async fn all(bench: &Bench<'_>) -> Option<Description> {
    let answer = bench.ask(&bench.request(Kind::Describe)).await;
    let description = described(&answer);
    bench.judge("answers `describe`", description.as_ref().map(|_| ()).map_err(Clone::clone));
    let description = description.ok()?;
    let again = bench.ask(&bench.request(Kind::Describe)).await;
    bench.judge("describes itself the same way twice", same(&answer, &again));
    bench.judge("serves primitives that there are", known(bench, &description));
    bench.judge("explains its settings", explained(&description));
    let mut foreign = bench.request(Kind::Describe);
    foreign.protocol += 1;
    bench.judge("refuses another version of the protocol", refused(&bench.ask(&foreign).await));
    let extra = bench.ask_with(&bench.request(Kind::Describe), Some("urgency")).await;
    bench.judge("refuses a field that it does not know", refused(&extra));
    bench.judge("refuses what is no request", garbage(bench).await);
    bench.judge("ends when it is told to (SIGTERM)", ends(bench).await);
    Some(description)
}

fn described(answer: &Answer) -> Result<Description, String> {
    match answer {
        Ok(Ok(ok)) => serde_path_to_error::deserialize(ok).map_err(|error| format!("its description is none: {error}")),
        Ok(Err(fault)) => Err(format!("it answered with a fault: {}", fault.message)),
        Err(why) => Err(why.clone()),
    }
}

pub(super) fn same(one: &Answer, other: &Answer) -> Result<(), String> {
    match (one, other) {
        (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        (one, other) if one == other => Ok(()),
        _ => Err("the second answer is another one".to_owned()),
    }
}

/// A request must be answered with a fault, not carried out and not ignored.
pub(super) fn refused(answer: &Answer) -> Result<(), String> {
    match answer {
        Ok(Err(_)) => Ok(()),
        Ok(Ok(_)) => Err("it answered as if nothing were wrong".to_owned()),
        Err(why) => Err(why.clone()),
    }
}

fn known(bench: &Bench<'_>, description: &Description) -> Result<(), String> {
    if description.serves.values().all(Vec::is_empty) {
        return Err("it serves none".to_owned());
    }
    for (kind, names) in &description.serves {
        let Some(kind) = TargetKind::ALL.into_iter().find(|known| known.to_string() == *kind) else {
            return Err(format!("there is no kind of target `{kind}`"));
        };
        for name in names {
            let signature = bench.registry.signature(name);
            if !signature.and_then(|s| s.target).is_some_and(|target| target.kinds.contains(&kind)) {
                return Err(format!("there is no primitive `{name}` that takes a {kind}"));
            }
        }
    }
    Ok(())
}

fn explained(description: &Description) -> Result<(), String> {
    let silent = description.settings.properties.iter().find(|(_, setting)| setting.description.trim().is_empty());
    match (description.settings.mistake(), silent) {
        (Some(mistake), _) => Err(mistake),
        (None, Some((name, _))) => Err(format!("`{name}` has no `description`")),
        (None, None) => Ok(()),
    }
}

/// Nobody can repeat the number of a request that has none.
async fn garbage(bench: &Bench<'_>) -> Result<(), String> {
    let limit = bench.spec.look_time_limit.0;
    for input in ["once upon a time\n", "[1, 2]\n", ""] {
        let end = bench.send(Some(input.as_bytes().to_vec()), limit).await?;
        let reply: Option<Json> = end.stdout.whole().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let shown = if input.is_empty() { "nothing at all" } else { input.trim_end() };
        match reply {
            Some(reply) if reply.get("fault").is_some() && end.ended == Ended::Exited(0) => {}
            _ => return Err(format!("it does not answer `{shown}` with a fault ({})", ended(end.ended))),
        }
    }
    Ok(())
}

async fn ends(bench: &Bench<'_>) -> Result<(), String> {
    let end = bench.send(None, PATIENCE).await?;
    match end.ended {
        Ended::TimedOut if end.took < PATIENCE + GRACE => Ok(()),
        Ended::TimedOut => Err(format!("it did not end within {} s, and had to be killed", GRACE.as_secs())),
        other => Err(format!("it did not wait for its request ({})", ended(other))),
    }
}

fn ended(end: Ended) -> String {
    match end {
        Ended::Exited(code) => format!("it ended with exit code {code}"),
        Ended::Killed(signal) => format!("it was ended by signal {signal}"),
        Ended::TimedOut => "it did not end by itself".to_owned(),
        Ended::Interrupted => "it was interrupted".to_owned(),
    }
}
