//! A JSON decoder for bytes as they arrive.
//!
//! [`Decoder`] takes a document in chunks of any size and hands its parts to a [`Handler`] as
//! [`Event`]s, in document order. It holds one unfinished token and a nesting bitmap and nothing
//! else: no tree, no heap, no copy of a token that lies completely inside a chunk.
//!
//! ```text
//! bytes ──▶ Decoder::feed ──▶ Event::Key(..), Event::String(..), … ──▶ Handler::event
//!                 ▲                                                          │
//!                 └────────── Flow::Continue │ Flow::Skip ◀──────────────────┘
//! ```
//!
//! # What it accepts
//!
//! RFC 8259, strictly: one value with white space around it; well-formed UTF-8; escapes with
//! paired surrogates; no byte order mark, control character, extra comma, comment or second value.
//! Skipped values are held to the same rules, so the verdict on a document depends on its bytes
//! alone.
//!
//! # Limits
//!
//! | what | limit | beyond it |
//! | --- | --- | --- |
//! | open objects and arrays | [`MAX_DEPTH`] | [`ErrorKind::TooDeep`] |
//! | decoded bytes of a string or key | `TOKEN` | a [`Text`] without its bytes; decoding continues |
//! | characters of a number | `TOKEN` | a [`Number`] without its digits; decoding continues |
//! | length of the document | none | |
//!
//! # Contract
//!
//! - Events, verdict and error offset do not depend on how a document is cut into chunks.
//! - A chunk may be dropped or overwritten as soon as [`Decoder::feed`] returns.
//! - Events reach the handler before the bytes after them are checked: act on the gathered data
//!   only when [`Decoder::finish`] has returned `Ok`.
//! - Nothing here allocates, blocks, recurses or panics, for any input.
//!
//! # Example
//!
//! ```
//! use pulsewing_core::json::{Decoder, Event, Flow};
//!
//! let mut latest = None;
//! let mut wanted = false;
//! let mut handler = |event: Event<'_>| {
//!     match event {
//!         Event::Key(key) if key == "bpm" => wanted = true,
//!         Event::Key(_) => return Flow::Skip,
//!         Event::Number(number) if wanted => latest = number.round_half_up(),
//!         _ => {}
//!     }
//!     Flow::Continue
//! };
//! let mut decoder: Decoder = Decoder::new();
//! for chunk in [r#"{"source":{"na"#, r#"me":"watch"},"bpm":6"#, r#"3.5}"#] {
//!     decoder.feed(chunk.as_bytes(), &mut handler)?;
//! }
//! decoder.finish(&mut handler)?;
//! assert_eq!(latest, Some(64));
//! # Ok::<(), pulsewing_core::json::Error>(())
//! ```
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod decoder;
mod error;
mod event;
mod nesting;
mod number;
pub(crate) mod scan;
mod string;
#[cfg(test)]
mod tests;

pub use decoder::Decoder;
pub use error::{Error, ErrorKind};
pub use event::{Event, Flow, Handler, Text};
pub use nesting::MAX_DEPTH;
pub use number::Number;
