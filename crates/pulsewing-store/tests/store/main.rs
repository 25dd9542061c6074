//! The store against a flash that is as strict as a real one and loses power at any step.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

mod alarms;
mod board;
mod chain_cuts;
mod chain_rules;
mod cycle_cuts;
mod images;
mod logs_and_blobs;
mod mock_rules;
mod resets;
mod settings;
mod snapshots;
mod wear;
mod years;
