//! Text files as UTF-8: removes byte order marks, and converts UTF-16 to UTF-8.
//!
//! Spreadsheets and Windows shells write UTF-16, and put a byte order mark before UTF-8, too. A
//! file without a mark is passed through unchanged.

use std::io::{self, Read};

/// The number of bytes of UTF-16 to read at once.
const WIDE_CHUNK: usize = 8 * 1_024;

/// A file's text.
pub(crate) struct Text<'a> {
    content: &'a mut dyn Read,
    /// The bytes that were read in search of a mark, but belong to the text.
    ahead: [u8; 3],
    ahead_range: std::ops::Range<usize>,
    wide: Option<Wide>,
}

/// The state of the conversion from UTF-16 to UTF-8.
struct Wide {
    is_big_endian: bool,
    raw: Vec<u8>,
    /// The first byte of half a unit, and the first unit of half a character.
    byte: Option<u8>,
    surrogate: Option<u16>,
    ready: Vec<u8>,
    given: usize,
}

impl<'a> Text<'a> {
    /// Checks for a byte order mark.
    pub(crate) fn new(content: &'a mut dyn Read) -> io::Result<Self> {
        let mut ahead = [0; 3];
        let mut length = 0;
        while let Some(room) = ahead.get_mut(length..).filter(|room| !room.is_empty()) {
            match content.read(room) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let (mark, big_endian) = match ahead.get(..length).unwrap_or_default() {
            [0xEF, 0xBB, 0xBF] => (3, None),
            [0xFF, 0xFE, ..] => (2, Some(false)),
            [0xFE, 0xFF, ..] => (2, Some(true)),
            _ => (0, None),
        };
        let mut text = Self {
            content,
            ahead,
            ahead_range: mark..length,
            wide: None,
        };
        if let Some(is_big_endian) = big_endian {
            let mut wide = Wide {
                is_big_endian,
                raw: vec![0; WIDE_CHUNK],
                byte: None,
                surrogate: None,
                ready: Vec::new(),
                given: 0,
            };
            let begun = text.ahead.get(mark..length).unwrap_or_default();
            begun.iter().for_each(|byte| wide.take(*byte));
            text.ahead_range = 0..0;
            text.wide = Some(wide);
        }
        Ok(text)
    }
}

impl Wide {
    fn take(&mut self, byte: u8) {
        let Some(first) = self.byte.take() else {
            self.byte = Some(byte);
            return;
        };
        let unit = if self.is_big_endian {
            u16::from_be_bytes([first, byte])
        } else {
            u16::from_le_bytes([first, byte])
        };
        let units = match self.surrogate.take() {
            None if (0xD800..0xDC00).contains(&unit) => {
                self.surrogate = Some(unit);
                return;
            }
            None => [Some(unit), None],
            Some(before) => [Some(before), Some(unit)],
        };
        // Invalid units become the replacement character.
        for character in char::decode_utf16(units.into_iter().flatten()) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            let mut bytes = [0; 4];
            self.ready
                .extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        }
    }

    fn fill(&mut self, content: &mut dyn Read) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() {
            let mut raw = std::mem::take(&mut self.raw);
            let result = content.read(&mut raw);
            if let Ok(count) = result {
                let bytes = raw.get(..count).unwrap_or_default();
                bytes.iter().for_each(|byte| self.take(*byte));
            }
            self.raw = raw;
            match result {
                Ok(0) => {
                    if self.byte.take().is_some() || self.surrogate.take().is_some() {
                        self.ready.extend_from_slice("\u{FFFD}".as_bytes());
                    }
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => _ = result?,
            }
        }
        Ok(())
    }
}

impl Read for Text<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(wide) = &mut self.wide {
            if wide.given >= wide.ready.len() {
                wide.fill(self.content)?;
            }
            let count = wide
                .ready
                .get(wide.given..)
                .unwrap_or_default()
                .read(buffer)?;
            wide.given += count;
            return Ok(count);
        }
        if self.ahead_range.is_empty() {
            return self.content.read(buffer);
        }
        let mut ahead = self.ahead.get(self.ahead_range.clone()).unwrap_or_default();
        let count = ahead.read(buffer)?;
        self.ahead_range.start += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns one byte at a time.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let room = buffer.len().min(1);
            self.0.read(&mut buffer[..room])
        }
    }

    fn read(bytes: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        Text::new(&mut &*bytes)
            .unwrap()
            .read_to_end(&mut whole)
            .unwrap();
        let mut dropped = Vec::new();
        Text::new(&mut Drops(bytes))
            .unwrap()
            .read_to_end(&mut dropped)
            .unwrap();
        assert_eq!(whole, dropped);
        whole
    }

    proptest! {
        #[test]
        fn every_encoding_yields_the_same_text(text in "\\PC{0,40}") {
            // A text that itself begins with a mark would lose it.
            prop_assume!(!text.starts_with('\u{FEFF}'));
            prop_assert_eq!(read(text.as_bytes()), text.as_bytes());
            let marked = format!("\u{FEFF}{text}");
            prop_assert_eq!(read(marked.as_bytes()), text.as_bytes());
            for bytes_of in [u16::to_le_bytes, u16::to_be_bytes] {
                let wide: Vec<u8> = marked.encode_utf16().flat_map(bytes_of).collect();
                prop_assert_eq!(read(&wide), text.as_bytes());
            }
        }

        #[test]
        fn any_bytes_become_some_text(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            read(&bytes);
            let wide = [&[0xFF, 0xFE], bytes.as_slice()].concat();
            prop_assert!(String::from_utf8(read(&wide)).is_ok());
        }
    }
}
