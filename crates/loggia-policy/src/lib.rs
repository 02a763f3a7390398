//! Decisions of Loggia: what is kept, redacted, readable, masked, and for how long.
//!
//! A crate of its own because it is pure and exhaustively tested: no I/O, no clock, no key (reason b of the house).
//! A document becomes a [`Policy`]; [`Policy::admit`] turns records into [`Admitted`] columns, [`Policy::authorize`] turns
//! requests into a [`Grant`]. Both types have no other maker.

mod access;
mod admit;
mod admitted;
mod canonical;
mod compile;
mod detect;
mod document;
mod error;
mod lint;
mod patterns;
mod permission;
mod policy;
mod registry;
mod schema;
mod suggest;

pub use access::{
    AccessRequest, ColumnAccess, Denial, DenialReason, GRANT_LIFETIME_NS, Grant, Role, StreamGrant,
    TICKET_BYTES_MAX,
};
pub use admit::{
    Admission, AdmissionReport, AdmitContext, BATCH_TEXT_BYTES_MAX, DROPPED_NAMES_MAX, DropCount,
    DropReason, DroppedField, FUTURE_SKEW_MAX_NS, ROW_TEXT_BYTES_MAX, RefusalReason, RefusedRow,
    registry_class,
};
pub use admitted::{Admitted, Column, ColumnData, TextColumn};
pub use detect::{
    ConversationRef, DetectError, Detector, DetectorConfig, EntityKind, Finding, PlaceholderBook,
    RedactCounts, Scratch, TEXT_BYTES_MAX_DEFAULT, redact_standalone,
};
pub use document::TicketRule;
pub use error::PolicyError;
pub use lint::{Lint, Severity};
pub use permission::{Permission, Principal};
pub use policy::{Policy, Purpose};
pub use registry::RegistryClass;
pub use schema::{
    Category, Class, FieldSchema, FieldType, IMPLICIT_COLUMNS, PolicyDigest, Retention,
    StreamSchema, Treatment,
};
