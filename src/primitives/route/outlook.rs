//! How traffic is shared out after a call, told from its arguments and from how it was shared out before.

use std::sync::Arc;

use crate::model::{Arg, Value};
use crate::primitives::After;

use super::shares::{alike, moved};
use super::{Args, Percent, Shares};

/// The side of a router that calls read and set.
pub(in crate::primitives) const SHARES: &str = "shares";

/// How traffic is shared out after a call with these arguments that said this of it.
pub(super) fn after(args: &Args, said: Option<Value>) -> After {
    if let Some(said @ Value::Map(_)) = said {
        return After::Is(said);
    }
    let args = args.clone();
    After::From(Arc::new(move |before| shared_out(&args, before)))
}

fn shared_out(args: &Args, before: Option<&Value>) -> Option<Value> {
    let before = before.and_then(|before| before.decode::<Shares>().ok());
    match (&args.shares, &args.to) {
        (Some(Arg::Unknown(label)), _) => Some(Value::Unknown(label.clone())),
        (Some(Arg::Known(shares)), _) => Some(Value::encode(&with_nothing(shares, before.unwrap_or_default()))),
        (None, Some(Arg::Known(to))) => {
            let percent = match &args.percent {
                None => Percent::ALL,
                Some(percent) => *percent.known()?,
            };
            Some(Value::encode(&moved(&before?, to, percent)))
        }
        (None, _) => None,
    }
}

/// The shares, and nothing for those of the others that they leave out.
fn with_nothing(shares: &Shares, others: Shares) -> Shares {
    others.into_keys().map(|name| (name, Percent::NONE)).chain(shares.clone()).collect()
}

/// Whether two values of [`SHARES`] mean the same: who is left out gets nothing.
pub(in crate::primitives) fn same_shares(one: &Value, other: &Value) -> bool {
    match (one.decode::<Shares>(), other.decode::<Shares>()) {
        (Ok(one), Ok(other)) => alike(&with_nothing(&one, other.clone()), &with_nothing(&other, one.clone())),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn shares(args: serde_json::Value, before: Option<serde_json::Value>, expected: Option<serde_json::Value>) {
        let (mut args, before) = (Value::from_json(args), before.map(Value::from_json));
        let Value::Map(given) = &mut args else { panic!("no arguments") };
        given.insert("target".to_owned(), "lb".into());
        let args: Args = args.decode().expect("arguments");
        let After::From(computed) = after(&args, None) else { panic!("it said nothing of it") };
        assert_eq!(computed(before.as_ref()), expected.map(Value::from_json));
    }

    #[test]
    fn the_others_share_what_is_left_as_they_did_before() {
        let all_blue = || Some(json!({ "blue": 100, "green": 0 }));
        shares(json!({ "to": "green" }), all_blue(), Some(json!({ "blue": 0, "green": 100 })));
        shares(json!({ "to": "green", "percent": 10 }), all_blue(), Some(json!({ "blue": 90, "green": 10 })));
        shares(json!({ "shares": { "green": 100 } }), all_blue(), Some(json!({ "blue": 0, "green": 100 })));
        let three = Some(json!({ "a": 60, "b": 20, "c": 20 }));
        shares(json!({ "to": "c", "percent": 0 }), three, Some(json!({ "a": 75, "b": 25, "c": 0 })));
        shares(json!({ "to": "green" }), None, None);
    }

    #[test]
    fn who_is_left_out_gets_nothing() {
        let value = Value::from_json;
        assert!(same_shares(&value(json!({ "blue": 100 })), &value(json!({ "blue": 100.0, "green": 0 }))));
        assert!(!same_shares(&value(json!({ "blue": 90, "green": 10 })), &value(json!({ "blue": 100 }))));
    }
}
