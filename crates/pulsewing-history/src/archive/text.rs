//! Text files as UTF-8: removes byte order marks, and converts UTF-16 to UTF-8.
//!
//! Spreadsheets and Windows shells write UTF-16, and put a byte order mark before UTF-8, too. A
//! file without a mark is passed through unchanged.

use std::io::{self, BufRead, Chain, Cursor, Read};

/// The number of bytes of UTF-16 to read at once.
const WIDE_CHUNK: u64 = 8 * 1_024;

/// A file's text.
pub(crate) enum Text<'a> {
    /// UTF-8, or anything else without a mark.
    Plain(Bytes<'a>),
    /// UTF-16.
    Wide(Wide<'a>),
}

/// A file's bytes behind its mark.
type Bytes<'a> = Chain<Cursor<Vec<u8>>, &'a mut dyn Read>;

/// The conversion from UTF-16 to UTF-8.
pub(crate) struct Wide<'a> {
    bytes: Bytes<'a>,
    is_big_endian: bool,
    ready: Cursor<Vec<u8>>,
}

impl<'a> Text<'a> {
    /// Checks for a byte order mark.
    pub(crate) fn new(content: &'a mut dyn Read) -> io::Result<Self> {
        let mut start = Vec::new();
        (&mut *content).take(3).read_to_end(&mut start)?;
        let (mark, big_endian) = match start.as_slice() {
            [0xEF, 0xBB, 0xBF] => (3, None),
            [0xFF, 0xFE, ..] => (2, Some(false)),
            [0xFE, 0xFF, ..] => (2, Some(true)),
            _ => (0, None),
        };
        start.drain(..mark);
        let bytes = Cursor::new(start).chain(content);
        Ok(match big_endian {
            None => Self::Plain(bytes),
            Some(is_big_endian) => Self::Wide(Wide {
                bytes,
                is_big_endian,
                ready: Cursor::default(),
            }),
        })
    }
}

impl Wide<'_> {
    fn fill(&mut self) -> io::Result<()> {
        let unit = match self.is_big_endian {
            true => u16::from_be_bytes,
            false => u16::from_le_bytes,
        };
        let mut raw = Vec::new();
        let bytes = &mut self.bytes;
        bytes.take(WIDE_CHUNK).read_to_end(&mut raw)?;
        // A character of two units is not cut.
        let last = raw.last_chunk().copied().map(unit);
        if last.is_some_and(|last| (0xD800..0xDC00).contains(&last)) {
            bytes.take(2).read_to_end(&mut raw)?;
        }
        let (units, half) = raw.as_chunks();
        // Invalid units become the replacement character, and so does half a unit.
        let mut text: String = char::decode_utf16(units.iter().copied().map(unit))
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        text.extend(half.iter().map(|_| char::REPLACEMENT_CHARACTER));
        self.ready = Cursor::new(text.into_bytes());
        Ok(())
    }
}

impl Read for Text<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(bytes) => bytes.read(buffer),
            Self::Wide(wide) => {
                if wide.ready.fill_buf()?.is_empty() {
                    wide.fill()?;
                }
                wide.ready.read(buffer)
            }
        }
    }
}

/// Hands over a file's bytes in chunks of at most the buffer's size.
pub(crate) fn each_chunk<E: From<io::Error>>(
    content: &mut dyn Read,
    buffer: &mut [u8],
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        match content.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => each(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
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
