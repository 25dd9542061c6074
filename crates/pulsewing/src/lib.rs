//! The host program.
#![deny(missing_docs)]
