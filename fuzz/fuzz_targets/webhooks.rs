//! What comes to the endpoint of webhooks, and what its subscriber reads.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::webhooks::run(input));
