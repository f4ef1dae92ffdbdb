//! Secrets inside scripts: names that can be joined with text and handed on, and nothing else.

use rhai::{Dynamic, Engine, ImmutableString, NativeCallContext};

use crate::model::{Part, SecretText};

use super::host::RhaiResult;
use super::{call, marks};

/// Teaches an engine `secret("NAME")` and what can be done with it.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<SecretText>("secret");
    engine.register_fn("secret", |name: ImmutableString| SecretText::named(&name));
    engine.register_fn("+", |a: ImmutableString, b: SecretText| joined(&SecretText::plain(&a), &b));
    engine.register_fn("+", |a: SecretText, b: ImmutableString| joined(&a, &SecretText::plain(&b)));
    engine.register_fn("+", |a: SecretText, b: SecretText| joined(&a, &b));
    engine.register_fn("to_string", |a: &mut SecretText| marks::secret(a));
    engine.register_fn("to_debug", |a: &mut SecretText| marks::secret(a));
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        engine.register_fn(operator, |c: NativeCallContext, _: SecretText, _: Dynamic| refuse(&c));
        engine.register_fn(operator, |c: NativeCallContext, _: Dynamic, _: SecretText| refuse(&c));
        engine.register_fn(operator, |c: NativeCallContext, _: SecretText, _: SecretText| refuse(&c));
    }
}

fn joined(one: &SecretText, other: &SecretText) -> SecretText {
    SecretText::of(one.parts().iter().chain(other.parts()).cloned().collect::<Vec<Part>>())
}

/// What a script decided by a secret, everybody could read in its plan.
fn refuse(context: &NativeCallContext) -> RhaiResult<bool> {
    let position = context.call_position();
    let branch = call::branch(context, "a comparison")?;
    let why = "a secret cannot be compared: scripts know its name, never its value";
    let hint = "let the driver that uses it judge, such as a probe that logs in";
    Err(call::mistake(&branch, why, Some(hint.to_owned()), position))
}
