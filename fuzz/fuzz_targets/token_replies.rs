//! Replies of the token endpoint.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::token_replies::run(input));
