//! How a command ends badly: a message for a person and an exit code for a script.

use std::fmt;
use std::process::ExitCode;

use loggia_engine::EngineError;

/// Exit codes of every verb: 0 fine, 1 failed, 2 wrong usage, 3 refused by the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It was tried and did not work.
    Failed,
    /// The command or its input is wrong.
    Usage,
    /// The policy or the credential does not allow it.
    Refused,
}

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    busy: bool,
}

impl Failure {
    /// Something did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, message: message.into(), busy: false }
    }

    /// The command or its input is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), busy: false }
    }

    /// Not allowed.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, message: message.into(), busy: false }
    }

    /// The operating system said no while we tried to `what`.
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::failed(format!("cannot {what}: {error}"))
    }

    /// Turned away for now; the same request may succeed later.
    pub fn busy(message: impl Into<String>) -> Self {
        Self { busy: true, ..Self::failed(message) }
    }

    /// Whether trying again later makes sense.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The process's exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Refused => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<loggia_store::Error> for Failure {
    fn from(error: loggia_store::Error) -> Self {
        use std::error::Error as _;
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::failed(format!("{error}{cause}"))
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        use std::error::Error as _;
        match &error {
            EngineError::Denied(_) | EngineError::Unauthenticated => {
                Self::refused(error.to_string())
            }
            EngineError::Invalid(_) => Self::usage(error.to_string()),
            EngineError::Unavailable { .. } => {
                let mut message = error.to_string();
                let mut cause = error.source();
                while let Some(inner) = cause {
                    message = format!("{message}: {inner}");
                    cause = inner.source();
                }
                Self::failed(message)
            }
            EngineError::NotFound(_) | EngineError::Busy { .. } | EngineError::Corrupt(_) => {
                Self::failed(error.to_string())
            }
        }
    }
}
