//! Fitbit's replies.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::fitbit_bodies::run(input));
