//! Arguments and outputs as data, read from the schemas of their types: for `check`, help, completion and the reference.

use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde_json::Value as Json;

use crate::model::Value;

/// One argument of a primitive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArgSpec {
    /// Its name.
    pub name: String,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: ArgType,
    /// Whether it must be given.
    pub required: bool,
    /// What holds when it is not given, where that is not nothing.
    pub default: Option<Json>,
    /// Its help text.
    pub doc: String,
}

/// One field of an output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldSpec {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ArgType,
    /// What it means.
    pub doc: String,
}

/// What an argument takes, in the words of a script's author.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ArgType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// Text.
    String,
    /// Text, or a secret.
    Secret,
    /// Text such as `5m`.
    Duration,
    /// One of these texts.
    Choice(Vec<String>),
    /// An array of such values.
    List(Box<ArgType>),
    /// A map.
    Map,
    /// Anything.
    Any,
    /// Nothing: what is only done, and returns no value.
    Nothing,
}

impl ArgType {
    /// Some value of it.
    pub(super) fn example(&self) -> Value {
        match self {
            ArgType::Bool => Value::Bool(false),
            ArgType::Int => Value::Int(1),
            ArgType::Number => Value::Float(1.0),
            ArgType::String | ArgType::Secret | ArgType::Any => Value::from("any"),
            ArgType::Duration => Value::from("1m"),
            ArgType::Choice(choices) => choices.first().map_or(Value::Null, |choice| Value::from(choice.as_str())),
            ArgType::List(_) => Value::List(Vec::new()),
            ArgType::Map => Value::Map(std::collections::BTreeMap::new()),
            ArgType::Nothing => Value::Null,
        }
    }

    /// Whether it has finitely many values: such a field is never unknown to a plan.
    pub fn is_finite(&self) -> bool {
        matches!(self, ArgType::Bool | ArgType::Choice(_))
    }

    /// Whether a literal of the script's kind (`int`, `string`, …) may stand for it.
    pub fn takes(&self, kind: &str) -> bool {
        match self {
            ArgType::Any => true,
            ArgType::Bool => kind == "bool",
            ArgType::Int => kind == "int",
            ArgType::Number => kind == "int" || kind == "float",
            ArgType::String | ArgType::Duration | ArgType::Choice(_) => kind == "string",
            ArgType::Secret => kind == "string" || kind == "secret",
            ArgType::List(_) => kind == "array",
            ArgType::Map => kind == "map",
            ArgType::Nothing => false,
        }
    }
}

impl std::fmt::Display for ArgType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ArgType::Bool => f.write_str("bool"),
            ArgType::Int => f.write_str("int"),
            ArgType::Number => f.write_str("number"),
            ArgType::String => f.write_str("string"),
            ArgType::Secret => f.write_str("string or secret"),
            ArgType::Duration => f.write_str("duration"),
            ArgType::Choice(choices) => {
                let quoted: Vec<_> = choices.iter().map(|c| format!("\"{c}\"")).collect();
                f.write_str(&quoted.join(" | "))
            }
            ArgType::List(item) => write!(f, "array of {item}"),
            ArgType::Map => f.write_str("map"),
            ArgType::Any => f.write_str("anything"),
            ArgType::Nothing => f.write_str("nothing"),
        }
    }
}

/// The fields of a struct `T`, by name; empty for other types.
pub(super) fn args_of<T: JsonSchema>() -> Vec<ArgSpec> {
    let schema = schema_for!(T).to_value();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    properties(&schema)
        .map(|(name, property)| ArgSpec {
            name: name.clone(),
            kind: type_of(property, &schema),
            required: required.contains(&name.as_str()),
            default: property.get("default").filter(|d| !d.is_null()).cloned(),
            doc: doc(property, &schema),
        })
        .collect()
}

/// What `T` is as an output: its fields if it is a struct, else its type.
pub(super) fn output_of<T: JsonSchema>() -> (ArgType, Vec<FieldSpec>) {
    let schema = schema_for!(T).to_value();
    (type_of(&schema, &schema), fields(&schema, &schema))
}

/// The fields of each item, if `T` is a list of structs.
pub(super) fn items_of<T: JsonSchema>() -> Vec<FieldSpec> {
    let schema = schema_for!(T).to_value();
    fields(resolve(&schema["items"], &schema), &schema)
}

fn fields(schema: &Json, root: &Json) -> Vec<FieldSpec> {
    let field = |(name, property): (&String, &Json)| FieldSpec {
        name: name.clone(),
        kind: type_of(property, root),
        doc: doc(property, root),
    };
    properties(schema).map(field).collect()
}

/// The description of a type: its doc comment.
pub(super) fn description<T: JsonSchema>() -> String {
    schema_for!(T).to_value()["description"].as_str().unwrap_or_default().to_owned()
}

