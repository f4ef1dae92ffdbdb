//! What may be asked of a SQLite file: one statement, and one that reads.

use libsql::{AuthAction, AuthContext, Authorization};

/// What a statement may do. Writing is not listed by table: the file is open for reading only, and virtual tables (R-trees)
/// prepare writes of their own when they are merely read.
pub(super) fn authorize(context: &AuthContext<'_>) -> Authorization {
    const ASK: [&str; 12] = [
        "application_id",
        "compile_options",
        "data_version",
        "database_list",
        "encoding",
        "freelist_count",
        "journal_mode",
        "page_count",
        "page_size",
        "schema_version",
        "table_list",
        "user_version",
    ];
    const ASK_ABOUT: [&str; 9] = [
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "quick_check",
        "table_info",
        "table_xinfo",
    ];
    let allowed = match context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Recursive
        | AuthAction::Insert { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. } => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let name = pragma_name.to_ascii_lowercase();
            ASK_ABOUT.contains(&name.as_str()) || (pragma_value.is_none() && ASK.contains(&name.as_str()))
        }
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

/// libSQL compiles the first statement of a text and forgets the rest: exactly one statement may stand there, and one that
/// reads. What hides inside it (`WITH … DELETE`) is refused when it is carried out.
pub(super) fn check_statement(sql: &str) -> Result<(), String> {
    const READING: [&str; 5] = ["SELECT", "WITH", "VALUES", "PRAGMA", "EXPLAIN"];
    if sql.contains('\0') {
        return Err("the query contains a NUL character".to_owned());
    }
    let (mut rest, mut first, mut ended) = (sql, None::<&str>, false);
    while let Some(c) = rest.chars().next() {
        let after = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
        let token = match c {
            '-' if rest.starts_with("--") => after("\n", 2),
            '/' if rest.starts_with("/*") => after("*/", 2),
            ';' | ' ' | '\t' | '\n' | '\x0c' | '\r' => 1,
            '\'' | '"' | '`' => after(&c.to_string(), 1),
            '[' => after("]", 1),
            _ if c.is_ascii_alphabetic() => rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let (text, next) = rest.split_at(token);
        rest = next;
        let blank = text.starts_with("--") || text.starts_with("/*") || text.trim_ascii().is_empty();
        match text {
            _ if blank => {}
            ";" => ended = first.is_some(),
            _ if ended => return Err("the query is more than one statement: ask one thing at a time".to_owned()),
            _ => drop(first.get_or_insert(text)),
        }
    }
    match first {
        None => Err("the query is empty".to_owned()),
        Some(word) if READING.iter().any(|r| r.eq_ignore_ascii_case(word)) => Ok(()),
        Some(word) => Err(format!("the query begins with `{word}`: only statements that read may be asked")),
    }
}

#[cfg(test)]
mod tests {
    use super::check_statement;

    #[test]
    fn one_statement_that_reads_may_stand_there() {
        for sql in [
            "SELECT 1",
            "  select 1 ; -- that is all\n ;",
            "/* why; */ SELECT ';' AS \";\", [;] FROM `;`",
            "WITH a AS (VALUES (1)) SELECT * FROM a",
            "SELECT 'it''s; fine'",
            "PRAGMA quick_check",
            "SELECT 'é; ü' -- ö",
        ] {
            assert_eq!(check_statement(sql), Ok(()), "{sql}");
        }
    }

    #[test]
    fn nothing_else_may() {
        for (sql, why) in [
            ("", "empty"),
            (" ; -- SELECT 1", "empty"),
            ("/* SELECT 1", "empty"),
            ("SELECT 1; SELECT 2", "more than one"),
            ("SELECT 1;/**/'x'", "more than one"),
            ("SELECT ';'; x", "more than one"),
            ("DROP TABLE orders", "begins with `DROP`"),
            ("VACUUM INTO 'x'", "begins with `VACUUM`"),
            ("SELECT 1\0; DROP TABLE orders", "NUL"),
            ("é", "begins with `é`"),
        ] {
            let error = check_statement(sql).expect_err(sql);
            assert!(error.contains(why), "{sql}: {error}");
        }
    }
}
