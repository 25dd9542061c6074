//! Reproducible randomness.

/// A small seeded generator (SplitMix64): the same on every platform, and good enough for a pulse.
pub(super) struct Chance(u64);

impl Chance {
    /// Returns the generator of one day, or of any other numbered thing.
    pub(super) fn new(seed: u64, number: i64) -> Self {
        Self(seed ^ number.unsigned_abs().wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    pub(super) fn whole(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low) + 1;
        low + i64::try_from(self.next() % span).unwrap_or(0)
    }

    pub(super) fn minute(&mut self, low: i32, high: i32) -> i32 {
        i32::try_from(self.whole(low.into(), high.into())).unwrap_or(low)
    }

    pub(super) fn one_in(&mut self, n: i64) -> bool {
        self.whole(1, n) == 1
    }

    pub(super) fn within(&mut self, low: f64, high: f64) -> f64 {
        let unit = f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / f64::from(u32::MAX);
        low + (high - low) * unit
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
