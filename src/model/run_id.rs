//! The name of a run.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name of a run, such as `20261120-205609-k3f7`; sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(Arc<str>);

impl RunId {
    /// The id of a run that starts at `at`; `random` tells runs of one second apart.
    pub fn new(at: Timestamp, random: u32) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let suffix: String = (0..4).map(|i| char::from(LETTERS[(random >> (5 * i)) as usize % 32])).collect();
        Self(format!("{}-{suffix}", at.strftime("%Y%m%d-%H%M%S")).into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for RunId {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_sort_by_time() {
        let early = RunId::new(Timestamp::UNIX_EPOCH, u32::MAX);
        let late = RunId::new(Timestamp::from_second(1).expect("in range"), 0);
        assert_eq!(early.as_str(), "19700101-000000-9999");
        assert!(early < late);
    }
}
