//! Reply bodies for benches and tests, in the shapes and sizes of a whole day.
//!
//! The same bytes on every run: the values come from a linear congruential generator with a fixed
//! seed. Written by hand, byte by byte, so that no decoder under test had a part in it.

/// Minutes of a day, and so points of a body that holds every minute.
pub const MINUTES: usize = 1_440;

/// Pages of the raw list that together hold a day.
pub const RAW_PAGES: usize = 6;

/// Points on each raw page.
pub const RAW_POINTS: usize = 5_000;

/// The layout of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// No white space between tokens.
    Compact,
    /// One member a line, two spaces a level, as Google prints unless asked otherwise.
    Indented,
}

/// A day of the Fitbit intraday call at one-minute detail: about 45.6 KB.
pub fn fitbit_day() -> Vec<u8> {
    let mut pulse = Pulse::new();
    let mut body = String::from(concat!(
        r#"{"activities-heart":[{"dateTime":"2026-11-22","value":{"customHeartRateZones":[],"#,
        r#""heartRateZones":[{"caloriesOut":612.4,"max":108,"min":30,"minutes":431,"name":"Out of Range"},"#,
        r#"{"caloriesOut":20.1,"max":136,"min":108,"minutes":3,"name":"Fat Burn"},"#,
        r#"{"caloriesOut":0,"max":171,"min":136,"minutes":0,"name":"Cardio"},"#,
        r#"{"caloriesOut":0,"max":220,"min":171,"minutes":0,"name":"Peak"}],"restingHeartRate":61}}],"#,
        r#""activities-heart-intraday":{"dataset":["#,
    ));
    for minute in 0..MINUTES {
        if minute > 0 {
            body.push(',');
        }
        let (hour, minute) = (minute / 60, minute % 60);
        let value = pulse.next_bpm();
        body += &format!(r#"{{"time":"{hour:02}:{minute:02}:00","value":{value}}}"#);
    }
    body.push_str(r#"],"datasetInterval":1,"datasetType":"minute"}}"#);
    body.into_bytes()
}

/// A day of Google's `rollUp` in windows of a minute, newest first: about 226 KB when compact.
pub fn google_rollup_day(layout: Layout) -> Vec<u8> {
    let mut pulse = Pulse::new();
    let mut body = String::from(r#"{"rollupDataPoints":["#);
    for minute in (0..MINUTES).rev() {
        if minute < MINUTES - 1 {
            body.push(',');
        }
        let (start, end) = (minute_of_day(minute), minute_of_day(minute + 1));
        let (average, spread) = (pulse.next_bpm(), pulse.next_below(9));
        let hundredths = pulse.next_below(100);
        let (highest, lowest) = (average + 1 + spread, average - spread);
        body += &format!(
            concat!(
                r#"{{"startTime":"{}","endTime":"{}","heartRate":{{"#,
                r#""beatsPerMinuteAvg":{}.{:02},"beatsPerMinuteMax":{},"beatsPerMinuteMin":{}}}}}"#,
            ),
            start, end, average, hundredths, highest, lowest
        );
    }
    body.push_str("]}");
    lay_out(body, layout)
}

/// One page of Google's raw heart-rate list, newest first: about 1.6 MB when compact.
///
/// `page` counts from 0; six pages, a sample every two to three seconds, are a day.
pub fn google_raw_page(page: usize, layout: Layout) -> Vec<u8> {
    let mut pulse = Pulse::new();
    let mut body = String::from(r#"{"dataPoints":["#);
    for point in 0..RAW_POINTS {
        if point > 0 {
            body.push(',');
        }
        let newest_first = RAW_PAGES * RAW_POINTS - 1 - (page * RAW_POINTS + point);
        let second_of_day = newest_first * 86_400 / (RAW_PAGES * RAW_POINTS);
        let (hour, minute, second) = (
            second_of_day / 3_600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        );
        let (day_utc, hour_utc) = if hour == 0 { (21, 23) } else { (22, hour - 1) };
        let value = pulse.next_bpm();
        body += &format!(
            concat!(
                r#"{{"dataSource":{{"recordingMethod":"PASSIVELY_MEASURED","platform":"FITBIT"}},"#,
                r#""heartRate":{{"sampleTime":{{"#,
                r#""physicalTime":"2026-11-{}T{:02}:{:02}:{:02}Z","utcOffset":"3600s","#,
                r#""civilTime":{{"date":{{"year":2026,"month":11,"day":22}},"#,
                r#""time":{{"hours":{},"minutes":{},"seconds":{}}}}}}},"#,
                r#""beatsPerMinute":"{}","metadata":{{"motionContext":"SEDENTARY"}}}}}}"#,
            ),
            day_utc, hour_utc, minute, second, hour, minute, second, value
        );
    }
    body += &format!(r#"],"nextPageToken":"opaque-{page}"}}"#);
    lay_out(body, layout)
}

fn minute_of_day(minute: usize) -> String {
    let (day, hour, minute) = (22 + minute / MINUTES, minute / 60 % 24, minute % 60);
    format!("2026-11-{day}T{hour:02}:{minute:02}:00Z")
}

/// Indents a compact body.
///
/// Strings are copied whole, so that their characters stay as they are.
fn lay_out(compact: String, layout: Layout) -> Vec<u8> {
    if layout == Layout::Compact {
        return compact.into_bytes();
    }
    let mut body = String::new();
    let mut level = 0;
    let mut in_string = false;
    let new_line = |body: &mut String, level: usize| {
        body.push('\n');
        body.extend(std::iter::repeat_n("  ", level));
    };
    for character in compact.chars() {
        if in_string || character == '"' {
            in_string ^= character == '"';
            body.push(character);
            continue;
        }
        match character {
            '{' | '[' => {
                level += 1;
                body.push(character);
                new_line(&mut body, level);
            }
            '}' | ']' => {
                level -= 1;
                new_line(&mut body, level);
                body.push(character);
            }
            ',' => {
                body.push(character);
                new_line(&mut body, level);
            }
            ':' => body.push_str(": "),
            _ => body.push(character),
        }
    }
    body.push('\n');
    body.into_bytes()
}

/// Made-up beats per minute: Knuth's 64-bit linear congruential generator, fixed seed.
struct Pulse(u64);

impl Pulse {
    fn new() -> Self {
        Self(0x5eed)
    }

    fn next_below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// 50 to 119, so that most values have two digits and some three.
    fn next_bpm(&mut self) -> u64 {
        50 + self.next_below(70)
    }
}
