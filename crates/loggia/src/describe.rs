//! The policy and the keys as the API and the command line show them.

use loggia_keys::KeyStatus;
use loggia_policy::{AdmissionReport, Policy};
use serde_json::{Value, json};

/// A policy without its text: streams, fields, roles, purposes.
pub(crate) fn policy(policy: &Policy) -> Value {
    let streams: Vec<Value> = policy
        .streams()
        .map(|stream| {
            let retention = stream.retention();
            let fields: Vec<Value> = stream
                .fields()
                .iter()
                .map(|field| {
                    json!({
                        "name": field.name, "type": field.kind, "category": field.category,
                        "treatment": field.treatment, "class": field.class,
                        "purposes": field.purposes, "basis": field.basis,
                        "description": field.description,
                    })
                })
                .collect();
            json!({
                "name": stream.name(), "description": stream.description(),
                "retention": { "skeleton_days": retention.skeleton_days, "content_days": retention.content_days },
                "fields": fields,
            })
        })
        .collect();
    let roles: Vec<Value> = policy
        .roles()
        .iter()
        .map(|role| json!({ "name": role.name(), "description": role.description() }))
        .collect();
    json!({ "digest": policy.digest().to_string(), "streams": streams, "roles": roles })
}

/// Counts and ages of keys.
pub(crate) fn keys(status: &KeyStatus) -> Value {
    let keys: serde_json::Map<String, Value> =
        status.keys.iter().map(|(kind, count)| ((*kind).to_owned(), json!(count))).collect();
    json!({
        "epoch": status.epoch,
        "epoch_started_ms": status.epoch_started_ms,
        "keys": keys,
        "suppressed": status.suppressed,
    })
}

/// Values that were not kept, in all.
pub(crate) fn fields_dropped(report: &AdmissionReport) -> u64 {
    report.fields_dropped.values().map(|count| count.values).sum()
}

/// Findings by name of their kind.
pub(crate) fn detections(report: &AdmissionReport) -> Value {
    let counts: serde_json::Map<String, Value> =
        report.detections.iter().map(|(kind, count)| (kind.to_string(), json!(count))).collect();
    Value::Object(counts)
}
