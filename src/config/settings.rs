//! Reads the settings of a target's driver. What serde says of them becomes an error that points into the file.

use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;

use crate::model::instead;

use super::{ConfigError, Target};

impl Target {
    /// The settings as their driver reads them. Unknown keys, missing ones and wrong types point into the file.
    pub fn settings<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, ConfigError> {
        serde_path_to_error::deserialize(&self.settings).map_err(|error| {
            let path = error.path().to_string();
            self.explain(&path, &error.into_inner().to_string(), |setting| doc::<T>(setting))
        })
    }

    /// `why` are serde's words about the setting at `path`; `doc` is what is known of a setting.
    fn explain(&self, path: &str, why: &str, doc: impl Fn(&str) -> Option<String>) -> ConfigError {
        let (target, driver) = (format!("{} `{}`", self.kind, self.name), &self.driver);
        let help = |error: ConfigError, doc: Option<String>| match doc {
            Some(doc) => error.help(doc),
            None => error,
        };
        if let Some(rest) = why.strip_prefix("unknown field ") {
            let known = quoted(rest);
            let (typed, known) = known.split_first().map_or(("", &[][..]), |(typed, known)| (*typed, known));
            let advice = match known {
                [] => "it takes none: remove this line".to_owned(),
                known => instead(typed, known, "settings"),
            };
            return self.error_at_key(path, format!("unknown setting `{path}` for driver {driver}")).help(advice);
        }
        if let Some(&name) = why.strip_prefix("missing field ").map(quoted).unwrap_or_default().first() {
            let name = if path == "." { name.to_owned() } else { format!("{path}.{name}") };
            let advice = match doc(&name) {
                Some(doc) => format!("add `{name} = …`. {doc}"),
                None => format!("add `{name} = …`"),
            };
            return self.error(path, format!("{target} has no `{name}`, which driver {driver} needs")).help(advice);
        }
        if let Some(rest) = why.strip_prefix("unknown variant ") {
            let known = quoted(rest);
            let (typed, known) = known.split_first().map_or(("", &[][..]), |(typed, known)| (*typed, known));
            let message = format!("`{path}` of {target} cannot be `{typed}`");
            return self.error(path, message).help(instead(typed, known, "choices"));
        }
        if why.starts_with("invalid type: map") && self.secret_at(path).is_some() {
            let message = format!("`{path}` of {target} does not take a secret");
            return self
                .error(path, message)
                .help("only settings that are never shown take one; write this one as text");
        }
        let mistyped = why.strip_prefix("invalid type: ").or_else(|| why.strip_prefix("invalid value: "));
        if let Some((found, wanted)) = mistyped.and_then(|rest| rest.split_once(", expected ")) {
            let message =
                format!("`{path}` of {target} must be {}, not {}", wanted_in_plain(wanted), found_in_plain(found));
            return help(self.error(path, message), doc(path));
        }
        help(self.error(path, format!("`{path}` of {target}: {why}")), doc(path))
    }

    /// An error that points at the key of the setting `path`.
    pub(crate) fn error_at_key(&self, path: &str, message: String) -> ConfigError {
        let span = self.origin.keys.get(path).unwrap_or(&self.origin.span).clone();
        ConfigError::at(&self.origin.path, &self.origin.text, span, message)
    }
}

/// What serde wants, in the words of a configuration's author.
fn wanted_in_plain(wanted: &str) -> &str {
    match wanted {
        "a string" | "string" => "text",
        "path string" => "a path",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        wanted if wanted.starts_with("struct ") => "a table",
        wanted => wanted,
    }
}

/// What serde found, in the words of a configuration's author.
fn found_in_plain(found: &str) -> String {
    match found.split_once(' ') {
        _ if found == "map" => "a table".to_owned(),
        _ if found == "sequence" => "a list".to_owned(),
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer", number)) => format!("the number {number}"),
        Some(("boolean", truth)) => truth.to_owned(),
        _ => found.strip_prefix("floating point ").map_or(found.to_owned(), |number| format!("the number {number}")),
    }
}

