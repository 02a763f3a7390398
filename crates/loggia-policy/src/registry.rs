//! The Gen AI registry: what the attributes of known instrumentations hold, and what to do with them by default.
//!
//! It gives fields their type, category and treatment, names the class of what was refused, and counts any long text
//! under a Gen AI prefix that it does not know as content. The data is in `table`.

mod table;

use std::fmt;

use crate::patterns::{Pattern, PatternMap};
use crate::schema::{Category, FieldType, Treatment};

pub(crate) use table::GEN_AI;

/// Version of the table; part of a policy's digest, since defaults come from it.
pub(crate) const GEN_AI_VERSION: u32 = 1;

/// Texts longer than this under a Gen AI prefix count as content until they are listed.
pub(crate) const UNLISTED_CONTENT_BYTES: usize = 64;

/// Prefixes that Gen AI instrumentations write under.
pub(crate) const GEN_AI_PREFIXES: [&str; 7] =
    ["gen_ai.", "llm.", "traceloop.", "langfuse.", "openinference.", "ai.", "mlflow."];

/// What an attribute holds, by the registry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RegistryClass {
    /// Prompts and completions.
    Content,
    /// Tool calls, their arguments and results.
    Tool,
    /// Retrieved documents, memory, embeddings.
    Retrieval,
    /// Guardrail inputs and outputs, evaluators' remarks.
    Guardrail,
    /// Identifiers of people.
    Person,
    /// Ids that link records of one person.
    Linkable,
    /// Prone to hold credentials.
    Secret,
    /// Free text that may leak.
    FreeText,
    /// Operational facts.
    Operational,
}

impl RegistryClass {
    /// All classes.
    pub const ALL: [Self; 9] = [
        Self::Content,
        Self::Tool,
        Self::Retrieval,
        Self::Guardrail,
        Self::Person,
        Self::Linkable,
        Self::Secret,
        Self::FreeText,
        Self::Operational,
    ];

    /// Category of a field fed by this class.
    #[must_use]
    pub fn category(self) -> Category {
        match self {
            Self::Content | Self::Tool | Self::Retrieval | Self::Guardrail => Category::Content,
            Self::Person => Category::Person,
            Self::Linkable => Category::Linkable,
            Self::Secret => Category::Secret,
            Self::FreeText => Category::FreeText,
            Self::Operational => Category::Operational,
        }
    }

    /// Treatment when neither the field nor the policy's registry defaults say otherwise.
    #[must_use]
    pub fn treatment(self) -> Treatment {
        match self {
            Self::Content | Self::Tool | Self::Retrieval => Treatment::Seal,
            Self::Guardrail | Self::Secret => Treatment::Drop,
            Self::Person | Self::Linkable => Treatment::Pseudonymise,
            Self::FreeText => Treatment::Redact,
            Self::Operational => Treatment::Keep,
        }
    }

    /// Rank by sensitivity, the most sensitive first.
    pub(crate) fn sensitivity(self) -> u8 {
        match self {
            Self::Secret => 0,
            Self::Content => 1,
            Self::Tool => 2,
            Self::Retrieval => 3,
            Self::Guardrail => 4,
            Self::Person => 5,
            Self::FreeText => 6,
            Self::Linkable => 7,
            Self::Operational => 8,
        }
    }

    /// Name in policies and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Tool => "tool",
            Self::Retrieval => "retrieval",
            Self::Guardrail => "guardrail",
            Self::Person => "person",
            Self::Linkable => "linkable",
            Self::Secret => "secret",
            Self::FreeText => "free_text",
            Self::Operational => "operational",
        }
    }
}

impl fmt::Display for RegistryClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    pub(crate) pattern: &'static str,
    pub(crate) class: RegistryClass,
    pub(crate) kind: FieldType,
}

/// The table, ready for look-ups.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    known: PatternMap<Known>,
}

impl Registry {
    /// The shipped Gen AI registry.
    pub(crate) fn gen_ai() -> Self {
        let mut known = PatternMap::default();
        for row in GEN_AI {
            if let Ok(pattern) = Pattern::parse(row.pattern) {
                known.insert(pattern, *row);
            }
        }
        Self { known }
    }

    /// What the registry knows of an attribute name, or of a field's `from` pattern.
    pub(crate) fn find(&self, name: &str, scratch: &mut String) -> Option<Known> {
        self.known.find(name, scratch).map(|(known, _)| known)
    }
}

/// Whether a name stands under a prefix that Gen AI instrumentations write under.
pub(crate) fn is_gen_ai_name(name: &str) -> bool {
    // One look at the first byte settles nearly every other name.
    matches!(name.as_bytes().first(), Some(b'g' | b'l' | b't' | b'o' | b'a' | b'm'))
        && GEN_AI_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests;
