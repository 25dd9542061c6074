//! Pictures that the program drew.

use pulsewing_testkit::{golden, pictures::Picture};

use crate::harness::hermetic::Home;

/// Reads a PNG from the working directory.
pub(crate) fn read(home: &Home, name: &str) -> Picture {
    golden::read(&home.work(name))
}

/// Asserts that two PNGs in the working directory show the same picture.
#[track_caller]
pub(crate) fn assert_same(home: &Home, drawn: &str, expected: &str) {
    assert_eq!(read(home, drawn), read(home, expected), "{drawn}");
}

/// Saves Fitbit's reply for a day on which these minutes were logged, `HH:MM` each.
pub(crate) fn save_day(home: &Home, minutes: impl Iterator<Item = (u32, u32)>) -> String {
    let dataset: Vec<String> = minutes
        .map(|(minute, bpm)| {
            let (hour, minute) = (minute / 60, minute % 60);
            format!(r#"{{"time":"{hour:02}:{minute:02}:00","value":{bpm}}}"#)
        })
        .collect();
    let dataset = dataset.join(",");
    home.write(
        "heart.json",
        &format!(
            r#"{{"activities-heart":[{{"dateTime":"2026-11-22","value":{{}}}}],"activities-heart-intraday":{{"dataset":[{dataset}],"datasetInterval":1,"datasetType":"minute"}}}}"#
        ),
    )
}

/// Saves a day until two o'clock.
pub(crate) fn save_ordinary_day(home: &Home) -> String {
    save_day(home, (0..840).map(|minute| (minute, 60 + minute / 7 % 70)))
}

/// Returns the arguments of `render` at seven past two, followed by more.
pub(crate) fn render<'a>(heart: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let line = [
        "render",
        "--provider",
        "fitbit",
        "--heart",
        heart,
        "--now",
        "2026-11-22T14:07:30Z",
    ];
    [&line, more].concat()
}
