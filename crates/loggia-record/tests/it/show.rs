//! Prints batches for comparison: the library's own `Debug` shows no content.

use loggia_record::{Attr, Batch, Kind, RecordView, Value};

/// One record as lines of `key = type value`; resource and scope attributes follow a dash.
pub(crate) fn record(record: RecordView<'_, '_>) -> Vec<String> {
    let kind = match record.kind() {
        Kind::Log => "log",
        Kind::Span => "span",
    };
    let mut lines = vec![format!("{kind} at {:?}", record.event_time_ns())];
    lines.extend(record.own().iter().map(attr));
    lines.push("-".to_owned());
    lines.extend(record.shared().iter().map(attr));
    lines
}

/// All records of a batch.
pub(crate) fn batch(batch: &Batch<'_>) -> Vec<Vec<String>> {
    batch.records().map(record).collect()
}

/// One attribute.
pub(crate) fn attr(attr: &Attr<'_>) -> String {
    format!("{} = {}", attr.key, value(&attr.value))
}

/// One value with its type.
pub(crate) fn value(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(v) => format!("bool {v}"),
        Value::Int(v) => format!("int {v}"),
        Value::Float(v) => format!("float {v:?}"),
        Value::Str(v) => format!("str {v}"),
        Value::Bytes(v) => format!("bytes {v:?}"),
        Value::Json(v) => format!("json {v}"),
    }
}
