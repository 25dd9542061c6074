//! Turns incoming bytes into lines of text and Improv packets.

use super::words::MAX_LINE;
use crate::improv::{self, Packet, Parser};

/// The result that a byte completed.
#[derive(Debug)]
pub(crate) enum Event<'i> {
    /// A line that is not empty, without its line ending.
    Line(&'i [u8]),
    /// A line that was too long; it was dropped.
    TooLong,
    /// An Improv packet.
    Packet(Packet<'i>),
    /// A packet that began as an Improv packet but has a wrong checksum, type or version.
    BadPacket,
}

/// Collects bytes. Both kinds share one stream: a packet may begin anywhere, even within a line,
/// which then continues after it.
pub(crate) struct Input {
    line: zeroize::Zeroizing<[u8; MAX_LINE]>,
    length: usize,
    is_too_long: bool,
    parser: Parser,
    /// The result that the last byte completed; after a line the next byte begins another one.
    done: Option<Done>,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self {
            line: zeroize::Zeroizing::new([0; MAX_LINE]),
            length: 0,
            is_too_long: false,
            parser: Parser::new(),
            done: None,
        }
    }

    /// Drops a packet that was begun. Called after a silence: packets are sent in one go, so the
    /// rest will not come.
    pub(crate) fn pause(&mut self) {
        self.parser.reset();
    }

    /// Takes a byte. Returns true if it completed something: see [`event`](Self::event).
    pub(crate) fn feed(&mut self, byte: u8) -> bool {
        if self.done.take() == Some(Done::Line) {
            self.length = 0;
        }
        self.done = self.take(byte);
        self.done.is_some()
    }

    fn take(&mut self, byte: u8) -> Option<Done> {
        match self.parser.feed(byte) {
            improv::Fed::NotMine => {}
            improv::Fed::Begun => {
                // Until now, the first bytes of the packet looked like text.
                self.length = self.length.saturating_sub(improv::HEADER.len() - 1);
                return None;
            }
            improv::Fed::More => return None,
            improv::Fed::Packet => return Some(Done::Packet),
        }
        match byte {
            b'\r' | b'\n' => {
                if core::mem::take(&mut self.is_too_long) {
                    self.length = 0;
                    return Some(Done::TooLong);
                }
                (self.length > 0).then_some(Done::Line)
            }
            byte => {
                match self.line.get_mut(self.length) {
                    Some(slot) => {
                        *slot = byte;
                        self.length += 1;
                    }
                    None => self.is_too_long = true,
                }
                None
            }
        }
    }

    /// Returns the event that the last byte completed. Before the first one: an empty line.
    pub(crate) fn event(&self) -> Event<'_> {
        match self.done {
            Some(Done::TooLong) => Event::TooLong,
            Some(Done::Packet) => match self.parser.packet() {
                Some(packet) => Event::Packet(packet),
                None => Event::BadPacket,
            },
            Some(Done::Line) | None => {
                Event::Line(self.line.get(..self.length).unwrap_or_default())
            }
        }
    }
}

/// The kind of the completed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Line,
    TooLong,
    Packet,
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    fn events(bytes: &[u8]) -> Vec<String> {
        let mut input = Input::new();
        let mut events = Vec::new();
        for byte in bytes {
            if input.feed(*byte) {
                events.push(match input.event() {
                    Event::Line(line) => String::from_utf8_lossy(line).into_owned(),
                    other => format!("{other:?}"),
                });
            }
        }
        events
    }

    const STATE: &[u8] = b"IMPROV\x01\x03\x02\x02\x00\xe5";

    #[test]
    fn every_end_of_line_counts_and_empty_lines_do_not() {
        assert_eq!(events(b"a\rb\r\nc\n\n\r\nd"), ["a", "b", "c"]);
    }

    #[test]
    fn a_line_has_520_bytes_and_not_one_more() {
        let mut bytes = [b'x'; 520].to_vec();
        bytes.push(b'\n');
        assert_eq!(events(&bytes)[0].len(), 520);
        bytes.insert(0, b'x');
        bytes.extend(b"help\n");
        assert_eq!(events(&bytes), ["TooLong", "help"]);
    }

    #[test]
    fn a_packet_is_found_at_any_position_and_the_line_goes_on() {
        let packet = "Packet(State)";
        assert_eq!(events(STATE), [packet]);
        let mut bytes = b"sta".to_vec();
        bytes.extend(STATE);
        bytes.extend(b"tus\n");
        assert_eq!(events(&bytes), [packet, "status"]);
        let mut doubled = b"IMPIMPROIMPROV".to_vec();
        doubled.extend(&STATE[6..]);
        doubled.push(b'\n');
        assert_eq!(events(&doubled), [packet, "IMPIMPRO"]);
    }

    #[test]
    fn the_word_alone_is_text() {
        assert_eq!(events(b"wifi add IMPROV pass\n"), ["wifi add IMPROV pass"]);
    }

    #[test]
    fn after_a_pause_a_packet_that_was_begun_is_forgotten() {
        let mut input = Input::new();
        for byte in &STATE[..9] {
            assert!(!input.feed(*byte));
        }
        input.pause();
        let completed = b"help\n".iter().filter(|byte| input.feed(**byte)).count();
        assert_eq!(completed, 1);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_yield_a_long_line(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"IMPROV\x01\x03\r\n\"".to_vec())], 0..2_000)) {
            let mut input = Input::new();
            for byte in bytes {
                if input.feed(byte)
                    && let Event::Line(line) = input.event()
                {
                    prop_assert!((1..=MAX_LINE).contains(&line.len()));
                }
            }
        }
    }
}
