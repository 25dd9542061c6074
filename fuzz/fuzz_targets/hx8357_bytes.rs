//! Bytes on the wires of the panel's controller.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::hx8357_bytes::run(input));
