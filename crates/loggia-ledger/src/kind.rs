//! What an entry is about: stable numbers for the leaf, stable names for people.
//!
//! A number is never reused and a name never changes its meaning. Numbers that this version does not
//! know are read as [`EntryKind::Unknown`], so that an old verifier still verifies a newer ledger.

use std::fmt;
use std::str::FromStr;

use crate::error::LedgerError;

/// Declares the enum, its numbers and its names in one table, so that they cannot drift apart.
macro_rules! kinds {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $code:literal, $name:literal; )+) => {
        /// The kind of an entry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EntryKind {
            $( $(#[doc = $doc])+ $variant, )+
            /// A number that this version does not know; it can be read but not appended.
            Unknown(u16),
        }

        impl EntryKind {
            /// Every kind that this version knows, by number.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// Returns the stable number that stands in the leaf.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self {
                    $( Self::$variant => $code, )+
                    Self::Unknown(code) => code,
                }
            }

            /// Returns the kind of a number read from a leaf.
            #[must_use]
            pub const fn from_code(code: u16) -> Self {
                match code {
                    $( $code => Self::$variant, )+
                    other => Self::Unknown(other),
                }
            }
        }

        impl fmt::Display for EntryKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $( Self::$variant => f.pad($name), )+
                    Self::Unknown(code) => f.pad(&format!("unknown.{code}")),
                }
            }
        }

        impl FromStr for EntryKind {
            type Err = LedgerError;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                match name {
                    $( $name => Ok(Self::$variant), )+
                    _ => Err(LedgerError::invalid(format!("there is no entry kind `{name}`"))),
                }
            }
        }
    };
}

kinds! {
    /// A read was allowed; written before its first row leaves.
    AccessGranted = 1, "access.granted";
    /// A read was refused.
    AccessDenied = 2, "access.denied";
    /// A read ended: rows, columns in clear, outcome.
    AccessCompleted = 3, "access.completed";
    /// Somebody failed to sign in.
    SignInFailed = 4, "signin.failed";
    /// Somebody read the ledger itself.
    LedgerRead = 5, "ledger.read";
    /// A token was made.
    TokenCreated = 16, "token.created";
    /// A token was taken back.
    TokenRevoked = 17, "token.revoked";
    /// A role was given to or taken from a principal.
    RoleAssigned = 18, "role.assigned";
    /// A subject was looked up.
    SubjectFound = 32, "subject.found";
    /// A subject was erased.
    SubjectErased = 33, "subject.erased";
    /// A subject's key was made.
    SubjectKeyCreated = 34, "subject.key.created";
    /// A subject's key was destroyed.
    SubjectKeyDestroyed = 35, "subject.key.destroyed";
    /// A subject was given access to what is kept.
    SubjectAccessFulfilled = 36, "subject.access.fulfilled";
    /// A subject's data were corrected.
    SubjectRectified = 37, "subject.rectified";
    /// Another event in the life of a key: epoch change, rotation, destruction of a day key.
    KeyEvent = 48, "key.event";
    /// The policy changed.
    PolicyChanged = 64, "policy.changed";
    /// The configuration changed.
    ConfigChanged = 65, "config.changed";
    /// A notice was published.
    NoticePublished = 66, "notice.published";
    /// A review was completed.
    ReviewCompleted = 67, "review.completed";
    /// An assessment of controls was completed.
    AssessmentCompleted = 68, "assessment.completed";
    /// A batch was admitted: stream, policy digest, rows, fields dropped per rule.
    IngestBatchAdmitted = 80, "ingest.batch.admitted";
    /// A batch was refused.
    IngestBatchRejected = 81, "ingest.batch.rejected";
    /// A segment was written and closed.
    SegmentSealed = 96, "segment.sealed";
    /// A segment became visible.
    SegmentPublished = 97, "segment.published";
    /// A segment came to the end of its retention.
    SegmentExpired = 98, "segment.expired";
    /// A segment moved to the archive.
    SegmentArchived = 99, "segment.archived";
    /// A hold was placed.
    HoldPlaced = 112, "hold.placed";
    /// A hold was released.
    HoldReleased = 113, "hold.released";
    /// The stored files were verified.
    StoreVerified = 128, "store.verified";
    /// The server started.
    ServerStarted = 129, "server.started";
    /// The server stopped.
    ServerStopped = 130, "server.stopped";
}

#[cfg(test)]
mod tests;
