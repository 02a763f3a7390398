//! The one error of this crate: few kinds, each saying what the caller can do.
//!
//! Messages name files, offsets and limits, never a record's content, a subject or a key.

use std::io;
use std::path::{Path, PathBuf};

/// What this crate's operations return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bounded queue or the memory budget is full: try again later, nothing was stored.
    #[error("the store is busy, retry after {retry_after_ms} ms")]
    Busy {
        /// How long to wait before the next try.
        retry_after_ms: u64,
    },
    /// Writing is not possible now; reading is.
    #[error("the store does not accept records: {what}")]
    Unavailable {
        /// The reason, for the operator.
        what: String,
    },
    /// The request itself cannot be served.
    #[error("{what}")]
    Invalid {
        /// What is wrong with it.
        what: String,
    },
    /// Something named does not exist (any more).
    #[error("{what} does not exist")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// Another process holds the store.
    #[error("the store in `{}` is in use by another process", .dir.display())]
    Locked {
        /// The directory of the store.
        dir: PathBuf,
    },
    /// Stored bytes are not what was written.
    #[error("`{file}` is damaged{}: {what}", at_offset(*.offset))]
    Corrupt {
        /// File, relative to the store's directory.
        file: String,
        /// Byte offset, where one is known.
        offset: Option<u64>,
        /// What is wrong there.
        what: String,
    },
    /// The operating system refused a file operation; retrying may help.
    #[error("cannot {action} `{}`", .path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// Its file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Bytes could not be made durable. What is on disk is unknown, so the store stops accepting records until reopened.
    #[error("cannot make `{}` durable", .path.display())]
    Sync {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The catalog's database failed.
    #[error("the catalog failed")]
    Catalog(#[source] rusqlite::Error),
    /// A Parquet file could not be written or read.
    #[error("segment `{file}` could not be encoded or decoded")]
    Parquet {
        /// File, relative to the store's directory.
        file: String,
        /// The library's reason.
        source: parquet::errors::ParquetError,
    },
    /// Columns could not be brought into Arrow's form.
    #[error("columns could not be assembled")]
    Arrow(#[source] arrow::error::ArrowError),
    /// The key store refused or failed.
    #[error("the key store failed")]
    Keys(#[from] loggia_keys::KeysError),
    /// The ledger refused or failed.
    #[error("the ledger failed")]
    Ledger(#[from] loggia_ledger::LedgerError),
    /// A test's fault hook stopped the operation here, as a crash would have.
    #[error("stopped by the fault hook at `{point}`")]
    Stopped {
        /// Name of the commit step.
        point: &'static str,
    },
}

impl Error {
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }

    pub(crate) fn unavailable(what: impl Into<String>) -> Self {
        Self::Unavailable { what: what.into() }
    }

    pub(crate) fn corrupt(
        file: impl Into<String>,
        offset: Option<u64>,
        what: impl Into<String>,
    ) -> Self {
        Self::Corrupt { file: file.into(), offset, what: what.into() }
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), source }
    }

    pub(crate) fn sync(path: &Path, source: io::Error) -> Self {
        Self::Sync { path: path.to_path_buf(), source }
    }

    /// Whether the store must refuse appends from here on, since the state of the disk is unknown.
    #[expect(clippy::wildcard_enum_match_arm, reason = "fatal is the exception, named here")]
    pub(crate) fn is_fatal(&self) -> bool {
        match self {
            Self::Sync { .. } | Self::Stopped { .. } => true,
            Self::Catalog(error) => is_failed_sync(error),
            _ => false,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Self::Catalog(source)
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Arrow(source)
    }
}

/// Whether SQLite says that it could not sync.
fn is_failed_sync(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};
    error.sqlite_error().is_some_and(|error| {
        [SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC].contains(&error.extended_code)
    })
}

fn at_offset(offset: Option<u64>) -> String {
    offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default()
}
