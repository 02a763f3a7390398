//! The engine's one error: few kinds, each of which tells a caller what it can do.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the errors below may grow kinds; one not named here means that a part is unavailable"
)]

use loggia_keys::KeysError;
use loggia_ledger::LedgerError;
use loggia_policy::Denial;
use loggia_query::QueryError;
use loggia_store::Error as StoreError;

/// Why an operation of the engine failed. Messages are safe for the client and hold no record content.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request is wrong; the message says what and where.
    #[error("{0}")]
    Invalid(String),
    /// No or no valid credential.
    #[error(
        "the credential is missing, malformed, expired or revoked; send `Authorization: Bearer <token>` with a live token"
    )]
    Unauthenticated,
    /// The policy refuses.
    #[error("{0}")]
    Denied(String),
    /// There is no such thing, or the principal may not know of it.
    #[error("{0}")]
    NotFound(String),
    /// Overloaded; try again later.
    #[error("the store is busy; try again in {retry_after_ms} ms")]
    Busy {
        /// Suggested wait in milliseconds.
        retry_after_ms: u64,
    },
    /// A part that must work does not: the ledger, the key store, the disk.
    #[error("{what} is unavailable")]
    Unavailable {
        /// Which part.
        what: &'static str,
        /// Cause, for the operator only.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Stored data does not check out.
    #[error("{0}")]
    Corrupt(String),
}

impl EngineError {
    /// Wraps a failure of `what`.
    pub(crate) fn unavailable(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable { what, source: source.into() }
    }
}

impl From<Denial> for EngineError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial.to_string())
    }
}

impl From<KeysError> for EngineError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Invalid { .. } => Self::Invalid(error.to_string()),
            other => Self::unavailable("the key store", other),
        }
    }
}

impl From<LedgerError> for EngineError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Busy { retry_after_ms } => Self::Busy { retry_after_ms },
            LedgerError::NotFound(what) => Self::NotFound(what),
            other => Self::unavailable("the ledger", other),
        }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { retry_after_ms } => Self::Busy { retry_after_ms },
            other => Self::unavailable("the store", other),
        }
    }
}

impl From<QueryError> for EngineError {
    fn from(error: QueryError) -> Self {
        let message = match error.help() {
            Some(help) => format!("{error}; {help}"),
            None => error.to_string(),
        };
        match error {
            QueryError::Invalid { .. } | QueryError::Limit(_) | QueryError::Failed(_) => {
                Self::Invalid(message)
            }
            QueryError::NotFound(_) => Self::NotFound(message),
            QueryError::Refused(_) | QueryError::Expired => Self::Denied(message),
            QueryError::Corrupt(_) => Self::Corrupt(message),
            QueryError::Unavailable(_) => Self::unavailable("the query", error),
        }
    }
}

impl From<rusqlite::Error> for EngineError {
    fn from(error: rusqlite::Error) -> Self {
        Self::unavailable("the token store", error)
    }
}
