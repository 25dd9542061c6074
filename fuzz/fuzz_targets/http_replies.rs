//! The board's reader of HTTP replies.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::http_replies::run(input));
