//! [`Policy`]: a parsed, checked and compiled document, ready to decide.
//!
//! Immutable; share it in an `Arc`. What it decides is in `admit` (records in) and `access` (reads out).

use std::sync::Arc;

use crate::access::Role;
use crate::compile::{self, CompiledStream, Routes};
use crate::detect::Detector;
use crate::document::Document;
use crate::error::PolicyError;
use crate::lint::{self, Lint};
use crate::registry::Registry;
use crate::schema::{PolicyDigest, StreamSchema};

/// What is kept, redacted, readable, masked, and for how long.
#[derive(Debug)]
pub struct Policy {
    pub(crate) document: Document,
    pub(crate) digest: PolicyDigest,
    pub(crate) registry: Registry,
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) streams: Vec<CompiledStream>,
    pub(crate) routes: Routes,
    pub(crate) roles: Vec<Role>,
    pub(crate) detector: Detector,
}

/// A purpose that data may be used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Purpose {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) basis: String,
}

impl Purpose {
    /// Name, as a read states it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it means, for the people concerned.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Legal basis; empty when the policy states none.
    #[must_use]
    pub fn basis(&self) -> &str {
        &self.basis
    }
}

impl Policy {
    /// Parses, checks and compiles `policy.yaml`.
    ///
    /// # Errors
    /// The first thing that keeps the document from being a policy. What is allowed but unwise is in [`Self::lint`]: whoever
    /// puts a policy into force refuses one with a lint of severity error.
    pub fn parse(yaml: &str) -> Result<Self, PolicyError> {
        compile::compile(yaml)
    }

    /// Judges the policy: everything that is unwise, errors first, in the order of lines.
    #[must_use]
    pub fn lint(&self) -> Vec<Lint> {
        lint::lint(self)
    }

    /// The JSON Schema of the document, for editors.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        // Draft 7 is what editors understand best.
        schemars::generate::SchemaSettings::draft07()
            .into_generator()
            .into_root_schema_for::<Document>()
            .to_value()
    }

    /// SHA-256 of the canonical form: the same for documents that mean the same.
    #[must_use]
    pub fn digest(&self) -> PolicyDigest {
        self.digest
    }

    /// Schemas of all streams, by name.
    pub fn streams(&self) -> impl Iterator<Item = &Arc<StreamSchema>> {
        self.streams.iter().map(|stream| &stream.schema)
    }

    /// Schema of the named stream.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<&Arc<StreamSchema>> {
        self.streams().find(|schema| schema.name() == name)
    }

    /// All roles, by name.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The named role.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name() == name)
    }

    /// All purposes, by name.
    #[must_use]
    pub fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    /// Name of the organisation that is responsible for the data.
    #[must_use]
    pub fn controller(&self) -> &str {
        &self.document.controller.name
    }

    /// Where to reach the organisation.
    #[must_use]
    pub fn contact(&self) -> &str {
        &self.document.controller.contact
    }

    /// Address of the public notice.
    #[must_use]
    pub fn notice_address(&self) -> Option<&str> {
        self.document.notice.as_ref().and_then(|notice| notice.address.as_deref())
    }

    /// Where people exercise their rights.
    #[must_use]
    pub fn rights_contact(&self) -> Option<&str> {
        self.document.notice.as_ref().and_then(|notice| notice.rights_contact.as_deref())
    }

    /// The detectors, as the policy configures them.
    #[must_use]
    pub fn detector(&self) -> &Detector {
        &self.detector
    }
}

#[cfg(test)]
pub(crate) mod tests;
