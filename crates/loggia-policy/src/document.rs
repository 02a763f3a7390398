//! The policy document: what an author writes in `policy.yaml`, as plain data.
//!
//! Unknown keys and values are refused everywhere. The doc comments here become the descriptions in the published JSON
//! Schema, so they speak to authors. Meaning is given by `compile`, judgement by `lint`.

mod located;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

pub(crate) use located::{At, Entries, OneOrMany};

use crate::permission::Permission;
use crate::registry::RegistryClass;
use crate::schema::{Category, FieldType, Treatment};

/// A Loggia policy: what is kept, why, for how long, and who may read it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Loggia policy")]
pub(crate) struct Document {
    /// Version of the document format; 1.
    pub(crate) version: At<u32>,
    /// Who is responsible for the data.
    pub(crate) controller: Controller,
    /// What people are told.
    #[serde(default)]
    pub(crate) notice: Option<Notice>,
    /// The shipped registry of known attribute names that gives fields their defaults.
    #[serde(default)]
    pub(crate) registry: Option<RegistryChoice>,
    /// What data may be used for; a read names one of these.
    #[serde(default)]
    pub(crate) purposes: Entries<PurposeDoc>,
    /// What is stored: one entry per stream, each with its closed list of fields.
    pub(crate) streams: Entries<StreamDoc>,
    /// Who may do what.
    #[serde(default)]
    pub(crate) roles: Entries<RoleDoc>,
    /// Which kinds of personal data the detectors look for; all, unless switched off here.
    #[serde(default)]
    pub(crate) detectors: DetectorsDoc,
}

/// Who is responsible for the data.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Controller {
    /// Name of the organisation.
    pub(crate) name: String,
    /// Where to reach it: an e-mail address, URL or postal address.
    pub(crate) contact: String,
}

/// What people are told.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notice {
    /// Address of the public notice.
    #[serde(default)]
    pub(crate) address: Option<String>,
    /// Where people exercise their rights.
    #[serde(default)]
    pub(crate) rights_contact: Option<String>,
}

/// A purpose that data may be used for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurposeDoc {
    /// What it means, in words the people concerned understand.
    pub(crate) description: String,
    /// Legal basis, for instance `legitimate_interests` or `contract`.
    #[serde(default)]
    pub(crate) basis: Option<String>,
}

/// One stream of records; also one SQL table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamDoc {
    /// What the stream holds.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Which records the stream takes by itself; without it, only records sent to it by name.
    #[serde(default)]
    pub(crate) source: Option<At<Source>>,
    /// Whether refused fields are only counted, or also looked into by the detectors.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Name of the field that holds the data subject's id; `none` when the records are not about people.
    #[serde(default)]
    pub(crate) subject: Option<At<String>>,
    /// Name of the field that holds the conversation's id.
    #[serde(default)]
    pub(crate) conversation: Option<At<String>>,
    /// How long records are kept.
    pub(crate) retention: RetentionDoc,
    /// The closed list of fields; what is not listed is refused and counted.
    pub(crate) fields: Entries<FieldDoc>,
}

/// Which records a stream takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// Spans and events of Gen AI instrumentation.
    Genai,
    /// All other log records.
    Logs,
    /// All other spans.
    Spans,
}

/// What happens with fields that are not listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Refused and counted.
    #[default]
    Enforce,
    /// Refused and counted, and the detectors report what they would have found in them; nothing more is stored.
    Observe,
}

/// How long the two classes of data are kept: `<n>d` (days), `<n>w` (weeks) or `<n>y` (365 days).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetentionDoc {
    /// Operational facts.
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,4}[dwy]$"))]
    pub(crate) skeleton: At<String>,
    /// Sealed content; needed as soon as a field is sealed.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,4}[dwy]$"))]
    pub(crate) content: Option<At<String>>,
}

