//! A log in a file: `driver = "file"` of a log.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::primitives::FromTarget;

/// A log in a file.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// The target's name.
    pub name: String,
    /// The file that is written to now.
    pub path: PathBuf,
    /// Where the clock stands by which lines without an offset are stamped.
    pub time_zone: TimeZone,
    /// How many bytes are read from its end at most.
    pub read_limit: u64,
}

/// Settings of `driver = "file"` of a log.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file that is written to now. If it was begun a moment ago, `PATH.1` is read as well: that is where logrotate puts what was in it.
    path: PathBuf,
    /// The time zone of lines that do not say theirs, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    time_zone: String,
    /// How many bytes are read from its end at most.
    #[serde(default = "most")]
    read_limit: u64,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn most() -> u64 {
    64 << 20
}

impl FromTarget for LogFile {
    const DRIVER: &'static str = "file";
    const KIND: TargetKind = TargetKind::Log;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let time_zone = TimeZone::get(&settings.time_zone).map_err(|_| {
            let message = format!("there is no time zone `{}` on this machine", settings.time_zone);
            target.error("time_zone", message).help("write it as `UTC` or `Europe/Berlin`")
        })?;
        if !(4096..=1 << 30).contains(&settings.read_limit) {
            let message = format!("`read_limit` of log `{}` must be from 4096 to 1073741824 bytes", target.name);
            return Err(target.error("read_limit", message).help("what is read is held in memory for a moment"));
        }
        let path = environment.resolve(&settings.path);
        Ok(Self { name: target.name.clone(), path, time_zone, read_limit: settings.read_limit })
    }
}
