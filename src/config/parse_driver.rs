//! Reads `[drivers.NAME]`.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeTable;

use crate::model::{Span, instead};

use super::reader::{Node, Reader};
use super::{Config, DriverSpec, Origin};

/// What stands before the name of a declared driver where a target says that it is one.
const EXTERNAL: &str = "external:";
const KEYS: [&str; 7] = ["program", "sha256", "pass", "env", "look_time_limit", "time_limit", "secrets_for_looks"];
const PROGRAM: &str = "program = [\"drivers/lifeboat-driver-name\"]";
const PASS: &str = "pass = [\"HOME\"]";
const ENV: &str = "env = { NAME = \"text\" }";

pub(super) fn drivers(reader: &mut Reader<'_>, root: &Path, document: &DeTable<'_>) -> BTreeMap<String, DriverSpec> {
    let tables = document.get("drivers").and_then(|tables| reader.table("`drivers`", tables, "[drivers.NAME]"));
    let mut drivers = BTreeMap::new();
    for (name, value) in tables.into_iter().flatten() {
        reader.name(name.get_ref(), name.span(), "a driver");
        if let Some(driver) = driver(reader, root, name.get_ref(), value) {
            drivers.insert(driver.name.clone(), driver);
        }
    }
    drivers
}

fn driver(reader: &mut Reader<'_>, root: &Path, name: &str, value: &Node<'_>) -> Option<DriverSpec> {
    let what = format!("driver `{name}`");
    let table = reader.table(&what, value, &format!("[drivers.{name}]"))?;
    reader.keys(table, &KEYS, &format!("driver {name}"));
    let Some(named) = table.get("program") else {
        reader.wrong(value.span(), format!("{what} has no `program`"), format!("add `{PROGRAM}`"));
        return None;
    };
    let program = texts(reader, "`program`", named, PROGRAM);
    if program.is_empty() && named.get_ref().is_array() {
        reader.wrong(named.span(), "`program` must name a program", format!("write it as `{PROGRAM}`"));
    }
    let values = table.iter().map(|(key, value)| (key.get_ref().to_string(), value.span())).collect();
    let keys = table.keys().map(|key| (key.get_ref().to_string(), key.span())).collect();
    let (path, text) = (reader.path.to_path_buf(), reader.text.clone());
    Some(DriverSpec {
        name: name.to_owned(),
        program,
        sha256: table.get("sha256").and_then(|value| sha256(reader, value)),
        pass: table.get("pass").map(|value| variables(reader, value)).unwrap_or_default(),
        env: table.get("env").map(|value| env(reader, value)).unwrap_or_default(),
        look_time_limit: limit(reader, table, "look_time_limit", DriverSpec::LOOK_TIME_LIMIT),
        time_limit: limit(reader, table, "time_limit", DriverSpec::TIME_LIMIT),
        secrets_for_looks: reader.truth(table, "secrets_for_looks"),
        root: root.to_path_buf(),
        origin: Origin { path, text, span: value.span(), keys, values },
    })
}

/// A list of texts, of which the first may not be empty.
fn texts(reader: &mut Reader<'_>, what: &str, value: &Node<'_>, example: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for (n, part) in reader.list(what, value, example).into_iter().flatten().enumerate() {
        match part.get_ref().as_str() {
            Some("") if n > 0 => texts.push(String::new()),
            Some(text) if text.contains('\0') => {
                reader.wrong(part.span(), format!("{what} holds a NUL character, which no program takes"), "remove it");
            }
            _ => texts.extend(reader.text(&format!("each part of {what}"), part, example)),
        }
    }
    texts
}

fn sha256(reader: &mut Reader<'_>, value: &Node<'_>) -> Option<String> {
    let text = reader.text("`sha256`", value, "sha256 = \"…\"")?.to_lowercase();
    if text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Some(text);
    }
    let help = "write the 64 hexadecimal digits that `sha256sum FILE` prints";
    reader.wrong(value.span(), "`sha256` is no SHA-256 digest", help);
    None
}

fn variables(reader: &mut Reader<'_>, value: &Node<'_>) -> Vec<String> {
    let names = texts(reader, "`pass`", value, PASS);
    if let Some(name) = names.iter().find(|name| !is_variable(name)) {
        reader.wrong(value.span(), format!("`{name}` cannot be the name of a variable"), format!("write `{PASS}`"));
    }
    names
}

