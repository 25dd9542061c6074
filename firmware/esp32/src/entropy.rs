//! Randomness from the chip's generator, which is fed by the radio's noise.

use esp_hal::rng::Trng;
use pulsewing_device::ports::Entropy;

/// The port. All instances draw from the same generator, which is suitable for secrets while the
/// radio is on: it is switched on before the first instance is made, and never off.
#[derive(Clone)]
pub(crate) struct RadioNoise(Trng);

impl RadioNoise {
    /// Returns `None` while the radio is off.
    pub(crate) fn new() -> Option<Self> {
        Trng::try_new().ok().map(Self)
    }
}

impl Entropy for RadioNoise {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0.read(buffer);
    }
}
