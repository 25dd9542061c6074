//! Reads a provider's usual output byte by byte.
//!
//! A reply repeats one shape a thousand times. Comparing bytes with that shape is cheaper than finding
//! and classifying every token. If anything is different, the token decoder reads the same bytes from
//! the beginning. So this affects speed and nothing else; and because it uses the decoder's own scanner
//! for strings and numbers, it never accepts bytes that the decoder would refuse.

use crate::json::{Event, Number, Text, scan};

/// The rest of the input.
pub(super) struct Usual<'c>(&'c [u8]);

impl<'c> Usual<'c> {
    #[inline]
    pub(super) const fn new(input: &'c [u8]) -> Self {
        Self(input)
    }

    /// Skips these bytes, which have to be there.
    #[inline]
    pub(super) fn literal(&mut self, bytes: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(bytes)?;
        Some(())
    }

    /// Reads the rest of a string after its opening quote, and the closing one, up to `limit` bytes.
    #[inline]
    pub(super) fn string(&mut self, limit: usize) -> Option<Event<'c>> {
        let (text, behind) = scan::whole_string(self.0)?;
        self.0 = behind;
        Some(Event::String(Text::limited(text, limit)))
    }

    /// Reads the same as bytes.
    #[inline]
    pub(super) fn text(&mut self, limit: usize) -> Option<&'c [u8]> {
        let (text, behind) = scan::whole_string(self.0)?;
        self.0 = behind;
        (text.len() <= limit).then_some(text)
    }

    /// Reads a number.
    #[inline]
    pub(super) fn number(&mut self, limit: usize) -> Option<Event<'c>> {
        if !self.0.first()?.is_ascii_digit() {
            return None;
        }
        let (text, behind) = scan::whole_number(self.0)?;
        self.0 = behind;
        Some(Event::Number(Number::limited(text, limit)))
    }

    /// Returns the remaining input.
    #[inline]
    pub(super) const fn rest(self) -> &'c [u8] {
        self.0
    }
}
