//! Redirects from a consent page.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::redirects::run(input));
