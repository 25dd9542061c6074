//! Pulsewing on a host: the commands, and what connects the core to the machine.
//!
//! The core ([`pulsewing_core`]) decides; this crate does. It owns the files, the network, the
//! clock and the terminal, and nothing that a board would have to decide as well: what belongs to
//! the token chain, the cycle, the decoders or the picture has its place in the crates below.
//!
//! Where to start reading: [`engine`] drives the cycle; [`chain_file`] keeps the tokens; each
//! command is a module of [`commands`].
//!
//! | module | what |
//! |---|---|
//! | [`cli`], [`app`], [`config`], [`places`], [`endpoints`] | what the user asked for |
//! | [`engine`], [`http`], [`zone`], [`clock`], [`stop`], [`progress`] | carrying the cycle's actions out |
//! | [`sign_in`] | from a consent page to a chain |
//! | [`daemon`] | cycles for ever, and who hears of them |
//! | [`chain_file`], [`state_file`], [`history`] | what outlives a run |
//! | [`regular_file`] | files, opened so that whatever lies in their place does no harm |
//! | [`archive`] | what goes into the history from files, and out of it again |
//! | [`doctor`] | whether all of it is well |
//! | [`service`] | the daemon under systemd |
//! | [`commands`], [`reading_json`] | what comes out in words |
//! | [`outputs`], [`night`], [`picture`], [`panel`], [`wallpaper`] | what comes out in pixels |
//! | [`web`], [`terminal`] | what comes out in a browser and in a terminal |
//! | [`board`] | a board on a serial port |
//! | [`console`], [`log`], [`problem`], [`failure_words`], [`banner_words`] | talking to people |
#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod app;
pub mod archive;
pub mod banner_words;
pub mod board;
mod byte_order_mark;
pub mod chain_file;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod console;
pub mod daemon;
pub mod doctor;
pub mod endpoints;
pub mod engine;
pub mod failure_words;
pub mod history;
pub mod http;
pub mod log;
pub mod night;
pub mod outputs;
pub mod panel;
pub mod passphrase;
pub mod person;
pub mod picture;
pub mod places;
mod plot;
pub mod problem;
pub mod progress;
pub mod reading_json;
pub mod regular_file;
pub mod service;
pub mod sign_in;
pub mod state_file;
pub mod stop;
pub mod terminal;
pub mod wallpaper;
pub mod web;
mod words;
pub mod zone;
