//! What a probe can be asked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Statuses;
use crate::model::{Arg, Span, Value};

/// Looks at a target once, or a few times, and says how it is. It never throws because a target is ill: look at `ok` (it works)
/// and `down` (nothing answered at all). It throws only when an option makes no sense for the target.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The service, database, host, store or log.
    pub target: String,
    /// How many times to try, until an attempt does not fail; 1 to 1000.
    #[serde(default = "once")]
    pub attempts: u32,
    /// The pause between attempts.
    #[serde(default = "a_second")]
    pub every: Span,
    /// How long one attempt may take. If not given: what the target's settings say, or 5s.
    pub timeout: Option<Span>,
    /// Warns when the answer takes longer.
    pub warn_latency: Option<Span>,
    /// Fails when the answer takes longer.
    pub fail_latency: Option<Span>,

    /// HTTP: what replaces the path and the query of the target's url, such as `/health`.
    pub path: Option<Arg<String>>,
    /// HTTP: the status that is expected: a number, a class such as `"2xx"`, or an array of these. Any 2xx if not given.
    pub status: Option<Statuses>,
    /// HTTP: text that the body must contain.
    pub contains: Option<Arg<String>>,
    /// HTTP: headers that must be there, with text that each must contain.
    pub headers: Option<BTreeMap<String, String>>,
    /// HTTP: a JSON pointer to the `value` in the body, such as `/orders/count`.
    pub pointer: Option<String>,
    /// HTTP: warns when the body has more bytes.
    pub warn_size: Option<u64>,
    /// HTTP: fails when the body has more bytes.
    pub fail_size: Option<u64>,
    /// HTTPS and TLS: warns when the certificate expires in fewer days. 21 if not given, for `driver = "tls"`.
    pub tls_days_warn: Option<u32>,
    /// HTTPS and TLS: fails when the certificate expires in fewer days. 7 if not given, for `driver = "tls"`.
    pub tls_days_fail: Option<u32>,
    /// HTTPS and TLS: names that the certificate must be for.
    pub tls_names: Option<Vec<String>>,
    /// HTTP: judges the headers that protect who sees the answer in a browser, and where plain HTTP leads. Each that is missing fails, each
    /// that is weak warns.
    #[serde(default)]
    pub security_headers: bool,

    /// Databases: a query that only reads; the first column of its first row is the `value`. Prometheus: an instant query; of several
    /// series each must be as expected.
    pub query: Option<Arg<String>>,
    /// Databases: what stands for each `?` in the query.
    pub params: Option<Vec<Value>>,
    /// Databases: checks the whole file as well, which takes a second per gigabyte.
    #[serde(default)]
    pub integrity: bool,

    /// With `query`, `pointer` or a log: fails unless the value is this text, number, bool or ().
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// With `query`, `pointer` or a log: fails unless the value is a number and not below this.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Arg<f64>>,
    /// With `query`, `pointer` or a log: fails unless the value is a number and not above this.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Arg<f64>>,
    /// With `query`, `pointer` or a log: fails unless the value is a number above this.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub above: Option<Arg<f64>>,
    /// With `query`, `pointer` or a log: fails unless the value is a number below this.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub below: Option<Arg<f64>>,

    /// Logs: the lines that are counted, by a text in them. `*` in it stands for any characters. All lines if not given.
    pub matching: Option<Arg<String>>,
    /// Logs: how old the lines may be that are counted. 5m if not given.
    pub within: Option<Span>,

    /// Hosts: what is measured. `disk` if not given.
    pub resource: Option<Resource>,
    /// Hosts and stores: warns when more per cent are used. 80 if not given.
    pub warn_percent: Option<f64>,
    /// Hosts and stores: fails when more per cent are used. 90 if not given.
    pub fail_percent: Option<f64>,
    /// Hosts and stores: fails when fewer bytes are free.
    pub min_free: Option<u64>,
}

/// A resource of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// The file system on which the target's `disk` lies.
    Disk,
    /// The machine's memory.
    Memory,
}

impl Args {
    /// A probe without options.
    pub fn of(target: &str) -> Self {
        Self { target: target.to_owned(), attempts: once(), every: a_second(), ..Self::default() }
    }

    /// The names of the options that were given, `attempts` and `every` left out: they have a value in any case.
    pub(super) fn given(&self) -> Vec<String> {
        let Value::Map(all) = Value::encode(self) else { return Vec::new() };
        let given = |name: &str, value: &Value| match name {
            "target" | "attempts" | "every" => false,
            "integrity" => self.integrity,
            "security_headers" => self.security_headers,
            // A missing `equals` is not written at all; `equals: ()` is one that asks for nothing to be there.
            "equals" => true,
            _ => *value != Value::Null,
        };
        all.into_iter().filter(|(name, value)| given(name, value)).map(|(name, _)| name).collect()
    }

    /// Whether any limit is given from which a probe warns.
    pub(super) fn warns(&self) -> bool {
        let limits = self.warn_latency.is_some() || self.warn_size.is_some() || self.tls_days_warn.is_some();
        // Of a log that is too large for its limit, or whose clock is wrong, nobody can be sure.
        limits || self.security_headers || self.matching.is_some() || self.within.is_some()
    }
}

/// Takes `()` for a value: a limit that a script computed to nothing must not switch the check off.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn once() -> u32 {
    1
}

fn a_second() -> Span {
    Span::from_secs(1)
}
