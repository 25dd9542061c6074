//! Makes inputs from others by small changes; the same seeds give the same inputs.

/// An endless supply of inputs.
pub(crate) struct Mutations<'a> {
    seeds: &'a [Vec<u8>],
    state: u64,
}

impl<'a> Mutations<'a> {
    /// Creates mutations of at least one seed.
    pub(crate) fn of(seeds: &'a [Vec<u8>]) -> Self {
        Self {
            seeds,
            state: 0x5EED,
        }
    }

    /// Returns a number below `limit`, or 0 if there is none.
    fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as usize % limit.max(1)
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let rest = input.len() - at;
        match self.below(6) {
            0 if rest > 0 => input[at] ^= 1 << self.below(8),
            1 if rest > 0 => {
                let length = 1 + self.below(rest.min(8));
                input.drain(at..at + length);
            }
            2 => input.insert(at, self.below(256) as u8),
            3 => {
                let length = self.below(rest.min(24) + 1);
                let piece = input[at..at + length].to_vec();
                input.splice(at..at, piece);
            }
            4 => {
                let other = &self.seeds[self.below(self.seeds.len())];
                let from = self.below(other.len() + 1);
                let length = self.below((other.len() - from).min(32) + 1);
                input.splice(at..at, other[from..from + length].iter().copied());
            }
            _ => input.truncate(at),
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.seeds[self.below(self.seeds.len())].clone();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input);
        }
        Some(input)
    }
}
