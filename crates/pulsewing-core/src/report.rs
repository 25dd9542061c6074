//! The report that the original sketch printed on its serial port, word for word.
//!
//! Its spacing is the original's as well (`Pulses :`, two blanks after `Uptime:` and `in:`), because
//! users' scripts read it. The Google dialect differs in three words.

use core::{fmt, time::Duration};

use crate::{Provider, reading::Reading};

const RULE: &str = "===============================";

/// A report of one cycle. [`fmt::Display`] writes it, with a line feed at the end of every line.
#[derive(Clone, Copy, Debug)]
pub struct Report<'r> {
    /// The result of the cycle.
    pub reading: &'r Reading,
    /// The place that a token was written to, if one was: `NVM` on a board, `disk` on a host.
    pub token_written_to: Option<&'static str>,
    /// The time since the program, or the board, was started.
    pub uptime: Duration,
    /// The time until the next update, if there is one.
    pub next_update: Option<Duration>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cloud, label) = match self.reading.provider {
            Provider::Google => ("GOOGLE HEALTH", "Health"),
            Provider::Fitbit => ("FITBIT", "Fitbit"),
        };
        if let Some(place) = self.token_written_to {
            writeln!(f, "Next token written to {place} Successfully!\n")?;
        }
        writeln!(f, "Attempting to GET {cloud} Stats!\n{RULE}")?;
        self.write_day(f, label)?;
        if let Some(percent) = self.reading.battery_percent {
            writeln!(f, "Watch Battery %: {percent}")?;
        }
        writeln!(f, "Board Uptime:  {}\n\nFinished!", Spoken(self.uptime))?;
        if let Some(next) = self.next_update {
            writeln!(f, "Next Update in:  {}", Spoken(next))?;
        }
        writeln!(f, "{RULE}")
    }
}

impl Report<'_> {
    fn write_day(&self, f: &mut fmt::Formatter<'_>, label: &str) -> fmt::Result {
        let day = &self.reading.day;
        let Some(latest) = day.latest_fifteen() else {
            writeln!(f, "Waiting for latest sync...")?;
            return writeln!(f, "Not enough values for today to display yet.");
        };
        let date = day.local().date();
        writeln!(f, "{label} Date: {date}")?;
        if let Some((minute, _)) = latest.last() {
            let time = day.local().clock(*minute);
            writeln!(f, "{label} Time: {:02}:{:02}", time.hour(), time.minute())?;
        }
        writeln!(f, "Today's Logged Pulses : {}", day.logged_minutes())?;
        f.write_str("Latest 15 Minute Averages: ")?;
        for (place, (_, bpm)) in latest.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            write!(f, "{bpm}")?;
        }
        writeln!(f)
    }
}

/// A duration in the original's words: whole seconds, minutes or hours, then days with one decimal.
/// Halves are rounded to even, as in the original's formatting.
struct Spoken(Duration);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Half a billion years fit, and 128-bit arithmetic is slow on a board.
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        match self.0.as_secs() {
            ..60 => write!(f, "{} seconds", divide_half_even(millis, 1_000)),
            60..3_600 => write!(f, "{} minutes", divide_half_even(millis, 60_000)),
            3_600..86_400 => write!(f, "{} hours", divide_half_even(millis, 3_600_000)),
            86_400.. => {
                let tenths = divide_half_even(millis, 8_640_000);
                write!(f, "{}.{} days", tenths / 10, tenths % 10)
            }
        }
    }
}

fn divide_half_even(number: u64, divisor: u64) -> u64 {
    let (whole, twice) = (number / divisor, number % divisor * 2);
    whole + u64::from(twice > divisor || (twice == divisor && whole % 2 == 1))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, string::String};

    use jiff::{civil::date, tz::Offset};

    use super::*;
    use crate::{
        Bpm,
        civil::Offsets,
        day::{Day, Window},
        heart_zone::HeartZones,
        reading::{TimeZone, ZoneName, ZoneSource},
    };

    /// Returns the reading of the original's README: 158 minutes by 02:37.
    fn reading(provider: Provider, minutes: u16) -> Reading {
        let offsets = Offsets::fixed(Offset::constant(-4));
        let mut day = Day::new(offsets.day(date(2023, 8, 2)));
        let latest = [85, 84, 85, 83, 86, 82, 85, 86, 84, 82, 82, 82, 81, 84, 84];
        for minute in 0..minutes {
            let from_end = usize::from(minutes - minute);
            let bpm = latest
                .get(15_usize.wrapping_sub(from_end))
                .copied()
                .unwrap_or(70);
            day.record(minute, Bpm::new(bpm).unwrap());
        }
        let fetched_at = "2023-08-02T06:51:00Z".parse().unwrap();
        let mut window = Window::ending_at(fetched_at);
        window.insert_day(&day);
        Reading {
            provider,
            time_zone: TimeZone {
                name: ZoneName::new(),
                source: ZoneSource::Cloud,
                offsets,
            },
            day,
            window,
            battery_percent: None,
            last_sync: None,
            resting: None,
            heart_zones: HeartZones::PLAIN,
            fetched_at,
        }
    }

    fn report(reading: &Reading) -> String {
        let hours = |h: u64| Duration::from_secs(h * 3_600);
        format!(
            "{}",
            Report {
                reading,
                token_written_to: Some("NVM"),
                uptime: hours(12),
                next_update: Some(hours(1) / 4),
            }
        )
    }

    #[test]
    fn the_originals_values_give_the_originals_report() {
        let expected = "\
Next token written to NVM Successfully!

Attempting to GET FITBIT Stats!
===============================
Fitbit Date: 2023-08-02
Fitbit Time: 02:37
Today's Logged Pulses : 158
Latest 15 Minute Averages: 85,84,85,83,86,82,85,86,84,82,82,82,81,84,84
Board Uptime:  12 hours

Finished!
Next Update in:  15 minutes
===============================
";
        assert_eq!(report(&reading(Provider::Fitbit, 158)), expected);
    }

    #[test]
    fn google_is_named_and_the_battery_follows_the_averages() {
        let mut reading = reading(Provider::Google, 158);
        reading.battery_percent = Some(84);
        let printed = report(&reading);
        assert!(printed.contains("Attempting to GET GOOGLE HEALTH Stats!\n"));
        assert!(printed.contains("Health Date: 2023-08-02\nHealth Time: 02:37\n"));
        assert!(printed.contains(",84,84\nWatch Battery %: 84\nBoard Uptime:"));
    }

    #[test]
    fn fourteen_minutes_are_not_enough() {
        let printed = report(&reading(Provider::Fitbit, 14));
        let expected = "\
===============================
Waiting for latest sync...
Not enough values for today to display yet.
Board Uptime:  12 hours
";
        assert!(printed.contains(expected), "{printed}");
    }

    #[test]
    fn durations_are_worded_as_the_original_did() {
        let spoken = |s: f64| format!("{}", Spoken(Duration::from_secs_f64(s)));
        assert_eq!(spoken(0.0), "0 seconds");
        assert_eq!(spoken(2.5), "2 seconds");
        assert_eq!(spoken(59.9), "60 seconds");
        assert_eq!(spoken(3_599.0), "60 minutes");
        assert_eq!(spoken(5_400.0), "2 hours");
        assert_eq!(spoken(181_440.0), "2.1 days");
    }
}
