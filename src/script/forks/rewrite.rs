//! Puts the nodes into a syntax tree.

use std::sync::Arc;

use rhai::{ASTFlags, BinaryExpr, Dynamic, Expr, FlowControl, FnCallExpr, Stmt, StmtBlock};

use super::arms::Arms;
use super::literals::Literals;
use super::{CONDITION, INDEX, SUBJECT, wrap};

/// What always gives a bool, or asks the world itself.
const BOOLS: [&str; 7] = ["==", "!=", "<", "<=", ">", ">=", "!"];

/// Rewrites statements in place.
pub(super) struct Rewriter {
    literals: Literals,
    count: usize,
}

impl Rewriter {
    pub(super) fn new(literals: Literals) -> Self {
        Self { literals, count: 0 }
    }

    /// How many nodes it has put in so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn statement(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.flow(flow);
                self.condition(&mut flow.expr);
            }
            Stmt::TryCatch(flow, _) => self.flow(flow),
            Stmt::For(parts, _) => self.flow(&mut parts.2),
            Stmt::Switch(parts, _) => {
                let (subject, cases) = &mut **parts;
                self.expression(subject);
                for case in &mut cases.expressions {
                    self.both(case);
                    self.condition(&mut case.lhs);
                }
                let arms = Arms::of(cases, subject.start_position(), &mut self.literals);
                self.wrap(SUBJECT, subject, Dynamic::from(Arc::new(arms)));
            }
            Stmt::Var(parts, ..) => self.expression(&mut parts.1),
            Stmt::Assignment(parts) => self.both(&mut parts.1),
            Stmt::FnCall(call, _) => self.call(call),
            Stmt::Block(block) => self.block(block),
            Stmt::Expr(expression) => self.expression(expression),
            Stmt::BreakLoop(value, ..) | Stmt::Return(value, ..) => {
                if let Some(value) = value {
                    self.expression(value);
                }
            }
            Stmt::Import(parts, _) => self.expression(&mut parts.0),
            _ => {}
        }
    }

    fn flow(&mut self, flow: &mut FlowControl) {
        self.expression(&mut flow.expr);
        self.block(&mut flow.body);
        self.block(&mut flow.branch);
    }

    fn block(&mut self, block: &mut StmtBlock) {
        block.statements_mut().iter_mut().for_each(|statement| self.statement(statement));
    }

    fn both(&mut self, two: &mut BinaryExpr) {
        self.expression(&mut two.lhs);
        self.expression(&mut two.rhs);
    }

    fn call(&mut self, call: &mut FnCallExpr) {
        call.args.iter_mut().for_each(|argument| self.expression(argument));
    }

    fn expression(&mut self, expression: &mut Expr) {
        match expression {
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                for part in &mut ***parts {
                    self.expression(part);
                    self.condition(part);
                }
            }
            Expr::Coalesce(parts, _) => parts.iter_mut().for_each(|part| self.expression(part)),
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
                parts.iter_mut().for_each(|part| self.expression(part));
            }
            Expr::Map(parts, _) => parts.0.iter_mut().for_each(|(_, value)| self.expression(value)),
            Expr::FnCall(call, _) | Expr::MethodCall(call, _) => self.call(call),
            Expr::Dot(two, ..) => self.both(two),
            Expr::Index(two, flags, _) => {
                self.both(two);
                // Of `list[i].name` the index is what the rest of the chain begins with.
                match &mut two.rhs {
                    Expr::Dot(rest, ..) | Expr::Index(rest, ..) if !flags.contains(ASTFlags::BREAK) => {
                        self.index(&mut rest.lhs);
                    }
                    index => self.index(index),
                }
            }
            Expr::Stmt(block) => self.block(block),
            Expr::Custom(custom, _) => custom.inputs.iter_mut().for_each(|input| self.expression(input)),
            _ => {}
        }
    }

    /// What needs a bool. Nothing is asked where it can be nothing else; `loop` has none.
    fn condition(&mut self, condition: &mut Expr) {
        let sure = match condition {
            Expr::Unit(_) | Expr::BoolConstant(..) | Expr::And(..) | Expr::Or(..) => true,
            Expr::FnCall(call, _) => call.is_operator_call() && BOOLS.contains(&call.name.as_str()),
            _ => false,
        };
        if !sure {
            self.wrap(CONDITION, condition, Dynamic::UNIT);
        }
    }

    /// What stands in `[…]`.
    fn index(&mut self, index: &mut Expr) {
        if !index.is_constant() {
            self.wrap(INDEX, index, Dynamic::UNIT);
        }
    }

    fn wrap(&mut self, key: &'static str, expression: &mut Expr, state: Dynamic) {
        wrap(key, expression, state);
        self.count += 1;
    }
}
