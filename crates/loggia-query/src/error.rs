//! [`QueryError`]: what can go wrong on a read, told so that nothing of a record can leak through it.
//!
//! Errors before a row is read (syntax, unknown names, types) speak of the caller's own statement. Errors after that
//! are scrubbed to their kind: no value, no expression and no file name of the store survives (house rule 17).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds that matter are listed; every other one, known or to come, says the least"
)]

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use parquet::errors::ParquetError;

/// Longest message a planner error may carry to the caller, in characters.
const MESSAGE_CHARS_MAX: usize = 400;

/// Why a statement was not answered. The caller can tell the kinds apart; messages are safe to show.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement cannot be read or planned; the caller's to correct.
    #[error("{}", place(message, *line, *column))]
    Invalid {
        /// What is wrong.
        message: String,
        /// Line in the statement, from 1.
        line: Option<u64>,
        /// Column in the line, from 1.
        column: Option<u64>,
        /// What to do about it.
        help: Option<String>,
    },
    /// The statement is understood and is of a kind the door never passes (writing, settings, files, functions of tables).
    #[error("{0}")]
    Refused(String),
    /// The stream does not exist for this principal; the same answer whether it exists for others.
    #[error("no such stream `{0}`")]
    NotFound(String),
    /// The grant is past its end.
    #[error("the grant has expired; authorise again")]
    Expired,
    /// A named limit was reached.
    #[error("{0}")]
    Limit(String),
    /// A part the query needs cannot be reached now.
    #[error("{0}")]
    Unavailable(String),
    /// Stored data did not verify.
    #[error("{0}")]
    Corrupt(String),
    /// A fault of ours or a value that an expression could not take; the text names the kind only.
    #[error("{0}")]
    Failed(String),
}

fn place(message: &str, line: Option<u64>, column: Option<u64>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {message}"),
        (_, _) => message.to_owned(),
    }
}

impl QueryError {
    /// An [`Self::Invalid`] without a place.
    pub(crate) fn invalid(message: impl Into<String>, help: Option<&str>) -> Self {
        Self::Invalid {
            message: message.into(),
            line: None,
            column: None,
            help: help.map(str::to_owned),
        }
    }

    /// Advice that goes with the error, where there is some.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Invalid { help, .. } => help.as_deref(),
            Self::NotFound(_) => Some("SHOW TABLES lists the streams this role may read"),
            Self::Refused(_)
            | Self::Expired
            | Self::Limit(_)
            | Self::Unavailable(_)
            | Self::Corrupt(_)
            | Self::Failed(_) => None,
        }
    }

    /// Reads an error of the planner. No row has been read yet: whatever it names comes from the statement or the grant.
    pub(crate) fn from_planning(error: &DataFusionError) -> Self {
        if let Some(own) = own(error) {
            return own;
        }
        let text = error.find_root().strip_backtrace();
        let mut text = text.lines().next().unwrap_or_default();
        for prefix in [
            "Error during planning: ",
            "Schema error: ",
            "This feature is not implemented: ",
            "Invalid or Unsupported Configuration: ",
            "Execution error: ",
            "Arrow error: ",
            "Optimizer rule 'simplify_expressions' failed",
        ] {
            text = text.strip_prefix(prefix).unwrap_or(text);
        }
        if matches!(error.find_root(), DataFusionError::Internal(_)) {
            return Self::Failed("the statement could not be planned".to_owned());
        }
        Self::invalid(lower_first(text), None)
    }

    /// Reads an error of a running query: only its kind survives.
    pub(crate) fn from_execution(error: &DataFusionError) -> Self {
        if let Some(own) = own(error) {
            return own;
        }
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::Limit(
                "the query needs more memory than it may use; narrow it or aggregate earlier"
                    .to_owned(),
            ),
            DataFusionError::ArrowError(arrow, _) => Self::Failed(arrow_kind(arrow).to_owned()),
            DataFusionError::ParquetError(parquet) => Self::from_segment(parquet),
            DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => unreachable_segment(),
            DataFusionError::NotImplemented(_) => {
                Self::Failed("the query uses an operation that is not supported".to_owned())
            }
            DataFusionError::ExecutionJoin(_) => {
                Self::Failed("a part of the query stopped unexpectedly".to_owned())
            }
            _ => Self::Failed(VALUE.to_owned()),
        }
    }

    /// Reads an error of the optimiser or the physical planner, which may quote files and sizes: only its kind survives.
    pub(crate) fn from_engine(error: &DataFusionError) -> Self {
        if let Some(own) = own(error) {
            return own;
        }
        match error.find_root() {
            DataFusionError::ArrowError(arrow, _) => Self::Failed(arrow_kind(arrow).to_owned()),
            DataFusionError::ResourcesExhausted(_) => Self::from_execution(error),
            _ => Self::Failed(
                "the engine cannot plan this statement; write it another way".to_owned(),
            ),
        }
    }

    /// Tells a filter that failed inside a segment's scan from a segment that is missing or damaged.
    fn from_segment(error: &ParquetError) -> Self {
        match error {
            ParquetError::ArrowError(_) => Self::Failed(VALUE.to_owned()),
            ParquetError::External(inner) => {
                if let Some(arrow) = inner.downcast_ref::<ArrowError>() {
                    Self::Failed(arrow_kind(arrow).to_owned())
                } else if inner.is::<object_store::Error>() {
                    unreachable_segment()
                } else {
                    inner
                        .downcast_ref::<DataFusionError>()
                        .map_or_else(damaged_segment, Self::from_execution)
                }
            }
            _ => damaged_segment(),
        }
    }
}

const VALUE: &str = "an expression failed on a value it cannot take";

fn damaged_segment() -> QueryError {
    QueryError::Corrupt("a segment could not be read; run the store's verification".to_owned())
}

fn unreachable_segment() -> QueryError {
    QueryError::Unavailable(
        "a segment could not be opened; it may just have been compacted, try again".to_owned(),
    )
}

/// An error that this crate put into the engine comes back unchanged.
fn own(error: &DataFusionError) -> Option<QueryError> {
    match error {
        DataFusionError::External(inner) => inner.downcast_ref::<QueryError>().cloned(),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => own(inner),
        DataFusionError::Shared(inner) => own(inner),
        DataFusionError::Collection(all) => all.iter().find_map(own),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::ExternalError(inner) => inner
                .downcast_ref::<QueryError>()
                .cloned()
                .or_else(|| inner.downcast_ref::<DataFusionError>().and_then(own)),
            _ => None,
        },
        _ => None,
    }
}

fn arrow_kind(error: &ArrowError) -> &'static str {
    match error {
        ArrowError::DivideByZero => "division by zero",
        ArrowError::CastError(_) | ArrowError::ParseError(_) => {
            "a value cannot be converted to the type asked for; try_cast gives NULL instead"
        }
        ArrowError::ArithmeticOverflow(_) | ArrowError::OffsetOverflowError(_) => {
            "a result is too large for its type"
        }
        ArrowError::MemoryError(_) => "the query needs more memory than it may use",
        _ => VALUE,
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars().take(MESSAGE_CHARS_MAX);
    let Some(first) = chars.next() else { return "the statement could not be planned".to_owned() };
    first.to_lowercase().chain(chars).collect()
}

impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> Self {
        Self::External(Box::new(error))
    }
}
