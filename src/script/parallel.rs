//! `parallel(items, #{ … }, |item| …)`: branches that go on at the same time.
//!
//! How many really do is up to the world. Each branch has keys of its own and copies of what its closure captured, so what it
//! does depends on nothing that another branch does, but for one thing: where it is stopped when another one fails. That is
//! up to the world, too, which records it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, Engine, FnPtr, GlobalRuntimeState, Map, NativeCallContext, Position};

use crate::model::{Fault, Halt, Left, Scope, ScopeKind, Segment, Value};
use crate::primitives::language::{Finish, ParallelArgs};

use super::branch::Branch;
use super::host::{RhaiResult, lock};
use super::{call, convert, errors, unwind};

/// The most branches that may go on at the same time, and the most that there may be.
const AT_MOST: u32 = 1000;
const ITEMS: usize = 10_000;
/// Each branch has a stack as deep as the runbook's own. Of it only what is used takes memory.
const STACK: usize = 16 << 20;
/// A title is not longer than this, in characters.
const TITLE: usize = 60;

/// Registers the function.
pub(super) fn register(engine: &mut Engine) {
    use rhai::{Dynamic as D, NativeCallContext as C};
    engine.register_fn("parallel", |c: C, items: D, body: FnPtr| parallel(&c, items, None, body));
    engine
        .register_fn("parallel", |c: C, items: D, options: Map, body: FnPtr| parallel(&c, items, Some(options), body));
}

fn parallel(context: &NativeCallContext, items: Dynamic, options: Option<Map>, body: FnPtr) -> RhaiResult {
    let position = context.call_position();
    let branch = call::branch(context, "parallel")?;
    branch.check(position)?;
    let args = arguments(&branch, items, options, position)?;
    let scope = Scope {
        key: branch.next_key(),
        site: branch.host.site(position),
        title: "parallel".to_owned(),
        kind: ScopeKind::Parallel { branches: args.items.len(), at_most: args.at_most as usize },
    };
    branch.host.world.enter(&scope).map_err(|halt| branch.halt(halt, position))?;
    let inner = |n| branch.beside_others(scope.key.child(Segment::Branch(u32::try_from(n).unwrap_or(u32::MAX))));
    let group = Group {
        engine: context.engine(),
        state: context.global_runtime_state(),
        source: context.call_source(),
        position,
        scope: &scope,
        items: &args.items,
        body,
        finish: args.finish,
        branches: (0..args.items.len()).map(inner).collect(),
        next: AtomicUsize::new(0),
        ended: args.items.iter().map(|_| Mutex::default()).collect(),
    };
    group.run(&branch, args.at_most as usize);
    group.conclude(&branch)
}

fn arguments(branch: &Branch, items: Dynamic, options: Option<Map>, position: Position) -> RhaiResult<ParallelArgs> {
    let wrong = |why: String, hint: Option<String>| Err(call::mistake(branch, why, hint, position));
    let Some(signature) = branch.host.registry.signature("parallel").cloned() else {
        return wrong("`parallel` is not available here".to_owned(), None);
    };
    let given: Vec<Dynamic> = [Some(listed(items)), options.map(Into::into)].into_iter().flatten().collect();
    let args = call::arguments_by_name(branch, &signature, &given, position)?;
    if let Some(Value::Unknown(unknown)) = args.get("items") {
        let (why, site) =
            (format!("`parallel` needs {unknown}, which is not known before the run"), branch.host.site(position));
        let hint = Some("pin the call it comes from with --assume".to_owned());
        return Err(branch.halt(Halt::Unplannable { why, site, hint }, position));
    }
    let args: ParallelArgs = match args.decode() {
        Ok(args) => args,
        Err(why) => return wrong(format!("`parallel`: {why}"), Some(format!("for example: {}", signature.example))),
    };
    if !(1..=AT_MOST).contains(&args.at_most) {
        return wrong(format!("`parallel`: `at_most` is {}: it must be 1 to {AT_MOST}", args.at_most), None);
    }
    if args.items.len() > ITEMS {
        let why = format!("`parallel` has {} items: {ITEMS} are the most that it takes", args.items.len());
        return wrong(why, Some("divide the list".to_owned()));
    }
    Ok(args)
}

/// A range is as good as an array.
fn listed(items: Dynamic) -> Dynamic {
    let numbers = |mut range: Box<dyn Iterator<Item = i64>>| -> Dynamic {
        // One more than there may be: then it is known that there are too many.
        range.by_ref().take(ITEMS + 1).map(Dynamic::from).collect::<Array>().into()
    };
    if let Some(range) = items.read_lock::<std::ops::Range<i64>>() {
        return numbers(Box::new(range.clone()));
    }
    if let Some(range) = items.read_lock::<std::ops::RangeInclusive<i64>>() {
        return numbers(Box::new(range.clone()));
    }
    items
}

/// How a branch ended.
enum Ended {
    Well(Dynamic),
    Failed(Fault),
    /// By a halt, or because another one failed; maybe before it began.
    Early,
}

struct Group<'a> {
    engine: &'a Engine,
    state: &'a GlobalRuntimeState,
    source: Option<&'a str>,
    position: Position,
    scope: &'a Scope,
    items: &'a [Value],
    body: FnPtr,
    finish: Finish,
    branches: Vec<Arc<Branch>>,
    /// The branch that begins next.
    next: AtomicUsize,
    ended: Vec<Mutex<Option<Ended>>>,
}

