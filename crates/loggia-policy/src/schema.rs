//! What a stream may hold: its closed list of fields, as the policy declares them.
//!
//! A [`StreamSchema`] is made by compiling a policy document (or restored from a stored frame that carries one);
//! everything downstream (sealing, segments, queries) reads it and never looks at the document again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// SHA-256 of a policy's canonical form: names the version that decided something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyDigest(pub [u8; 32]);

impl fmt::Display for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyDigest({self})")
    }
}

/// The type of a field's column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// UTF-8 text.
    Text,
    /// Signed 64-bit integer.
    Int,
    /// 64-bit float.
    Float,
    /// True or false.
    Bool,
    /// Unix time in nanoseconds, UTC.
    Timestamp,
}

/// What kind of data a field holds, by sensitivity.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Facts about the operation: model, tokens, latency, status.
    Operational,
    /// Ids that link records of one person: conversation, session, response.
    Linkable,
    /// Identifies a person directly.
    Person,
    /// Free text that may leak: messages, stack traces.
    FreeText,
    /// What people and models said: prompts, completions, tool calls, documents.
    Content,
    /// Prone to hold credentials.
    Secret,
}

/// What happens to a field's value before it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Kept; text still passes the detectors.
    Keep,
    /// Not stored; name, type and count are.
    Drop,
    /// Kept with everything the detectors find replaced by placeholders.
    Redact,
    /// Replaced by a keyed pseudonym.
    Pseudonymise,
    /// Made coarser (address to network, number to bucket, date to year).
    Generalise,
    /// The data subject's id: becomes the subject's handle and selects the key.
    Subject,
    /// Redacted, then sealed under the subject's key.
    Seal,
}

/// Which of the two retention clocks a field lives by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Clear columns in the encrypted segment.
    Skeleton,
    /// Sealed cells under a subject's key.
    Content,
}

/// One field of a stream.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FieldSchema {
    /// Column name.
    pub name: String,
    /// Column type.
    pub kind: FieldType,
    /// Sensitivity.
    pub category: Category,
    /// What happens before writing.
    pub treatment: Treatment,
    /// Clear or sealed.
    pub class: Class,
    /// Names of the purposes the field is kept for.
    pub purposes: Vec<String>,
    /// Legal basis of those purposes, as the policy states it.
    pub basis: String,
    /// Plain-language description.
    pub description: String,
}

/// Retention of the two classes, in whole days.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Retention {
    /// Days the clear columns are kept.
    pub skeleton_days: u32,
    /// Days the sealed content is kept; 0 when the stream seals nothing.
    pub content_days: u32,
}

/// The closed schema of one stream.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StreamSchema {
    name: String,
    description: String,
    fields: Vec<FieldSchema>,
    subject: Option<usize>,
    conversation: Option<usize>,
    retention: Retention,
}

/// Column names every stream has besides its fields: event time and time of receipt.
pub const IMPLICIT_COLUMNS: [&str; 2] = ["time", "ingest_time"];

impl StreamSchema {
    /// Assembles a schema; `subject` and `conversation` are indexes into `fields`.
    #[must_use]
    pub fn new(
        name: String,
        description: String,
        fields: Vec<FieldSchema>,
        subject: Option<usize>,
        conversation: Option<usize>,
        retention: Retention,
    ) -> Self {
        Self { name, description, fields, subject, conversation, retention }
    }

    /// Stream name, also its SQL table name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Plain-language description.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Stored fields in column order (dropped fields are not among them).
    #[must_use]
    pub fn fields(&self) -> &[FieldSchema] {
        &self.fields
    }

    /// Position and schema of the named field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &FieldSchema)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }

    /// Index of the field that holds the data subject's id.
    #[must_use]
    pub fn subject(&self) -> Option<usize> {
        self.subject
    }

    /// Index of the field that holds the conversation's id.
    #[must_use]
    pub fn conversation(&self) -> Option<usize> {
        self.conversation
    }

    /// Retention of both classes.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }
}
