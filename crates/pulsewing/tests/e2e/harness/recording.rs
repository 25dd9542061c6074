//! Recordings for the sandbox, as CSV.

use std::fmt::Write;

/// From the original's README: 158 minutes by 02:37, and the latest fifteen.
pub(crate) const ORIGINALS_LATEST: [u16; 15] =
    [85, 84, 85, 83, 86, 82, 85, 86, 84, 82, 82, 82, 81, 84, 84];

/// Returns a recording with one sample a minute from midnight, local to the sandbox's zone.
pub(crate) fn from_midnight(date: &str, bpm: impl IntoIterator<Item = u16>) -> String {
    let mut csv = String::from("time,bpm\n");
    for (minute, bpm) in bpm.into_iter().enumerate() {
        let (hour, minute) = (minute / 60, minute % 60);
        writeln!(csv, "{date}T{hour:02}:{minute:02}:20,{bpm}").unwrap();
    }
    csv
}

/// Returns the original's day.
pub(crate) fn the_originals_day() -> String {
    let before = std::iter::repeat_n(70, 158 - 15);
    from_midnight("2023-08-02", before.chain(ORIGINALS_LATEST))
}

/// Returns every minute of 2026-11-22 until 14:00, between 60 and 99 bpm.
pub(crate) fn until_two() -> String {
    from_midnight("2026-11-22", rates_until_two())
}

/// Returns the rates of these minutes.
pub(crate) fn rates_until_two() -> impl Iterator<Item = u16> {
    (0..14 * 60).map(|minute| 60 + minute % 40)
}
