//! Improv packets on the serial line of a board.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::improv_packets::run(input));
