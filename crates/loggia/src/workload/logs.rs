//! The plain logs around a turn: access lines, progress, postings, and errors with their stack traces.
//!
//! None of their attributes is of the Gen AI conventions, so that a policy can tell them from the spans.

use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};

use super::attrs::{Attrs, put, text_value, unsigned};
use super::cast::User;
use super::phrases::{APP_LINES, ERRORS, FRAMES, USER_AGENTS};
use super::rng::Rng;
use super::spans::{Call, Place};
use super::talk::fill;

fn log(place: &Place, level: &str, body: String, attrs: Attrs) -> LogRecord {
    let severity = match level {
        "DEBUG" => SeverityNumber::Debug,
        "WARN" => SeverityNumber::Warn,
        "ERROR" => SeverityNumber::Error,
        _ => SeverityNumber::Info,
    };
    LogRecord {
        time_unix_nano: unsigned(place.start_ns),
        observed_time_unix_nano: unsigned(place.start_ns.saturating_add(1_000_000)),
        severity_number: severity.into(),
        severity_text: level.to_owned(),
        body: Some(text_value(body)),
        attributes: attrs.0,
        flags: 1,
        trace_id: place.trace.clone(),
        span_id: place.parent.clone(),
        ..LogRecord::default()
    }
}

/// The gateway's access line.
pub(super) fn access(rng: &mut Rng, place: &Place, user: &User, failed: bool) -> LogRecord {
    let route = rng.pick(&["/v1/chat", "/v1/chat/stream", "/v1/agents/run", "/v1/responses"]);
    let status = if failed { 502 } else { 200 };
    let agent = rng.pick(&USER_AGENTS);
    let (received, sent) = (rng.between(180, 9000), rng.between(400, 24_000));
    let ip = &user.person.ip;
    let mut body = String::with_capacity(200);
    put(
        &mut body,
        format_args!(
            "{ip} \"POST {route} HTTP/2.0\" {status} {sent} {:.1}ms \"{agent}\"",
            place.ms
        ),
    );
    let mut attrs = Attrs::new();
    attrs
        .text("http.request.method", "POST")
        .text("http.route", route)
        .text("url.path", route)
        .int("http.response.status_code", status)
        .int("http.request.body.size", received)
        .int("http.response.body.size", sent)
        .float("http.server.request.duration", place.ms / 1000.0)
        .text("client.address", ip.as_str())
        .text("user_agent.original", agent)
        .text("network.protocol.version", "2")
        .text("enduser.id", user.id.as_str());
    log(place, if failed { "ERROR" } else { "INFO" }, body, attrs)
}

/// The line a service writes when a turn is done.
pub(super) fn turn_done(rng: &mut Rng, place: &Place, call: &Call<'_>) -> LogRecord {
    let mut body = String::with_capacity(160);
    put(
        &mut body,
        format_args!(
            "turn of conversation {} finished in {:.0} ms: model {}, {} + {} tokens, response {}",
            call.conversation,
            place.ms,
            call.model,
            call.input_tokens,
            call.output_tokens,
            call.response_id
        ),
    );
    let mut attrs = Attrs::new();
    attrs
        .text("logger.name", "chat.session")
        .text("code.function.name", "chat.session.Session.complete")
        .text("code.file.path", "chat/session.py")
        .int("code.line.number", rng.between(40, 900))
        .text("thread.name", "worker-7")
        .text("app.conversation", call.conversation.as_str())
        .text("app.model", call.model)
        .text("user.id", call.user.as_str());
    log(place, "INFO", body, attrs)
}

/// What the billing service posts for a turn.
pub(super) fn posting(rng: &mut Rng, place: &Place, call: &Call<'_>) -> LogRecord {
    let tokens = u64::from(call.input_tokens) + u64::from(call.output_tokens);
    let micro_euro = tokens * u64::from(call.vendor.price) / 1000;
    let mut body = String::with_capacity(128);
    put(
        &mut body,
        format_args!(
            "posted {}.{:06} EUR for {tokens} tokens of {} to cost centre {}",
            micro_euro / 1_000_000,
            micro_euro % 1_000_000,
            call.model,
            rng.between(100, 140)
        ),
    );
    let mut attrs = Attrs::new();
    attrs
        .text("logger.name", "billing.Posting")
        .text("thread.name", "posting-2")
        .int("billing.tokens", i64::try_from(tokens).unwrap_or(i64::MAX))
        .int("billing.amount_micro_eur", i64::try_from(micro_euro).unwrap_or(i64::MAX))
        .text("billing.vendor", call.vendor.provider)
        .text("billing.model", call.model)
        .text("enduser.id", call.user.as_str());
    log(place, "INFO", body, attrs)
}

/// A line that has nothing to do with Gen AI.
pub(super) fn chatter(rng: &mut Rng, place: &Place) -> LogRecord {
    let (level, logger, line) =
        rng.one_of(&APP_LINES).copied().unwrap_or(("INFO", "main", "ready"));
    let mut body = String::with_capacity(160);
    fill(line, rng, None, &mut body);
    let mut attrs = Attrs::new();
    let mut thread = String::from("worker-");
    put(&mut thread, format_args!("{}", rng.below(16)));
    attrs
        .text("logger.name", logger)
        .text("thread.name", thread)
        .int("process.pid", rng.between(7, 60));
    log(place, level, body, attrs)
}

/// Names of the errors there are.
pub(super) fn error_kind(rng: &mut Rng) -> &'static str {
    rng.one_of(&ERRORS).map_or("Error", |(kind, _, _)| kind)
}

/// A failed turn, with its stack trace; the message may name the user's e-mail address, as careless code does.
pub(super) fn failure(rng: &mut Rng, place: &Place, user: &User, kind: &str) -> LogRecord {
    let found = ERRORS.iter().find(|(known, _, _)| *known == kind);
    let (_, line, file) = found.copied().unwrap_or(("Error", "failed", "main.py"));
    let mut message = String::with_capacity(128);
    fill(line, rng, None, &mut message);
    if rng.chance(120) {
        put(&mut message, format_args!(" (account {})", user.person.email));
    }
    let mut trace = String::with_capacity(1600);
    trace.push_str("Traceback (most recent call last):\n");
    for _ in 0..rng.between(4, 9) {
        if let Some((file, function, statement)) = rng.one_of(&FRAMES) {
            let number = rng.between(20, 700);
            put(
                &mut trace,
                format_args!(
                    "  File \"/app/{file}\", line {number}, in {function}\n    {statement}\n"
                ),
            );
        }
    }
    put(&mut trace, format_args!("{kind}: {message}"));
    let mut attrs = Attrs::new();
    attrs
        .text("logger.name", "chat.errors")
        .text("code.file.path", file)
        .text("exception.type", kind)
        .text("exception.message", message.as_str())
        .text("exception.stacktrace", trace)
        .text("error.type", kind)
        .text("user.id", user.id.as_str());
    let mut body = String::from("turn failed: ");
    body.push_str(&message);
    log(place, "ERROR", body, attrs)
}
