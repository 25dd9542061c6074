//! The program in virtual time: weeks pass in seconds, because a wait moves the sandbox's clock.
#![cfg(feature = "sandbox")]

mod fortnight;
mod month;
mod sign_in;
