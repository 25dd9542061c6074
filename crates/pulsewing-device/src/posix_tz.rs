//! POSIX time-zone rules: turns `CET-1CEST,M3.5.0,M10.5.0/3` into offsets and their changes.
//!
//! A board uses such a rule instead of a zone database: POSIX.1-2017, section 8.3 (`TZ`), with
//! hours of -167 to 167 in a rule's time, as RFC 9636, section 3.3.2 allows.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, Weekday},
    tz::Offset,
};
use pulsewing_core::{civil::Offsets, instant::later};

/// How far around an instant the changes of offset are computed.
const AROUND: SignedDuration = SignedDuration::from_hours(24 * 4);

/// A zone's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    standard: Offset,
    summer: Option<Summer>,
}

/// The summer time of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summer {
    offset: Offset,
    begins: Change,
    ends: Change,
}

/// When the clocks change in a year, on the clock that was valid until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    day: DayOfYear,
    /// Seconds after midnight; may fall on another day.
    time: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DayOfYear {
    /// `Jn`: 1 to 365; 29 February is not counted.
    Julian(i16),
    /// `n`: 0 to 365; 29 February is counted.
    Elapsed(i16),
    /// `Mm.w.d`: the weekday (0 Sunday) of the week (5 the last) of the month.
    Weekday { month: i8, week: i8, day: i8 },
}

impl Rule {
    /// Parses a rule; `None` if the text is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = Rest(text.as_bytes());
        rest.name()?;
        let standard = rest.offset()?;
        let mut rule = Self {
            standard,
            summer: None,
        };
        if rest.0.is_empty() {
            return Some(rule);
        }
        rest.name()?;
        let offset = match rest.0.first() {
            Some(b',') => Offset::from_seconds(standard.seconds().checked_add(3_600)?).ok()?,
            _ => rest.offset()?,
        };
        rest.expect(b',')?;
        let begins = rest.change()?;
        rest.expect(b',')?;
        let ends = rest.change()?;
        rule.summer = Some(Summer {
            offset,
            begins,
            ends,
        });
        rest.0.is_empty().then_some(rule)
    }

    /// Returns the offset around an instant, and its changes.
    pub(crate) fn offsets_around(&self, at: Timestamp) -> Offsets {
        let from = later(at, -AROUND).unwrap_or(Timestamp::MIN);
        let until = later(at, AROUND).unwrap_or(Timestamp::MAX);
        let mut offset = self.standard;
        let mut changes: heapless::Vec<(Timestamp, Offset), 6> = heapless::Vec::new();
        if let Some(summer) = &self.summer {
            let year = self.standard.to_datetime(at).year();
            for year in [year.saturating_sub(1), year, year.saturating_add(1)] {
                let begin = summer.begins.instant(year, self.standard);
                let end = summer.ends.instant(year, summer.offset);
                let begin = begin.map(|at| (at, summer.offset));
                let end = end.map(|at| (at, self.standard));
                for change in [begin, end].into_iter().flatten() {
                    // Three years have six changes.
                    let _ = changes.push(change);
                }
            }
            changes.sort_unstable_by_key(|(at, _)| *at);
        }
        for (_, after) in changes.iter().take_while(|(at, _)| *at <= from) {
            offset = *after;
        }
        let mut offsets = Offsets::fixed(offset);
        for (at, after) in changes.iter().filter(|(at, _)| *at > from && *at < until) {
            // Six fit, and they are in order; two at the same instant are not a change.
            let _ = offsets.push_change(*at, *after);
        }
        offsets
    }
}

impl Change {
    /// Returns the instant of the change in a year; `before` is the offset until then.
    fn instant(&self, year: i16, before: Offset) -> Option<Timestamp> {
        let first = Date::new(year, 1, 1).ok()?;
        let (date, days) = match self.day {
            DayOfYear::Julian(day) => {
                let leap = i16::from(first.in_leap_year() && day >= 60);
                (first, day - 1 + leap)
            }
            DayOfYear::Elapsed(day) => (first, day),
            DayOfYear::Weekday { month, week, day } => {
                let weekday = Weekday::from_sunday_zero_offset(day).ok()?;
                let nth = if week == 5 { -1 } else { week };
                let month = Date::new(year, month, 1).ok()?;
                (month.nth_weekday_of_month(nth, weekday).ok()?, 0)
            }
        };
        let midnight = before
            .to_timestamp(date.to_datetime(Time::midnight()))
            .ok()?;
        let seconds = i64::from(days) * 86_400 + i64::from(self.time);
        later(midnight, SignedDuration::from_secs(seconds))
    }
}

