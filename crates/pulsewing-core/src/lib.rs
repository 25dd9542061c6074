//! Pulsewing's sans-IO core.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod json;
