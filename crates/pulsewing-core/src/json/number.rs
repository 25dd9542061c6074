//! Numbers, kept as the document wrote them.

use core::fmt;

use super::error::{ErrorKind, Refused};

/// A number, as its decimal text: nothing is lost to a binary fraction.
///
/// A number with more characters than the decoder's `TOKEN` bytes has lost its text: it is then
/// [too long](Self::is_too_long) and has no value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(Option<&'a [u8]>);

impl<'a> Number<'a> {
    /// Wraps text that is known to follow the grammar; too long if it has more bytes than `limit`.
    #[inline]
    pub(crate) fn limited(text: &'a [u8], limit: usize) -> Self {
        Self((text.len() <= limit).then_some(text))
    }

    /// Returns the number as the document wrote it; `None` if it was too long.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        self.0.and_then(|text| str::from_utf8(text).ok())
    }

    /// Returns whether the number had more characters than the decoder's `TOKEN` bytes.
    #[inline]
    #[must_use]
    pub const fn is_too_long(self) -> bool {
        self.0.is_none()
    }

    /// Returns the value of a number written as an unsigned integer: without sign, fraction or exponent.
    ///
    /// `None` for any other form, and beyond the range of `u64`.
    #[inline]
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        unsigned(self.0?)
    }

    /// Returns the value of a number written as an integer: without fraction or exponent. `-0` is 0.
    ///
    /// `None` for any other form, and beyond the range of `i64`.
    #[inline]
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0? {
            [b'-', digits @ ..] => 0_i64.checked_sub_unsigned(unsigned(digits)?),
            digits => i64::try_from(unsigned(digits)?).ok(),
        }
    }

    /// Returns the nearest integer, with halves rounded up (towards positive infinity): `84.5` is 85,
    /// `84.4999999999999999999999` is 84, `-2.5` is -2, `7.14e1` is 71.
    ///
    /// Exact on the decimal text. `None` beyond the range of `i64`.
    #[must_use]
    pub fn round_half_up(self) -> Option<i64> {
        let text = self.0?;
        round_short(text).or_else(|| Decimal::split(text).round_half_up())
    }
}

impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({})", self.as_str().unwrap_or("too long"))
    }
}

/// Reads decimal digits, and nothing else.
#[inline]
fn unsigned(digits: &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for &byte in digits {
        value = value.checked_mul(10)?.checked_add(digit(byte)?)?;
    }
    Some(value)
}

#[inline]
fn digit(byte: u8) -> Option<u64> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(u64::from(value))
}

/// Rounds a number that looks like a heart rate: up to 15 digits, perhaps a point, nothing else.
#[inline]
fn round_short(text: &[u8]) -> Option<i64> {
    if text.len() > 16 {
        return None;
    }
    let mut whole = 0_u64;
    let mut bytes = text.iter();
    for &byte in bytes.by_ref() {
        if byte == b'.' {
            let half_or_more = *bytes.next()? >= b'5';
            return bytes
                .all(u8::is_ascii_digit)
                .then(|| whole.wrapping_add(u64::from(half_or_more)).cast_signed());
        }
        whole = whole.wrapping_mul(10).wrapping_add(digit(byte)?);
    }
    Some(whole.cast_signed())
}

