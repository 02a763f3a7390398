//! Loggia's binary and server: protocols, configuration, wiring, command line.
//!
//! A crate of its own because it is the binary (reason e of the house), and it alone knows HTTP, TLS, the environment and the
//! arguments. Start reading at [`run`] for the command line and [`router`] for the HTTP surface; every handler ends in
//! `loggia-engine`.

mod api;
mod bench;
mod cli;
mod clock;
mod demo;
mod describe;
mod failure;
mod server;
mod telemetry;
mod tls;
mod workload;

pub use api::{Access, App, Encoding, IngestLimits, ROUTES, Route, encode_rows, router};
pub use cli::run;
pub use clock::{SystemClock, system_clock};
pub use failure::{Failure, Kind};
pub use server::Server;
pub use telemetry::{Metrics, init_logging};
pub use tls::{TlsFiles, client_config, make_development_ca, server_config};
pub use workload::{Planted, Request, Workload, WorkloadConfig};
