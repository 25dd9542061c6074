//! Strings that cannot be borrowed whole: cut by the end of a chunk, with escapes, or beyond ASCII.

use super::{
    error::{ErrorKind, Refused},
    event::Text,
    scan,
};

/// A reader of one string, whose decoded bytes are collected in the decoder's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringReader {
    expect: Expect,
    /// Decoded bytes so far, including those that no longer fitted.
    length: usize,
}

/// The expected next byte of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// The beginning of a character, or the closing quote.
    Character,
    /// A continuation byte within these bounds, followed by `more` of any value.
    Continuation { low: u8, high: u8, more: u8 },
    /// The character after a backslash.
    Escape,
    /// `missing` more hex digits of a `\u` escape; `high` is the surrogate before it, or 0.
    Hex { high: u16, unit: u16, missing: u8 },
    /// The backslash of the escape that completes the surrogate pair.
    LowBackslash { high: u16 },
    /// Its `u`.
    LowMark { high: u16 },
}

impl StringReader {
    /// The state after the opening quote.
    pub(super) const START: Self = Self {
        expect: Expect::Character,
        length: 0,
    };

    /// Returns the closed string from the buffer that it was decoded into.
    pub(super) fn text(self, buffer: &[u8]) -> Text<'_> {
        match buffer.get(..self.length) {
            Some(decoded) => Text::limited(decoded, buffer.len()),
            None => Text::TOO_LONG,
        }
    }

    /// Continues the string; returns the input after the closing quote, or `None` if the input ends
    /// first.
    ///
    /// Bytes that do not fit into `buffer` are still checked and counted.
    pub(super) fn read<'c>(
        &mut self,
        mut input: &'c [u8],
        buffer: &mut [u8],
    ) -> Result<Option<&'c [u8]>, Refused<'c>> {
        loop {
            if self.expect == Expect::Character {
                let (plain, behind) = scan::split_plain(input);
                self.keep(plain, buffer);
                input = behind;
            }
            let Some((&byte, behind)) = input.split_first() else {
                return Ok(None);
            };
            if byte == b'"' && self.expect == Expect::Character {
                return Ok(Some(behind));
            }
            if let Err(kind) = self.take(byte, buffer) {
                return Err(Refused(kind, input));
            }
            input = behind;
        }
    }

    /// Handles a byte that does not simply stand for itself.
    fn take(&mut self, byte: u8, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        self.expect = match self.expect {
            Expect::Character => match byte {
                b'\\' => Expect::Escape,
                0..0x20 => return Err(ErrorKind::ControlCharacter),
                _ => {
                    let expect = after_lead(byte).ok_or(ErrorKind::InvalidUtf8)?;
                    self.keep(&[byte], buffer);
                    expect
                }
            },
            Expect::Continuation { low, high, more } => {
                if !(low..=high).contains(&byte) {
                    return Err(ErrorKind::InvalidUtf8);
                }
                self.keep(&[byte], buffer);
                match more.checked_sub(1) {
                    Some(more) => Expect::Continuation {
                        low: 0x80,
                        high: 0xbf,
                        more,
                    },
                    None => Expect::Character,
                }
            }
            Expect::Escape => {
                let character = match byte {
                    b'"' | b'\\' | b'/' => byte,
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'u' => {
                        self.expect = Expect::Hex {
                            high: 0,
                            unit: 0,
                            missing: 4,
                        };
                        return Ok(());
                    }
                    _ => return Err(ErrorKind::InvalidEscape),
                };
                self.keep(&[character], buffer);
                Expect::Character
            }
            Expect::Hex {
                high,
                unit,
                missing,
            } => {
                let unit = unit << 4 | hex_digit(byte).ok_or(ErrorKind::InvalidEscape)?;
                match missing.saturating_sub(1) {
                    0 => self.take_unit(high, unit, buffer)?,
                    missing => Expect::Hex {
                        high,
                        unit,
                        missing,
                    },
                }
            }
            Expect::LowBackslash { high } if byte == b'\\' => Expect::LowMark { high },
            Expect::LowMark { high } if byte == b'u' => Expect::Hex {
                high,
                unit: 0,
                missing: 4,
            },
            Expect::LowBackslash { .. } | Expect::LowMark { .. } => {
                return Err(ErrorKind::InvalidEscape);
            }
        };
        Ok(())
    }

    /// Handles the UTF-16 code unit of a finished `\u` escape, after the surrogate `high` if not 0.
    fn take_unit(&mut self, high: u16, unit: u16, buffer: &mut [u8]) -> Result<Expect, ErrorKind> {
        if high == 0 && matches!(unit, 0xd800..=0xdbff) {
            return Ok(Expect::LowBackslash { high: unit });
        }
        let pair = [high, unit];
        let units = if high == 0 { &pair[1..] } else { &pair[..] };
        for character in char::decode_utf16(units.iter().copied()) {
            let character = character.map_err(|_| ErrorKind::InvalidEscape)?;
            self.keep(character.encode_utf8(&mut [0; 4]).as_bytes(), buffer);
        }
        Ok(Expect::Character)
    }

    /// Counts decoded bytes and keeps them as long as everything has fitted.
    fn keep(&mut self, decoded: &[u8], buffer: &mut [u8]) {
        let end = self.length.saturating_add(decoded.len());
        if let Some(place) = buffer.get_mut(self.length..end) {
            place.copy_from_slice(decoded);
        }
        self.length = end;
    }
}

/// Returns what follows the lead byte of a character beyond ASCII: RFC 3629, section 4.
fn after_lead(lead: u8) -> Option<Expect> {
    let (low, high, more) = match lead {
        0xc2..=0xdf => (0x80, 0xbf, 0),
        0xe0 => (0xa0, 0xbf, 1),
        0xe1..=0xec | 0xee..=0xef => (0x80, 0xbf, 1),
        0xed => (0x80, 0x9f, 1),
        0xf0 => (0x90, 0xbf, 2),
        0xf1..=0xf3 => (0x80, 0xbf, 2),
        0xf4 => (0x80, 0x8f, 2),
        _ => return None,
    };
    Some(Expect::Continuation { low, high, more })
}

fn hex_digit(byte: u8) -> Option<u16> {
    match byte {
        b'0'..=b'9' => Some(u16::from(byte.wrapping_sub(b'0'))),
        b'a'..=b'f' => Some(u16::from(byte.wrapping_sub(b'a').wrapping_add(10))),
        b'A'..=b'F' => Some(u16::from(byte.wrapping_sub(b'A').wrapping_add(10))),
        _ => None,
    }
}
