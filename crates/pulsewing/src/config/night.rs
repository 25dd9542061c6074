//! The part of the day in which the night palette is used.

use jiff::civil::Time;
use serde::Deserialize;

/// A part of every day, such as "22:00-07:00", on the wearer's clock. It may span midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Night {
    from: Time,
    until: Time,
}

impl Night {
    /// Returns whether it is night at a time of day. The start is inclusive, the end exclusive.
    pub(crate) fn has(self, time: Time) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }
}

impl TryFrom<String> for Night {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split_once('-').and_then(|(from, until)| {
            let (from, until) = (time(from.trim())?, time(until.trim())?);
            (from != until).then_some(Self { from, until })
        });
        parts.ok_or_else(|| {
            format!("\"{text}\" is not a part of the day; write it like \"22:00-07:00\"")
        })
    }
}

/// Parses a time such as 7:00 or 22:30.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let is_plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| is_plain)
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_may_reach_over_midnight() {
        let has = |night: &str, times: [&str; 6]| {
            let night = Night::try_from(night.to_owned()).unwrap();
            times.map(|at| night.has(time(at).unwrap()))
        };
        let times = ["21:59", "22:00", "23:59", "0:00", "06:59", "07:00"];
        assert_eq!(
            has("22:00-07:00", times),
            [false, true, true, true, true, false]
        );
        let times = ["0:59", "1:00", "4:00", "05:29", "5:30", "23:00"];
        assert_eq!(
            has("1:00 - 5:30", times),
            [false, true, true, true, false, false]
        );
        for bad in [
            "",
            "22:00",
            "22-7",
            "22:00-22:00",
            "24:00-07:00",
            "22:60-07:00",
            "+2:00-07:00",
            "22:00-07:00:00",
            "night",
        ] {
            let error = Night::try_from(bad.to_owned()).unwrap_err();
            assert!(error.contains("22:00-07:00"), "{bad}: {error}");
        }
    }
}
