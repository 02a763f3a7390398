//! [`KeysError`]: what can go wrong with keys, told so that the reader knows what to do.
//!
//! No message carries key material, record content or a person's id; causes are in `source()`.

use std::path::PathBuf;

/// Why the key store refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The root secret is not the one this key store was made with.
    #[error(
        "the root secret does not open this key store; give the key file or passphrase it was created with"
    )]
    WrongRoot,
    /// The key is gone: erased with its subject, or expired with its day. What it sealed cannot be read again.
    #[error("the key of this content has been destroyed, so the content cannot be read any more")]
    KeyDestroyed,
    /// Bytes are not what was written: changed, cut, swapped or of another place.
    #[error("{what} has been changed or does not belong here; restore it from a good copy")]
    Tampered {
        /// What failed its check.
        what: &'static str,
    },
    /// The key store cannot answer now; trying again later may help.
    #[error("the key store cannot answer now ({what}); try again shortly")]
    Unavailable {
        /// What was being done.
        what: &'static str,
    },
    /// Another process has the key store open.
    #[error("the key store `{}` is in use by another process; stop that one first", path.display())]
    InUse {
        /// Directory of the key store.
        path: PathBuf,
    },
    /// There is no key store, or a part of it is missing.
    #[error("`{}` is missing; create the key store first, or restore this file", path.display())]
    Missing {
        /// The missing file.
        path: PathBuf,
    },
    /// A key store is already there.
    #[error("`{}` exists already; open it, or choose an empty directory", path.display())]
    Exists {
        /// The file found.
        path: PathBuf,
    },
    /// A secret file can be read by others.
    #[error("`{}` can be read by other users (mode {mode:04o}); run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// An argument that cannot be right.
    #[error("{what}")]
    Invalid {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The database of keys refused.
    #[error("the key database failed to {what}")]
    Database {
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A cryptographic operation failed, which only a broken machine or a size beyond all limits explains.
    #[error("the cryptographic module failed to {what}")]
    Crypto {
        /// What was tried.
        what: &'static str,
    },
}

/// Result of this crate.
pub type Result<T, E = KeysError> = std::result::Result<T, E>;

impl KeysError {
    /// A closure that turns a database error into ours.
    pub(crate) fn database(what: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| {
            if matches!(
                source.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ) {
                return Self::Unavailable { what: "its database is busy" };
            }
            Self::Database { what, source: Box::new(source) }
        }
    }

    /// A closure that turns an operating system error into ours.
    pub(crate) fn io(
        what: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}
