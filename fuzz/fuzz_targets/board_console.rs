//! What is typed at a board's console.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::board_console::run(input));
