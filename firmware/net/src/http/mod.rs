//! HTTP/1.1 as text: one request, one reply, then the connection is closed (RFC 9112).
//!
//! `httparse` parses heads and chunk sizes; this module assembles pieces that arrive in any sizes,
//! and finds the end of a body. The client of `edge-http` does both, but version 0.8 panics on a
//! `Content-Length` that is not a number, takes a chunked body that breaks off between two chunks
//! for a complete one, and rejects a reply that offers to keep the connection: a board that runs
//! for years cannot afford the first, nor a token chain the second.

mod request;
mod response;

pub use request::{Unfit, write};
pub use response::Reader;
