//! A day's minutes as bytes.
//!
//! One token per minute, in the order of time. The minutes after the last token have no value.
//!
//! | byte | meaning |
//! |---|---|
//! | `0x00..=0xFB` | the previous rate plus a difference of -126..=125, zigzag (0, -1, 1, -2, ...) |
//! | `0xFC` | an absolute rate: two bytes follow, little endian |
//! | `0xFD` | minutes without a value: their number follows in two bytes, little endian |
//! | `0xFE`, `0xFF` | reserved: refused |
//!
//! The first rate is relative to 64 bpm, and a rate after a gap to the one before the gap. A heart
//! rate hardly ever changes by more than 125 bpm from one minute to the next, so a minute takes one
//! byte.

use pulsewing_core::{Bpm, civil::LocalDay, day::Day};

const FIRST_FROM: u16 = 64;
const LAST_DIFFERENCE: u8 = 0xFB;
const RATE: u8 = 0xFC;
const GAP: u8 = 0xFD;

/// Writes a day's minutes.
pub(super) fn encode(day: &Day) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(usize::from(day.logged_minutes()) + 8);
    let mut next = 0;
    let mut before = FIRST_FROM;
    for (minute, bpm) in day.iter() {
        let missing = minute.saturating_sub(next);
        if missing > 0 {
            bytes.push(GAP);
            bytes.extend(missing.to_le_bytes());
        }
        let rate = bpm.get();
        match difference(before, rate) {
            Some(token) => bytes.push(token),
            None => {
                bytes.push(RATE);
                bytes.extend(rate.to_le_bytes());
            }
        }
        before = rate;
        next = minute.saturating_add(1);
    }
    bytes
}

/// Reads a day's minutes; returns `None` when the bytes are not valid, or have more minutes than
/// the day.
pub(super) fn decode(bytes: &[u8], local: LocalDay) -> Option<Day> {
    let mut day = Day::new(local);
    let mut minute: u16 = 0;
    let mut rate = FIRST_FROM;
    let mut rest = bytes;
    while let Some((&token, behind)) = rest.split_first() {
        let word = |bytes: &[u8]| bytes.first_chunk().copied().map(u16::from_le_bytes);
        rest = behind;
        match token {
            ..=LAST_DIFFERENCE => {
                let half = i16::from(token >> 1);
                let change = if token & 1 == 0 { half } else { -half - 1 };
                rate = rate.checked_add_signed(change)?;
            }
            RATE => {
                rate = word(behind)?;
                rest = behind.get(2..)?;
            }
            GAP => {
                minute = minute.checked_add(word(behind)?)?;
                rest = behind.get(2..)?;
                continue;
            }
            _ => return None,
        }
        if minute >= local.minutes() {
            return None;
        }
        day.record(minute, Bpm::new(rate)?);
        minute = minute.checked_add(1)?;
    }
    Some(day)
}

fn difference(before: u16, rate: u16) -> Option<u8> {
    let change = i32::from(rate) - i32::from(before);
    let token = if change < 0 {
        -2 * change - 1
    } else {
        2 * change
    };
    u8::try_from(token)
        .ok()
        .filter(|token| *token <= LAST_DIFFERENCE)
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::{civil::date, tz::Offset};
    use proptest::prelude::*;
    use pulsewing_core::civil::Offsets;

    use super::*;

    /// Returns a day of 23, 24 or 25 hours.
    pub(crate) fn local(hours: i8) -> LocalDay {
        let mut offsets = Offsets::fixed(Offset::constant(1));
        let at = "2026-03-29T01:00:00Z".parse().unwrap();
        if hours != 24 {
            let after = Offset::constant(1 + 24 - hours);
            offsets.push_change(at, after).unwrap();
        }
        offsets.day(date(2026, 3, 29))
    }

    pub(crate) fn any_day() -> impl Strategy<Value = Day> {
        // From a seed: proptest would need most of its time for 1,500 independent values.
        (23_i8..=25, any::<u64>(), 0_u16..=1_500).prop_map(|(hours, seed, known)| {
            let mut day = Day::new(local(hours));
            let mut state = seed;
            for minute in 0..known {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let draw = state >> 33;
                // A fifth is missing, and now and then a long stretch.
                if draw % 5 > 0 && (draw / 5 + u64::from(minute) / 97) % 7 > 0 {
                    let rate = u16::try_from(draw / 35 % 300 + 1).unwrap();
                    day.record(minute, Bpm::new(rate).unwrap());
                }
            }
            day
        })
    }

    #[test]
    fn a_minute_is_a_byte() {
        let mut day = Day::new(local(24));
        for minute in 0..1_440 {
            day.record(minute, Bpm::new(60 + minute % 100).unwrap());
        }
        assert_eq!(encode(&day).len(), 1_440);
        assert!(encode(&Day::new(local(24))).is_empty());
    }

    #[test]
    fn the_days_of_the_tests_are_of_every_length() {
        let lengths = [23, 24, 25].map(|hours| local(hours).minutes());
        assert_eq!(lengths, [1_380, 1_440, 1_500]);
    }

    #[test]
    fn bytes_that_are_no_minutes_are_refused() {
        for bytes in [
            &[0xFF][..],
            &[RATE, 80],
            &[RATE, 45, 1],
            &[GAP, 1],
            &[GAP, 0xFF, 0xFF, GAP, 1, 0],
            &[GAP, 160, 5, 0],
            &[1, 251, 251],
        ] {
            assert_eq!(decode(bytes, local(24)), None, "{bytes:?}");
        }
        assert_eq!(
            decode(&[GAP, 159, 5, 0], local(24))
                .unwrap()
                .logged_minutes(),
            1
        );
    }

    proptest! {
        #[test]
        fn every_day_comes_back(day in any_day()) {
            let bytes = encode(&day);
            // One byte for a minute, or three; and three for each gap between minutes.
            prop_assert!(bytes.len() <= 3 * 1_500);
            prop_assert_eq!(decode(&bytes, *day.local()), Some(day));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4_000), hours in 23_i8..=25) {
            if let Some(day) = decode(&bytes, local(hours)) {
                prop_assert_eq!(decode(&encode(&day), local(hours)), Some(day));
            }
        }
    }
}
