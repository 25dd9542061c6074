//! Pictures that somebody wants as a wallpaper.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pulsewing_fuzz::wallpapers::run(input));
