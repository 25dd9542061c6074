//! The outputs for people and their other programs: the page, the terminal, pictures, JSON, Home Assistant,
//! InfluxDB.
//!
//! A face shows the state of the daemon or a command. It decides nothing, and cannot delay a cycle.

pub(crate) mod alarms_json;
pub(crate) mod influx;
pub(crate) mod messages;
pub(crate) mod mqtt;
pub(crate) mod outputs;
mod plot;
pub(crate) mod presenter;
pub(crate) mod reading_json;
pub(crate) mod terminal;
pub(crate) mod web;
pub(crate) mod words;
