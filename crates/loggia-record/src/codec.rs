//! The wire forms, one file each, over three readers of their own: protobuf (`wire`), the OTLP
//! value type in both encodings (`any_value`, `otlp_json`) and JSON text (`json`).

pub(crate) mod any_value;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod ndjson;
pub(crate) mod otlp;
pub(crate) mod otlp_json;
pub(crate) mod response;
pub(crate) mod span;
pub(crate) mod wire;
