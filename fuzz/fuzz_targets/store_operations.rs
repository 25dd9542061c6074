//! What a board does with its store, and power cuts in between.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::store_operations::run(input));
