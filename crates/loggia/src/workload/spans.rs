//! The Gen AI spans, in the five conventions that are in the field at once.

use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::attrs::{Attrs, json_string, messages_json, ms_to_ns, put, unsigned};
use super::cast::{Shape, Vendor};
use super::rng::Rng;

/// What one call of a model was about.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) vendor: &'static Vendor,
    pub(super) model: &'static str,
    pub(super) user: String,
    pub(super) conversation: String,
    pub(super) system: &'static str,
    /// What was said before in this conversation: the last exchange.
    pub(super) before: Option<&'a (String, String)>,
    pub(super) question: &'a str,
    pub(super) answer: &'a str,
    pub(super) error: Option<&'static str>,
    pub(super) input_tokens: u32,
    pub(super) output_tokens: u32,
    pub(super) response_id: String,
    pub(super) temperature: f64,
}

/// Where a span stands: its ids and times.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) trace: Vec<u8>,
    pub(super) parent: Vec<u8>,
    pub(super) start_ns: i64,
    pub(super) ms: f64,
}

/// A span with fresh id at this place.
pub(super) fn span(
    rng: &mut Rng,
    place: &Place,
    name: String,
    kind: SpanKind,
    attrs: Attrs,
) -> Span {
    Span {
        trace_id: place.trace.clone(),
        span_id: rng.bits().to_be_bytes().to_vec(),
        parent_span_id: place.parent.clone(),
        flags: 1,
        name,
        kind: kind.into(),
        start_time_unix_nano: unsigned(place.start_ns),
        end_time_unix_nano: unsigned(place.start_ns.saturating_add(ms_to_ns(place.ms))),
        attributes: attrs.0,
        ..Span::default()
    }
}

/// Marks a span as failed.
pub(super) fn fail(span: &mut Span, kind: &str) {
    span.status = Some(Status {
        message: format!("{kind}: the call failed"),
        code: StatusCode::Error.into(),
    });
}

/// The span of one call of a model.
pub(super) fn chat(rng: &mut Rng, place: &Place, shape: Shape, call: &Call<'_>) -> Span {
    let name = format!("chat {}", call.model);
    let mut made = match shape {
        Shape::Current => span(rng, place, name, SpanKind::Client, current(call)),
        Shape::Legacy => {
            let mut made = span(rng, place, name, SpanKind::Client, legacy(call));
            made.events = legacy_events(place, call);
            made
        }
        Shape::OpenInference => {
            span(rng, place, String::from("ChatOpenAI"), SpanKind::Internal, open_inference(call))
        }
        Shape::Traceloop => {
            span(rng, place, String::from("openai.chat"), SpanKind::Client, traceloop(call))
        }
        Shape::Langfuse => {
            span(rng, place, String::from("assistant-turn"), SpanKind::Internal, langfuse(call))
        }
    };
    if let Some(kind) = call.error {
        fail(&mut made, kind);
    }
    made
}

