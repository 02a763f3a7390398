//! The names of the intrinsics: what a record has by its nature rather than by its sender's choice.
//!
//! They begin with `@`; a sender's own key never does after decoding.

/// The log record's body, the message of a log line, or the whole line of a plain text log.
pub const BODY: &str = "@body";
/// Severity in words; the usual names become one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL.
pub const SEVERITY: &str = "@severity";
/// Severity as OpenTelemetry numbers it (1 to 24).
pub const SEVERITY_NUMBER: &str = "@severity_number";
/// Trace id, 32 lower-case hex digits.
pub const TRACE_ID: &str = "@trace_id";
/// Span id, 16 lower-case hex digits.
pub const SPAN_ID: &str = "@span_id";
/// Id of the parent span, 16 lower-case hex digits.
pub const PARENT_SPAN_ID: &str = "@parent_span_id";
/// Name of the span.
pub const NAME: &str = "@name";
/// Name of the event a log record stands for.
pub const EVENT_NAME: &str = "@event_name";
/// internal, server, client, producer or consumer; absent when unspecified.
pub const SPAN_KIND: &str = "@span_kind";
/// End minus start of a span, in milliseconds.
pub const DURATION_MS: &str = "@duration_ms";
/// Status of a span: ok, error or unset.
pub const STATUS: &str = "@status";
/// Description that came with the status.
pub const STATUS_MESSAGE: &str = "@status_message";
/// Name of the instrumentation scope.
pub const SCOPE: &str = "@scope";

/// Put before a sender's own key that begins with `@`.
pub const ESCAPE: &str = "attr.";
