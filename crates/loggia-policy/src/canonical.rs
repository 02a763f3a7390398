//! The canonical form of a policy and its digest.
//!
//! Everything that decides something or is told to people is in it, with defaults filled in; comments, the order of
//! mappings and sets, and spellings of one duration are not. The form is compact JSON with sorted keys after a line that
//! names its version.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest as sha256};
use serde_json::{Map, Value, json};

use crate::access::Role;
use crate::compile::{CompiledStream, Generalise, ResolvedField};
use crate::document::{Document, Mode, Source, TicketRule};
use crate::registry::{GEN_AI_VERSION, RegistryClass};
use crate::schema::PolicyDigest;

/// First line of the canonical form.
const FORM: &str = "loggia-policy/v1\n";

/// Digest of the canonical form.
pub(crate) fn digest(
    document: &Document,
    streams: &[CompiledStream],
    roles: &[Role],
) -> PolicyDigest {
    let mut text = FORM.to_owned();
    write_sorted(&canonical(document, streams, roles), &mut text);
    let hash = sha256(&SHA256, text.as_bytes());
    PolicyDigest(<[u8; 32]>::try_from(hash.as_ref()).unwrap_or([0; 32]))
}

/// The policy's meaning as JSON.
fn canonical(document: &Document, streams: &[CompiledStream], roles: &[Role]) -> Value {
    let purposes: Map<String, Value> = document
        .purposes
        .iter()
        .map(|(name, purpose)| {
            let value = json!({ "description": purpose.description, "basis": purpose.basis });
            (name.value.clone(), value)
        })
        .collect();
    let notice = document.notice.as_ref().map(
        |notice| json!({ "address": notice.address, "rights_contact": notice.rights_contact }),
    );
    json!({
        "version": document.version.value,
        "controller": { "name": document.controller.name, "contact": document.controller.contact },
        "notice": notice,
        "registry": registry(document),
        "purposes": purposes,
        "streams": named(streams, |stream| (stream.schema.name(), stream_value(stream))),
        "roles": named(roles, |role| (role.name(), role_value(role))),
        "detectors_off": detectors_off(document),
    })
}

fn named<'t, T>(items: &'t [T], each: impl Fn(&'t T) -> (&'t str, Value)) -> Map<String, Value> {
    items
        .iter()
        .map(|item| {
            let (name, value) = each(item);
            (name.to_owned(), value)
        })
        .collect()
}

/// The registry in use; its effect on fields is in the fields already, its version dates the classes of refused names.
fn registry(document: &Document) -> Value {
    let Some(choice) = &document.registry else { return Value::Null };
    let defaults: Map<String, Value> = RegistryClass::ALL
        .into_iter()
        .filter_map(|class| {
            let stated = choice.defaults.get(class)?;
            Some((class.name().to_owned(), json!(stated.value)))
        })
        .collect();
    json!({ "name": "gen-ai", "version": GEN_AI_VERSION, "defaults": defaults })
}

fn stream_value(stream: &CompiledStream) -> Value {
    let schema = &stream.schema;
    let id = |index: Option<usize>| {
        index.and_then(|index| schema.fields().get(index)).map(|field| field.name.as_str())
    };
    json!({
        "description": schema.description(),
        "source": stream.source.map(|source| match source {
            Source::Genai => "genai",
            Source::Logs => "logs",
            Source::Spans => "spans",
        }),
        "mode": match stream.mode { Mode::Enforce => "enforce", Mode::Observe => "observe" },
        "subject": id(schema.subject()),
        "conversation": id(schema.conversation()),
        "retention": {
            "skeleton_days": schema.retention().skeleton_days,
            "content_days": schema.retention().content_days,
        },
        "fields": named(&stream.fields, |field| (field.schema.name.as_str(), field_value(field))),
    })
}

fn field_value(field: &ResolvedField) -> Value {
    let from: Vec<&str> = field.from.iter().map(|alias| alias.value.as_str()).collect();
    json!({
        // The order of aliases is their preference, so it stays.
        "from": from,
        "type": field.schema.kind,
        "category": field.schema.category,
        "treatment": field.schema.treatment,
        "purposes": field.schema.purposes,
        "basis": field.schema.basis,
        "description": field.schema.description,
        "token": field.token,
        "generalise": field.generalise.map(|way| match way {
            Generalise::Network => json!("network"),
            Generalise::Date => json!("date"),
            Generalise::Bucket(size) => json!({ "bucket": size }),
        }),
    })
}

fn role_value(role: &Role) -> Value {
    let can: Vec<&str> = role.permissions().iter().map(|permission| permission.name()).collect();
    let purposes: Vec<&String> = role.purposes().iter().collect();
    let streams: Map<String, Value> = role
        .access
        .iter()
        .map(|access| {
            let name = access.stream.as_deref().unwrap_or("*");
            (name.to_owned(), json!({ "clear": access.clear }))
        })
        .collect();
    json!({
        "description": role.description(),
        "can": can,
        "purposes": purposes,
        "ticket": match role.ticket() {
            TicketRule::None => "none",
            TicketRule::Optional => "optional",
            TicketRule::Required => "required",
        },
        "streams": streams,
    })
}

fn detectors_off(document: &Document) -> Vec<String> {
    let config = crate::compile::detector_config(&document.detectors);
    let mut off: Vec<String> = config.off.iter().map(ToString::to_string).collect();
    off.sort();
    off
}

/// Compact JSON with keys in byte order, whatever order the map type keeps.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (position, (key, value)) in entries.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_scalar(&Value::String(key.clone()), out);
                out.push(':');
                write_sorted(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_sorted(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            write_scalar(value, out);
        }
    }
}

fn write_scalar(value: &Value, out: &mut String) {
    // Writing to a `String` cannot fail.
    if write!(out, "{value}").is_err() {
        out.push('?');
    }
}