/// The names between back-ticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The help text of a setting: the doc comment of the field in which it lies.
fn doc<T: JsonSchema>(path: &str) -> Option<String> {
    let field = path.split(['.', '[']).next()?;
    let schema = schema_for!(T).to_value();
    let doc = schema["properties"][field]["description"].as_str()?;
    Some(doc.replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use crate::config::tests::{good, place};
    use crate::model::Span;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read is of interest")]
    struct Settings {
        /// The address that is probed.
        url: String,
        /// How long an answer may take.
        timeout: Option<Span>,
        level: Option<Level>,
        tls: Option<Tls>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        Info,
        Error,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read is of interest")]
    struct Tls {
        ports: Vec<u16>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct NoSettings {}

    /// What is said of the settings `lines` of a service.
    fn setting<T: serde::de::DeserializeOwned + JsonSchema + std::fmt::Debug>(lines: &str) -> String {
        let config = good(&format!("[environments.a.services.web]\ndriver = \"http\"\n{lines}\n"));
        let error = config.environments["a"].targets["web"].settings::<T>().expect_err("a mistake");
        place(&error).trim_end().to_owned()
    }

    #[test]
    fn settings_are_read_by_their_driver() {
        let config =
            good("[environments.a.services.web]\ndriver = \"http\"\nurl = \"u\"\ntimeout = \"5s\"\nlevel = \"info\"");
        let settings: Settings = config.environments["a"].targets["web"].settings().expect("reads");
        assert_eq!((settings.url.as_str(), settings.timeout), ("u", Some(Span::from_secs(5))));
    }

    #[test]
    fn mistakes_in_settings_point_at_them() {
        assert_eq!(
            setting::<Settings>("ulr = \"u\""),
            "3:1 unknown setting `ulr` for driver http (did you mean `url`?)"
        );
        assert_eq!(
            setting::<Settings>("color = \"u\""),
            "3:1 unknown setting `color` for driver http (settings: url, timeout, level, tls)"
        );
        assert_eq!(
            setting::<NoSettings>("url = 1"),
            "3:1 unknown setting `url` for driver http (it takes none: remove this line)"
        );
        assert_eq!(
            setting::<Settings>("timeout = \"5s\""),
            "1:1 service `web` has no `url`, which driver http needs (add `url = …`. The address that is probed.)"
        );
        assert_eq!(
            setting::<Settings>("url = 5"),
            "3:7 `url` of service `web` must be text, not the number `5` (The address that is probed.)"
        );
        for (value, words) in [("true", "`true`"), ("[]", "a list"), ("{}", "a table"), ("1.5", "the number `1.5`")] {
            let said = format!("3:7 `url` of service `web` must be text, not {words} (The address that is probed.)");
            assert_eq!(setting::<Settings>(&format!("url = {value}")), said);
        }
        assert_eq!(
            setting::<Settings>("url = \"u\"\ntls = \"on\""),
            "4:7 `tls` of service `web` must be a table, not the text \"on\" (no help)"
        );
        assert_eq!(
            setting::<Settings>("url = \"u\"\ntimeout = \"5 s\""),
            "4:11 `timeout` of service `web`: `5 s` is not a duration: write it as `30s`, `5m`, `1h30m` or `250ms` \
             (How long an answer may take.)"
        );
        assert_eq!(
            setting::<Settings>("url = \"u\"\nlevel = \"eror\""),
            "4:9 `level` of service `web` cannot be `eror` (did you mean `error`?)"
        );
    }

    #[test]
    fn a_secret_stands_only_where_it_is_kept() {
        let config = good(
            "[environments.a.secrets]\nT = { env = \"T\" }\n[environments.a.services.web]\ndriver = \"http\"\n\
             url = \"http://{secret:T}/\"\n",
        );
        let error = config.environments["a"].targets["web"].settings::<Settings>().expect_err("a mistake");
        assert!(place(&error).starts_with("5:7 `url` of service `web` does not take a secret"), "{}", place(&error));
    }

    #[test]
    fn nested_settings_have_places_too() {
        assert_eq!(
            setting::<Settings>("url = \"u\"\ntls = { prots = [] }"),
            "4:9 unknown setting `tls.prots` for driver http (did you mean `ports`?)"
        );
        assert_eq!(
            setting::<Settings>("url = \"u\"\ntls = {}"),
            "4:7 service `web` has no `tls.ports`, which driver http needs (add `tls.ports = …`)"
        );
        assert_eq!(
            setting::<Settings>("url = \"u\"\n[environments.a.services.web.tls]\nports = [1, 70_000]"),
            "5:13 `tls.ports[1]` of service `web` must be a whole number from 0 to 65535, not the number `70000` (no help)"
        );
    }
}
