//! The report of a cycle that yielded a reading.

use pulsewing_core::report::Report;

use crate::engine::Engine;

/// Returns the report to print; empty without a reading. With `goes_on` it includes the time of the
/// next cycle.
pub(super) fn text(engine: &Engine, goes_on: bool) -> String {
    let Some(reading) = engine.reading() else {
        return String::new();
    };
    let now = engine.clock().now();
    let next = engine.cycle().due().duration_since(now.utc);
    Report {
        reading,
        token_written_to: engine.cycle().token_written().then_some("disk"),
        uptime: now.up,
        next_update: goes_on.then(|| next.try_into().unwrap_or_default()),
    }
    .to_string()
}
