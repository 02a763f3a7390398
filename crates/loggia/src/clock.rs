//! The system's clock: the one place that asks the operating system for the time.

use std::sync::Arc;

use loggia_ledger::Clock;

/// Wall-clock time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now_ns(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.ok().and_then(|age| i64::try_from(age.as_nanos()).ok()).unwrap_or(0)
    }
}

/// The system's clock, shared.
#[must_use]
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Monotonic time for progress lines and benches, which no simulation owns.
#[expect(clippy::disallowed_methods, reason = "measures elapsed time of the command line only")]
pub(crate) fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}
