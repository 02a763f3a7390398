//! The source of time, as a parameter.
//!
//! The library never reads the machine's clock: the binary passes one in, tests pass a
//! [`ManualClock`], and the simulation passes its own.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the time as Unix nanoseconds.
    fn now_ns(&self) -> i64;
}

/// A clock that stands still until it is moved; for tests and simulations.
pub struct ManualClock {
    now_ns: AtomicI64,
}

impl ManualClock {
    /// Makes a clock that shows `now_ns`.
    #[must_use]
    pub const fn new(now_ns: i64) -> Self {
        Self { now_ns: AtomicI64::new(now_ns) }
    }

    /// Sets the time shown.
    pub fn set_ns(&self, now_ns: i64) {
        self.now_ns.store(now_ns, Ordering::SeqCst);
    }

    /// Moves the time shown by `delta_ns`, which may be negative.
    pub fn advance_ns(&self, delta_ns: i64) {
        self.now_ns.fetch_add(delta_ns, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ns(&self) -> i64 {
        self.now_ns.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("now_ns", &self.now_ns()).finish()
    }
}
