//! The JSON decoder and the places where a document is cut.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::json_chunks::run(input));