/// One field of a stream.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldDoc {
    /// Attribute names that feed the field, the preferred first: exact, `a.*.b` (an index), `a.*` (anything below) or
    /// `*.b` (any name that ends so). Names that start with `@` are facts of the record itself, such as `"@body"`.
    #[serde(default)]
    pub(crate) from: OneOrMany,
    /// Column type; text unless the registry knows better.
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<At<FieldType>>,
    /// Sensitivity; from the registry when it is left out.
    #[serde(default)]
    pub(crate) category: Option<At<Category>>,
    /// Purposes the field is kept for.
    #[serde(default)]
    pub(crate) purposes: Vec<At<String>>,
    /// Legal basis, where it differs from the purposes' own.
    #[serde(default)]
    pub(crate) basis: Option<String>,
    /// What happens to a value before it is written; from the registry or the category when it is left out.
    #[serde(default)]
    pub(crate) treatment: Option<At<Treatment>>,
    /// What the text looks like.
    #[serde(default)]
    pub(crate) format: Option<At<Format>>,
    /// What it is, in words the people concerned understand.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// How a generalised value is made coarser.
    #[serde(default)]
    pub(crate) generalise: Option<GeneraliseDoc>,
}

/// What a text field's values look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Short ids and names of `A-Z a-z 0-9 . _ : / @ -`, up to 128 characters.
    Token,
}

/// How a value is made coarser.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GeneraliseDoc {
    /// The coarser thing.
    pub(crate) to: At<GeneraliseTo>,
    /// Width of a bucket.
    #[serde(default)]
    pub(crate) size: Option<At<u32>>,
}

/// The coarser thing a value becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GeneraliseTo {
    /// An IP address becomes its /24 (IPv4) or /48 (IPv6) network.
    Network,
    /// A time becomes its day.
    Date,
    /// A number becomes the lower end of its bucket.
    Bucket,
}

/// A role: permissions, purposes, and the columns it sees in clear.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleDoc {
    /// Who has it, and what for.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// What the role may do.
    #[serde(default)]
    pub(crate) can: Vec<At<Permission>>,
    /// Purposes the role may read for.
    #[serde(default)]
    pub(crate) purposes: Vec<At<String>>,
    /// Whether a read needs a ticket.
    #[serde(default)]
    pub(crate) ticket: TicketRule,
    /// Streams the role may read, by name or `"*"` for all others.
    #[serde(default)]
    pub(crate) streams: Entries<StreamAccessDoc>,
}

/// Whether a read needs a ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TicketRule {
    /// A ticket is not asked for; one given is written down.
    #[default]
    None,
    /// A ticket may be given.
    Optional,
    /// A read without a ticket is refused.
    Required,
}

/// What `subject` says when the records are not about people.
pub(crate) const NO_SUBJECT: &str = "none";

impl StreamDoc {
    /// Name and place of the field that holds the data subject's id.
    pub(crate) fn subject_field(&self) -> Option<&At<String>> {
        self.subject.as_ref().filter(|name| name.value != NO_SUBJECT)
    }
}

/// What a role sees of one stream.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamAccessDoc {
    /// Categories (`operational`, `linkable`, `person`, `free_text`, `content`, `secret`) or field names seen in clear;
    /// all other columns are masked.
    #[serde(default)]
    pub(crate) clear: Vec<At<String>>,
}

/// Kinds of personal data the detectors look for, each `true` or `false`. Secrets are always looked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectorsDoc {
    /// Names of people.
    pub(crate) person: Option<bool>,
    /// E-mail addresses.
    pub(crate) email: Option<bool>,
    /// Telephone numbers.
    pub(crate) phone: Option<bool>,
    /// Payment card numbers.
    pub(crate) credit_card: Option<bool>,
    /// International bank account numbers.
    pub(crate) iban: Option<bool>,
    /// US social security numbers.
    pub(crate) us_ssn: Option<bool>,
    /// UK national insurance numbers.
    pub(crate) uk_nino: Option<bool>,
    /// Other national identity, tax and licence numbers.
    pub(crate) id_number: Option<bool>,
    /// IP addresses.
    pub(crate) ip_address: Option<bool>,
    /// Hardware addresses.
    pub(crate) mac_address: Option<bool>,
    /// Postal addresses.
    pub(crate) address: Option<bool>,
    /// Dates of birth.
    pub(crate) date_of_birth: Option<bool>,
    /// Cryptocurrency addresses.
    pub(crate) crypto: Option<bool>,
    /// Bank account numbers.
    pub(crate) bank_account: Option<bool>,
    /// Patient and health insurance numbers.
    pub(crate) medical_id: Option<bool>,
    /// User names.
    pub(crate) username: Option<bool>,
}

