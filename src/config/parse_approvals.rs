//! Reads `[environments.NAME.approvals]`.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::model::Span;

use super::Approvals;
use super::reader::Reader;

const KEYS: [&str; 3] = ["needed", "signers", "valid_for"];
/// How long an approval holds unless something else is said.
const VALID_FOR: Span = Span::from_secs(24 * 3600);

/// Who approves the plans of this environment, if anybody must.
pub(super) fn read(reader: &mut Reader<'_>, root: &Path, environment: &str, table: &DeTable<'_>) -> Option<Approvals> {
    let value = table.get("approvals")?;
    let place = format!("[environments.{environment}.approvals]");
    let found = reader.table("`approvals`", value, &place)?;
    reader.keys(found, &KEYS, &place);
    let needed = match found.get("needed").map(|value| (value, value.get_ref())) {
        None => Some(1),
        Some((value, DeValue::Integer(number))) => {
            let number = usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| (1..=20).contains(n));
            if number.is_none() {
                reader.wrong(value.span(), "`needed` is between 1 and 20", "write it as `needed = 1`");
            }
            number
        }
        Some((value, _)) => {
            reader.wrong(value.span(), "`needed` must be a number", "write it as `needed = 1`");
            None
        }
    };
    let example = "signers = \"approvers\"";
    let signers = if let Some(value) = found.get("signers") {
        reader.text("`signers`", value, example)
    } else {
        let help = format!("name a file in OpenSSH's format ALLOWED SIGNERS: `{example}`");
        reader.wrong(value.span(), format!("{place} does not say whose signatures count"), help);
        None
    };
    let mut valid_for = VALID_FOR;
    if let Some(value) = found.get("valid_for")
        && let Some(text) = reader.text("`valid_for`", value, "valid_for = \"24h\"")
    {
        match text.parse() {
            Ok(span) => valid_for = span,
            Err(why) => reader.wrong(value.span(), format!("`valid_for`: {why}"), "write it as `valid_for = \"24h\"`"),
        }
    }
    Some(Approvals { needed: needed?, signers: root.join(signers?), valid_for })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Approvals, Config};
    use crate::model::Span;

    fn read(table: &str) -> Result<Option<Approvals>, String> {
        let text = format!("[environments.production]\nprotected = true\n{table}");
        let config = Config::parse(Path::new("/project/lifeboat.toml"), text.into());
        let config = config.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        Ok(config.environments["production"].approvals.clone())
    }

    #[test]
    fn says_how_many_and_whose() {
        assert_eq!(read(""), Ok(None));
        let one = read("approvals = { signers = \"approvers\" }");
        let expected =
            Approvals { needed: 1, signers: "/project/approvers".into(), valid_for: Span::from_secs(86_400) };
        assert_eq!(one, Ok(Some(expected)));
        let two = read("[environments.production.approvals]\nneeded = 2\nsigners = \"a\"\nvalid_for = \"4h\"");
        assert_eq!(two.expect("read").map(|a| (a.needed, a.valid_for)), Some((2, Span::from_secs(4 * 3600))));
    }

    #[test]
    fn mistakes_are_told() {
        for (table, told) in [
            ("approvals = { needed = 1 }", "does not say whose signatures count"),
            ("approvals = { needed = 0, signers = \"a\" }", "between 1 and 20"),
            ("approvals = { needed = \"two\", signers = \"a\" }", "must be a number"),
            ("approvals = { signers = \"a\", valid_for = \"soon\" }", "`valid_for`"),
            ("approvals = { signers = \"a\", who = 1 }", "who"),
            ("approvals = 2", "approvals"),
        ] {
            let why = read(table).expect_err(table);
            assert!(why.contains(told), "{table}: {why}");
        }
    }
}
