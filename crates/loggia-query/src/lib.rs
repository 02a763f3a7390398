//! The one door for reading: statement guard, session, masking and late reveal of sealed content.
//!
//! A crate of its own because it keeps DataFusion, the longest build, away from the others (reason a of the house).
//!
//! A read takes these steps: [`parse_statement`] checks the text and says what it touches → the caller authorises and writes the
//! ledger entry → [`Session::open`] takes grant and receipt → [`Session::sql`] gives a [`MaskedStream`], the only form in which
//! rows leave → its [`Outcome`] goes to the ledger. What SQL can say and what masks mean: `docs/query.md`.

mod adapt;
mod cache;
mod error;
mod functions;
mod guard;
mod limits;
mod mask;
mod plan;
mod reveal;
mod search;
mod segment;
mod service;
mod session;
mod stream;
mod table;
mod tail;
mod times;
mod token;
mod unseal;

pub use datafusion::arrow;
pub use error::QueryError;
pub use guard::{Statement, StatementKind, parse_statement};
pub use limits::QueryLimits;
pub use mask::MASKED;
pub use search::{Search, search, search_tail};
pub use service::QueryService;
pub use session::Session;
pub use stream::{MaskedStream, Outcome, OutcomeHandle};
pub use tail::Tail;
pub use unseal::ERASED;
