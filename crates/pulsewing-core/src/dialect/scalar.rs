//! Values that come as a number in one reply and as a string in the next.
//!
//! The JSON form of protocol buffers writes a 64-bit integer as a string and accepts either form for
//! any number, and gateways rewrite one into the other.

use jiff::{Timestamp, tz::Offset};

use crate::{Bpm, json::Event};

/// Returns the nearest whole number, with halves rounded up.
#[inline]
pub(super) fn whole(event: Event<'_>) -> Option<i64> {
    match event {
        Event::Number(number) => number.round_half_up(),
        Event::String(text) => whole_in_text(text.as_bytes()?),
        _ => None,
    }
}

/// Returns a heart rate, if it is within a heart rate's range.
#[inline]
pub(super) fn bpm(event: Event<'_>) -> Option<Bpm> {
    whole(event).and_then(Bpm::from_whole)
}

fn whole_in_text(text: &[u8]) -> Option<i64> {
    let text = str::from_utf8(text).ok()?;
    let Some((whole, fraction)) = text.split_once('.') else {
        return text.parse().ok();
    };
    if !text.starts_with(|first: char| first.is_ascii_digit())
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let up = fraction
        .as_bytes()
        .first()
        .is_some_and(|tenths| *tenths >= b'5');
    whole.parse::<i64>().ok()?.checked_add(i64::from(up))
}

/// Returns a count of seconds as an offset from UTC.
pub(super) fn offset(seconds: i64) -> Option<Offset> {
    Offset::from_seconds(i32::try_from(seconds).ok()?).ok()
}

/// A second since 1970, or none, which sorts before any: a third of the size of an optional instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Second(i64);

impl Second {
    const NONE: Self = Self(i64::MIN);

    pub(super) fn get(self) -> Option<i64> {
        (self != Self::NONE).then_some(self.0)
    }
}

impl Default for Second {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Option<Timestamp>> for Second {
    fn from(at: Option<Timestamp>) -> Self {
        at.map_or(Self::NONE, |at| Self(at.as_second()))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::json::{Decoder, Flow};

    fn read(json: &str) -> Option<i64> {
        let mut value = None;
        let mut handler = |event: Event<'_>| {
            value = whole(event);
            Flow::Continue
        };
        let mut decoder: Decoder = Decoder::new();
        decoder.feed(json.as_bytes(), &mut handler).unwrap();
        decoder.finish(&mut handler).unwrap();
        value
    }

    #[test]
    fn a_number_and_its_text_are_the_same() {
        for (number, expected) in [("63", 63), ("62.5", 63), ("62.49", 62), ("-14400", -14_400)] {
            assert_eq!(read(number), Some(expected), "{number}");
            let text = std::format!("\"{number}\"");
            assert_eq!(read(&text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for json in [
            "null",
            "true",
            r#""""#,
            r#""NaN""#,
            r#""6 3""#,
            r#""1.x""#,
            r#""-0.5""#,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
        assert_eq!(read(r#""99999999999999999999""#), None);
    }
}
