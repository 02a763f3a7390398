//! Deterministic simulation of `loggia-engine` (test only): a seed decides everything that happens.
//!
//! A [`World`] holds an engine on a directory, a clock it moves by hand, and a model of what the store must hold. Each
//! [`World::step`] picks an operation (ingest, flush, crash, restart, erase, rotate keys, read) and checks the engine against the
//! model. A failing run is repeated by its seed. There is no sleep and no wall clock.

mod model;
mod random;
mod world;

pub use random::Random;
pub use world::{Failed, World};
