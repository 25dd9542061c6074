//! Pictures that the program drew.

use std::{fs::File, io::BufReader};

use crate::harness::hermetic::Home;

/// A picture: its size, and its pixels as red, green and blue in rows from the top.
#[derive(PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) size: (u32, u32),
    pub(crate) rgb: Vec<[u8; 3]>,
}

/// Prints nothing of the pixels: they mean nothing to a reader.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Picture {
    /// Reads a PNG from the working directory.
    pub(crate) fn read(home: &Home, name: &str) -> Self {
        let file = File::open(home.work(name)).unwrap();
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        let (pixels, rest) = bytes.as_chunks();
        assert!(rest.is_empty());
        Self {
            size: reader.info().size(),
            rgb: pixels.to_vec(),
        }
    }

    /// Returns its colours, each once.
    pub(crate) fn colours(&self) -> Vec<[u8; 3]> {
        let mut colours = self.rgb.clone();
        colours.sort_unstable();
        colours.dedup();
        colours
    }

    /// Returns its mean brightness, 0 to 255.
    pub(crate) fn brightness(&self) -> f64 {
        let sum: u64 = self.rgb.as_flattened().iter().map(|c| u64::from(*c)).sum();
        sum as f64 / self.rgb.as_flattened().len() as f64
    }
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
