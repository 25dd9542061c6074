//! Whose token it is, found at once however many wearers there are.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::wearer::Wearer;

/// The wearers of all tokens that are remembered, by the tokens' SHA-256.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<[u8; 32], Wearer>);

impl Owners {
    /// Returns whose token it is.
    pub(super) fn find(&self, token: &str) -> Option<Wearer> {
        self.0.get(&digest(token)).copied()
    }

    /// Notes whose token it is.
    pub(super) fn add(&mut self, token: &str, wearer: Wearer) {
        self.0.insert(digest(token), wearer);
    }

    /// Forgets a token.
    pub(super) fn remove(&mut self, token: &str) {
        self.0.remove(&digest(token));
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
