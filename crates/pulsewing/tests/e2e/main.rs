//! End-to-end tests: the real binary against the real sandbox over loopback, in an environment of its
//! own. The sandbox's log and its token table decide.
#![forbid(unsafe_code)]
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod harness;

mod adopt;
mod alarms;
mod all_waits;
mod board;
mod board_custody;
mod chain;
mod chain_files;
mod completions;
mod crash;
mod custody;
mod demo;
mod disk_full;
mod doctor;
mod exit_codes;
mod export;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(feature = "fleet")]
mod fleet_fire;
#[cfg(feature = "fleet")]
mod fleet_invitation;
#[cfg(feature = "fleet")]
mod fleet_page;
#[cfg(feature = "fleet")]
mod fleet_time;
#[cfg(feature = "fleet")]
mod fleet_webhook;
mod future;
mod history;
mod history_damage;
mod history_file;
mod history_turns;
mod household;
mod import;
mod import_evidence;
mod import_forms;
mod login;
mod logout;
mod look;
mod mqtt;
mod odd_files;
mod once;
mod once_json;
mod options;
mod other_tokens;
mod pacing;
mod panel;
mod plain_words;
mod render;
mod run;
mod samples;
mod sandbox_cli;
#[cfg(target_os = "linux")]
mod service;
mod show;
mod silence;
mod status;
mod stop;
mod supervision;
mod token_errors;
mod transport;
mod unattended;
mod usual;
mod web;
mod whose;