fn properties(schema: &Json) -> impl Iterator<Item = (&String, &Json)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn doc(property: &Json, root: &Json) -> String {
    let own = property["description"].as_str();
    own.or_else(|| resolve(property, root)["description"].as_str()).unwrap_or_default().replace('\n', " ")
}

fn resolve<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    let name = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/"));
    name.map_or(schema, |name| &root["$defs"][name])
}

fn type_of(schema: &Json, root: &Json) -> ArgType {
    let schema = resolve(schema, root);
    if let Some(choices) = choices(schema) {
        return ArgType::Choice(choices);
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let mut inner = options.iter().filter(|o| o["type"] != "null");
        return match (inner.next(), inner.next()) {
            (Some(one), None) => type_of(one, root),
            _ => ArgType::Any,
        };
    }
    let name = match &schema["type"] {
        Json::String(name) if name != "null" => name.as_str(),
        Json::Array(names) => names.iter().filter_map(Json::as_str).find(|n| *n != "null").unwrap_or_default(),
        _ => "",
    };
    match name {
        "boolean" => ArgType::Bool,
        "integer" => ArgType::Int,
        "number" => ArgType::Number,
        "string" if schema["format"] == "duration" => ArgType::Duration,
        "string" if schema["format"] == "secret" => ArgType::Secret,
        "string" => ArgType::String,
        "array" => ArgType::List(Box::new(type_of(&schema["items"], root))),
        "object" => ArgType::Map,
        "" if schema["type"] == "null" => ArgType::Nothing,
        _ => ArgType::Any,
    }
}

/// A choice is an `enum`, or (where its variants are documented) a `oneOf` of constants.
fn choices(schema: &Json) -> Option<Vec<String>> {
    let texts = |list: &[Json], of: fn(&Json) -> Option<&str>| {
        list.iter().filter(|v| !v.is_null()).map(|v| of(v).map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    if let Some(list) = schema["enum"].as_array() {
        return texts(list, Json::as_str);
    }
    let list = schema["oneOf"].as_array()?;
    let mut all = Vec::new();
    for variant in list {
        match (variant["const"].as_str(), variant["enum"].as_array()) {
            (Some(one), _) => all.push(one.to_owned()),
            (None, Some(several)) => all.extend(texts(several, Json::as_str)?),
            (None, None) => return None,
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::model::{Arg, Span};

    /// How it went.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Status {
        /// Well.
        Pass,
        /// Badly.
        Fail,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Args {
        /// The target.
        target: String,
        /// How long it
        /// may take.
        #[serde(default = "five")]
        timeout: Span,
        tables: Option<Vec<String>>,
        status: Option<Status>,
        from: Arg<String>,
        ratio: Option<f64>,
        #[serde(default)]
        quiet: bool,
    }

    fn five() -> Span {
        Span::from_secs(5)
    }

    #[test]
    fn arguments_are_read_from_their_type() {
        let args = args_of::<Args>();
        let find = |name: &str| args.iter().find(|a| a.name == name).expect(name);
        assert_eq!(find("target").kind, ArgType::String);
        assert!(find("target").required && !find("timeout").required && !find("tables").required);
        assert_eq!(find("timeout").kind, ArgType::Duration);
        assert_eq!(find("timeout").doc, "How long it may take.");
        assert_eq!(find("timeout").default, Some(Json::from("5s")));
        assert_eq!(find("tables").kind, ArgType::List(Box::new(ArgType::String)));
        assert_eq!(find("status").kind, ArgType::Choice(vec!["pass".into(), "fail".into()]));
        assert_eq!(find("from").kind, ArgType::String);
        assert!(find("from").required);
        assert_eq!(find("ratio").kind, ArgType::Number);
        assert_eq!(find("quiet").kind, ArgType::Bool);
    }

    #[test]
    fn outputs_may_be_plain() {
        assert_eq!(output_of::<bool>(), (ArgType::Bool, vec![]));
        assert_eq!(output_of::<Status>().0, ArgType::Choice(vec!["pass".into(), "fail".into()]));
        assert_eq!(output_of::<()>(), (ArgType::Nothing, vec![]));
    }

    #[test]
    fn a_list_has_the_fields_of_its_items() {
        let names = |fields: Vec<FieldSpec>| fields.into_iter().map(|f| f.name).collect::<Vec<_>>();
        assert_eq!(output_of::<Vec<Args>>().0, ArgType::List(Box::new(ArgType::Map)));
        assert_eq!(names(items_of::<Vec<Args>>()), names(output_of::<Args>().1));
        assert!(items_of::<Args>().is_empty() && items_of::<Vec<String>>().is_empty());
    }
}
