//! Statements one after the other, as SQLite itself tells them apart, by rules of ours.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use libsql::ffi;

use super::{Raw, RawError};
use crate::model::Value;

/// Something that a statement would do. <https://www.sqlite.org/c3ref/c_alter_table.html> lists the codes and what they name.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Action<'a> {
    pub(in crate::system) code: i32,
    pub(in crate::system) first: Option<&'a str>,
    pub(in crate::system) second: Option<&'a str>,
}

impl Raw {
    /// While `work` goes on, whatever a statement would do is refused unless `rule` says yes. The rule must not panic.
    pub(in crate::system) fn ruled<T>(&self, rule: &dyn Fn(Action<'_>) -> bool, work: impl FnOnce() -> T) -> T {
        struct Off<'a>(&'a Raw);
        impl Drop for Off<'_> {
            fn drop(&mut self) {
                // SAFETY: the handle is open; without a function the authorizer is removed.
                unsafe { ffi::sqlite3_set_authorizer(self.0.0, None, ptr::null_mut()) };
            }
        }
        let asked: *const &dyn Fn(Action<'_>) -> bool = &raw const rule;
        // SAFETY: the authorizer gets a pointer to `rule`, which outlives it: it is taken off again before this function is left.
        unsafe { ffi::sqlite3_set_authorizer(self.0, Some(authorize), asked.cast_mut().cast()) };
        let _off = Off(self);
        work()
    }

    /// Compiles the first statement of `sql`, and says where the next one begins. `None`: there was no statement up to there.
    pub(in crate::system) fn prepare(&self, sql: &str) -> Result<(Option<Statement<'_>>, usize), RawError> {
        let len = c_int::try_from(sql.len()).ok().filter(|_| !sql.contains('\0'));
        let Some(len) = len else {
            let message = "the statements hold a NUL character, or are too long".to_owned();
            return Err(RawError { code: ffi::SQLITE_MISUSE, message });
        };
        let (mut statement, mut tail) = (ptr::null_mut(), ptr::null());
        let begin = sql.as_ptr().cast::<c_char>();
        // SAFETY: SQLite reads no further than `len` bytes; it stores a statement or null, and where in the text it stopped.
        let code = unsafe { ffi::sqlite3_prepare_v2(self.0, begin, len, &raw mut statement, &raw mut tail) };
        self.checked(code)?;
        let next = (tail as usize).saturating_sub(begin as usize).min(sql.len());
        let statement = (!statement.is_null()).then_some(Statement { statement, raw: self });
        Ok((statement, if sql.is_char_boundary(next) { next } else { sql.len() }))
    }

    /// How many rows all statements of this connection have changed so far, those by triggers and foreign keys included.
    pub(in crate::system) fn total_changes(&self) -> i64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_total_changes64(self.0) }
    }

    /// How many rows the last INSERT, UPDATE or DELETE changed by itself.
    pub(in crate::system) fn changes(&self) -> i64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_changes64(self.0) }
    }

    /// Whether a transaction is open.
    pub(in crate::system) fn in_transaction(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_get_autocommit(self.0) == 0 }
    }
}

/// One compiled statement.
pub(in crate::system) struct Statement<'a> {
    statement: *mut ffi::sqlite3_stmt,
    raw: &'a Raw,
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: compiled in `prepare`, finalized once, here.
        unsafe { ffi::sqlite3_finalize(self.statement) };
    }
}

impl Statement<'_> {
    /// How many parameters it takes.
    pub(in crate::system) fn parameters(&self) -> usize {
        // SAFETY: the statement is compiled.
        usize::try_from(unsafe { ffi::sqlite3_bind_parameter_count(self.statement) }).unwrap_or(0)
    }

    /// Carries it out to its end; the rows that it may return are passed over. `stop` is asked now and then.
    pub(in crate::system) fn carry_out(self, params: &[Value], stop: &dyn Fn() -> bool) -> Result<(), RawError> {
        for (index, value) in (1..).zip(params) {
            let code = self.bind(index, value);
            self.raw.checked(code)?;
        }
        self.raw.stoppable(stop, || {
            loop {
                // SAFETY: the statement is compiled and used by this thread alone; the texts bound to it are alive in `params`.
                match unsafe { ffi::sqlite3_step(self.statement) } {
                    ffi::SQLITE_ROW => {}
                    ffi::SQLITE_DONE => return Ok(()),
                    code => return Err(self.raw.error(code)),
                }
            }
        })
        // Here the statement ends, and with it what it knows of `params`.
    }

    fn bind(&self, index: c_int, value: &Value) -> c_int {
        let statement = self.statement;
        // SAFETY: the statement is compiled. A text is not copied: it belongs to `params` of `carry_out`, which outlives the
        // statement, because that function takes it.
        unsafe {
            match value {
                Value::Bool(b) => ffi::sqlite3_bind_int64(statement, index, i64::from(*b)),
                Value::Int(i) => ffi::sqlite3_bind_int64(statement, index, *i),
                Value::Float(x) => ffi::sqlite3_bind_double(statement, index, *x),
                Value::String(text) => match c_int::try_from(text.len()) {
                    Ok(len) => ffi::sqlite3_bind_text(statement, index, text.as_ptr().cast(), len, None),
                    Err(_) => ffi::SQLITE_TOOBIG,
                },
                Value::Null => ffi::sqlite3_bind_null(statement, index),
                _ => ffi::SQLITE_MISMATCH,
            }
        }
    }
}

/// Asks the function behind `rule` whether a statement may do something.
unsafe extern "C" fn authorize(
    rule: *mut c_void,
    code: c_int,
    first: *const c_char,
    second: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    // SAFETY: SQLite gives null or NUL-terminated texts that live during this call.
    let text = |text: *const c_char| unsafe { (!text.is_null()).then(|| CStr::from_ptr(text)) };
    let (first, second) = (text(first), text(second));
    let name = |text: Option<&'_ CStr>| text.map(|text| text.to_string_lossy().into_owned());
    let (first, second) = (name(first), name(second));
    // SAFETY: `Raw::ruled` registers this with a pointer to a `&dyn Fn` that is alive while the authorizer is set.
    let rule = unsafe { &*rule.cast::<&dyn Fn(Action<'_>) -> bool>() };
    let allowed = rule(Action { code, first: first.as_deref(), second: second.as_deref() });
    if allowed { ffi::SQLITE_OK } else { ffi::SQLITE_DENY }
}
