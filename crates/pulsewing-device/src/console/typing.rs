//! What comes in over the line, event by event.

use core::time::Duration;

use embedded_io_async::Read;

use super::input::{Event, Input};
use crate::ports::Clock;

/// How many bytes are read at once.
const CHUNK: usize = 64;

/// After a silence of this length nobody is in the middle of a packet.
const SILENCE: Duration = Duration::from_secs(1);

/// Bytes that were read, and what they have become so far.
pub(super) struct Typing {
    input: Input,
    chunk: zeroize::Zeroizing<[u8; CHUNK]>,
    /// The bytes of the chunk from here to its end have not been looked at.
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

    /// The next event. Dropped before it is there, nothing is lost that the line had handed over.
    pub(super) async fn next(&mut self, from: &mut impl Read, clock: &impl Clock) -> Event<'_> {
        while !self.advance() {
            self.at = 0;
            self.end = 0;
            match from.read(&mut self.chunk[..]).await {
                Ok(count) if count > 0 => self.end = count.min(CHUNK),
                // A broken line, or one that has nothing to say and says it at once.
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

    /// Looks at bytes until they complete something.
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
