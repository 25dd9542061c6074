//! The filter grammar of the Google Health stand-in.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::filter::run(input));
