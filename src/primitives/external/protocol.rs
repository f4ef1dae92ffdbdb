//! The messages of the driver protocol, version 1: what Lifeboat writes to a driver's standard input, and what it reads from its
//! standard output. The doc comments are the reference.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::Applied;

/// The version that this Lifeboat speaks.
pub const VERSION: u32 = 1;

/// What a driver finds on its standard input: one JSON object, then the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The version of the protocol. A driver refuses one that it does not speak.
    pub protocol: u32,
    /// The number of this request. The reply repeats it.
    pub id: String,
    /// What is asked.
    pub request: Kind,
    /// The primitive that is called. Not in `describe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primitive: Option<String>,
    /// The target that the call names. Not in `describe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetOf>,
    /// The arguments of the call by name, as the page of the primitive has them; those that were not given and have no default are left
    /// out. In `preview`, what is not known before the run is `{"$unknown": "‹label›"}`; in `observe` and `preview`, a secret is
    /// `{"$secret": "NAME"}`. Not in `describe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<BTreeMap<String, Json>>,
    /// The same for every attempt of one call, and for no other call. Only in `perform` and `reconcile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// How long the driver has, in milliseconds. Then its process group gets SIGTERM, and five seconds later SIGKILL.
    pub time_limit_ms: u64,
}

/// What is asked of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Which primitives it serves, and which settings it takes. Answered without touching anything.
    Describe,
    /// How the target is: a call that only looks, such as `probe`. Changes nothing.
    Observe,
    /// What the call would do, as the world is now. Changes nothing.
    Preview,
    /// Do it.
    Perform,
    /// Did an earlier `perform` with this idempotency key take place? Changes nothing.
    Reconcile,
}

impl Kind {
    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Describe => "describe",
            Kind::Observe => "observe",
            Kind::Preview => "preview",
            Kind::Perform => "perform",
            Kind::Reconcile => "reconcile",
        }
    }
}

/// The target of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetOf {
    /// Its name in lifeboat.toml.
    pub name: String,
    /// What it is: `service`, `database`, `store`, `channel`, `host` or `tool`.
    pub kind: String,
    /// The name of its environment.
    pub environment: String,
    /// The project's directory. Relative paths in settings start there.
    pub root: String,
    /// Its settings in lifeboat.toml, without `driver`.
    pub settings: BTreeMap<String, Json>,
    /// The settings that hold secrets and were left out: a plan gives none away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
}

/// What a driver writes to its standard output, and nothing else: one JSON object with either `ok` or `fault`. Then it ends with exit
/// code 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The version of the protocol that the driver speaks.
    pub protocol: u32,
    /// The number of the request.
    pub id: String,
    /// The answer; what it holds depends on the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Json>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<DriverFault>,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriverFault {
    /// A stable name that scripts can compare, of lower-case letters, digits and `-`. Use those of the primitive where they fit.
    pub code: String,
    /// What failed, in lower case, in one line.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the target was changed all the same. Matters in `perform`, where `unknown` holds if it is left out: then `reconcile` is
    /// asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
}

/// The answer to `describe`. It is the same every time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The driver's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The primitives that it serves, by kind of target: `{"service": ["probe", "maintenance"]}`.
    pub serves: BTreeMap<String, Vec<String>>,
    /// The settings of its targets.
    #[serde(default)]
    pub settings: SettingsSchema,
    /// Calls with which `lifeboat doctor --driver` may try it out: they touch nothing but what lies in `{scratch}`, which stands for an
    /// empty directory.
    #[serde(default)]
    pub trials: Vec<Trial>,
}

/// The settings that a driver takes: a small part of JSON Schema. A setting that is not listed is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsSchema {
    /// Each setting by name.
    #[serde(default)]
    pub properties: BTreeMap<String, SettingSchema>,
    /// The settings that must be given.
    #[serde(default)]
    pub required: Vec<String>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingSchema {
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: SettingType,
    /// What it means, in a sentence: the user's help text.
    #[serde(default)]
    pub description: String,
    /// The values that it may have, all of them.
    #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<Json>>,
    /// What the driver takes when it is not given. Lifeboat only shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Json>,
    /// What a list holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<SettingSchema>>,
    /// Whether it is to hold a secret.
    #[serde(default, rename = "writeOnly")]
    pub write_only: bool,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SettingType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// A table of any content.
    Object,
}

/// A call that touches nothing but a scratch directory. In every text of it, `{scratch}` stands for that directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The kind of target.
    pub kind: String,
    /// The primitive.
    pub primitive: String,
    /// The target's settings.
    #[serde(default)]
    pub settings: BTreeMap<String, Json>,
    /// The arguments, without the one that names the target.
    #[serde(default)]
    pub args: BTreeMap<String, Json>,
}

/// The answer to `observe` and `perform`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// What the call returns, as the page of the primitive has it.
    #[serde(default)]
    pub output: Json,
}

/// The answer to `preview`. A fault instead says that nothing can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Previewed {
    /// The mark before the line. What the primitive is, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Mark>,
    /// What the call would do, in one line, without the primitive's name.
    pub summary: String,
    /// The state before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The state after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What the reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What is certain of the output. What is left out is unknown to the plan.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub output: Json,
    /// The fault with which the call would fail, as the world is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<DriverFault>,
    /// Why what it does cannot be told before the run, if that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
}

/// The mark before the line of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Makes something new: `+`.
    Create,
    /// Changes something: `~`.
    Change,
    /// Loses something: `!`.
    Destroy,
    /// Tells somebody: `>`.
    Tell,
    /// Would change nothing: `=`.
    Nothing,
}

/// The answer to `reconcile`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reconciliation {
    /// Whether the `perform` with this key took place.
    pub verdict: Verdict,
    /// What proves it, in one line; for `unknown`, what a person should look at.
    pub evidence: String,
    /// With `applied`: what the call returns.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub output: Json,
}

/// Whether an effect took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It did.
    Applied,
    /// It did not, and can be carried out.
    NotApplied,
    /// There is no evidence either way.
    Unknown,
}
