//! The product without a network: admit, access, subject rights, assessment.
//!
//! A crate of its own because it is the facade that must not see the network (reason d of the house): every protocol of
//! the binary calls the same few methods of [`Engine`], and a simulation can drive them without a socket.
//! Start reading at [`Engine::ingest`] (the way of a record) and [`Engine::query`] (the way of a read).

mod access;
mod admit;
mod assess;
mod audit;
mod engine;
mod error;
mod statics;
mod subject;
mod tokens;

pub use access::{Answer, QueryRequest, SearchRequest, Tail, TailItem};
pub use admit::{IngestOutcome, RefusedRows};
pub use assess::{Problem, VerifyReport, verify_dir};
pub use audit::{AuditEntry, open_entry};
pub use engine::{Engine, EngineConfig, InitOutcome, Status};
pub use error::EngineError;
pub use loggia_keys::RootSecret;
pub use subject::{Erasure, FoundSubject};
pub use tokens::{NewToken, TokenInfo, TokenRequest};
