//! The time that days are kept.

use std::{fmt, str::FromStr};

use jiff::{Span, civil::Date};

/// The longest retention in days: a hundred years.
const MAX_DAYS: u16 = 36_525;

/// The time that days are kept, from `[history] keep`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum Retention {
    /// All days.
    #[default]
    Forever,
    /// The newest N days, including today.
    Days(u16),
    /// Nothing is written.
    Nothing,
}

impl Retention {
    /// Returns the earliest date that is kept on the wearer's day `today`; `None` if all are.
    #[must_use]
    pub fn earliest(self, today: Date) -> Option<Date> {
        match self {
            Self::Forever | Self::Nothing => None,
            Self::Days(days) => today
                .checked_sub(Span::new().days(i64::from(days) - 1))
                .ok(),
        }
    }
}

impl FromStr for Retention {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "forever" => return Ok(Self::Forever),
            "none" => return Ok(Self::Nothing),
            _ => {}
        }
        text.strip_suffix("days")
            .or_else(|| text.strip_suffix("day"))
            .and_then(|days| days.trim().parse().ok())
            .filter(|days| (1..=MAX_DAYS).contains(days))
            .map(Self::Days)
            .ok_or_else(|| {
                format!(
                    "\"{text}\" is not a retention; write \"forever\", \"none\" or a time such as \"400 days\""
                )
            })
    }
}

impl TryFrom<String> for Retention {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("forever"),
            Self::Days(1) => f.write_str("1 day"),
            Self::Days(days) => write!(f, "{days} days"),
            Self::Nothing => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_retention_is_read_as_it_is_written() {
        for keep in [
            Retention::Forever,
            Retention::Nothing,
            Retention::Days(1),
            Retention::Days(400),
        ] {
            assert_eq!(keep.to_string().parse(), Ok(keep));
        }
        for bad in [
            "",
            "always",
            "0 days",
            "-1 days",
            "400",
            "99999 days",
            "4 weeks",
        ] {
            assert!(bad.parse::<Retention>().is_err(), "{bad}");
        }
    }

    #[test]
    fn one_day_is_today() {
        let today = date(2026, 11, 22);
        assert_eq!(Retention::Days(1).earliest(today), Some(today));
        assert_eq!(Retention::Days(2).earliest(today), Some(date(2026, 11, 21)));
        assert_eq!(Retention::Forever.earliest(today), None);
        assert_eq!(Retention::Days(u16::MAX).earliest(Date::MIN), None);
    }
}
