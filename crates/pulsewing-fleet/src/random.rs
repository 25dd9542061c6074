//! Random numbers from the system.

use ring::rand::{SecureRandom, SystemRandom};

use crate::Error;

/// Fills with bytes that nobody can guess.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Error::Option("the system gives no random numbers"))
}

/// Returns a number that nobody else has.
pub(crate) fn number() -> Result<i64, Error> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(i64::from_le_bytes(bytes))
}

/// Returns a number below `bound` to spread things with; 0 if the system gives none.
pub(crate) fn below(bound: u64) -> u64 {
    let mut bytes = [0; 8];
    match fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes) % bound.max(1),
        Err(_) => 0,
    }
}
