//! Every name of the published classification has its class; unknown ones have none.

use super::{GEN_AI, Registry, RegistryClass as Class, is_gen_ai_name};
use crate::patterns::Pattern;

#[test]
fn every_row_is_a_pattern_and_none_repeats() {
    let mut seen = std::collections::BTreeSet::new();
    for row in GEN_AI {
        assert!(Pattern::parse(row.pattern).is_ok(), "{}", row.pattern);
        assert!(seen.insert(row.pattern), "{} is listed twice", row.pattern);
    }
}

#[test]
fn names_have_the_published_class() {
    let registry = Registry::gen_ai();
    for (class, names) in PUBLISHED {
        for name in *names {
            let found = registry.find(name, &mut String::new()).map(|known| known.class);
            assert_eq!(found, Some(*class), "{name}");
        }
    }
    for name in ["gen_ai.brand_new", "llm.brand_new", "my.own.name", "", "gen_ai."] {
        assert_eq!(registry.find(name, &mut String::new()), None, "{name}");
    }
}

#[test]
fn marks_of_gen_ai_are_prefixes() {
    for (name, expected) in [
        ("gen_ai.request.model", true),
        ("llm.model_name", true),
        ("traceloop.span.kind", true),
        ("langfuse.trace.name", true),
        ("openinference.span.kind", true),
        ("ai.model.id", true),
        ("mlflow.spanType", true),
        ("gen_ai", false),
        ("aim.x", false),
        ("service.name", false),
        ("@body", false),
    ] {
        assert_eq!(is_gen_ai_name(name), expected, "{name}");
    }
}

/// The classification of docs/policy.md, name by name.
const PUBLISHED: &[(Class, &[&str])] = &[
    (
        Class::Content,
        &[
            "gen_ai.input.messages",
            "gen_ai.output.messages",
            "gen_ai.system_instructions",
            "gen_ai.client.inference.operation.details.@body",
            "gen_ai.prompt",
            "gen_ai.completion",
            "gen_ai.system.message.@body",
            "gen_ai.user.message.@body",
            "gen_ai.assistant.message.@body",
            "gen_ai.tool.message.@body",
            "gen_ai.choice.@body",
            "gen_ai.user.message.content",
            "input.value",
            "output.value",
            "llm.input_messages.0.message.content",
            "llm.output_messages.12.message.contents.3.message_content.text",
            "llm.input_messages.0.message.contents.0.message_content.image",
            "message.content",
            "message.contents.0.message_content.encrypted_content",
            "llm.prompts",
            "llm.choices",
            "llm.prompt_template.template",
            "llm.prompt_template.variables",
            "gen_ai.prompt.0.content",
            "gen_ai.completion.3.content",
            "traceloop.entity.input",
            "traceloop.entity.output",
            "traceloop.prompt.template_variables",
            "gen_ai.content.completion.chunk",
            "llm.content.completion.chunk",
            "langfuse.trace.input",
            "langfuse.trace.output",
            "langfuse.observation.input",
            "langfuse.observation.output",
            "mlflow.spanInputs",
            "mlflow.spanOutputs",
            "ai.prompt",
            "ai.prompt.messages",
            "ai.response.text",
        ],
    ),
    (
        Class::Tool,
        &[
            "gen_ai.tool.call.arguments",
            "gen_ai.tool.call.result",
            "gen_ai.tool.definitions",
            "gen_ai.tool.description",
            "message.tool_calls.0.tool_call.function.arguments",
            "llm.output_messages.0.message.tool_calls.1.tool_call.function.arguments",
            "message.function_call_arguments_json",
            "tool.parameters",
            "tool.json_schema",
            "llm.tools",
            "llm.function_call",
            "llm.request.functions",
            "llm.request.functions.0.parameters",
            "gen_ai.request.structured_output_schema",
            "langfuse.observation.metadata.anything",
            "ai.toolCall.args",
            "ai.toolCall.result",
        ],
    ),
    (
        Class::Retrieval,
        &[
            "gen_ai.retrieval.documents",
            "gen_ai.retrieval.query.text",
            "gen_ai.memory.query.text",
            "gen_ai.memory.records",
            "retrieval.documents.0.document.content",
            "retrieval.documents.7.document.metadata",
            "reranker.query",
            "reranker.input_documents.0.document.content",
            "reranker.output_documents.0.document.content",
            "embedding.embeddings.0.embedding.text",
            "embedding.embeddings.0.embedding.vector",
            "db.chroma.query.where",
            "db.chroma.get.where_document",
            "pinecone.query.filter",
            "pinecone.query.queries",
            "pinecone.query.id",
        ],
    ),
    (
        Class::Guardrail,
        &[
            "gen_ai.guardrail.security.content.input.value",
            "gen_ai.guardrail.security.content.output.value",
            "annotation.explanation",
            "evaluation.explanation",
            "langfuse.score.comment",
        ],
    ),
    (
        Class::Person,
        &[
            "user.id",
            "user.name",
            "user.full_name",
            "user.email",
            "user.hash",
            "enduser.id",
            "enduser.pseudo.id",
            "enduser.role",
            "enduser.scope",
            "gen_ai.user",
            "llm.user",
            "traceloop.association.properties.user_id",
            "traceloop.association.properties.chat_id",
            "langfuse.user.id",
            "langfuse.trace.metadata.customer",
        ],
    ),
    (
        Class::Linkable,
        &[
            "gen_ai.conversation.id",
            "session.id",
            "session.previous_id",
            "gen_ai.response.id",
            "gen_ai.tool.call.id",
            "gen_ai.memory.store.id",
            "gen_ai.memory.record.id",
            "gen_ai.agent.id",
            "tool_call.id",
            "traceloop.correlation.id",
            "langfuse.session.id",
        ],
    ),
    (
        Class::Secret,
        &[
            "http.request.header.authorization",
            "http.response.header.set-cookie",
            "url.full",
            "url.query",
            "db.query.text",
            "db.query.parameter.0",
            "llm.invocation_parameters",
            "gen_ai.headers",
            "llm.headers",
        ],
    ),
    (
        Class::FreeText,
        &[
            "exception.message",
            "exception.stacktrace",
            "gen_ai.agent.description",
            "gen_ai.request.stop_sequences",
            "gen_ai.evaluation.explanation",
            "@status_message",
            "@body",
            "metadata",
            "tag.tags",
            "audio.transcript",
            "image.url",
            "audio.url",
            "traceloop.entity.name",
            "traceloop.entity.path",
            "langfuse.observation.status_message",
            "langfuse.trace.tags",
            "langfuse.trace.name",
        ],
    ),
    (
        Class::Operational,
        &[
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.response.model",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.response.finish_reasons",
            "gen_ai.response.time_to_first_chunk",
            "error.type",
            "gen_ai.tool.name",
            "gen_ai.system",
            "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.prompt",
            "llm.token_count.completion_details.reasoning",
            "llm.cost.total",
            "llm.model_name",
            "openinference.span.kind",
            "llm.usage.total_tokens",
            "traceloop.span.kind",
            "langfuse.observation.level",
            "langfuse.environment",
            "langfuse.release",
        ],
    ),
];
