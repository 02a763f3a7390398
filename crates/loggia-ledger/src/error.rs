//! The one error of this crate: few kinds, each telling what the caller can do.

use std::io;

/// Why the ledger could not do what was asked.
///
/// No message holds record content: they name files, entry numbers and sizes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The request is wrong; asking again does not help.
    #[error("{0}")]
    Invalid(String),
    /// The entry, tile or checkpoint asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// Another process has this ledger open.
    #[error("the ledger in `{0}` is in use by another process")]
    InUse(String),
    /// The queue is full; try again after the time given.
    #[error("the ledger is busy; try again in {retry_after_ms} ms")]
    Busy {
        /// How long to wait before the next try.
        retry_after_ms: u64,
    },
    /// The ledger takes nothing more, because it was closed or because a write failed.
    #[error("the ledger takes no more entries: {0}")]
    Unavailable(String),
    /// A file of the ledger is not what the signed checkpoint says it must be.
    #[error("`{file}` is damaged or was changed{}: {what}", at_entry(*.index))]
    Corrupt {
        /// The file, relative to the ledger's directory.
        file: String,
        /// The entry at which the problem shows, if one can be told.
        index: Option<u64>,
        /// What does not fit.
        what: String,
    },
    /// The operating system refused a file operation.
    #[error("cannot {action} `{file}`")]
    Io {
        /// What was tried: "read", "write", "sync", …
        action: &'static str,
        /// The file, relative to the ledger's directory where possible.
        file: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Something that cannot happen did.
    #[error("internal error: {0}")]
    Internal(String),
}

fn at_entry(index: Option<u64>) -> String {
    index.map(|index| format!(" at entry {index}")).unwrap_or_default()
}

impl LedgerError {
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid(what.into())
    }

    pub(crate) fn internal(what: impl Into<String>) -> Self {
        Self::Internal(what.into())
    }
}
