//! What statements would do to a SQLite file, found out by compiling them: nothing is carried out, the file is open for reading.

use std::cell::RefCell;
use std::path::Path;

use libsql::ffi;

use super::Look;
use super::sqlite::check_file;
use super::sqlite_change::{failure, may_change};
use super::sqlite_copy::raw::{Action, Open, Raw};
use super::sqlite_error::SqliteError;

/// What statements would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteCompiled {
    /// What they would do to which table, in their order and each once: `updates orders`.
    pub effects: Vec<String>,
    /// How many parameters they take; known if `unchecked` is nothing.
    pub parameters: usize,
    /// How many statements were compiled.
    pub statements: usize,
    /// Why the rest could not be compiled: it may need what an earlier statement makes.
    pub unchecked: Option<String>,
}

impl Look {
    /// Compiles statements for the database at `path`. The error is that of the first one that is wrong; after a statement that
    /// changes the schema nobody can tell. It blocks for a moment.
    pub fn sqlite_compile(&self, path: &Path, sql: &str) -> Result<SqliteCompiled, SqliteError> {
        check_file(path)?;
        let raw = Raw::open(path, Open::Live).map_err(|error| failure(path, error))?;
        let (effects, schema) = (RefCell::new(Vec::<String>::new()), RefCell::new(false));
        let rule = |action: Action<'_>| {
            let (does, changes_schema) = effect(action);
            if let Some(does) = does.filter(|does| !effects.borrow().contains(does)) {
                effects.borrow_mut().push(does);
            }
            if changes_schema {
                *schema.borrow_mut() = true;
            }
            may_change(action)
        };
        let (mut rest, mut compiled) = (sql, SqliteCompiled::default());
        while !rest.is_empty() {
            let later = *schema.borrow();
            match raw.ruled(&rule, || raw.prepare(rest)) {
                Ok((statement, next)) => {
                    compiled.statements += usize::from(statement.is_some());
                    compiled.parameters += statement.map_or(0, |statement| statement.parameters());
                    rest = &rest[next..];
                }
                Err(error) if later => {
                    compiled.unchecked = Some(failure(path, error).message);
                    break;
                }
                Err(error) => return Err(failure(path, error)),
            }
        }
        compiled.effects = effects.into_inner();
        Ok(compiled)
    }
}

/// What an action does, for people, and whether statements after it may meet another schema.
fn effect(action: Action<'_>) -> (Option<String>, bool) {
    let (verb, name, schema) = match action.code {
        ffi::SQLITE_INSERT => ("inserts into", action.first, false),
        ffi::SQLITE_UPDATE => ("updates", action.first, false),
        ffi::SQLITE_DELETE => ("deletes from", action.first, false),
        ffi::SQLITE_ALTER_TABLE => ("alters", action.second, true),
        ffi::SQLITE_CREATE_TABLE | ffi::SQLITE_CREATE_TEMP_TABLE | ffi::SQLITE_CREATE_VTABLE => {
            ("creates table", action.first, true)
        }
        ffi::SQLITE_DROP_TABLE | ffi::SQLITE_DROP_TEMP_TABLE | ffi::SQLITE_DROP_VTABLE => {
            ("drops table", action.first, true)
        }
        ffi::SQLITE_CREATE_INDEX | ffi::SQLITE_CREATE_TEMP_INDEX => ("creates index", action.first, true),
        ffi::SQLITE_DROP_INDEX | ffi::SQLITE_DROP_TEMP_INDEX => ("drops index", action.first, true),
        ffi::SQLITE_CREATE_VIEW | ffi::SQLITE_CREATE_TEMP_VIEW => ("creates view", action.first, true),
        ffi::SQLITE_DROP_VIEW | ffi::SQLITE_DROP_TEMP_VIEW => ("drops view", action.first, true),
        ffi::SQLITE_CREATE_TRIGGER | ffi::SQLITE_CREATE_TEMP_TRIGGER => ("creates trigger", action.first, true),
        ffi::SQLITE_DROP_TRIGGER | ffi::SQLITE_DROP_TEMP_TRIGGER => ("drops trigger", action.first, true),
        _ => return (None, false),
    };
    // SQLite's own tables tell nobody anything.
    let name = name.filter(|name| !name.starts_with("sqlite_"));
    (name.map(|name| format!("{verb} {name}")), schema)
}