/// The registry to use: its name, or its name with other defaults per class.
#[derive(Clone, Debug)]
pub(crate) struct RegistryChoice {
    pub(crate) defaults: RegistryDefaults,
}

/// Names of shipped registries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
enum RegistryName {
    /// Attributes of Gen AI instrumentation: OpenTelemetry, OpenInference, OpenLLMetry, Langfuse.
    #[serde(rename = "gen-ai")]
    GenAi,
}

/// The registry, with other defaults for some classes of attributes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RegistryWithDefaults {
    /// Which registry.
    #[serde(rename = "name")]
    _name: RegistryName,
    /// Treatment of fields that state none, per class of the attribute that feeds them.
    #[serde(default)]
    defaults: RegistryDefaults,
}

/// Treatment of fields that state none, per class of the attribute that feeds them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryDefaults {
    /// Prompts and completions (`seal`).
    pub(crate) content: Option<At<Treatment>>,
    /// Tool calls, their arguments and results (`seal`).
    pub(crate) tool: Option<At<Treatment>>,
    /// Retrieved documents, memory, embeddings (`seal`).
    pub(crate) retrieval: Option<At<Treatment>>,
    /// Guardrail inputs and outputs, evaluators' remarks (`drop`).
    pub(crate) guardrail: Option<At<Treatment>>,
    /// Identifiers of people (`pseudonymise`).
    pub(crate) person: Option<At<Treatment>>,
    /// Ids that link records of one person (`pseudonymise`).
    pub(crate) linkable: Option<At<Treatment>>,
    /// Prone to hold credentials (`drop`).
    pub(crate) secret: Option<At<Treatment>>,
    /// Free text that may leak (`redact`).
    pub(crate) free_text: Option<At<Treatment>>,
    /// Operational facts (`keep`).
    pub(crate) operational: Option<At<Treatment>>,
}

impl RegistryDefaults {
    /// The author's treatment for `class`, if any.
    pub(crate) fn get(&self, class: RegistryClass) -> Option<&At<Treatment>> {
        match class {
            RegistryClass::Content => self.content.as_ref(),
            RegistryClass::Tool => self.tool.as_ref(),
            RegistryClass::Retrieval => self.retrieval.as_ref(),
            RegistryClass::Guardrail => self.guardrail.as_ref(),
            RegistryClass::Person => self.person.as_ref(),
            RegistryClass::Linkable => self.linkable.as_ref(),
            RegistryClass::Secret => self.secret.as_ref(),
            RegistryClass::FreeText => self.free_text.as_ref(),
            RegistryClass::Operational => self.operational.as_ref(),
        }
    }
}

impl<'de> Deserialize<'de> for RegistryChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoiceVisitor;

        impl<'de> serde::de::Visitor<'de> for ChoiceVisitor {
            type Value = RegistryChoice;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a registry, or a mapping with `name` and `defaults`")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
                match name {
                    "gen-ai" => Ok(RegistryChoice { defaults: RegistryDefaults::default() }),
                    _ => Err(E::unknown_variant(name, &["gen-ai"])),
                }
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<Self::Value, A::Error> {
                RegistryWithDefaults::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    .map(|choice| RegistryChoice { defaults: choice.defaults })
            }
        }

        deserializer.deserialize_any(ChoiceVisitor)
    }
}

impl JsonSchema for RegistryChoice {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RegistryChoice".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = generator.subschema_for::<RegistryName>();
        let with_defaults = generator.subschema_for::<RegistryWithDefaults>();
        schemars::json_schema!({ "anyOf": [name, with_defaults] })
    }
}
