//! What is accepted, and what is refused.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::Bpm;

use super::{json, line_protocol};

/// The size limit of a body, in bytes: the most samples, with a hundred bytes each.
pub const MOST_BYTES: usize = 1_000_000;

/// The number of samples in a body, refused ones included.
pub const MOST_SAMPLES: usize = 10_000;

/// The age from which on a sample is refused.
pub const OLDEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// How far a sample's time may lie in the future: clocks differ.
pub const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `[{"at":"2026-11-22T14:07:00Z","bpm":72}]`: `at` is RFC 3339, with any offset and fraction. Other
    /// members are ignored, except that `"contact":false` refuses the sample.
    Json,
    /// `heart_rate,device=strap bpm=72i 1795356420000000000`: one sample a line (InfluxDB's line protocol,
    /// as its documentation of version 2 describes it). The rate is the field `bpm`, `heart_rate`, `hr`
    /// or `value`; a line without a time is of now.
    LineProtocol(Precision),
}

/// The unit of times in line protocol, InfluxDB's parameter `precision`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Nanoseconds since 1970.
    #[default]
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl FromStr for Precision {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "ns" => Self::Nanoseconds,
            "us" | "u" => Self::Microseconds,
            "ms" => Self::Milliseconds,
            "s" => Self::Seconds,
            _ => return Err(()),
        })
    }
}

/// A heart rate at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSample {
    /// The time of the measurement.
    pub at: Timestamp,
    /// The rate.
    pub bpm: Bpm,
}

/// What a body had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The samples that are accepted, in their order.
    pub samples: Vec<LiveSample>,
    /// The others.
    pub refused: Refused,
}

/// Counts refused samples by their reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    counts: [usize; Reason::ALL.len()],
    firsts: [usize; Reason::ALL.len()],
}

impl Refused {
    /// Counts a sample; `place` is its place in the body, from 1 on.
    pub fn count(&mut self, reason: Reason, place: usize) {
        let counters = self.counts.iter_mut().zip(&mut self.firsts);
        if let Some((count, first)) = counters
            .zip(Reason::ALL)
            .find_map(|(counters, known)| (known == reason).then_some(counters))
        {
            if *count == 0 {
                *first = place;
            }
            *count += 1;
        }
    }

    /// Returns the number of refused samples.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Returns each reason that occurred, with the number of samples and the place of the first.
    pub fn reasons(&self) -> impl Iterator<Item = (Reason, usize, usize)> + '_ {
        Reason::ALL
            .into_iter()
            .zip(self.counts)
            .zip(self.firsts)
            .filter(|((_, count), _)| *count > 0)
            .map(|((reason, count), first)| (reason, count, first))
    }
}

/// Why a sample is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its time cannot be read.
    Time,
    /// It is older than [`OLDEST`].
    TooOld,
    /// It is later than now by more than [`AHEAD`].
    Future,
    /// Its rate is not 1 to 300 beats per minute.
    Rate,
    /// The sensor has no contact with the skin, so its rate is none.
    NoContact,
    /// The line has no field with a rate.
    NoRate,
    /// Its minute has more samples than are averaged.
    Crowded,
}

impl Reason {
    const ALL: [Self; 7] = [
        Self::Time,
        Self::TooOld,
        Self::Future,
        Self::Rate,
        Self::NoContact,
        Self::NoRate,
        Self::Crowded,
    ];

    /// Returns the word for machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::TooOld => "too-old",
            Self::Future => "future",
            Self::Rate => "rate",
            Self::NoContact => "no-contact",
            Self::NoRate => "no-rate",
            Self::Crowded => "crowded",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "the time is not RFC 3339, such as 2026-11-22T14:07:00Z, or lies outside the calendar",
            Self::TooOld => "older than 31 days",
            Self::Future => "more than a minute in the future; check the sender's clock",
            Self::Rate => "the rate is not 1 to 300 beats per minute",
            Self::NoContact => "the sensor has no contact",
            Self::NoRate => "no field bpm, heart_rate, hr or value with a number",
            Self::Crowded => "more samples in one minute than are averaged",
        })
    }
}

