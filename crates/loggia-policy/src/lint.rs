//! Judgement on a policy that compiles: what is forgotten, contradictory or unwise.
//!
//! An error keeps a policy from being put into force; a warning asks its author to look. Every lint names its line.

mod fields;
mod roles;

use std::fmt;

use crate::document::At;
use crate::policy::Policy;

/// How serious a lint is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The policy must not be put into force.
    Error,
    /// Worth a second look.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is unwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lint {
    /// How serious it is.
    pub severity: Severity,
    /// Line of the document, from 1.
    pub line: Option<usize>,
    /// A stable word for the kind of lint.
    pub code: &'static str,
    /// What is unwise.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}[{}]: {}; help: {}", self.severity, self.code, self.message, self.help)
    }
}

/// Collects lints.
#[derive(Default)]
struct Lints(Vec<Lint>);

impl Lints {
    fn error<T>(
        &mut self,
        code: &'static str,
        place: &At<T>,
        message: String,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, code, place, message, help.into());
    }

    fn warn<T>(
        &mut self,
        code: &'static str,
        place: &At<T>,
        message: String,
        help: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, place, message, help.into());
    }

    fn add<T>(
        &mut self,
        severity: Severity,
        code: &'static str,
        place: &At<T>,
        message: String,
        help: String,
    ) {
        let line = (place.line > 0).then_some(place.line);
        self.0.push(Lint { severity, line, code, message, help });
    }
}

/// Judges a policy; errors first, then by line.
pub(crate) fn lint(policy: &Policy) -> Vec<Lint> {
    let mut lints = Lints::default();
    purposes(policy, &mut lints);
    notice(policy, &mut lints);
    fields::lint(policy, &mut lints);
    roles::lint(policy, &mut lints);
    let mut all = lints.0;
    all.sort_by(|a, b| {
        (a.severity, a.line, a.code, &a.message).cmp(&(b.severity, b.line, b.code, &b.message))
    });
    all
}

fn purposes(policy: &Policy, lints: &mut Lints) {
    for (name, purpose) in policy.document.purposes.iter() {
        let basis = purpose.basis.as_deref().unwrap_or_default();
        if basis.trim().is_empty() {
            lints.error(
                "purpose_without_basis",
                name,
                format!("purpose `{}` has no legal basis", name.value),
                "add `basis:`, for instance legitimate_interests or contract",
            );
        }
        let used =
            |field: &crate::compile::ResolvedField| field.schema.purposes.contains(&name.value);
        if !policy.streams.iter().flat_map(|stream| &stream.fields).any(used) {
            lints.warn(
                "purpose_unused",
                name,
                format!("no field is kept for purpose `{}`", name.value),
                "remove the purpose, or name it in the fields it needs",
            );
        }
    }
}

fn notice(policy: &Policy, lints: &mut Lints) {
    if policy.rights_contact().is_none() {
        lints.warn(
            "notice_without_contact",
            &At::nowhere(()),
            "the policy does not say where people exercise their rights".to_owned(),
            "add `notice: {rights_contact: …}`",
        );
    }
}

#[cfg(test)]
mod tests;
