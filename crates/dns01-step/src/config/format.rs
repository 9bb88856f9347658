//! Texts with a form of their own: how the schema names the form, and who reads it.

use std::borrow::Cow;

use dns01_core::{Identifier, NameError, OwnerName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::duration::{DurationError, GoDuration};
use super::sink::{FileMode, FileModeError};

/// Stands for an [`Identifier`] in the schema.
pub(super) struct DnsName;

/// Stands for an [`OwnerName`] in the schema.
pub(super) struct DnsZone;

macro_rules! text_of_form {
    ($type:ty, $form:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $form.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": $form})
            }
        }
    };
}

text_of_form!(DnsName, "dns-name");
text_of_form!(DnsZone, "dns-zone");
text_of_form!(GoDuration, "go-duration");
text_of_form!(FileMode, "file-mode");

/// What is wrong with `text`, which should have the form that the schema names `form`.
pub(super) fn misfit(form: &str, text: &str) -> Option<String> {
    match form {
        "dns-name" => text.parse::<Identifier>().err().map(|error: NameError| error.to_string()),
        "dns-zone" => text.parse::<OwnerName>().err().map(|error: NameError| error.to_string()),
        "go-duration" => {
            text.parse::<GoDuration>().err().map(|error: DurationError| error.to_string())
        }
        "file-mode" => text.parse::<FileMode>().err().map(|error: FileModeError| error.to_string()),
        _ => None,
    }
}
