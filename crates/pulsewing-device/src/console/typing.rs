//! Reads the input of the line, event by event.

use core::time::Duration;

use embedded_io_async::Read;

use super::input::{Event, Input};
use crate::ports::Clock;

/// How many bytes are read at once.
const CHUNK: usize = 64;

/// After a silence of this length, no packet is still being sent.
const SILENCE: Duration = Duration::from_secs(1);

/// Bytes that were read, and the events that they form so far.
pub(super) struct Typing {
    input: Input,
    chunk: zeroize::Zeroizing<[u8; CHUNK]>,
    /// The bytes of the chunk from here to its end have not been processed.
    at: usize,
    end: usize,
    heard_at: Duration,
}

impl Typing {
    pub(super) fn new() -> Self {
        Self {
            input: Input::new(),
            chunk: zeroize::Zeroizing::new([0; CHUNK]),
            at: 0,
            end: 0,
            heard_at: Duration::ZERO,
        }
    }

    /// Returns the next event. If it is dropped before that, no byte that was read is lost.
    pub(super) async fn next(&mut self, from: &mut impl Read, clock: &impl Clock) -> Event<'_> {
        while !self.advance() {
            self.at = 0;
            self.end = 0;
            match from.read(&mut self.chunk[..]).await {
                Ok(count) if count > 0 => self.end = count.min(CHUNK),
                // A broken line, or one that returns nothing without waiting.
                _ => clock.sleep_until(clock.up().saturating_add(SILENCE)).await,
            }
            let up = clock.up();
            if up.saturating_sub(self.heard_at) > SILENCE {
                self.input.pause();
            }
            self.heard_at = up;
        }
        self.input.event()
    }

    /// Processes bytes until they complete something.
    fn advance(&mut self) -> bool {
        while self.at < self.end {
            let Some(byte) = self.chunk.get(self.at) else {
                return false;
            };
            self.at += 1;
            if self.input.feed(*byte) {
                return true;
            }
        }
        false
    }
}