/// The parts of a number: `whole.fraction` times ten to the power of `exponent`.
struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    /// Saturated: no text is long enough for the difference to matter.
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn split(text: &'a [u8]) -> Self {
        let (negative, text) = match text {
            [b'-', text @ ..] => (true, text),
            text => (false, text),
        };
        let (mantissa, exponent) = split_once(text, |byte| matches!(byte, b'e' | b'E'));
        let (whole, fraction) = split_once(mantissa, |byte| byte == b'.');
        Self {
            negative,
            whole,
            fraction,
            exponent: read_exponent(exponent),
        }
    }

    /// Sums up the digits left of the point, after the exponent has moved it.
    fn round_half_up(&self) -> Option<i64> {
        let digits = || self.whole.iter().chain(self.fraction).copied();
        let count = i64::try_from(self.whole.len()).unwrap_or(i64::MAX);
        let point = count.saturating_add(self.exponent);
        let (mut magnitude, mut place) = (0_u64, 0_i64);
        let (mut at_least_half, mut beyond_half) = (false, false);
        for byte in digits() {
            let digit = digit(byte)?;
            if place < point {
                magnitude = magnitude.checked_mul(10)?.checked_add(digit)?;
            } else if place == point {
                at_least_half = digit >= 5;
                beyond_half = digit > 5;
            } else {
                beyond_half |= at_least_half && digit > 0;
            }
            place = place.saturating_add(1);
        }
        // The zeros that the exponent adds. A magnitude of 0 stays 0.
        while place < point && magnitude != 0 {
            magnitude = magnitude.checked_mul(10)?;
            place = place.saturating_add(1);
        }
        // Up is away from zero for a positive number and towards it for a negative one.
        let carry = if self.negative {
            beyond_half
        } else {
            at_least_half
        };
        let magnitude = magnitude.checked_add(u64::from(carry))?;
        if self.negative {
            0_i64.checked_sub_unsigned(magnitude)
        } else {
            i64::try_from(magnitude).ok()
        }
    }
}

/// Splits at the first byte that fits, and drops it; without one, the second half is empty.
fn split_once(text: &[u8], fits: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let mut halves = text.splitn(2, |&byte| fits(byte));
    (
        halves.next().unwrap_or_default(),
        halves.next().unwrap_or_default(),
    )
}

fn read_exponent(text: &[u8]) -> i64 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let magnitude = digits.iter().fold(0_i64, |sum, &byte| {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        sum.saturating_mul(10).saturating_add(digit)
    });
    if negative {
        magnitude.saturating_neg()
    } else {
        magnitude
    }
}

/// A reader of one number, whose text is collected in the decoder's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberReader {
    progress: Progress,
    /// Characters so far, including those that no longer fitted.
    length: usize,
}

