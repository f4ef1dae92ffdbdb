//! Values of Rhai to ours, and back.

use rhai::{Array, Dynamic, FnPtr, Map};

use crate::model::{SecretText, Unknown, Value};

use super::marks;

/// How deep a value may be nested.
const DEPTH: usize = 64;

/// To Rhai.
pub(super) fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::Float(x) => (*x).into(),
        Value::String(text) => marks::entering(text).as_ref().into(),
        Value::List(list) => list.iter().map(to_dynamic).collect::<Array>().into(),
        Value::Map(map) => map.iter().map(|(k, v)| (k.as_str().into(), to_dynamic(v))).collect::<Map>().into(),
        Value::Unknown(unknown) => Dynamic::from(unknown.clone()),
        Value::Secret(secret) => Dynamic::from(secret.clone()),
    }
}

/// From Rhai. The error says what cannot leave a script.
pub(super) fn to_value(dynamic: &Dynamic) -> Result<Value, String> {
    nested(dynamic, DEPTH)
}

fn nested(dynamic: &Dynamic, depth: usize) -> Result<Value, String> {
    if depth == 0 {
        return Err(format!("a value nested deeper than {DEPTH} levels cannot leave the script"));
    }
    if dynamic.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(b) = dynamic.as_bool() {
        return Ok(Value::Bool(b));
    }
    if let Ok(i) = dynamic.as_int() {
        return Ok(Value::Int(i));
    }
    if let Ok(x) = dynamic.as_float() {
        return Ok(Value::Float(x));
    }
    if let Ok(c) = dynamic.as_char() {
        return Ok(Value::from(c.to_string()));
    }
    if let Ok(text) = dynamic.as_immutable_string_ref() {
        return marks::leaving(&text);
    }
    if let Some(unknown) = dynamic.read_lock::<Unknown>() {
        return Ok(Value::Unknown(unknown.clone()));
    }
    if let Some(secret) = dynamic.read_lock::<SecretText>() {
        return Ok(Value::Secret(secret.clone()));
    }
    if let Some(list) = dynamic.read_lock::<Array>() {
        return list.iter().map(|item| nested(item, depth - 1)).collect::<Result<_, _>>().map(Value::List);
    }
    if let Some(map) = dynamic.read_lock::<Map>() {
        let items = map.iter().map(|(k, v)| nested(v, depth - 1).map(|v| (k.to_string(), v)));
        return items.collect::<Result<_, _>>().map(Value::Map);
    }
    if dynamic.is::<FnPtr>() {
        return Err("a closure cannot leave the script".to_owned());
    }
    Err(format!("a value of type {} cannot leave the script", dynamic.type_name()))
}

/// Makes a value independent of every variable, all the way down: arrays, maps, captures of closures.
pub(super) fn freeze(dynamic: &mut Dynamic) {
    *dynamic = dynamic.flatten_clone();
    if let Some(mut list) = dynamic.write_lock::<Array>() {
        list.iter_mut().for_each(freeze);
        return;
    }
    if let Some(mut map) = dynamic.write_lock::<Map>() {
        map.values_mut().for_each(freeze);
        return;
    }
    if let Some(mut closure) = dynamic.write_lock::<FnPtr>() {
        freeze_captures(&mut closure);
    }
}

/// Makes the captured variables of a closure independent of the variables that they were.
pub(super) fn freeze_captures(closure: &mut FnPtr) {
    for capture in closure.iter_curry_mut() {
        freeze(capture);
        // Rhai expects captures to be shared; what is inside is ours alone from here on.
        *capture = std::mem::take(capture).into_shared();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_way_there_and_back() {
        let value = Value::from_json(serde_json::json!({"a": [1, 2.5, "x", null, true], "b": {"$unknown": "‹u›"}}));
        assert_eq!(to_value(&to_dynamic(&value)).expect("converts"), value);
    }

    #[test]
    fn what_has_no_value_is_refused() {
        let closure = Dynamic::from(FnPtr::new("f").expect("a name"));
        assert!(to_value(&closure).expect_err("refused").contains("closure"));
        let mut deep = Dynamic::UNIT;
        for _ in 0..100 {
            deep = Array::from([deep]).into();
        }
        assert!(to_value(&deep).expect_err("refused").contains("64"));
    }
}
