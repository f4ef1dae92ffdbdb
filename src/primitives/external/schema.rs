//! The protocol as JSON Schema, made from the types of its messages.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value as Json, json};

use super::protocol::{Description, Done, Previewed, Reconciliation, Reply, Request, VERSION};

/// One document: the messages themselves in `$defs`, and in `properties` where each belongs: `request`, `reply`, and what `ok` of a
/// reply holds after each kind of request.
pub fn protocol_schema() -> Json {
    let mut generator = SchemaGenerator::default();
    let mut properties = serde_json::Map::new();
    let mut add = |name: &str, schema: Json| drop(properties.insert(name.to_owned(), schema));
    add("request", schema::<Request>(&mut generator));
    add("reply", schema::<Reply>(&mut generator));
    add("ok of describe", schema::<Description>(&mut generator));
    add("ok of observe", schema::<Done>(&mut generator));
    add("ok of preview", schema::<Previewed>(&mut generator));
    add("ok of perform", schema::<Done>(&mut generator));
    add("ok of reconcile", schema::<Reconciliation>(&mut generator));
    let definitions = Json::Object(generator.take_definitions(true));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("The driver protocol of Lifeboat, version {VERSION}"),
        "type": "object",
        "properties": properties,
        "$defs": definitions,
    })
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Json {
    generator.subschema_for::<T>().to_value()
}