/// Why a body is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It has too many bytes.
    #[error("the body is larger than {MOST_BYTES} bytes")]
    TooLarge,
    /// It has too many samples.
    #[error("there are more than {MOST_SAMPLES} samples; send them in several calls")]
    TooMany,
    /// It is not the expected JSON. The words have line and column.
    #[error("the body is not a list like [{{\"at\":\"2026-11-22T14:07:00Z\",\"bpm\":72}}]: {0}")]
    Json(String),
    /// It is not line protocol.
    #[error("line {line} is not line protocol: {what}")]
    Line {
        /// The number of the line, from 1 on.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Decodes a body that arrives at `now`.
///
/// # Errors
/// [`Malformed`]; then none of its samples counts.
pub fn decode(body: &[u8], format: Format, now: Timestamp) -> Result<Decoded, Malformed> {
    if body.len() > MOST_BYTES {
        return Err(Malformed::TooLarge);
    }
    let mut judge = Judge {
        now,
        place: 0,
        decoded: Decoded::default(),
    };
    match format {
        Format::Json => json::decode(body, &mut judge)?,
        Format::LineProtocol(precision) => line_protocol::decode(body, precision, &mut judge)?,
    }
    Ok(judge.decoded)
}

/// Judges one sample after the other.
pub(super) struct Judge {
    now: Timestamp,
    place: usize,
    decoded: Decoded,
}

impl Judge {
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Begins the next sample.
    ///
    /// # Errors
    /// [`Malformed::TooMany`].
    pub(super) const fn next(&mut self) -> Result<(), Malformed> {
        if self.place == MOST_SAMPLES {
            return Err(Malformed::TooMany);
        }
        self.place += 1;
        Ok(())
    }

    pub(super) fn refuse(&mut self, reason: Reason) {
        self.decoded.refused.count(reason, self.place);
    }

    /// Judges a sample of which the time was read, if it can be.
    pub(super) fn sample(&mut self, at: Option<Timestamp>, rate: f64) {
        let Some(at) = at else {
            return self.refuse(Reason::Time);
        };
        let ahead = at.duration_since(self.now);
        if ahead > AHEAD {
            return self.refuse(Reason::Future);
        }
        if -ahead > OLDEST {
            return self.refuse(Reason::TooOld);
        }
        match whole(rate) {
            Some(bpm) => self.decoded.samples.push(LiveSample { at, bpm }),
            None => self.refuse(Reason::Rate),
        }
    }
}

/// Rounds a rate half up.
fn whole(rate: f64) -> Option<Bpm> {
    let rounded = (rate + 0.5).floor();
    let is_rate = rounded >= 1.0 && rounded <= f64::from(Bpm::MAX);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole, and between 1 and 300"
    )]
    is_rate.then(|| Bpm::from_whole(rounded as i64)).flatten()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use pulsewing_testkit::at;

    use super::*;

    pub(crate) const NOW: &str = "2026-11-22T14:07:30Z";

    pub(crate) fn json(body: &str) -> Result<Decoded, Malformed> {
        decode(body.as_bytes(), Format::Json, at(NOW))
    }

    /// Returns the name of each reason, with its count.
    pub(crate) fn reasons(decoded: &Decoded) -> Vec<(&'static str, usize, usize)> {
        let reasons = decoded.refused.reasons();
        reasons
            .map(|(reason, count, first)| (reason.name(), count, first))
            .collect()
    }

    fn of(at: &str, bpm: &str) -> Decoded {
        json(&format!(r#"[{{"at":"{at}","bpm":{bpm}}}]"#)).unwrap()
    }

    #[test]
    fn times_are_judged_to_the_second() {
        for (at, reason) in [
            ("2026-11-22T14:07:30Z", None),
            ("2026-11-22T15:07:30.250+01:00", None),
            ("2026-11-22T14:08:30Z", None),
            ("2026-11-22T14:08:30.001Z", Some("future")),
            ("2026-10-22T14:07:30Z", None),
            ("2026-10-22T14:07:29Z", Some("too-old")),
            ("9999-12-31T23:59:59Z", Some("time")),
            ("2026-11-22 14:07:30", Some("time")),
            ("now", Some("time")),
            ("", Some("time")),
        ] {
            let decoded = of(at, "72");
            let told = decoded.refused.reasons().next();
            // The end of the calendar is in the future, or nowhere.
            let told = told.map(|(reason, ..)| match reason.name() {
                "future" if at.starts_with("9999") => "time",
                name => name,
            });
            assert_eq!(told, reason, "{at}");
            assert_eq!(decoded.samples.len(), usize::from(reason.is_none()), "{at}");
        }
    }

    #[test]
    fn rates_are_those_of_the_core_and_fractions_are_rounded_half_up() {
        for (bpm, expected) in [
            ("1", Some(1)),
            ("300", Some(300)),
            ("71.5", Some(72)),
            ("71.49", Some(71)),
            ("0.5", Some(1)),
            ("300.4", Some(300)),
            ("0", None),
            ("0.4", None),
            ("301", None),
            ("-70", None),
            ("1e300", None),
        ] {
            let decoded = of(NOW, bpm);
            let told = decoded.samples.first().map(|sample| sample.bpm.get());
            assert_eq!(told, expected, "{bpm}");
            assert_eq!(decoded.refused.total(), usize::from(expected.is_none()));
        }
    }

    #[test]
    fn a_body_has_limits() {
        let sample = format!(r#"{{"at":"{NOW}","bpm":72}}"#);
        let list = |count| format!("[{}]", vec![sample.as_str(); count].join(","));
        assert_eq!(json(&list(MOST_SAMPLES)).unwrap().samples.len(), 10_000);
        assert_eq!(json(&list(MOST_SAMPLES + 1)), Err(Malformed::TooMany));
        let spaces = " ".repeat(MOST_BYTES);
        assert_eq!(json(&format!("{spaces}[]")), Err(Malformed::TooLarge));
        // Refused ones count as well.
        let refused = list(MOST_SAMPLES + 1).replace("\"bpm\":72", "\"bpm\":0");
        assert_eq!(json(&refused), Err(Malformed::TooMany));
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(
            body in prop::collection::vec(any::<u8>(), 0..400),
            precision in prop::sample::select(vec!["ns", "us", "ms", "s"]),
        ) {
            let _ = decode(&body, Format::Json, at(NOW));
            let precision = precision.parse().unwrap();
            let _ = decode(&body, Format::LineProtocol(precision), at(NOW));
        }

        #[test]
        fn whatever_looks_like_one_of_the_forms_is_decoded_or_refused(
            json in r#"\[?(\{"(at|bpm|contact)":("2026-11-22T14:07:0[0-9]Z"|-?[0-9]{1,3}(\.[0-9])?|null|true)[,}:]){0,6}\]?"#,
            lines in "(([a-z]{1,3}|\\\\|\"|,| |=|#|\n|[0-9]{1,4}|i|-|bpm=){0,20}\n?){0,4}",
        ) {
            for (body, format) in [
                (&json, Format::Json),
                (&lines, Format::LineProtocol(Precision::Seconds)),
            ] {
                if let Ok(decoded) = decode(body.as_bytes(), format, at(NOW)) {
                    prop_assert!(decoded.samples.len() + decoded.refused.total() <= MOST_SAMPLES);
                    for sample in &decoded.samples {
                        prop_assert!(sample.at.duration_since(at(NOW)) <= AHEAD);
                        prop_assert!(at(NOW).duration_since(sample.at) <= OLDEST);
                    }
                }
            }
        }
    }
}
