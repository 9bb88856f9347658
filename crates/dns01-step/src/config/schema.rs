//! The JSON schema of `dns01.yaml`, made from the types: what editors check against, the reference is written from, and
//! documents are held against when they are loaded.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use serde_json::Value;

use super::Config;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    SchemaSettings::draft2020_12()
        .with_transform(without_null)
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value()
});

/// The JSON schema (draft 2020-12) of the whole document.
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// An absent key is absent: `null` is no way to write that.
fn without_null(schema: &mut Schema) {
    transform_subschemas(&mut without_null, schema);
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = schema.remove("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            for (key, value) in only {
                schema.insert(key.clone(), value.clone());
            }
        }
    }
}
