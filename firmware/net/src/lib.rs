//! What the boards share: HTTP/1.1 over verified TLS, SNTP, and files on a card.
//!
//! With the feature `stack` (the default) this is [`Client`], which implements
//! [`pulsewing_device::ports::Web`] over an `embassy-net` stack and Mbed TLS, [`BoardClock`], the
//! clock for verifying certificates, [`joined`], the addresses from DHCP, and [`card`]. The text of HTTP, the
//! packets of SNTP and the meaning of a rejected certificate need neither, and are tested on the
//! host: `cargo test -p pulsewing-net --no-default-features --target x86_64-unknown-linux-gnu`.
//!
//! It refuses: TLS before the time is known; a certificate that is expired, not yet valid, for
//! another name or from an unknown issuer; redirects; and connections that carry two requests.

#![no_std]
#![deny(missing_docs)]
#![deny(
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod address;
pub mod http;
pub mod roots;
pub mod sntp;
pub mod trust;

#[cfg(feature = "stack")]
pub mod card;
#[cfg(feature = "stack")]
mod clock;
#[cfg(feature = "stack")]
mod link;
#[cfg(feature = "stack")]
mod random;
#[cfg(feature = "stack")]
mod web;

#[cfg(feature = "stack")]
pub use crate::{clock::BoardClock, link::joined, random::TlsRandom, web::Client};
