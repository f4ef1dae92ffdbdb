//! SQLite's C interface, as far as carrying out a script statement by statement needs it.
//!
//! The `libsql` crate tells neither the place of an error in a statement nor where a statement ends, and cannot be kept from
//! checkpointing a database that others use. All pointers stay in here; a [`Connection`] cannot be sent to another thread.
#![expect(unsafe_code, reason = "libsql has no safe way to the place of an error; see the comment of each block")]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use libsql::ffi;

use super::actions::{Event, Rules};
use crate::model::Value;
use crate::system::digest::hex_of;
use crate::system::sqlite_copy::raw::{Open, Raw, RawError};

/// What a statement did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) columns: Vec<String>,
    /// The first rows, as many as were asked for.
    pub(super) rows: Vec<Vec<Value>>,
    /// Rows inserted, updated and deleted, by triggers too.
    pub(super) changes: u64,
    /// What the statement was going to do, as SQLite told when it was compiled.
    pub(super) events: Vec<Event>,
}

/// What went wrong with a statement.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) error: RawError,
    /// The byte of the statement at which it went wrong, where SQLite knows.
    pub(super) offset: Option<usize>,
    /// Why our own rules refuse it.
    pub(super) refused: Option<String>,
}

/// What the authorizer shares with the connection that it watches.
#[derive(Debug)]
struct Watch {
    rules: Rules,
    /// Our own statements (`BEGIN`) are not judged.
    on: Cell<bool>,
    events: RefCell<Vec<Event>>,
    refused: RefCell<Option<String>>,
}

/// A connection on which every statement is judged before it is carried out.
#[derive(Debug)]
pub(super) struct Connection {
    /// Closed before `watch` goes, to which SQLite holds a pointer: fields are dropped in their order.
    pub(super) raw: Raw,
    watch: Box<Watch>,
}

impl Connection {
    pub(super) fn open(path: &std::path::Path, how: Open, rules: Rules) -> Result<Self, RawError> {
        let raw = Raw::open(path, how)?;
        let watch = Watch { rules, on: Cell::new(true), events: RefCell::default(), refused: RefCell::default() };
        let watch = Box::new(watch);
        let pointer: *const Watch = &raw const *watch;
        // SAFETY: the pointer is to the heap and stays valid until after the connection is closed; the callback only reads
        // through it, and what it changes is in cells.
        let code = unsafe { ffi::sqlite3_set_authorizer(raw.handle(), Some(authorize), pointer.cast_mut().cast()) };
        raw.checked(code)?;
        Ok(Self { raw, watch })
    }

    /// Carries out a statement of our own, which is not judged.
    pub(super) fn own(&self, sql: &str) -> Result<(), RawError> {
        self.own_rows(sql, &|| false).map(drop)
    }

    /// The same, with its rows as text. `stop` is asked now and then.
    pub(super) fn own_rows(&self, sql: &str, stop: &dyn Fn() -> bool) -> Result<Vec<Vec<String>>, RawError> {
        self.watch.on.set(false);
        let done = self.raw.rows(sql, stop);
        self.watch.on.set(true);
        done
    }

    /// How long a statement waits for a lock, in milliseconds.
    pub(super) fn wait_for_locks(&self, milliseconds: c_int) {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_busy_timeout(self.raw.handle(), milliseconds) };
    }

    /// Whether a transaction is open.
    pub(super) fn in_transaction(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_get_autocommit(self.raw.handle()) == 0 }
    }

    /// Carries out exactly one statement and keeps at most `keep` of its rows.
    pub(super) fn run(&self, sql: &str, params: &[Value], keep: usize, stop: &dyn Fn() -> bool) -> Result<Done, Wrong> {
        self.watch.events.borrow_mut().clear();
        self.watch.refused.borrow_mut().take();
        let text = CString::new(sql).map_err(|_| misuse("the statement holds a NUL"))?;
        // SAFETY: the handle is open.
        let before = unsafe { ffi::sqlite3_total_changes64(self.raw.handle()) };
        let ran = self.raw.stoppable(stop, || self.compiled(&text, params, keep));
        let mut done = ran.map_err(|error| self.wrong(error))?;
        // SAFETY: as above.
        let after = unsafe { ffi::sqlite3_total_changes64(self.raw.handle()) };
        done.changes = u64::try_from(after - before).unwrap_or(0);
        done.events = self.watch.events.take();
        Ok(done)
    }

    fn wrong(&self, error: RawError) -> Wrong {
        // SAFETY: the handle is open; the call tells about the most recent error.
        let offset = unsafe { ffi::sqlite3_error_offset(self.raw.handle()) };
        Wrong { error, offset: usize::try_from(offset).ok(), refused: self.watch.refused.borrow_mut().take() }
    }

    fn compiled(&self, text: &CStr, params: &[Value], keep: usize) -> Result<Done, RawError> {
        let (mut statement, mut tail) = (ptr::null_mut(), ptr::null());
        // SAFETY: the text is NUL-terminated and outlives the statement, which is finalized below on every way out.
        let code =
            unsafe { ffi::sqlite3_prepare_v2(self.raw.handle(), text.as_ptr(), -1, &raw mut statement, &raw mut tail) };
        self.raw.checked(code)?;
        if statement.is_null() {
            return Ok(Done::default());
        }
        // SAFETY: the tail points into the text, at latest at its NUL.
        let rest = unsafe { CStr::from_ptr(tail) };
        let ran = if super::split::is_blank(&rest.to_string_lossy()) {
            self.stepped(statement, params, keep)
        } else {
            Err(misuse("more than one statement").error)
        };
        // SAFETY: prepared above, finalized once.
        unsafe { ffi::sqlite3_finalize(statement) };
        ran
    }

    fn stepped(&self, statement: *mut ffi::sqlite3_stmt, params: &[Value], keep: usize) -> Result<Done, RawError> {
        // SAFETY: the statement was prepared by the caller.
        let reads = unsafe { ffi::sqlite3_stmt_readonly(statement) } != 0;
        if self.watch.rules == Rules::Read && !reads {
            *self.watch.refused.borrow_mut() = Some("the statement writes".to_owned());
            return Err(misuse("the statement writes").error);
        }
        for (at, value) in (1..).zip(params) {
            // SAFETY: as above; texts are copied by SQLite.
            self.raw.checked(unsafe { bind(statement, at, value) })?;
        }
        // SAFETY: as above.
        let count = unsafe { ffi::sqlite3_column_count(statement) };
        // SAFETY: as above; the name is copied at once.
        let name = |column| unsafe { text_at(ffi::sqlite3_column_name(statement, column)) };
        let mut done = Done { columns: (0..count).map(name).collect(), ..Done::default() };
        loop {
            // SAFETY: as above; used by this thread alone.
            match unsafe { ffi::sqlite3_step(statement) } {
                ffi::SQLITE_ROW if done.rows.len() < keep => {
                    // SAFETY: there is a row; every value is copied at once.
                    done.rows.push((0..count).map(|column| unsafe { value(statement, column) }).collect());
                }
                ffi::SQLITE_ROW => {}
                ffi::SQLITE_DONE => return Ok(done),
                code => return Err(self.raw.error(code)),
            }
        }
    }
}

