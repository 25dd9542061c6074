//! The JSON decoder and the positions at which a document is split.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::json_chunks::run(input));