/// The text that has not been read yet.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn next_if(&mut self, fits: impl Fn(u8) -> bool) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        fits(*first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.next_if(|next| next == byte).map(|_| ())
    }

    /// Reads an abbreviation: at least three letters, or any letters, digits and signs in `<>`.
    fn name(&mut self) -> Option<()> {
        let mut length = 0_usize;
        if self.expect(b'<').is_some() {
            while self
                .next_if(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'-')
                .is_some()
            {
                length += 1;
            }
            self.expect(b'>')?;
        } else {
            while self.next_if(|byte| byte.is_ascii_alphabetic()).is_some() {
                length += 1;
            }
        }
        (length >= 3).then_some(())
    }

    fn number(&mut self, max: i32) -> Option<i32> {
        let mut number = None;
        while let Some(digit) = self.next_if(|byte| byte.is_ascii_digit()) {
            let next = number.unwrap_or(0) * 10 + i32::from(digit - b'0');
            if next > max {
                return None;
            }
            number = Some(next);
        }
        number
    }

    /// Reads `[+-]hh[:mm[:ss]]`, in seconds.
    fn clock(&mut self, max_hours: i32) -> Option<i32> {
        let sign = match self.next_if(|byte| byte == b'+' || byte == b'-') {
            Some(b'-') => -1,
            _ => 1,
        };
        let mut seconds = self.number(max_hours)? * 3_600;
        for unit in [60, 1] {
            if self.expect(b':').is_none() {
                break;
            }
            seconds += self.number(59)? * unit;
        }
        Some(sign * seconds)
    }

    /// Reads an offset. POSIX counts west of Greenwich as positive.
    fn offset(&mut self) -> Option<Offset> {
        Offset::from_seconds(-self.clock(24)?).ok()
    }

    fn change(&mut self) -> Option<Change> {
        let day = if self.expect(b'J').is_some() {
            DayOfYear::Julian(
                i16::try_from(self.number(365)?)
                    .ok()
                    .filter(|day| *day > 0)?,
            )
        } else if self.expect(b'M').is_some() {
            let month = self.small(1, 12)?;
            self.expect(b'.')?;
            let week = self.small(1, 5)?;
            self.expect(b'.')?;
            let day = self.small(0, 6)?;
            DayOfYear::Weekday { month, week, day }
        } else {
            DayOfYear::Elapsed(i16::try_from(self.number(365)?).ok()?)
        };
        let time = match self.expect(b'/') {
            Some(()) => self.clock(167)?,
            None => 2 * 3_600,
        };
        Some(Change { day, time })
    }

    fn small(&mut self, min: i8, max: i8) -> Option<i8> {
        let number = i8::try_from(self.number(i32::from(max))?).ok()?;
        (number >= min).then_some(number)
    }
}

#[cfg(test)]
mod tests {

    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use pulsewing_testkit::at;

    use super::*;

    /// Rules of real zones, with every form of a date and some odd times.
    const RULES: [&str; 13] = [
        "UTC0",
        "JST-9",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "EET-2EEST,M3.5.4/50,M10.4.4/50",
        "IRST-3:30IRDT,J80/0,J264/0",
        "XXX3YYY,59/0,300/0",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
    ];

    #[test]
    fn an_offset_and_its_changes_are_those_of_jiff() {
        // Jiff reads such rules as well, but only with a heap.
        let mut instant = at("2023-12-25T00:00:00Z");
        while instant < at("2029-01-10T00:00:00Z") {
            for text in RULES {
                let offsets = Rule::parse(text).unwrap().offsets_around(instant);
                let zone = TimeZone::posix(text).unwrap();
                for hours in [-90, -25, -1, 0, 1, 25, 90] {
                    let there = instant + SignedDuration::from_hours(hours);
                    assert_eq!(
                        offsets.at(there),
                        zone.to_offset(there),
                        "{text} at {there}"
                    );
                }
            }
            instant += SignedDuration::from_hours(7);
        }
    }

    #[test]
    fn the_change_of_clocks_is_at_its_second() {
        let rule = Rule::parse("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let offsets = rule.offsets_around(at("2026-10-24T12:00:00Z"));
        assert_eq!(offsets.at(at("2026-10-25T00:59:59Z")), Offset::constant(2));
        assert_eq!(offsets.at(at("2026-10-25T01:00:00Z")), Offset::constant(1));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "CET",
            "-1",
            "CET-25",
            "CET-1CEST",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0/3",
            "CET-1CEST,M3.0.0,M10.5.0/3",
            "CET-1CEST,M3.5.7,M10.5.0/3",
            "CET-1CEST,J0,J365",
            "CET-1CEST,M3.5.0,M10.5.0/168",
            "CET-1 ",
            "Europe/Berlin",
            "<CET-1",
            "CET-99999999999999999999",
        ] {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_and_no_instant_make_it_panic(
            text in "[A-Z<>]{3,6}[-+0-9:]{0,9}[A-Z]{0,5}[,MJ0-9./-]{0,24}",
            seconds in -377_705_023_201_i64..=253_402_207_200,
        ) {
            if let Some(rule) = Rule::parse(&text) {
                let _ = rule.offsets_around(Timestamp::from_second(seconds).unwrap());
            }
        }
    }

    #[test]
    fn the_ends_of_the_calendar_have_an_offset() {
        for edge in [Timestamp::MIN, Timestamp::MAX] {
            for text in RULES {
                let _ = Rule::parse(text).unwrap().offsets_around(edge).at(edge);
            }
        }
    }
}