fn misuse(why: &str) -> Wrong {
    Wrong { error: RawError { code: ffi::SQLITE_MISUSE, message: why.to_owned() }, offset: None, refused: None }
}

/// Whether SQLite takes this text for one or more whole statements.
pub(super) fn is_complete(sql: &str) -> bool {
    // libSQL insists on being the first to call SQLite.
    crate::system::sqlite_copy::raw::initialize();
    // SAFETY: the text is NUL-terminated.
    CString::new(sql).is_ok_and(|sql| unsafe { ffi::sqlite3_complete(sql.as_ptr()) } != 0)
}

/// Asks the connection's rules. Must not panic: it is called from C.
unsafe extern "C" fn authorize(
    watch: *mut c_void,
    code: c_int,
    first: *const c_char,
    second: *const c_char,
    _schema: *const c_char,
    inside: *const c_char,
) -> c_int {
    // SAFETY: `Connection::open` registers this with a pointer to a `Watch` that outlives the connection.
    let watch = unsafe { &*watch.cast::<Watch>() };
    if !watch.on.get() {
        return ffi::SQLITE_OK;
    }
    // SAFETY: SQLite passes null or NUL-terminated texts that are valid during the call.
    let event =
        unsafe { Event { code, first: text_at(first), second: text_at(second), in_trigger: !inside.is_null() } };
    let judged = watch.rules.judge(&event);
    if let Ok(mut events) = watch.events.try_borrow_mut() {
        events.push(event);
    }
    let Err(why) = judged else { return ffi::SQLITE_OK };
    if let Ok(mut refused) = watch.refused.try_borrow_mut() {
        *refused = Some(why);
    }
    ffi::SQLITE_DENY
}

/// Null is an empty text.
unsafe fn text_at(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller has a NUL-terminated text.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

unsafe fn bind(statement: *mut ffi::sqlite3_stmt, at: c_int, value: &Value) -> c_int {
    // SAFETY: the caller's statement is prepared; `SQLITE_TRANSIENT` makes SQLite copy the text during the call.
    unsafe {
        match value {
            Value::Null => ffi::sqlite3_bind_null(statement, at),
            Value::Int(number) => ffi::sqlite3_bind_int64(statement, at, *number),
            Value::Float(number) => ffi::sqlite3_bind_double(statement, at, *number),
            other => {
                let text = other.to_string();
                let length = c_int::try_from(text.len()).unwrap_or(c_int::MAX);
                ffi::sqlite3_bind_text(statement, at, text.as_ptr().cast(), length, ffi::SQLITE_TRANSIENT())
            }
        }
    }
}

/// A blob is text of hexadecimal digits.
unsafe fn value(statement: *mut ffi::sqlite3_stmt, column: c_int) -> Value {
    // SAFETY: the caller has a row; the bytes are valid until the next call for this column and are copied at once.
    unsafe {
        let kind = ffi::sqlite3_column_type(statement, column);
        match kind {
            ffi::SQLITE_NULL => Value::Null,
            ffi::SQLITE_INTEGER => Value::Int(ffi::sqlite3_column_int64(statement, column)),
            ffi::SQLITE_FLOAT => Value::Float(ffi::sqlite3_column_double(statement, column)),
            _ => {
                let bytes = ffi::sqlite3_column_blob(statement, column).cast::<u8>();
                let length = usize::try_from(ffi::sqlite3_column_bytes(statement, column)).unwrap_or(0);
                let bytes = if bytes.is_null() { &[][..] } else { std::slice::from_raw_parts(bytes, length) };
                match kind {
                    ffi::SQLITE_BLOB => Value::from(hex_of(bytes)),
                    _ => Value::from(String::from_utf8_lossy(bytes).into_owned()),
                }
            }
        }
    }
}
