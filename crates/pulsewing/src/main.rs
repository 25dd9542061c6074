//! The `pulsewing` program.
fn main() {}
