//! What people see: the page, the terminal, pictures, JSON.
//!
//! A face shows what the daemon or a command knows; it decides nothing, and none can hold up a cycle.

pub(crate) mod outputs;
mod plot;
pub(crate) mod presenter;
pub(crate) mod reading_json;
pub(crate) mod terminal;
pub(crate) mod web;
pub(crate) mod words;
