//! The cast: services, vendors and models, and the users of the platform.

use opentelemetry_proto::tonic::resource::v1::Resource;

use super::attrs::Attrs;
use super::personal;
use super::phrases::Language;
use super::rng::{Rng, mix};

/// The services that emit records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Gateway,
    ChatApi,
    Rag,
    AgentRunner,
    Billing,
}

impl Service {
    /// Every service.
    pub(super) const ALL: [Self; 5] =
        [Self::Gateway, Self::ChatApi, Self::Rag, Self::AgentRunner, Self::Billing];

    /// The value of `service.name`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::ChatApi => "chat-api",
            Self::Rag => "rag-service",
            Self::AgentRunner => "agent-runner",
            Self::Billing => "billing",
        }
    }

    /// Language of its SDK, its version, and the library that makes its spans.
    fn build(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Gateway => ("go", "3.14.2", "go.opentelemetry.io/contrib/net/http"),
            Self::ChatApi => ("python", "2026.11.3", "opentelemetry.instrumentation.openai_v2"),
            Self::Rag => ("python", "1.22.0", "openinference.instrumentation.langchain"),
            Self::AgentRunner => ("nodejs", "0.48.1", "@traceloop/instrumentation-openai"),
            Self::Billing => ("java", "5.3.0", "io.opentelemetry.logback-appender-1.0"),
        }
    }

    /// The instrumentation scope's name.
    pub(super) fn scope(self) -> &'static str {
        self.build().2
    }

    /// The resource of one instance of this service.
    pub(super) fn resource(self, seed: u64, instance: u32) -> Resource {
        let mut rng = Rng::new(mix(seed ^ 0x5E21) ^ (u64::from(instance) << 8));
        let (language, version, _) = self.build();
        let mut pod = String::from(self.name());
        pod.push_str("-6f9c7d5b8-");
        rng.letters("bcdfghjklmnpqrstvwxz2456789", 5, &mut pod);
        let mut attrs = Attrs::new();
        attrs
            .text("service.name", self.name())
            .text("service.version", version)
            .text("service.instance.id", pod)
            .text("deployment.environment.name", "production")
            .text("telemetry.sdk.language", language);
        Resource { attributes: attrs.0, ..Resource::default() }
    }
}

/// A vendor of models, as the conventions name it.
#[derive(Debug)]
pub(super) struct Vendor {
    pub(super) provider: &'static str,
    pub(super) server: &'static str,
    pub(super) models: &'static [&'static str],
    /// Price in micro-euro per thousand tokens, for the billing service.
    pub(super) price: u32,
}

/// Vendors with their models; the first are used most.
pub(super) const VENDORS: [Vendor; 7] = [
    Vendor {
        provider: "openai",
        server: "api.openai.com",
        models: &["gpt-5.1", "gpt-5-mini", "gpt-4.1", "o4-mini"],
        price: 5200,
    },
    Vendor {
        provider: "anthropic",
        server: "api.anthropic.com",
        models: &["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5"],
        price: 6100,
    },
    Vendor {
        provider: "gcp.gemini",
        server: "generativelanguage.googleapis.com",
        models: &["gemini-2.5-pro", "gemini-2.5-flash"],
        price: 3300,
    },
    Vendor {
        provider: "mistral_ai",
        server: "api.mistral.ai",
        models: &["mistral-large-2512", "mistral-small-2506"],
        price: 1900,
    },
    Vendor {
        provider: "aws.bedrock",
        server: "bedrock-runtime.eu-central-1.amazonaws.com",
        models: &["amazon.nova-pro-v1:0", "meta.llama3-3-70b-instruct-v1:0"],
        price: 2400,
    },
    Vendor {
        provider: "azure.ai.openai",
        server: "assistant-prod.openai.azure.com",
        models: &["gpt-4o", "gpt-4o-mini"],
        price: 4000,
    },
    Vendor {
        provider: "deepseek",
        server: "api.deepseek.com",
        models: &["deepseek-chat", "deepseek-reasoner"],
        price: 700,
    },
];

/// How often each vendor is used.
const VENDOR_WEIGHTS: [u32; 7] = [38, 26, 12, 9, 7, 5, 3];

/// A vendor and one of its models.
pub(super) fn vendor(rng: &mut Rng) -> (&'static Vendor, &'static str) {
    let [first, ..] = &VENDORS;
    let at = rng.weighted(&VENDOR_WEIGHTS);
    let vendor = VENDORS.get(at).unwrap_or(first);
    (vendor, rng.pick(vendor.models))
}

/// The conventions a conversation's instrumentation speaks: several generations are in the field at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// OpenTelemetry, current names.
    Current,
    /// OpenTelemetry, names and events of 2025.
    Legacy,
    OpenInference,
    Traceloop,
    Langfuse,
}

/// A shape, current conventions first.
pub(super) fn shape(rng: &mut Rng) -> Shape {
    match rng.weighted(&[58, 14, 11, 11, 6]) {
        0 => Shape::Current,
        1 => Shape::Legacy,
        2 => Shape::OpenInference,
        3 => Shape::Traceloop,
        _ => Shape::Langfuse,
    }
}

/// A made-up person who uses the platform. Prints without its personal data.
pub(super) struct User {
    pub(super) id: String,
    pub(super) language: Language,
    pub(super) person: personal::Person,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("User([redacted])")
    }
}

/// The id of the user of this rank, as the platform's telemetry carries it.
pub(super) fn user_id(seed: u64, rank: u32) -> String {
    let mut rng = Rng::new(mix(seed ^ 0x7573_6572) ^ u64::from(rank));
    let mut id = String::from("usr_");
    rng.letters("abcdefghjkmnpqrstvwxyz23456789", 14, &mut id);
    id
}

impl User {
    /// The user of this rank: always the same for one seed.
    pub(super) fn new(seed: u64, rank: u32) -> Self {
        let mut rng = Rng::new(mix(seed ^ 0x0065_7273_6f6e) ^ u64::from(rank));
        let language = Language::any(&mut rng);
        let person = personal::Person::made_up(&mut rng, language);
        Self { id: user_id(seed, rank), language, person }
    }
}
