//! Settings of a target against what its driver says it takes. Errors point into `lifeboat.toml`.

use serde_json::Value as Json;

use crate::config::{ConfigError, Target};
use crate::model::instead;
use crate::primitives::{ArgSpec, ArgType};

use super::protocol::{SettingSchema, SettingType, SettingsSchema};
use super::secrets::secret;

impl SettingsSchema {
    /// Checks the settings of `target`.
    pub(super) fn check(&self, target: &Target) -> Result<(), ConfigError> {
        let settings = target.settings.as_object().cloned().unwrap_or_default();
        let known: Vec<&str> = self.properties.keys().map(String::as_str).collect();
        for (name, value) in &settings {
            let Some(schema) = self.properties.get(name) else {
                let message = format!("unknown setting `{name}` for driver {}", target.driver);
                let help = match known[..] {
                    [] => "it takes none: remove this line".to_owned(),
                    _ => instead(name, &known, "settings"),
                };
                return Err(target.error_at_key(name, message).help(help));
            };
            schema.check(target, name, value)?;
        }
        match self.required.iter().find(|name| !settings.contains_key(*name)) {
            Some(name) => {
                let who = format!("{} `{}`", target.kind, target.name);
                let message = format!("{who} has no `{name}`, which driver {} needs", target.driver);
                let doc = self.properties.get(name).map(|schema| format!(". {}", schema.description));
                Err(target.error(".", message).help(format!("add `{name} = …`{}", doc.unwrap_or_default())))
            }
            None => Ok(()),
        }
    }

    /// As the settings of any driver.
    pub(super) fn specs(&self) -> Vec<ArgSpec> {
        let spec = |(name, schema): (&String, &SettingSchema)| ArgSpec {
            name: name.clone(),
            kind: schema.arg_type(),
            required: self.required.contains(name),
            default: schema.default.clone(),
            doc: schema.description.clone(),
        };
        self.properties.iter().map(spec).collect()
    }

    /// What is wrong with the schema itself.
    pub(crate) fn mistake(&self) -> Option<String> {
        if let Some(name) = self.required.iter().find(|name| !self.properties.contains_key(*name)) {
            return Some(format!("`required` names `{name}`, which is none of its settings"));
        }
        if self.properties.contains_key("driver") {
            return Some("`driver` cannot be a setting: it names the driver".to_owned());
        }
        let wrong = |schema: &SettingSchema| {
            let choices = schema.choices.iter().flatten();
            choices.chain(&schema.default).any(|value| !schema.kind.takes(value))
        };
        let name = self.properties.iter().find(|(_, schema)| wrong(schema)).map(|(name, _)| name)?;
        Some(format!("`enum` or `default` of its setting `{name}` is not of its `type`"))
    }
}

impl SettingSchema {
    fn check(&self, target: &Target, path: &str, value: &Json) -> Result<(), ConfigError> {
        let who = format!("{} `{}`", target.kind, target.name);
        let error = |message: String| {
            let error = target.error(path, message);
            if self.description.is_empty() { error } else { error.help(self.description.clone()) }
        };
        if secret(value).is_some() {
            return if self.write_only && self.kind == SettingType::String {
                Ok(())
            } else {
                let help = "its driver marks settings that take one as `writeOnly`; write this one as it is";
                Err(target.error(path, format!("`{path}` of {who} does not take a secret")).help(help))
            };
        }
        if !self.kind.takes(value) {
            let (wanted, found) = (self.kind.in_plain(), in_plain(value));
            return Err(error(format!("`{path}` of {who} must be {wanted}, not {found}")));
        }
        if let Some(choices) = self.choices.as_ref().filter(|choices| !choices.contains(value)) {
            let shown = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let known: Vec<String> = choices.iter().map(shown).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let typed = shown(value);
            let message = format!("`{path}` of {who} cannot be `{typed}`");
            return Err(target.error(path, message).help(instead(&typed, &known, "choices")));
        }
        let items = self.items.as_ref().zip(value.as_array());
        if let Some((item, values)) = items {
            for (n, value) in values.iter().enumerate() {
                item.check(target, &format!("{path}[{n}]"), value)?;
            }
        }
        Ok(())
    }

    fn arg_type(&self) -> ArgType {
        let texts = |choices: &Vec<Json>| choices.iter().map(|c| c.as_str().map(str::to_owned)).collect::<Option<_>>();
        if let Some(choices) = self.choices.as_ref().and_then(texts) {
            return ArgType::Choice(choices);
        }
        match self.kind {
            SettingType::String => ArgType::String,
            SettingType::Integer => ArgType::Int,
            SettingType::Number => ArgType::Number,
            SettingType::Boolean => ArgType::Bool,
            SettingType::Array => {
                ArgType::List(Box::new(self.items.as_ref().map_or(ArgType::Any, |item| item.arg_type())))
            }
            SettingType::Object => ArgType::Map,
        }
    }
}

impl SettingType {
    fn takes(self, value: &Json) -> bool {
        match self {
            SettingType::String => value.is_string(),
            SettingType::Integer => value.is_i64() || value.is_u64(),
            SettingType::Number => value.is_number(),
            SettingType::Boolean => value.is_boolean(),
            SettingType::Array => value.is_array(),
            SettingType::Object => value.is_object(),
        }
    }

    fn in_plain(self) -> &'static str {
        match self {
            SettingType::String => "text",
            SettingType::Integer => "a whole number",
            SettingType::Number => "a number",
            SettingType::Boolean => "true or false",
            SettingType::Array => "a list",
            SettingType::Object => "a table",
        }
    }
}

/// What was found, in the words of a configuration's author.
fn in_plain(value: &Json) -> String {
    match value {
        Json::String(text) => format!("the text {text:?}"),
        Json::Number(number) => format!("the number `{number}`"),
        Json::Bool(truth) => format!("`{truth}`"),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a table".to_owned(),
        Json::Null => "nothing".to_owned(),
    }
}
