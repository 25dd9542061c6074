//! Randomness from the chip's generator, which the radio's noise feeds.

use esp_hal::rng::Trng;
use pulsewing_device::ports::Entropy;

/// The port. All of them draw from the same generator, which is fit for secrets while the radio is on: it
/// is from before the first of these on, for ever.
#[derive(Clone)]
pub(crate) struct RadioNoise(Trng);

impl RadioNoise {
    /// `None` while the radio is off.
    pub(crate) fn new() -> Option<Self> {
        Trng::try_new().ok().map(Self)
    }
}

impl Entropy for RadioNoise {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0.read(buffer);
    }
}