impl Group<'_> {
    /// Carries out all branches. They begin in the order of the items; this thread takes its share.
    fn run(&self, caller: &Branch, at_most: usize) {
        let host = &caller.host;
        let lanes = host.world.lanes(at_most).min(self.items.len());
        let threads = host.take_threads(lanes.saturating_sub(1));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let thread = std::thread::Builder::new().name("branch".into()).stack_size(STACK);
                // A machine that gives no more threads has the others take longer.
                if thread.spawn_scoped(scope, || self.lane()).is_err() {
                    break;
                }
            }
            self.lane();
        });
        host.give_back_threads(threads);
    }

    /// Branches one after the other, until there are no more.
    fn lane(&self) {
        loop {
            let n = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(branch) = self.branches.get(n) else { return };
            // Where one panics, the others must not wait for it for ever.
            let ended = catch_unwind(AssertUnwindSafe(|| self.branch(branch, &self.items[n]))).unwrap_or_else(|_| {
                drop(branch.halt(Halt::Internal { why: "a branch panicked".to_owned() }, self.position));
                Ended::Early
            });
            *lock(&self.ended[n]) = Some(ended);
        }
    }

    fn branch(&self, branch: &Arc<Branch>, item: &Value) -> Ended {
        let world = &branch.host.world;
        let _at_work = branch.at_work();
        let scope = Scope {
            key: branch.path.clone(),
            site: self.scope.site.clone(),
            title: title(item),
            kind: ScopeKind::Branch,
        };
        if branch.is_ended() {
            return Ended::Early;
        }
        if let Err(halt) = world.enter(&scope) {
            drop(branch.halt(halt, self.position));
            return Ended::Early;
        }
        let result = self.call(branch, item);
        let (ended, left) = match result {
            _ if branch.is_ended() => (Ended::Early, branch.left_early()),
            Err(error) if !error.is_pseudo_error() => {
                let fault = errors::fault(&branch.host, &error);
                (Ended::Failed(fault.clone()), Left::Faulted(fault))
            }
            result => {
                let mut value = result.unwrap_or_default();
                convert::freeze(&mut value);
                (Ended::Well(value), Left::Completed { owes: !lock(&branch.owed).is_empty() })
            }
        };
        if matches!(ended, Ended::Failed(_)) && self.finish == Finish::Effect {
            world.stop(&self.scope.key, false);
        }
        if let Err(halt) = world.leave(&scope, &left) {
            drop(branch.halt(halt, self.position));
        }
        ended
    }

    fn call(&self, branch: &Arc<Branch>, item: &Value) -> RhaiResult {
        let mut body = self.body.clone();
        convert::freeze_captures(&mut body);
        let mut state = self.state.clone();
        state.tag = Dynamic::from(branch.clone());
        let context =
            NativeCallContext::new_with_all_fields(self.engine, "parallel", self.source, &state, self.position);
        body.call_raw(&context, None, [convert::to_dynamic(item)])
    }

    /// The values of all branches, or the fault of the first that failed. A `parallel` that fails is undone as a whole, as every
    /// part of a runbook is; one that was ended leaves that to whoever ended it.
    fn conclude(self, caller: &Arc<Branch>) -> RhaiResult {
        let base = lock(&caller.owed).len();
        for branch in &self.branches {
            lock(&caller.owed).append(&mut lock(&branch.owed));
        }
        let (mut values, mut fault, mut early) = (Array::new(), None, false);
        for ended in self.ended {
            match ended.into_inner().unwrap_or_default() {
                Some(Ended::Well(value)) => values.push(value),
                Some(Ended::Failed(first)) => drop(fault.get_or_insert(first)),
                Some(Ended::Early) | None => early = true,
            }
        }
        let mut left = match &fault {
            _ if caller.is_ended() => caller.left_early(),
            Some(fault) => {
                unwind::down_to(self.engine, caller, base);
                Left::Faulted(fault.clone())
            }
            // None of ours failed: one beside the caller did.
            None if early => Left::Stopped,
            None => Left::Completed { owes: lock(&caller.owed).len() > base },
        };
        if caller.is_ended() {
            left = caller.left_early();
        }
        if let Err(halt) = caller.host.world.leave(self.scope, &left) {
            drop(caller.halt(halt, self.position));
        }
        caller.check(self.position)?;
        match (fault, left) {
            (Some(fault), _) => Err(call::throw(caller, fault, self.position)),
            (None, Left::Stopped) => Err(caller.halt(Halt::Stopped, self.position)),
            (None, _) => Ok(values.into()),
        }
    }
}

/// An item as people know it: a text as it is, a map by its name.
fn title(item: &Value) -> String {
    let named = ["name", "id", "title", "target", "host"].iter().find_map(|name| match item.get(name) {
        Some(value @ (Value::String(_) | Value::Int(_))) => Some(value.to_string()),
        _ => None,
    });
    let text = named.unwrap_or_else(|| item.to_string());
    if text.chars().count() <= TITLE {
        return text;
    }
    let cut: String = text.chars().take(TITLE - 1).collect();
    format!("{cut}…")
}
