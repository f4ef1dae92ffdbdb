//! Texts that an unknown value went into: they can be joined, passed on and compared, and nothing else can be asked of them.
//!
//! To Rhai they are texts like others, and its own functions would answer for them, with what their labels happen to say. So every
//! function of Rhai that takes a text is put behind one that looks at its arguments first.

use std::any::TypeId;
use std::sync::OnceLock;

use rhai::{Dynamic, Engine, FuncRegistration, ImmutableString, Module, NativeCallContext, RhaiFunc, Shared};

use crate::model::Unknown;

use super::host::RhaiResult;
use super::{engine, marks, unknown};

/// What passes a text on or joins it with other text. The mark stays in it, so that it is known as unknown wherever it goes.
const JOINING: [&str; 7] = ["+", "+=", "append", "to_string", "to_debug", "print", "debug"];
/// What Rhai puts before the name of a property.
const PROPERTY: &str = "get$";

/// Puts the functions that take a text behind ours.
pub(super) fn register(engine: &mut Engine) {
    engine.register_global_module(guarded().clone());
}

/// The engine whose functions they are.
fn plain() -> &'static Engine {
    static PLAIN: OnceLock<Engine> = OnceLock::new();
    PLAIN.get_or_init(engine::with_packages)
}

fn guarded() -> &'static Shared<Module> {
    static GUARDED: OnceLock<Shared<Module>> = OnceLock::new();
    GUARDED.get_or_init(|| {
        let text = TypeId::of::<ImmutableString>();
        let mut module = Module::new();
        for function in plain().collect_fn_metadata(None, |found| Some(found.metadata.clone()), true) {
            let name = function.name.to_string();
            if JOINING.contains(&name.as_str()) || !function.param_types.contains(&text) {
                continue;
            }
            // What changes its first argument may not be given a constant.
            let is_pure = !function.params_info.first().is_some_and(|first| first.contains("&mut"));
            let registration = FuncRegistration::new(function.name.clone()).in_global_namespace();
            let ask = move |context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]| match context {
                Some(context) => ask(&context, &name, arguments),
                None => Ok(Dynamic::UNIT),
            };
            let ask = RhaiFunc::Method { func: Shared::new(ask), has_context: true, is_pure, is_volatile: false };
            registration.set_into_module_raw(&mut module, &function.param_types, ask);
        }
        module.build_index();
        module.into()
    })
}

/// Lets Rhai answer, unless one of the texts is not known.
fn ask(context: &NativeCallContext, name: &str, arguments: &mut [&mut Dynamic]) -> RhaiResult {
    let unknown = arguments.iter().find_map(|argument| {
        let text = argument.read_lock::<ImmutableString>()?;
        marks::is_unknown(&text).then(|| Unknown::text(marks::readable(&text)))
    });
    if let Some(unknown) = unknown {
        return unknown::unanswered(context, name.trim_start_matches(PROPERTY), &unknown);
    }
    answered(context, name, arguments)
}

/// What Rhai itself answers. It calls nothing that is not Rhai's own.
pub(super) fn answered(context: &NativeCallContext, name: &str, arguments: &mut [&mut Dynamic]) -> RhaiResult {
    let (state, position) = (context.global_runtime_state(), context.call_position());
    NativeCallContext::new_with_all_fields(plain(), name, context.call_source(), state, position)
        .call_native_fn_raw(name, true, arguments)
}
