//! The bytes of a stored chain.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::stored_chains::run(input));
