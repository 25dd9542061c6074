//! Pulsewing task runner.
fn main() {}