fn finish_reason(call: &Call<'_>) -> &'static str {
    if call.error.is_some() {
        "error"
    } else if call.output_tokens > 900 {
        "length"
    } else {
        "stop"
    }
}

fn current(call: &Call<'_>) -> Attrs {
    let mut attrs = Attrs::new();
    attrs
        .text("gen_ai.operation.name", "chat")
        .text("gen_ai.provider.name", call.vendor.provider)
        .text("gen_ai.request.model", call.model)
        .text("gen_ai.response.model", call.model)
        .text("gen_ai.response.id", call.response_id.as_str())
        .list("gen_ai.response.finish_reasons", finish_reason(call))
        .float("gen_ai.request.temperature", call.temperature)
        .int("gen_ai.request.max_tokens", 1024)
        .int("gen_ai.usage.input_tokens", call.input_tokens)
        .int("gen_ai.usage.output_tokens", call.output_tokens)
        .text("gen_ai.output.type", "text")
        .text("gen_ai.conversation.id", call.conversation.as_str())
        .text("user.id", call.user.as_str())
        .text("server.address", call.vendor.server)
        .int("server.port", 443);
    let mut inputs = Vec::with_capacity(3);
    if let Some((question, answer)) = call.before {
        inputs.push(("user", question.as_str()));
        inputs.push(("assistant", answer.as_str()));
    }
    inputs.push(("user", call.question));
    let mut system = String::from("[{\"type\":\"text\",\"content\":");
    json_string(call.system, &mut system);
    system.push_str("}]");
    attrs.text("gen_ai.system_instructions", system);
    attrs.text("gen_ai.input.messages", messages_json(&inputs, None));
    match call.error {
        Some(kind) => attrs.text("error.type", kind),
        None => {
            let outputs = messages_json(&[("assistant", call.answer)], Some(finish_reason(call)));
            attrs.text("gen_ai.output.messages", outputs)
        }
    };
    attrs
}

fn legacy(call: &Call<'_>) -> Attrs {
    let mut attrs = Attrs::new();
    attrs
        .text("gen_ai.operation.name", "chat")
        .text("gen_ai.system", call.vendor.provider)
        .text("gen_ai.request.model", call.model)
        .text("gen_ai.response.model", call.model)
        .text("gen_ai.response.id", call.response_id.as_str())
        .list("gen_ai.response.finish_reasons", finish_reason(call))
        .int("gen_ai.usage.prompt_tokens", call.input_tokens)
        .int("gen_ai.usage.completion_tokens", call.output_tokens)
        .text("session.id", call.conversation.as_str())
        .text("enduser.id", call.user.as_str())
        .text("server.address", call.vendor.server);
    if let Some(kind) = call.error {
        attrs.text("error.type", kind);
    }
    attrs
}

fn legacy_events(place: &Place, call: &Call<'_>) -> Vec<Event> {
    let event = |name: &str, key: &str, text: String, after_ms: f64| {
        let mut attrs = Attrs::default();
        attrs.text("gen_ai.system", call.vendor.provider).text(key, text);
        Event {
            time_unix_nano: unsigned(place.start_ns.saturating_add(ms_to_ns(after_ms))),
            name: name.to_owned(),
            attributes: attrs.0,
            ..Event::default()
        }
    };
    let mut events = vec![
        event("gen_ai.system.message", "content", call.system.to_owned(), 0.1),
        event("gen_ai.user.message", "content", call.question.to_owned(), 0.2),
    ];
    if call.error.is_none() {
        let mut message = String::from("{\"role\":\"assistant\",\"content\":");
        json_string(call.answer, &mut message);
        message.push('}');
        events.push(event("gen_ai.choice", "message", message, place.ms));
    }
    events
}

fn open_inference(call: &Call<'_>) -> Attrs {
    let mut attrs = Attrs::new();
    let total = call.input_tokens.saturating_add(call.output_tokens);
    let mut parameters = String::from("{\"temperature\":");
    put(&mut parameters, format_args!("{:.1},\"max_tokens\":1024,\"user\":", call.temperature));
    json_string(&call.user, &mut parameters);
    parameters.push('}');
    attrs
        .text("openinference.span.kind", "LLM")
        .text("llm.provider", call.vendor.provider)
        .text("llm.system", call.vendor.provider)
        .text("llm.model_name", call.model)
        .text("llm.invocation_parameters", parameters)
        .int("llm.token_count.prompt", call.input_tokens)
        .int("llm.token_count.completion", call.output_tokens)
        .int("llm.token_count.total", total)
        .text("session.id", call.conversation.as_str())
        .text("user.id", call.user.as_str())
        .text("llm.input_messages.0.message.role", "system")
        .text("llm.input_messages.0.message.content", call.system)
        .text("llm.input_messages.1.message.role", "user")
        .text("llm.input_messages.1.message.content", call.question)
        .text("input.mime_type", "text/plain")
        .text("input.value", call.question);
    match call.error {
        Some(kind) => attrs.text("error.type", kind),
        None => attrs
            .text("llm.output_messages.0.message.role", "assistant")
            .text("llm.output_messages.0.message.content", call.answer)
            .text("output.mime_type", "text/plain")
            .text("output.value", call.answer),
    };
    attrs
}

fn traceloop(call: &Call<'_>) -> Attrs {
    let mut attrs = Attrs::new();
    let total = call.input_tokens.saturating_add(call.output_tokens);
    attrs
        .text("traceloop.workflow.name", "assistant_turn")
        .text("traceloop.entity.name", "answer")
        .text("traceloop.span.kind", "task")
        .text("llm.request.type", "chat")
        .text("gen_ai.system", call.vendor.provider)
        .text("gen_ai.request.model", call.model)
        .text("gen_ai.response.model", call.model)
        .text("gen_ai.response.id", call.response_id.as_str())
        .int("gen_ai.usage.prompt_tokens", call.input_tokens)
        .int("gen_ai.usage.completion_tokens", call.output_tokens)
        .int("llm.usage.total_tokens", total)
        .text("traceloop.association.properties.user_id", call.user.as_str())
        .text("traceloop.association.properties.chat_id", call.conversation.as_str())
        .text("gen_ai.prompt.0.role", "system")
        .text("gen_ai.prompt.0.content", call.system)
        .text("gen_ai.prompt.1.role", "user")
        .text("gen_ai.prompt.1.content", call.question);
    match call.error {
        Some(kind) => attrs.text("error.type", kind),
        None => attrs
            .text("gen_ai.completion.0.role", "assistant")
            .text("gen_ai.completion.0.finish_reason", finish_reason(call))
            .text("gen_ai.completion.0.content", call.answer),
    };
    attrs
}

fn langfuse(call: &Call<'_>) -> Attrs {
    let mut attrs = Attrs::new();
    let mut usage = String::new();
    put(
        &mut usage,
        format_args!("{{\"input\":{},\"output\":{}}}", call.input_tokens, call.output_tokens),
    );
    attrs
        .text("langfuse.observation.type", "generation")
        .text("langfuse.observation.model.name", call.model)
        .text("langfuse.observation.usage_details", usage)
        .text("langfuse.environment", "production")
        .text("langfuse.trace.name", "assistant-turn")
        .text("langfuse.user.id", call.user.as_str())
        .text("langfuse.session.id", call.conversation.as_str())
        .text("langfuse.observation.input", messages_json(&[("user", call.question)], None))
        .text("langfuse.observation.level", if call.error.is_some() { "ERROR" } else { "DEFAULT" });
    match call.error {
        Some(kind) => attrs.text("langfuse.observation.status_message", kind),
        None => attrs.text("langfuse.observation.output", call.answer),
    };
    attrs
}
