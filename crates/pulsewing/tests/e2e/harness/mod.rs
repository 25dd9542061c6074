//! The test harness. This module contains no tests.
//!
//! | module | what |
//! |---|---|
//! | `board_console` | a stand-in for a board: its console |
//! | `board_line` | the serial line of that stand-in |
//! | `browser` | a stand-in for a browser that signs in |
//! | `daemon` | `pulsewing run`, started and asked |
//! | `database_relay` | a relay before the database that cuts connections |
//! | `fleet` | collectors on one database, and their judge |
//! | `hermetic` | the program in an environment of its own |
//! | `household` | a home with several wearers |
//! | `import_files` | exports of other services |
//! | `loopback_http` | a small HTTP client |
//! | `middleman` | a proxy that does harm |
//! | `patience` | waiting for something, with an end |
//! | `picture` | pictures, and what is on them |
//! | `postgres` | a PostgreSQL server |
//! | `recorder` | a server that keeps every request |
//! | `recording` | recordings for the sandbox |
//! | `relay` | a TCP relay that can be cut |
//! | `sandbox_process` | `pulsewing sandbox`, started and asked |
//! | `secret_watch` | no secret in any output |
//! | `shim` | a library that is preloaded: clocks, devices, kills |
//! | `signed_in` | a home that is signed in |
//! | `systemd` | a stand-in for systemd |

pub(crate) mod board_console;
pub(crate) mod board_line;
pub(crate) mod browser;
pub(crate) mod daemon;
#[cfg(feature = "fleet")]
pub(crate) mod database_relay;
#[cfg(feature = "fleet")]
pub(crate) mod fleet;
pub(crate) mod hermetic;
pub(crate) mod household;
pub(crate) mod import_files;
pub(crate) mod loopback_http;
pub(crate) mod middleman;
pub(crate) mod patience;
pub(crate) mod picture;
pub(crate) mod postgres;
pub(crate) mod recorder;
pub(crate) mod recording;
pub(crate) mod relay;
pub(crate) mod sandbox_process;
pub(crate) mod secret_watch;
pub(crate) mod shim;
pub(crate) mod signed_in;
pub(crate) mod systemd;
