//! The stand-in for both clouds.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
