//! One turn of a conversation: the question, what the platform does about it, and every record that leaves behind.

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::attrs::{Attrs, json_string, ms_to_ns, put};
use super::cast::{Service, Shape, User, Vendor, shape, vendor};
use super::logs;
use super::phrases::{SYSTEM_PROMPTS, TOOLS};
use super::rng::Rng;
use super::spans::{Call, Place, chat, fail, span};
use super::talk::{GivenAway, answer, passage, search_query, user_message};

/// A record with the service that emits it and the user whose id it carries.
#[derive(Debug)]
pub(super) struct Emitted<T> {
    pub(super) service: Service,
    /// Rank of the user named in the record; `None` where no id is.
    pub(super) user: Option<u32>,
    pub(super) item: T,
}

/// Records waiting to be sent.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) spans: Vec<Emitted<Span>>,
    pub(super) logs: Vec<Emitted<LogRecord>>,
}

/// A running conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) id: String,
    shape: Shape,
    vendor: &'static Vendor,
    model: &'static str,
    system: &'static str,
    agent: bool,
    retrieval: bool,
    before: Option<(String, String)>,
    pub(super) turns_left: u32,
}

impl Conversation {
    /// A new conversation.
    pub(super) fn begin(rng: &mut Rng) -> Self {
        let (vendor, model) = vendor(rng);
        Self {
            id: format!("conv_{:016x}{:08x}", rng.bits(), rng.bits() >> 32),
            shape: shape(rng),
            vendor,
            model,
            system: rng.pick(&SYSTEM_PROMPTS),
            agent: rng.chance(240),
            retrieval: rng.chance(330),
            before: None,
            turns_left: rng.between(1, 7),
        }
    }

    /// A conversation in the current conventions with everything in it, for what a test plants.
    pub(super) fn scripted(rng: &mut Rng) -> Self {
        Self {
            shape: Shape::Current,
            agent: true,
            retrieval: true,
            turns_left: 1,
            ..Self::begin(rng)
        }
    }
}

/// Texts that a test wants to find again.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) question: String,
    pub(super) log_line: String,
}

/// Everything one turn reads and writes.
pub(super) struct Turn<'a> {
    pub(super) rng: &'a mut Rng,
    pub(super) user: &'a User,
    pub(super) rank: u32,
    pub(super) conversation: &'a mut Conversation,
    pub(super) start_ns: i64,
    pub(super) leaks_per_million: u32,
    pub(super) given_away: &'a mut GivenAway,
    pub(super) out: &'a mut Pending,
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turn([redacted])")
    }
}

