//! A provider with rotating tokens, as far as a chain's record needs one; and such records.

use std::sync::Mutex;

/// The provider's side of one chain.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The token that is good; it is also the number of rotations.
    good: u32,
    refused: u32,
}

impl Provider {
    /// Answers a refresh: the next token; the same answer again to the same token, before the new one was
    /// used; `None` to any other.
    pub(crate) fn refresh(&self, token: u32) -> Option<u32> {
        let mut state = self.state.lock().unwrap();
        if token == state.good {
            state.good += 1;
            return Some(state.good);
        }
        if token + 1 == state.good {
            return Some(state.good);
        }
        state.refused += 1;
        None
    }

    /// Returns the good token.
    pub(crate) fn good(&self) -> u32 {
        self.state.lock().unwrap().good
    }

    /// Returns how often a token was refused: each one is a lost chain.
    pub(crate) fn refused(&self) -> u32 {
        self.state.lock().unwrap().refused
    }
}

/// Returns a chain's record.
pub(crate) fn record(token: u32, intent: bool) -> Vec<u8> {
    format!("token {token} intent {intent}").into_bytes()
}

/// Reads a chain's record.
pub(crate) fn token_of(record: &[u8]) -> (u32, bool) {
    let text = std::str::from_utf8(record).unwrap();
    let words: Vec<&str> = text.split(' ').collect();
    (words[1].parse().unwrap(), words[3].parse().unwrap())
}
