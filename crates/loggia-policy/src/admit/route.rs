//! Which stream a record goes to.

use loggia_record::{Attr, Kind, RecordView, intrinsic};

use crate::policy::Policy;
use crate::registry::is_gen_ai_name;

use super::report::RefusalReason;

/// Index of the stream that takes a record: the one it was sent to, else by what it is.
pub(super) fn stream_of(
    policy: &Policy,
    forced: Option<&str>,
    record: &RecordView<'_, '_>,
) -> Result<usize, RefusalReason> {
    if let Some(name) = forced {
        let found = policy.streams.iter().position(|stream| stream.schema.name() == name);
        return found.ok_or(RefusalReason::UnknownStream);
    }
    let routes = policy.routes;
    let stream = if is_gen_ai(record.own()) {
        routes.genai
    } else {
        match record.kind() {
            Kind::Log => routes.logs,
            Kind::Span => routes.spans,
        }
    };
    stream.ok_or(RefusalReason::NoStream)
}

/// Whether a record carries a mark of Gen AI instrumentation. Resource attributes do not count: they mark all that a
/// process sends.
fn is_gen_ai(own: &[Attr<'_>]) -> bool {
    own.iter().any(|attr| is_gen_ai_name(&attr.key))
        || event_name(own).is_some_and(|name| name.starts_with("gen_ai."))
}

/// Name of the event a log record stands for, in its present or its former place.
pub(super) fn event_name<'b>(own: &'b [Attr<'_>]) -> Option<&'b str> {
    own.iter()
        .find(|attr| attr.key == intrinsic::EVENT_NAME || attr.key == "event.name")
        .and_then(|attr| attr.value.as_text())
}