/// The position in the grammar of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Start,
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl NumberReader {
    /// Before the first character.
    pub(super) const START: Self = Self {
        progress: Progress::Start,
        length: 0,
    };

    /// Returns whether the number could end here.
    pub(super) fn is_complete(self) -> bool {
        matches!(
            self.progress,
            Progress::Zero | Progress::Whole | Progress::Fraction | Progress::ExponentDigits
        )
    }

    /// Returns the complete number from the buffer that it was read into.
    pub(super) fn text(self, buffer: &[u8]) -> Number<'_> {
        Number(buffer.get(..self.length))
    }

    /// Continues the number; returns the input from the byte that ends it, or `None` if there is none.
    ///
    /// Characters that do not fit into `buffer` are still checked and counted.
    pub(super) fn read<'c>(
        &mut self,
        mut input: &'c [u8],
        buffer: &mut [u8],
    ) -> Result<Option<&'c [u8]>, Refused<'c>> {
        use Progress as P;
        while let Some((&byte, behind)) = input.split_first() {
            self.progress = match (self.progress, byte) {
                (P::Start, b'-') => P::Minus,
                (P::Start | P::Minus, b'0') => P::Zero,
                (P::Start | P::Minus, b'1'..=b'9') | (P::Whole, b'0'..=b'9') => P::Whole,
                (P::Zero | P::Whole, b'.') => P::Point,
                (P::Point | P::Fraction, b'0'..=b'9') => P::Fraction,
                (P::Zero | P::Whole | P::Fraction, b'e' | b'E') => P::Exponent,
                (P::Exponent, b'+' | b'-') => P::ExponentSign,
                (P::Exponent | P::ExponentSign | P::ExponentDigits, b'0'..=b'9') => {
                    P::ExponentDigits
                }
                _ if self.is_complete() => return Ok(Some(input)),
                _ => return Err(Refused(ErrorKind::InvalidNumber, input)),
            };
            if let Some(place) = buffer.get_mut(self.length) {
                *place = byte;
            }
            self.length = self.length.saturating_add(1);
            input = behind;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{format, string::String};

    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number(Some(text.as_bytes()))
    }

    #[test]
    fn integers_are_read_to_the_ends_of_their_range() {
        for (text, unsigned, signed) in [
            ("0", Some(0), Some(0)),
            ("-0", None, Some(0)),
            ("300", Some(300), Some(300)),
            ("-17", None, Some(-17)),
            ("9223372036854775807", Some((1 << 63) - 1), Some(i64::MAX)),
            ("9223372036854775808", Some(1 << 63), None),
            ("-9223372036854775808", None, Some(i64::MIN)),
            ("-9223372036854775809", None, None),
            ("18446744073709551615", Some(u64::MAX), None),
            ("18446744073709551616", None, None),
            ("1.0", None, None),
            ("1e2", None, None),
        ] {
            assert_eq!(number(text).as_u64(), unsigned, "{text}");
            assert_eq!(number(text).as_i64(), signed, "{text}");
        }
    }

    #[test]
    fn halves_round_up_and_nothing_below_does() {
        for (text, expected) in [
            ("84.5", 85),
            ("84.4999999999999999999999", 84),
            ("84.50000000000000000000000001", 85),
            ("84", 84),
            ("7.14e1", 71),
            ("7.15e1", 72),
            ("0.4", 0),
            ("0.5", 1),
            ("-0.5", 0),
            ("-0.50001", -1),
            ("-2.5", -2),
            ("-2.51", -3),
            ("5e-1", 1),
            ("4.9e-1", 0),
            ("50e-2", 1),
            ("49e-2", 0),
            ("5e-2", 0),
            ("-5e-2", 0),
            ("999e-1", 100),
            ("0.00000000000000000000071e23", 71),
            ("1E+2", 100),
            ("-1e2", -100),
            ("9223372036854775807.4", i64::MAX),
            ("-9223372036854775808.5", i64::MIN),
            ("-9223372036854775808", i64::MIN),
            ("922337203685477580.7e1", i64::MAX),
            ("0e999999999999999999999999", 0),
            ("1e-999999999999999999999999", 0),
            ("0.0", 0),
        ] {
            assert_eq!(number(text).round_half_up(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_no_i64_holds_has_no_rounded_value() {
        for text in [
            "9223372036854775807.5",
            "-9223372036854775808.51",
            "9223372036854775808",
            "1e19",
            "1e999999999999999999999999",
            "-1e30",
            "99999999999999999999999999",
        ] {
            assert_eq!(number(text).round_half_up(), None, "{text}");
        }
    }

    /// Adds a half and rounds down, on whole numbers wide enough for every case.
    fn model(negative: bool, digits: &str, fraction: usize, exponent: i32) -> Option<i64> {
        let digits: i128 = digits.parse().unwrap();
        let scaled = if negative { -digits } else { digits };
        let power = exponent - i32::try_from(fraction).unwrap();
        let ten = 10_i128.pow(power.unsigned_abs());
        let rounded = if power >= 0 {
            scaled * ten
        } else {
            (2 * scaled + ten).div_euclid(2 * ten)
        };
        rounded.try_into().ok()
    }

    proptest! {
        #[test]
        fn rounding_agrees_with_exact_arithmetic(
            negative: bool,
            whole in "0|[1-9][0-9]{0,9}",
            fraction in "[0-9]{0,8}|[0-9]{0,3}[4-5][09]{0,5}",
            exponent in prop::option::of(-12..=12_i32),
        ) {
            let mut text = String::from(if negative { "-" } else { "" });
            text += &whole;
            if !fraction.is_empty() {
                text += &format!(".{fraction}");
            }
            if let Some(exponent) = exponent {
                text += &format!("e{exponent}");
            }
            let digits = format!("{whole}{fraction}");
            let expected = model(negative, &digits, fraction.len(), exponent.unwrap_or(0));
            prop_assert_eq!(number(&text).round_half_up(), expected, "{}", text);
        }

        #[test]
        fn integers_agree_with_the_standard_library(value: i64, other: u64) {
            let (text, other_text) = (format!("{value}"), format!("{other}"));
            prop_assert_eq!(number(&text).as_i64(), Some(value));
            prop_assert_eq!(number(&text).round_half_up(), Some(value));
            prop_assert_eq!(number(&other_text).as_u64(), Some(other));
        }
    }
}
