//! `--assume 'probe(primary)=fail'`: the reader pins what a plan cannot observe, or should not.

use std::fmt;
use std::str::FromStr;

/// How a call is taken to end, until the plan itself changes its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// The primitive's name.
    pub primitive: String,
    /// The target; `None` for every call of the primitive.
    pub target: Option<String>,
    /// The name of one of the primitive's cases.
    pub case: String,
}

/// A text that is not an assumption.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AssumptionError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl FromStr for Assumption {
    type Err = AssumptionError;

    fn from_str(text: &str) -> Result<Self, AssumptionError> {
        let error = || AssumptionError {
            message: format!("`{text}` is not an assumption"),
            hint: Some("write it as 'probe(primary)=fail': a primitive, its target, how the call ends".to_owned()),
        };
        let (call, case) = text.split_once('=').ok_or_else(error)?;
        let (primitive, target) = match call.trim().split_once('(') {
            Some((name, rest)) => {
                let target = rest.strip_suffix(')').ok_or_else(error)?.trim().trim_matches(['"', '\'']);
                (name.trim(), Some(target.to_owned()).filter(|t| !t.is_empty()))
            }
            None => (call.trim(), None),
        };
        if primitive.is_empty() || case.trim().is_empty() {
            return Err(error());
        }
        Ok(Self { primitive: primitive.to_owned(), target, case: case.trim().to_owned() })
    }
}

impl Assumption {
    /// Whether it is about a call of this primitive on this target.
    pub fn meets(&self, primitive: &str, target: Option<&str>) -> bool {
        self.primitive == primitive && (self.target.is_none() || self.target.as_deref() == target)
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(f, "{}({target})={}", self.primitive, self.case),
            None => write!(f, "{}={}", self.primitive, self.case),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, shown) in [
            ("probe(primary)=fail", "probe(primary)=fail"),
            (" probe( \"primary\" ) = fail ", "probe(primary)=fail"),
            ("confirm=no", "confirm=no"),
            ("confirm()=no", "confirm=no"),
        ] {
            assert_eq!(text.parse::<Assumption>().expect(text).to_string(), shown);
        }
        for text in ["probe", "probe(primary", "=fail", "probe(primary)="] {
            assert!(text.parse::<Assumption>().is_err(), "{text}");
        }
    }
}
