//! The program in virtual time: weeks pass in seconds, because a wait moves the sandbox's clock.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod fortnight;
mod month;
mod sign_in;
