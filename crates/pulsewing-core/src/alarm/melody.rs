//! What a signal sounds like: on a page and on a piezo alike.
//!
//! The higher level is told by more notes and a higher pitch, not by loudness, so that it is told apart on any
//! speaker. The pitches are where small piezos are loud, and where old ears still hear.

use super::{Event, Level, Signal};

/// A note, or a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The pitch in hertz; 0 is a rest.
    pub hertz: u16,
    /// The duration in milliseconds.
    pub ms: u16,
}

/// The longest melody, in notes.
pub const LONGEST_MELODY: usize = 10;

const REST: Note = note(0, 90);
const PAUSE: Note = note(0, 400);
const LOW: Note = note(1_047, 180);
const MIDDLE: Note = note(1_319, 180);
const HIGH: Note = note(1_568, 180);

const WARNING: [Note; 3] = [MIDDLE, REST, MIDDLE];
const URGENT: [Note; LONGEST_MELODY] = [
    HIGH, REST, MIDDLE, REST, HIGH, PAUSE, HIGH, REST, MIDDLE, HIGH,
];
const OVER: [Note; 3] = [MIDDLE, REST, LOW];

const fn note(hertz: u16, ms: u16) -> Note {
    Note { hertz, ms }
}

impl Signal {
    /// Returns its melody; empty for what makes no sound.
    #[must_use]
    pub const fn melody(&self) -> &'static [Note] {
        match (self.event, self.level) {
            (_, Level::Info) | (Event::Acknowledged | Event::Past, _) => &[],
            (Event::Cleared, _) => &OVER,
            (Event::Raised | Event::Repeated, Level::Warning) => &WARNING,
            (Event::Raised | Event::Repeated, Level::Urgent) => &URGENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn melodies_are_short_and_within_what_a_piezo_plays() {
        for melody in [&WARNING[..], &URGENT, &OVER] {
            let length: u16 = melody.iter().map(|note| note.ms).sum();
            assert!(
                melody.len() <= LONGEST_MELODY && length <= 2_500,
                "{length}"
            );
            assert!(
                melody
                    .iter()
                    .all(|it| it.hertz == 0 || (500..5_000).contains(&it.hertz))
            );
            assert!(melody.first().is_some_and(|it| it.hertz > 0));
        }
    }
}
