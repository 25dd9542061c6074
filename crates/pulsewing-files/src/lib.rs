//! Files, opened and replaced so that nothing that lies in their place does harm.
//!
//! A daemon that runs for years opens files in directories that people edit. A pipe that nobody writes
//! to would block it forever, a device may never end, a file may be larger than memory, and a power cut
//! may come in the middle of a write. Every file that Pulsewing reads or writes on a host goes through
//! this crate.
//!
//! | module | what |
//! |---|---|
//! | [`regular_file`] | opening and reading: without blocking, only if it is a regular file, up to a bound |
//! | [`Replacement`] | writing: the new file takes the old one's place when it is complete |
//! | [`private`] | files and directories that only their owner can read |
//!
//! What the files hold is none of its business. The token chain's own protocol is in the host program.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod private;
pub mod regular_file;
mod replacement;

pub use replacement::Replacement;
