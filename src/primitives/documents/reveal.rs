//! Secrets among the values that a script gives.

use std::future::Future;
use std::pin::Pin;

use crate::model::{Fault, SecretText, Value};
use crate::system::Look;

/// The secrets that a value names.
pub(in crate::primitives) fn secrets(value: &Value) -> Vec<&SecretText> {
    match value {
        Value::Secret(secret) => vec![secret],
        Value::List(list) => list.iter().flat_map(secrets).collect(),
        Value::Map(map) => map.values().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

/// Puts what they stand for in their places.
pub(in crate::primitives) fn reveal<'a>(
    value: &'a mut Value,
    look: &'a Look,
) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>> {
    Box::pin(async move {
        match value {
            Value::Secret(secret) => *value = Value::from(&*look.reveal(secret).await?),
            Value::List(list) => {
                for item in list {
                    reveal(item, look).await?;
                }
            }
            Value::Map(map) => {
                for item in map.values_mut() {
                    reveal(item, look).await?;
                }
            }
            _ => {}
        }
        Ok(())
    })
}
