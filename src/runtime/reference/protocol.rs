//! The page of the driver protocol, made from the types of its messages.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::primitives::external::protocol_schema;

use super::text::{GENERATED, code, row};

pub(super) fn page() -> String {
    let schema = protocol_schema();
    let mut page = format!("{GENERATED}{}", include_str!("protocol.md"));
    let messages = schema["properties"].as_object().into_iter().flatten();
    let mut first: Vec<&str> = messages.filter_map(|(_, schema)| name_of(schema)).collect();
    let definitions = schema["$defs"].as_object().into_iter().flatten();
    let others = definitions.map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    // Requests and replies are read before what they are made of.
    let mut order: Vec<&str> = vec!["Request", "Reply"];
    first.extend(others);
    for name in first {
        if !order.contains(&name) {
            order.push(name);
        }
    }
    for name in order {
        page.push_str(&definition(name, &schema["$defs"][name]));
    }
    page
}

fn name_of(schema: &Json) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn definition(name: &str, schema: &Json) -> String {
    let mut text = format!("\n## {name}\n\n{}\n\n", plain(&schema["description"]));
    if let Some(fields) = schema["properties"].as_object() {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        text.push_str("| field | type | given | meaning |\n|---|---|---|---|\n");
        for (field, schema) in fields {
            let given = if required.contains(&field.as_str()) { "always" } else { "not always" };
            let _ =
                write!(text, "{}", row(&[code(field), kind(schema), given.to_owned(), plain(&schema["description"])]));
        }
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        text.push_str("| value | meaning |\n|---|---|\n");
        for choice in choices {
            let value = choice["const"].as_str().unwrap_or_default();
            text.push_str(&row(&[code(value), plain(&choice["description"])]));
        }
    }
    text
}

/// What a field holds, with a link where that has a section of its own.
fn kind(schema: &Json) -> String {
    if let Some(name) = name_of(schema) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let known: Vec<String> = options.iter().filter(|option| option["type"] != "null").map(kind).collect();
        return known.join(" or ");
    }
    let named = match &schema["type"] {
        Json::String(name) => name.as_str(),
        Json::Array(names) => names.iter().filter_map(Json::as_str).find(|name| *name != "null").unwrap_or("anything"),
        _ => "anything",
    };
    match named {
        "array" => format!("array of {}", kind(&schema["items"])),
        "object"
            if schema["additionalProperties"]["type"].is_string()
                || schema["additionalProperties"]["$ref"].is_string() =>
        {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        other => other.to_owned(),
    }
}

fn plain(description: &Json) -> String {
    description.as_str().unwrap_or_default().replace('\n', " ")
}
