//! What a statement is going to do, as SQLite tells while it compiles it; and what is not let through.

use libsql::ffi;

/// One action that SQLite asks about. What the texts mean depends on the code: <https://www.sqlite.org/c3ref/c_alter_table.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) code: i32,
    pub(super) first: String,
    pub(super) second: String,
    /// Whether a trigger or a view asks, not the statement itself.
    pub(super) in_trigger: bool,
}

/// What the statements on a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// Ask.
    Read,
    /// Change the one database that is open, within the transaction that is open.
    Write,
}

/// The pragmas that only ask.
const ASKING: [&str; 14] = [
    "application_id",
    "data_version",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "page_count",
    "page_size",
    "quick_check",
    "table_info",
    "table_xinfo",
];

impl Rules {
    /// The error says why the action is refused.
    pub(super) fn judge(self, event: &Event) -> Result<(), String> {
        match event.code {
            ffi::SQLITE_ATTACH => Err("it reaches another file than the database (ATTACH, VACUUM)".to_owned()),
            ffi::SQLITE_DETACH => Err("only the database itself is open (DETACH)".to_owned()),
            ffi::SQLITE_TRANSACTION => Err(format!("the transaction is not its own ({})", event.first)),
            ffi::SQLITE_FUNCTION if event.second.eq_ignore_ascii_case("load_extension") => {
                Err("extensions are not loaded".to_owned())
            }
            ffi::SQLITE_PRAGMA if self == Rules::Read => {
                let asks = ASKING.iter().any(|name| name.eq_ignore_ascii_case(&event.first));
                if asks { Ok(()) } else { Err(format!("`PRAGMA {}` does more than ask", event.first)) }
            }
            _ => Ok(()),
        }
    }
}

/// Something that a statement loses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SqlLoss {
    /// A table with its rows.
    Table(String),
    /// An index.
    Index(String),
    /// A trigger.
    Trigger(String),
    /// A view.
    View(String),
    /// A column of this table.
    ColumnOf(String),
    /// Every row of this table.
    RowsOf(String),
}

impl std::fmt::Display for SqlLoss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SqlLoss::Table(name) => write!(f, "drops table {name}"),
            SqlLoss::Index(name) => write!(f, "drops index {name}"),
            SqlLoss::Trigger(name) => write!(f, "drops trigger {name}"),
            SqlLoss::View(name) => write!(f, "drops view {name}"),
            SqlLoss::ColumnOf(name) => write!(f, "drops a column of {name}"),
            SqlLoss::RowsOf(name) => write!(f, "deletes every row of {name}"),
        }
    }
}

/// What the actions of one statement lose. `deletes_all`: it is a `DELETE` without `WHERE`.
pub(super) fn losses(events: &[Event], deletes_all: bool) -> Vec<SqlLoss> {
    let mut losses = Vec::new();
    let (mut altered, mut dropped_table) = (None, false);
    for event in events.iter().filter(|event| !event.in_trigger) {
        let name = || event.first.clone();
        match event.code {
            ffi::SQLITE_DROP_TABLE | ffi::SQLITE_DROP_VTABLE => {
                dropped_table = true;
                losses.push(SqlLoss::Table(name()));
            }
            ffi::SQLITE_DROP_INDEX => losses.push(SqlLoss::Index(name())),
            ffi::SQLITE_DROP_TRIGGER => losses.push(SqlLoss::Trigger(name())),
            ffi::SQLITE_DROP_VIEW => losses.push(SqlLoss::View(name())),
            ffi::SQLITE_ALTER_TABLE => altered = Some(event.second.clone()),
            // A dropped column shows as a function that rewrites the schema.
            ffi::SQLITE_FUNCTION if event.second.eq_ignore_ascii_case("sqlite_drop_column") => {
                losses.extend(altered.take().map(SqlLoss::ColumnOf));
            }
            ffi::SQLITE_DELETE if deletes_all && !event.first.starts_with("sqlite_") => {
                losses.push(SqlLoss::RowsOf(name()));
            }
            _ => {}
        }
    }
    losses.sort();
    losses.dedup();
    if dropped_table {
        // Its indexes and triggers go with it.
        losses.retain(|loss| matches!(loss, SqlLoss::Table(_)));
    }
    losses
}

/// Whether rows that exist may be changed, or rows added: whether a foreign key may point nowhere afterwards.
pub(super) fn touches_rows(events: &[Event]) -> bool {
    let rows = [ffi::SQLITE_INSERT, ffi::SQLITE_UPDATE, ffi::SQLITE_DELETE];
    let drops = [ffi::SQLITE_DROP_TABLE, ffi::SQLITE_DROP_VTABLE];
    events.iter().any(|event| {
        drops.contains(&event.code)
            || (rows.contains(&event.code) && !event.first.starts_with("sqlite_"))
            || event.code == ffi::SQLITE_ALTER_TABLE
    })
}