impl Turn<'_> {
    /// Plays the turn: appends its spans and logs.
    pub(super) fn play(mut self, script: Option<&Script>) {
        let question = match script {
            Some(script) => script.question.clone(),
            None => user_message(self.rng, self.user, self.leaks_per_million, self.given_away),
        };
        let answer = answer(self.rng, self.user);
        // a client sends the last exchange again in some turns only: long histories are summarised or cached
        let before = self.conversation.before.take().filter(|_| self.rng.chance(400));
        let call = self.call(&question, &answer, before.as_ref(), script.is_none());
        let place = self.place(1900.0);
        let failed = call.error.is_some();

        let access = logs::access(self.rng, &place, self.user, failed);
        self.log(Service::Gateway, true, access);
        self.chatter(&place);
        if self.conversation.retrieval {
            self.retrieve(&place);
        }
        if self.conversation.agent {
            self.act(&place);
        }
        let service = match self.conversation.shape {
            Shape::Current | Shape::Legacy | Shape::Langfuse => Service::ChatApi,
            Shape::OpenInference => Service::Rag,
            Shape::Traceloop => Service::AgentRunner,
        };
        let made = chat(self.rng, &place, self.conversation.shape, &call);
        self.span(service, made);
        if let Some(kind) = call.error {
            let failure = logs::failure(self.rng, &place, self.user, kind);
            self.log(service, true, failure);
        } else {
            let done = logs::turn_done(self.rng, &place, &call);
            self.log(Service::ChatApi, true, done);
            if self.rng.chance(600) {
                let posting = logs::posting(self.rng, &place, &call);
                self.log(Service::Billing, true, posting);
            }
        }
        if let Some(script) = script {
            let mut planted = logs::chatter(self.rng, &place);
            planted.body = Some(super::attrs::text_value(script.log_line.as_str()));
            self.log(Service::ChatApi, false, planted);
        }
        drop(call);
        self.conversation.before = Some((question, answer));
        self.conversation.turns_left = self.conversation.turns_left.saturating_sub(1);
    }

    fn call<'c>(
        &mut self,
        question: &'c str,
        answer: &'c str,
        before: Option<&'c (String, String)>,
        may_fail: bool,
    ) -> Call<'c> {
        let tokens =
            |text: &str| u32::try_from(text.len() / 4).unwrap_or(u32::MAX).saturating_add(3);
        let history =
            before.map_or(0, |(question, answer)| tokens(question).saturating_add(tokens(answer)));
        let error = (may_fail && self.rng.chance(35)).then(|| logs::error_kind(self.rng));
        let mut response_id = String::from("chatcmpl-");
        self.rng.letters(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            24,
            &mut response_id,
        );
        let (user, conversation) = (self.user.id.clone(), self.conversation.id.clone());
        Call {
            vendor: self.conversation.vendor,
            model: self.conversation.model,
            user,
            conversation,
            system: self.conversation.system,
            before,
            question,
            answer,
            error,
            input_tokens: tokens(question).saturating_add(history).saturating_add(40),
            output_tokens: if error.is_some() { 0 } else { tokens(answer) },
            response_id,
            temperature: f64::from(self.rng.between(0, 10)) / 10.0,
        }
    }

    /// A place in time shortly after the turn's start, in a trace of its own.
    fn place(&mut self, median_ms: f64) -> Place {
        let mut trace = self.rng.bits().to_be_bytes().to_vec();
        trace.extend_from_slice(&self.rng.bits().to_be_bytes());
        Place {
            trace,
            parent: self.rng.bits().to_be_bytes().to_vec(),
            start_ns: self.start_ns,
            ms: self.rng.log_normal(median_ms, 0.8),
        }
    }

    /// The same trace, a little later, with a duration of its own.
    fn later(&mut self, place: &Place, median_ms: f64) -> Place {
        let delay = self.rng.log_normal(12.0, 0.6);
        Place {
            start_ns: place.start_ns.saturating_add(ms_to_ns(delay)),
            ms: self.rng.log_normal(median_ms, 0.7),
            ..place.clone()
        }
    }

    fn span(&mut self, service: Service, item: Span) {
        self.out.spans.push(Emitted { service, user: Some(self.rank), item });
    }

    fn log(&mut self, service: Service, named: bool, item: LogRecord) {
        self.out.logs.push(Emitted { service, user: named.then_some(self.rank), item });
    }

    fn chatter(&mut self, place: &Place) {
        for _ in 0..self.rng.between(1, 3) {
            let place = self.later(place, 5.0);
            let service = self.rng.one_of(&Service::ALL).copied().unwrap_or(Service::ChatApi);
            let line = logs::chatter(self.rng, &place);
            self.log(service, false, line);
        }
    }

    /// Embeds a query and finds documents.
    fn retrieve(&mut self, place: &Place) {
        let at = self.later(place, 35.0);
        let mut attrs = Attrs::new();
        attrs
            .text("gen_ai.operation.name", "embeddings")
            .text("gen_ai.provider.name", "openai")
            .text("gen_ai.request.model", "text-embedding-3-large")
            .int("gen_ai.embeddings.dimension.count", 3072)
            .int("gen_ai.usage.input_tokens", self.rng.between(8, 400))
            .text("gen_ai.conversation.id", self.conversation.id.as_str())
            .text("user.id", self.user.id.as_str());
        let made = span(
            self.rng,
            &at,
            String::from("embeddings text-embedding-3-large"),
            SpanKind::Client,
            attrs,
        );
        self.span(Service::Rag, made);

        let mut documents = String::with_capacity(1024);
        documents.push('[');
        for number in 0..self.rng.between(2, 4) {
            if number > 0 {
                documents.push(',');
            }
            let (id, score) = (self.rng.below(40_000), 990 - number * self.rng.between(20, 90));
            put(
                &mut documents,
                format_args!("{{\"id\":\"kb-{id:05}\",\"score\":0.{score:03},\"content\":"),
            );
            json_string(&passage(self.rng), &mut documents);
            documents.push('}');
        }
        documents.push(']');
        let at = self.later(place, 60.0);
        let mut attrs = Attrs::new();
        attrs
            .text("gen_ai.operation.name", "retrieval")
            .text("gen_ai.data_source.id", "kb-main")
            .text("gen_ai.retrieval.query.text", search_query(self.rng, self.user))
            .text("gen_ai.retrieval.documents", documents)
            .text("gen_ai.conversation.id", self.conversation.id.as_str())
            .text("user.id", self.user.id.as_str());
        let made = span(self.rng, &at, String::from("retrieval kb-main"), SpanKind::Client, attrs);
        self.span(Service::Rag, made);
    }

    /// Runs an agent with one or two tools.
    fn act(&mut self, place: &Place) {
        let mut attrs = Attrs::new();
        attrs
            .text("gen_ai.operation.name", "invoke_agent")
            .text("gen_ai.provider.name", self.conversation.vendor.provider)
            .text("gen_ai.agent.name", "helper")
            .text("gen_ai.agent.id", "asst_5j66UpCpwteGg4YSxUnt7lPY")
            .text("gen_ai.request.model", self.conversation.model)
            .text("gen_ai.conversation.id", self.conversation.id.as_str())
            .text("user.id", self.user.id.as_str());
        let at = self.later(place, 2500.0);
        let made =
            span(self.rng, &at, String::from("invoke_agent helper"), SpanKind::Internal, attrs);
        self.span(Service::AgentRunner, made);
        for _ in 0..self.rng.between(1, 2) {
            self.use_tool(place);
        }
    }

    fn use_tool(&mut self, place: &Place) {
        let tool = self.rng.pick(&TOOLS);
        let at = self.later(place, 180.0);
        let (order, limit) = (self.rng.below(1_000_000), self.rng.between(1, 50));
        let mut arguments = String::from("{\"reference\":");
        put(&mut arguments, format_args!("\"ORD-{order:06}\",\"limit\":{limit}"));
        if self.rng.chance(150) {
            arguments.push_str(",\"customer_email\":");
            json_string(&self.user.person.email, &mut arguments);
        }
        arguments.push('}');
        let mut result = String::from("{\"status\":\"ok\",\"notes\":");
        json_string(&passage(self.rng), &mut result);
        result.push('}');
        let mut call_id = String::from("call_");
        self.rng.letters(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            24,
            &mut call_id,
        );
        let mut attrs = Attrs::new();
        attrs
            .text("gen_ai.operation.name", "execute_tool")
            .text("gen_ai.tool.name", tool)
            .text("gen_ai.tool.type", "function")
            .text("gen_ai.tool.call.id", call_id)
            .text("gen_ai.tool.call.arguments", arguments)
            .text("gen_ai.tool.call.result", result)
            .text("gen_ai.conversation.id", self.conversation.id.as_str())
            .text("user.id", self.user.id.as_str());
        let mut made =
            span(self.rng, &at, format!("execute_tool {tool}"), SpanKind::Internal, attrs);
        if self.rng.chance(30) {
            fail(&mut made, "ToolExecutionError");
        }
        self.span(Service::AgentRunner, made);
    }
}
