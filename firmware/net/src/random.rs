//! The board's randomness, in the form that Mbed TLS needs.

use core::convert::Infallible;

use pulsewing_device::ports::Entropy;
use rand_core::{TryCryptoRng, TryRng};

/// Lets Mbed TLS draw from a board's [`Entropy`].
#[derive(Debug)]
pub struct TlsRandom<E>(pub E);

impl<E: Entropy> TlsRandom<E> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl<E: Entropy> TryRng for TlsRandom<E> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(buffer);
        Ok(())
    }
}

// `Entropy` is randomness that is suitable for secrets.
impl<E: Entropy> TryCryptoRng for TlsRandom<E> {}
