//! `sql` for `driver = "sqlite"`.

#[cfg(test)]
mod tests;

use crate::model::{Applied, Arg, Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::store::off_reactor;
use crate::primitives::targets::SqliteDatabase;
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, Look, SqliteChange, SqliteChangeError, SqliteError, SqliteErrorKind};

use super::{Args, ExpectRows, Output, Sql};

impl Driver<Sql> for SqliteDatabase {
    const EVIDENCE: Evidence = Evidence::Given("`check` of the call", "the value of that query");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let sql = self.text(&args.sql)?;
        let unknown = "how many rows it changes is not known before the run";
        let mut preview = Preview::new(Symbol::Change, format!("{}: {}", self.name, one_line(sql))).assumed(unknown);
        let compiled = match look.sqlite_compile(&self.path, sql) {
            Ok(compiled) => compiled,
            Err(error) if error.kind == SqliteErrorKind::Locked => return Err(self.sql_failed(&error)),
            Err(error) => return Ok(preview.fault(self.sql_failed(&error))),
        };
        preview.notes = compiled.effects;
        if let Some(rows) = args.expect_rows {
            preview = preview.note(format!("undone unless it changes {rows} rows"));
        }
        let given = args.params.len();
        if let Some(why) = compiled.unchecked {
            preview = preview.note(format!("what comes after cannot be checked before the run: {why}"));
        } else if compiled.statements == 0 {
            return Ok(preview.fault(self.sql_fault("there is no statement in the text")));
        } else if compiled.parameters != given {
            let why = format!("the statements take {} parameters, {given} were given", compiled.parameters);
            return Ok(preview.fault(self.sql_fault(why)));
        }
        let secrets =
            args.params.iter().filter_map(|param| if let Value::Secret(text) = param { Some(text) } else { None });
        if let Some(fault) = secrets.into_iter().find_map(|text| look.obstacle_to(text)) {
            return Ok(preview.fault(fault.on(&self.name)));
        }
        match self.check(args, look).await {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => {
                preview = preview.note("its `check` is true already: it could not tell whether this change took place");
            }
            Some(Err(why)) => preview = preview.note(format!("its `check` gives no answer now: {why}")),
        }
        Ok(preview)
    }

    async fn perform(&self, args: &Args, act: &Act, _: &IdempotencyKey) -> Result<Output, Fault> {
        let rows = args.expect_rows.map_or((0, u64::MAX), |rows| (rows.min, rows.max));
        let (sql, params) = (self.text(&args.sql)?.to_owned(), act.reveal_params(&args.params).await?);
        let change = SqliteChange { sql, params, rows, timeout: args.timeout.0 };
        let (database, act, expected) = (self.clone(), act.clone(), args.expect_rows);
        off_reactor(&act.clone(), move |stop| {
            let began = act.monotonic();
            let changed = act.sqlite_execute(&database.path, &change, &|| stop.asked());
            let changed = changed.map_err(|error| database.not_changed(error, expected))?;
            let took = act.monotonic().saturating_sub(began);
            let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            Ok(Output { rows: Some(changed.rows), took_ms })
        })
        .await
    }

    async fn reconcile(&self, args: &Args, look: &Look, _: &IdempotencyKey) -> Reconciled<Output> {
        match self.check(args, look).await {
            None => {
                let why = format!("{} keeps no record of it, and the call has no `check`: look at its rows", self.name);
                Reconciled::Unknown { why }
            }
            Some(Ok(true)) => {
                let evidence = "its `check` is true".to_owned();
                Reconciled::Applied { output: Output { rows: None, took_ms: 0 }, evidence }
            }
            Some(Ok(false)) => Reconciled::NotApplied { evidence: "its `check` is not true".to_owned() },
            Some(Err(why)) => Reconciled::Unknown { why: format!("its `check` gives no answer: {why}") },
        }
    }
}

impl SqliteDatabase {
    fn sql_fault(&self, message: impl std::fmt::Display) -> Fault {
        Fault::new("sql-failed", format!("sql on {}: {message}", self.name)).on(&self.name)
    }

    fn sql_failed(&self, error: &SqliteError) -> Fault {
        match error.kind {
            SqliteErrorKind::Interrupted => Fault::new("interrupted", error.message.clone()).on(&self.name),
            SqliteErrorKind::TimedOut | SqliteErrorKind::Locked => {
                self.sql_fault(&error.message).hint("raise `timeout` if it only needs longer")
            }
            _ => self.sql_fault(&error.message),
        }
    }

    fn not_changed(&self, error: SqliteChangeError, expected: Option<ExpectRows>) -> Fault {
        match error {
            SqliteChangeError::Failed(error) => self.sql_failed(&error),
            SqliteChangeError::Unexpected(rows) => {
                let expected = expected.map(|expected| format!(", not {expected}")).unwrap_or_default();
                let message = format!("sql on {}: it would have changed {rows} rows{expected}: undone", self.name);
                let hint = "find out why before you change `expect_rows`";
                Fault::new("unexpected-rows", message).on(&self.name).hint(hint)
            }
            SqliteChangeError::Unsettled(_) => self.sql_fault(error).applied(Applied::Unknown),
        }
    }

    fn text<'a>(&self, text: &'a Arg<String>) -> Result<&'a str, Fault> {
        match text {
            Arg::Known(text) => Ok(text),
            Arg::Unknown(label) => Err(self.sql_fault(format!("{label} is not known before the run"))),
        }
    }

    /// What the `check` of the call says, if it has one.
    async fn check(&self, args: &Args, look: &Look) -> Option<Result<bool, String>> {
        let sql = match self.text(args.check.as_ref()?) {
            Ok(sql) => sql,
            Err(fault) => return Some(Err(fault.message)),
        };
        let answer = look.sqlite_query(&self.path, sql, &[], args.timeout.0).await;
        Some(answer.map(|rows| rows.first().is_some_and(is_true)).map_err(|error| error.message))
    }
}

/// Neither 0, nor empty, nor NULL.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::String(text) => !text.is_empty() && text.as_ref() != "0",
        _ => false,
    }
}

/// Statements as short as a line of a plan must be.
fn one_line(sql: &str) -> String {
    const LONGEST: usize = 100;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    format!("{}…", line.chars().take(LONGEST - 1).collect::<String>())
}