fn env(reader: &mut Reader<'_>, value: &Node<'_>) -> BTreeMap<String, String> {
    let mut added = BTreeMap::new();
    for (name, value) in reader.table("`env`", value, ENV).into_iter().flatten() {
        if !is_variable(name.get_ref()) {
            let message = format!("`{}` cannot be the name of a variable", name.get_ref());
            reader.wrong(name.span(), message, format!("write it as `{ENV}`"));
        }
        let text = match value.get_ref().as_str() {
            Some(text) if text.contains("{secret:") => {
                let help = "secrets belong to environments: hand it over in a setting of the target";
                reader.wrong(value.span(), "the environment of a driver takes no secret", help);
                None
            }
            Some(text) if !text.contains('\0') => Some(text.to_owned()),
            Some(_) => {
                reader.wrong(value.span(), "a variable holds a NUL character, which no program takes", "remove it");
                None
            }
            None => reader.text("a variable", value, ENV),
        };
        added.extend(text.map(|text| (name.get_ref().to_string(), text)));
    }
    added
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn limit(reader: &mut Reader<'_>, table: &DeTable<'_>, key: &str, absent: Span) -> Span {
    let Some(value) = table.get(key) else { return absent };
    let example = format!("{key} = \"{absent}\"");
    let Some(text) = reader.text(&format!("`{key}`"), value, &example) else { return absent };
    match text.parse::<Span>() {
        Ok(limit) if limit != Span::default() => limit,
        Ok(_) => {
            reader.wrong(value.span(), format!("`{key}` is 0: a program needs time"), format!("write `{example}`"));
            absent
        }
        Err(error) => {
            reader.wrong(value.span(), format!("`{key}`: {error}"), format!("write `{example}`"));
            absent
        }
    }
}

/// Takes `external:` off the drivers of targets; what it names must be declared.
pub(super) fn resolve(reader: &mut Reader<'_>, config: &mut Config) {
    let declared: Vec<&str> = config.drivers.keys().map(String::as_str).collect();
    let targets = config.environments.values_mut().flat_map(|environment| environment.targets.values_mut());
    for target in targets {
        let Some(name) = target.driver.strip_prefix(EXTERNAL).map(str::to_owned) else { continue };
        if !declared.contains(&name.as_str()) {
            let span = target.origin.values.get("driver").unwrap_or(&target.origin.span).clone();
            let help = if declared.is_empty() {
                format!("declare its program: `[drivers.{name}]` with `{PROGRAM}`")
            } else {
                instead(&name, &declared, "declared drivers")
            };
            reader.wrong(span, format!("there is no `[drivers.{name}]`"), help);
        }
        target.driver = name;
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{good, place};
    use crate::model::Span;

    /// Every mistake in `[drivers.pigeon]` with these lines.
    fn wrong(lines: &str) -> Vec<String> {
        let text = format!("[drivers.pigeon]\n{lines}\n[environments.a]\n");
        let found = crate::config::Config::parse("/p/lifeboat.toml".as_ref(), text.into()).err().unwrap_or_default();
        found.iter().map(|error| place(error).trim_end().to_owned()).collect()
    }

    #[test]
    fn a_driver_is_declared_with_its_program() {
        let config = good(&format!(
            "[drivers.pigeon]\nprogram = [\"loft/pigeon\", \"\"]\nsha256 = \"{}\"\npass = [\"HOME\"]\nenv = {{ A = \"\" }}\n\
             time_limit = \"1m\"\nsecrets_for_looks = true\n[environments.a.channels.x]\ndriver = \"external:pigeon\"\n\
             [environments.a.channels.y]\ndriver = \"pigeon\"",
            "AB".repeat(32)
        ));
        let pigeon = &config.drivers["pigeon"];
        assert_eq!(pigeon.program, ["loft/pigeon", ""]);
        assert_eq!(pigeon.sha256, Some("ab".repeat(32)));
        assert_eq!((&pigeon.pass[..], pigeon.env["A"].as_str()), (&["HOME".to_owned()][..], ""));
        assert_eq!((pigeon.look_time_limit, pigeon.time_limit), (Span::from_secs(30), Span::from_secs(60)));
        assert!(pigeon.secrets_for_looks);
        let targets = &config.environments["a"].targets;
        assert_eq!((targets["x"].driver.as_str(), targets["y"].driver.as_str()), ("pigeon", "pigeon"));
    }

    #[test]
    fn mistakes_point_at_their_place() {
        assert_eq!(
            wrong("sha265 = \"x\""),
            [
                "1:1 driver `pigeon` has no `program` (add `program = [\"drivers/lifeboat-driver-name\"]`)",
                "2:1 unknown key `sha265` in driver pigeon (did you mean `sha256`?)",
            ]
        );
        for (lines, said) in [
            ("program = \"pigeon\"", "2:11 `program` must be a list, not text"),
            ("program = []", "2:11 `program` must name a program"),
            ("program = [\"\"]", "2:12 each part of `program` must not be empty"),
            ("program = [\"a\\u0000\"]", "2:12 `program` holds a NUL character, which no program takes"),
            ("program = [\"a\"]\nsha256 = \"abc\"", "3:10 `sha256` is no SHA-256 digest"),
            ("program = [\"a\"]\npass = [\"A=B\"]", "3:8 `A=B` cannot be the name of a variable"),
            ("program = [\"a\"]\nenv = { A = 1 }", "3:13 a variable must be text, not a number"),
            ("program = [\"a\"]\ntime_limit = \"0s\"", "3:14 `time_limit` is 0: a program needs time"),
            ("program = [\"a\"]\ntime_limit = \"soon\"", "3:14 `time_limit`: `soon` is not a duration"),
        ] {
            let found = wrong(lines);
            assert!(found.iter().any(|error| error.starts_with(said)), "{lines}: {found:?}");
        }
        let undeclared =
            "program = [\"a\"]\n[environments.a.channels.x]\ndriver = \"external:pidgeon\"\n[environments.b]";
        let undeclared = undeclared.replace("[environments.b]", "");
        let text = format!("[drivers.pigeon]\n{undeclared}");
        let found = crate::config::Config::parse("/p/lifeboat.toml".as_ref(), text.into()).expect_err("a mistake");
        assert_eq!(place(&found[0]).trim_end(), "4:10 there is no `[drivers.pidgeon]` (did you mean `pigeon`?)");
    }
}
