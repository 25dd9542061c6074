//! HTTP/1.1 as text: one request, one reply, then the connection is closed (RFC 9112).
//!
//! Heads and chunk sizes are parsed by `httparse`; what is left is putting pieces that arrive in any
//! sizes together, and knowing where a body ends. The client of `edge-http` would bring both, but version
//! 0.8 panics on a `Content-Length` that is no number, takes a chunked body that breaks off between two
//! chunks for a whole one, and refuses a reply that offers to keep the connection: a board that runs
//! for years cannot afford the first, nor a token chain the second.

mod request;
mod response;

pub use request::{Unfit, write};
pub use response::Reader;
