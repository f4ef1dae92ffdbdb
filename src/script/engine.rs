//! Rhai engines: sandboxed, limited, one for each evaluation.

use std::collections::BTreeSet;
use std::sync::{Arc, Once, OnceLock};

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, BitFieldPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Engine, Module, OptimizationLevel, Shared};

use super::host::Host;
use super::{branch, call, child, during, forks, lists, modules, parallel, repeat, secret, steps, texts, unknown};

/// Levels of script functions calling each other.
const CALL_LEVELS: usize = 64;
/// Levels of nesting of expressions: at the top level, and in functions. A step counts several.
const EXPRESSION_DEPTHS: (usize, usize) = (256, 128);
const ARRAY_SIZE: usize = 10_000;
const MAP_SIZE: usize = 10_000;
const STRING_SIZE: usize = 1 << 20;

/// Sets what must be set before anything of Rhai's is used in a process: its hashes, and with them the names of closures and
/// the order of functions, are then the same in every process. Every engine is made here, so none comes before it.
fn prepare_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that a host has set them already; runs of that host then agree among themselves.
        let _ = rhai::config::hashing::set_hashing_seed(Some([1, 2, 3, 4]));
    });
}

/// An engine that knows words, not syntax.
pub(super) fn for_lexing() -> Engine {
    prepare_process();
    Engine::new_raw()
}

/// An engine that can compile runbooks, and nothing else.
pub(super) fn for_parsing() -> Engine {
    prepare_process();
    let mut engine = Engine::new_raw();
    limit(&mut engine);
    steps::register(&mut engine);
    during::register(&mut engine);
    engine
}

/// The functions of Rhai that runbooks may use: made once, for every engine of the process.
fn packages() -> &'static [Shared<Module>] {
    static PACKAGES: OnceLock<Vec<Shared<Module>>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        prepare_process();
        // Chosen one by one: the packages left out bring clocks, sleeping and reflection.
        vec![
            ArithmeticPackage::new().as_shared_module(),
            LogicPackage::new().as_shared_module(),
            BasicMathPackage::new().as_shared_module(),
            BasicStringPackage::new().as_shared_module(),
            MoreStringPackage::new().as_shared_module(),
            BasicIteratorPackage::new().as_shared_module(),
            BasicArrayPackage::new().as_shared_module(),
            BasicMapPackage::new().as_shared_module(),
            BasicFnPackage::new().as_shared_module(),
            BitFieldPackage::new().as_shared_module(),
        ]
    })
}

/// An engine with the functions of Rhai that runbooks may use.
pub(super) fn with_packages() -> Engine {
    let mut engine = for_parsing();
    for package in packages() {
        engine.register_global_module(package.clone());
    }
    engine
}

/// The names of those functions.
pub(super) fn native() -> &'static BTreeSet<String> {
    static NAMES: OnceLock<BTreeSet<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let names = with_packages().collect_fn_metadata(None, |f| Some(f.metadata.name.to_string()), true);
        let keywords = ["call", "curry", "is_shared", "type_of", "Fn", "is_def_fn", "is_def_var"];
        names.into_iter().chain(keywords.map(str::to_owned)).collect()
    })
}

/// An engine that can evaluate runbooks for `host`.
pub(super) fn for_evaluation(host: &Arc<Host>) -> Engine {
    let mut engine = with_packages();
    texts::register(&mut engine);
    unknown::register(&mut engine, host);
    forks::register(&mut engine);
    lists::register(&mut engine);
    secret::register(&mut engine);
    call::register(&mut engine, &host.registry);
    repeat::register(&mut engine);
    parallel::register(&mut engine);
    child::register(&mut engine);
    engine.set_module_resolver(modules::Resolver::new(host.clone()));
    engine.on_progress(|_| branch::progress());
    engine
}

fn limit(engine: &mut Engine) {
    // The optimizer folds constant maps, which loses the positions of options, and may run effects at compile time.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_strict_variables(true);
    // A misspelt field would be `()`, which is equal to nothing: an alert would stay silent.
    engine.set_fail_on_invalid_map_property(true);
    engine.set_max_call_levels(CALL_LEVELS);
    engine.set_max_expr_depths(EXPRESSION_DEPTHS.0, EXPRESSION_DEPTHS.1);
    engine.set_max_array_size(ARRAY_SIZE);
    engine.set_max_map_size(MAP_SIZE);
    engine.set_max_string_size(STRING_SIZE);
    engine.set_max_strings_interned(0);
    for word in ["eval", "print", "debug"] {
        engine.disable_symbol(word);
    }
}
