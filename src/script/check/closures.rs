//! Closures of calls that have a body: how many parameters they take, and changes that a branch of `parallel` would lose.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position, Stmt};

use super::diagnostic::Diagnostic;
use crate::script::source::{Script, SourceFile};

/// Methods that change what they are called on.
const CHANGING: [&str; 26] = [
    "append",
    "chop",
    "clear",
    "crop",
    "dedup",
    "drain",
    "fill_with",
    "insert",
    "make_lower",
    "make_upper",
    "mixin",
    "order",
    "order_desc",
    "pad",
    "pop",
    "push",
    "remove",
    "replace",
    "retain",
    "reverse",
    "set",
    "shift",
    "sort",
    "splice",
    "trim",
    "truncate",
];

/// A closure where it is written: its function, and the variables around it that it uses.
struct Closure {
    function: String,
    captured: BTreeSet<String>,
}

/// Checks the closure of a call of `name`, its last argument.
pub(super) fn check(
    name: &str,
    call: &FnCallExpr,
    position: Position,
    file: (&Script, &AST, &SourceFile),
    found: &mut Vec<Diagnostic>,
) {
    let parameters = match name {
        "parallel" => 1,
        "wait_until" | "hold" | "retry" => 0,
        _ => return,
    };
    let (script, ast, source) = file;
    // A closure may also come from a variable or a function: what it is shows when it is called.
    let Some(closure) = call.args.last().and_then(closure) else { return };
    let taken = ast.iter_functions().find(|f| f.name == closure.function).map(|f| f.params.len());
    let taken = taken.map_or(parameters, |n| n.saturating_sub(closure.captured.len()));
    if taken != parameters {
        let (shape, count) =
            if parameters == 1 { ("|item| …", "one parameter, the item") } else { ("|| …", "no parameters") };
        let why = format!("the closure of `{name}` takes {count}: this one takes {taken}");
        let site = script.sources.site(position);
        found
            .push(Diagnostic::error("arguments", source, site, name.len(), why).help(format!("write it as `{shape}`")));
    }
    if name == "parallel" {
        for (variable, position) in changes(ast, &closure) {
            let why = format!("`{variable}` is changed in a branch of `parallel`, and the change is lost");
            let help = "each branch has its own copy of what is around it: end the closure with what is wanted, and `parallel` returns a list of it";
            let site = script.sources.site(position);
            found.push(Diagnostic::error("lost-change", source, site, variable.len(), why).warning().help(help));
        }
    }
}

/// The closure that an expression writes down.
fn closure(expression: &Expr) -> Option<Closure> {
    let name = |expression: &Expr| match expression {
        Expr::DynamicConstant(value, _) => value.read_lock::<FnPtr>().map(|closure| closure.fn_name().to_owned()),
        _ => None,
    };
    if let Some(function) = name(expression) {
        return Some(Closure { function, captured: BTreeSet::new() });
    }
    // What captures something is a block that shares the variables and then curries them.
    let Expr::Stmt(block) = expression else { return None };
    let Some(Stmt::Expr(last)) = block.iter().last() else { return None };
    let Expr::FnCall(curry, _) = last.as_ref() else { return None };
    let (first, captured) = curry.args.split_first()?;
    let captured = captured.iter().filter_map(|variable| root(variable).map(|(name, _)| name)).collect();
    (curry.name == "curry").then_some(())?;
    Some(Closure { function: name(first)?, captured })
}

/// The captured variables that the closure changes, and where; closures inside it change them as well.
fn changes(ast: &AST, closure: &Closure) -> Vec<(String, Position)> {
    let mut body = ast.clone_functions_only();
    body.retain_functions(|_, _, name, _| name == closure.function);
    let (mut declared, mut changed, mut inner) = (BTreeSet::new(), Vec::new(), Vec::new());
    body.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => drop(declared.insert(variable.0.name.to_string())),
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => changed.extend(root(&assignment.1.lhs)),
            Some(ASTNode::Expr(expression)) => {
                changed.extend(changed_by(expression));
                inner.extend(self::closure(expression));
            }
            Some(ASTNode::Stmt(Stmt::FnCall(call, _))) => changed.extend(changed_by_call(call)),
            _ => {}
        }
        true
    });
    let ours = |name: &String| closure.captured.contains(name) && !declared.contains(name);
    for mut nested in inner {
        nested.captured.retain(|name| ours(name));
        if !nested.captured.is_empty() {
            changed.extend(changes(ast, &nested));
        }
    }
    changed.retain(|(name, _)| ours(name));
    changed
}

fn changed_by(expression: &Expr) -> Option<(String, Position)> {
    match expression {
        Expr::FnCall(call, _) => changed_by_call(call),
        Expr::Dot(chain, ..) => {
            let mut rest = &chain.rhs;
            loop {
                match rest {
                    Expr::MethodCall(call, _) if CHANGING.contains(&call.name.as_str()) => return root(&chain.lhs),
                    Expr::Dot(chain, ..) | Expr::Index(chain, ..) => {
                        if let Expr::MethodCall(call, _) = &chain.lhs
                            && CHANGING.contains(&call.name.as_str())
                        {
                            return root(expression);
                        }
                        rest = &chain.rhs;
                    }
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

/// `push(list, 1)` is the same as `list.push(1)`.
fn changed_by_call(call: &FnCallExpr) -> Option<(String, Position)> {
    let plain = call.namespace.is_empty() && CHANGING.contains(&call.name.as_str());
    call.args.first().filter(|_| plain).and_then(root)
}

/// The variable that a chain such as `map.list[0]` begins with.
fn root(expression: &Expr) -> Option<(String, Position)> {
    match expression {
        Expr::Variable(variable, _, position) => Some((variable.1.to_string(), *position)),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        _ => None,
    }
}
