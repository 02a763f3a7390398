//! Whether the store may still write: once it may not, it says why until it is reopened.

use std::sync::{OnceLock, atomic::AtomicBool, atomic::Ordering};

use crate::error::{Error, Result};

/// Set at most once, by the first fatal error.
#[derive(Default, Debug)]
pub(crate) struct Health {
    failed: AtomicBool,
    reason: OnceLock<String>,
}

impl Health {
    /// Refuses when something fatal has happened.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(Error::unavailable(self.reason.get().map_or("a write failed", String::as_str)))
    }

    /// Notes a fatal error; the first reason stays.
    pub(crate) fn fail(&self, error: &Error) {
        let reason = describe(error);
        tracing::error!(reason, "the store refuses appends from here on");
        // A second failure keeps the first reason, which explains more.
        self.reason.get_or_init(|| reason);
        self.failed.store(true, Ordering::Release);
    }

    /// Notes `error` when it is fatal.
    pub(crate) fn note(&self, error: &Error) {
        if error.is_fatal() {
            self.fail(error);
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn describe(error: &Error) -> String {
    let mut out = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        out.push_str(": ");
        out.push_str(&error.to_string());
        cause = error.source();
    }
    out
}
