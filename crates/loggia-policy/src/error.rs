//! [`PolicyError`]: the first reason why a document is not a policy, with its place and what to do.
//!
//! The YAML reader's structured errors are put into the author's words here; near misses get a suggestion.

use serde_saphyr::Error as YamlError;

use crate::suggest::did_you_mean;

/// A document that is not a policy: where, what, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}, column {column}: {message}; help: {help}")]
pub struct PolicyError {
    /// Line, from 1; 0 when unknown.
    pub line: usize,
    /// Column, from 1; 0 when unknown.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl PolicyError {
    /// An error at a place of the document.
    pub(crate) fn new(
        line: usize,
        column: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { line, column, message: message.into(), help: help.into() }
    }

    /// Translates the YAML reader's error about `source`.
    pub(crate) fn from_yaml(error: &YamlError, source: &str) -> Self {
        let error = error.without_snippet();
        let (line, column) = error.location().map_or((0, 0), |location| {
            (
                usize::try_from(location.line()).unwrap_or(0),
                usize::try_from(location.column()).unwrap_or(0),
            )
        });
        let (message, help) = explain(error, source, line);
        Self { line, column, message, help }
    }
}

/// Message and help for one of the reader's errors.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum of dozens of kinds; the last arm words all the rest"
)]
fn explain(error: &YamlError, source: &str, line: usize) -> (String, String) {
    match error {
        YamlError::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{field}`"), choices(field, expected, "keys allowed here"))
        }
        YamlError::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown value `{variant}`"), choices(variant, expected, "allowed values"))
        }
        YamlError::SerdeMissingField { field, .. } => {
            (format!("key `{field}` is missing"), format!("add `{field}:` to this mapping"))
        }
        YamlError::DuplicateMappingKey { key, .. } => (
            key.as_ref().map_or_else(
                || "a key is given twice".to_owned(),
                |key| format!("key `{key}` is given twice"),
            ),
            "keep one of the two".to_owned(),
        ),
        YamlError::SerdeInvalidType { unexpected, expected, .. } => (
            format!("found {unexpected} where {expected} belongs"),
            "see the description of this key in docs/policy.md".to_owned(),
        ),
        YamlError::SerdeInvalidValue { unexpected, expected, .. } => (
            format!("{unexpected} is not {expected}"),
            "see the description of this key in docs/policy.md".to_owned(),
        ),
        YamlError::InvalidScalar { ty, .. } => {
            let wanted = if *ty == "boolean" { "true or false" } else { "a whole number" };
            (
                format!("the value here is not {wanted}"),
                "see the description of this key in docs/policy.md".to_owned(),
            )
        }
        YamlError::Unexpected { expected, .. } => shape(expected, source, line),
        YamlError::Eof { .. } => {
            ("the document ends too early".to_owned(), "start from policies/gen-ai.yaml".to_owned())
        }
        other => (plain(&other.to_string()), syntax_help(source, line)),
    }
}

/// Message and help for a list where a mapping belongs, and the like.
fn shape(expected: &str, source: &str, line: usize) -> (String, String) {
    match expected {
        "sequence start" => (
            "a list belongs here".to_owned(),
            "write [a, b], or each item on a line of its own after `- `".to_owned(),
        ),
        "mapping start" => (
            "a mapping belongs here".to_owned(),
            "write {key: value}, or each `key: value` on a line of its own, indented".to_owned(),
        ),
        other => (format!("{other} belongs here"), syntax_help(source, line)),
    }
}

/// Help that names the nearest of the allowed words, or all of them.
fn choices(word: &str, allowed: &[&'static str], label: &str) -> String {
    match did_you_mean(word, allowed.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{label}: {}", allowed.join(", ")),
    }
}

/// The reader's own words, on one line, without its prefix and full stop.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let mut text = line.trim().trim_end_matches('.').to_owned();
    if let Some(at) = text.rfind(" at line ").or_else(|| text.rfind(" (line ")) {
        text.truncate(at);
    }
    text
}

/// Help for text that is not YAML, from the looks of its line.
fn syntax_help(source: &str, line: usize) -> String {
    let text = line.checked_sub(1).and_then(|index| source.lines().nth(index)).unwrap_or_default();
    if text.starts_with('\t') || text.trim_start_matches(' ').starts_with('\t') {
        "indent with spaces; YAML does not allow tabs".to_owned()
    } else if text.contains(" @") || text.contains("[@") {
        "put names that start with `@` in quotes, as in \"@body\"".to_owned()
    } else if text.contains(" *") || text.contains("[*") {
        "put names that start with `*` in quotes, as in \"*\"".to_owned()
    } else {
        "check the indentation, the colons and the quotes of this line".to_owned()
    }
}
