//! `probe` for `driver = "prometheus"`: what a query gives now, or whether the server is ready.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize;

use super::attempts::attempts;
use super::expect::expect;
use super::finding::{Finding, shorten, took};
use super::misuse::{check, misuse};
use super::{Args, Output, Probe};
use crate::model::{Arg, Fault, Value};
use crate::primitives::Observer;
use crate::primitives::targets::Prometheus;
use crate::system::{HttpErrorKind, HttpRequest, HttpResponse, Look};

const TAKES: [&str; 6] = ["query", "equals", "at_least", "at_most", "above", "below"];
/// How many series that are not as expected are named.
const NAMED: usize = 3;
/// How much of an answer is read.
const LARGEST: usize = 8 << 20;

impl Observer<Probe> for Prometheus {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        check(args, "a Prometheus server", &TAKES)?;
        let url = match args.query.as_ref().and_then(Arg::known) {
            Some(query) => format!("{}/api/v1/query?query={}", self.url, percent(query)),
            None => format!("{}/-/ready", self.url),
        };
        let timeout = args.timeout.unwrap_or(self.timeout).0;
        let headers = self.headers(look).await?;
        let request =
            HttpRequest { headers, timeout, body_limit: LARGEST, ca: self.ca.clone(), ..HttpRequest::new(url) };
        let request = &request;
        attempts(args, look, || async move {
            let started = look.monotonic();
            let error = match look.http_get(request).await {
                Ok(response) if args.query.is_some() => return judge(args, &response),
                Ok(response) => return Ok(ready(&response)),
                Err(error) => error,
            };
            let latency = look.monotonic().saturating_sub(started);
            match error.kind {
                HttpErrorKind::NoAnswer => Ok(Finding::silent(latency, error.message)),
                HttpErrorKind::BadAnswer => Ok(Finding::useless(latency, error.message)),
                HttpErrorKind::Invalid => {
                    let message = format!("no request can be sent to {}: {}", self.url, error.message);
                    Err(misuse(args, message)
                        .hint(format!("look at `url`, `headers` and `ca` of service {}", self.name)))
                }
            }
        })
        .await
    }
}

fn ready(response: &HttpResponse) -> Finding {
    let HttpResponse { status, elapsed, .. } = response;
    if *status == 200 {
        return Finding::answered(*elapsed, Value::Null, format!("ready in {}", took(*elapsed)));
    }
    Finding::useless(*elapsed, format!("it is not ready: {status}"))
}

/// What stands in an answer of `/api/v1/query`.
#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar((f64, String)),
    String((f64, String)),
    Matrix(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    /// Histograms have none.
    value: Option<(f64, String)>,
}

fn judge(args: &Args, response: &HttpResponse) -> Result<Finding, Fault> {
    let elapsed = response.elapsed;
    let Ok(answer) = serde_json::from_slice::<Answer>(&response.body) else {
        let cut = if response.body.len() >= LARGEST { ", or too long an answer" } else { "" };
        return Ok(Finding::useless(elapsed, format!("{}: no answer of Prometheus{cut}", response.status)));
    };
    let data = match answer.data {
        Some(data) if answer.status == "success" => data,
        // The query itself is wrong: no later attempt will tell more.
        _ if response.status == 400 => {
            return Err(misuse(args, format!("the query is refused: {}", shorten(&answer.error, 200))));
        }
        _ => return Ok(Finding::useless(elapsed, format!("{}: {}", response.status, shorten(&answer.error, 200)))),
    };
    Ok(match data {
        Data::Scalar((_, text)) => one(args, elapsed, &number(&text), ""),
        Data::String((_, text)) => one(args, elapsed, &Value::from(text), ""),
        Data::Vector(series) => vector(args, elapsed, &series),
        Data::Matrix(_) => {
            let message = "the query gives a range of values, and a probe wants those of now";
            return Err(
                misuse(args, message).hint("leave the range out, or take one value of it: `max_over_time(…[5m])`")
            );
        }
    })
}

fn one(args: &Args, elapsed: Duration, value: &Value, labels: &str) -> Finding {
    let summary = format!("{labels}{} in {}", shown(value), took(elapsed));
    let mut finding = Finding::answered(elapsed, storable(value), summary);
    expect(args, Some(value), &mut finding);
    finding
}

/// Every series must be as expected; the value is that of the first one which is not, or else of the first.
fn vector(args: &Args, elapsed: Duration, series: &[Series]) -> Finding {
    let value = |series: &Series| series.value.as_ref().map_or(Value::Null, |(_, text)| number(text));
    match series {
        [] => {
            let mut finding = Finding::answered(elapsed, Value::Null, format!("no series in {}", took(elapsed)));
            expect(args, None, &mut finding);
            finding
        }
        [single] => one(args, elapsed, &value(single), &labels(single)),
        several => {
            let judged: Vec<Finding> = several.iter().map(|s| one(args, elapsed, &value(s), &labels(s))).collect();
            let wrong: Vec<_> =
                several.iter().zip(&judged).filter(|(_, finding)| !finding.problems().is_empty()).collect();
            let first = wrong.first().map_or(&several[0], |(series, _)| series);
            let summary = format!("{} series in {}", several.len(), took(elapsed));
            let mut finding = Finding::answered(elapsed, storable(&value(first)), summary);
            for (series, judged) in wrong.iter().take(NAMED) {
                let problems = judged.problems().join(", ");
                finding.fail(format!("{}{}: {problems}", labels(series), shown(&value(series))));
            }
            if wrong.len() > NAMED {
                finding.fail(format!("and {} more", wrong.len() - NAMED));
            }
            finding
        }
    }
}

/// Prometheus writes numbers as text: JSON has no NaN and no infinity.
fn number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => Value::Int(whole),
        (_, Ok(number)) => Value::Float(number),
        _ => Value::from(text),
    }
}

/// A value as it can be recorded.
fn storable(value: &Value) -> Value {
    match value {
        Value::Float(number) if !number.is_finite() => Value::from(shown(value)),
        value => value.clone(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Float(number) if number.is_nan() => "NaN".to_owned(),
        Value::Float(number) if number.is_infinite() => if *number > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        value => shorten(&value.to_string(), 80),
    }
}

/// The labels of a series and a space, without its name.
fn labels(series: &Series) -> String {
    let labels = series.metric.iter().filter(|(name, _)| *name != "__name__");
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value:?}")).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}} ", shorten(&labels.join(", "), 80)) }
}

/// Text as it may stand in the query of a URL.
fn percent(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 3), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
#[path = "prometheus_tests.rs"]
mod tests;
