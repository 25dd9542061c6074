//! The expected contents of a board's screen, drawn here by the code that every face shares.

use std::path::Path;

use anyhow::Result;
use embedded_graphics::prelude::*;
use jiff::{Timestamp, tz::Offset};
use pulsewing_core::{
    Bpm, Provider,
    civil::Offsets,
    day::{Day, Sample, Window},
    heart_zone::HeartZones,
    reading::{Freshness, Reading, TimeZone, ZoneName, ZoneSource},
};
use pulsewing_screen::{Frame, Model, Palette, State, Theme, desk::Layout, draw};

use crate::picture::Picture;

/// The size of the board's panel.
const SIZE: Size = Size::new(480, 320);

/// The expected picture of a state, from some row down.
pub struct Sight {
    picture: Picture,
    from_row: usize,
}

impl Sight {
    /// Returns the sight of a state on a board that has not shown a heart rate yet: it fills the screen.
    pub fn page(state: State<'_>) -> Self {
        Self {
            picture: picture(&Model::from_state(state, Theme::Desk)),
            from_row: 0,
        }
    }

    /// Returns the sight of a state on a board that has shown a heart rate: a banner below it,
    /// independent of the rate.
    pub fn banner(state: State<'_>) -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let reading = any_reading(now);
        let model = Model::new(&reading, now, Freshness::Fresh, Theme::Desk).with_state(state);
        let banner = Layout::new(SIZE, true).banner();
        let from_row = banner.map_or(0, |area| area.top_left.y.unsigned_abs() as usize);
        Self {
            picture: picture(&model).rows_from(from_row),
            from_row,
        }
    }

    /// Writes the picture as a PPM, for a person to look at.
    pub fn write(&self, path: &Path) -> Result<()> {
        self.picture.write(path)
    }

    /// Fails, and reports the place, unless the screen shows this.
    pub fn check(&self, shown: &Picture) -> Result<()> {
        shown.rows_from(self.from_row).check_equal(&self.picture)
    }
}

/// Draws the picture of a model, in a board's default colours.
fn picture(model: &Model<'_>) -> Picture {
    let buffer = vec![0; Frame::<Vec<u8>>::bytes_for(SIZE)];
    let mut frame = Frame::new(SIZE, buffer).expect("a buffer of the frame's size");
    let Ok(()) = draw(model, &mut frame);
    let colours = pulsewing_screen::colours(model, SIZE, Palette::Day);
    Picture {
        width: SIZE.width as usize,
        height: SIZE.height as usize,
        pixels: frame.pixels().map(|ink| colours.rgb(ink)).collect(),
    }
}

/// Returns a reading with one heart rate.
fn any_reading(now: Timestamp) -> Reading {
    let offsets = Offsets::fixed(Offset::UTC);
    let mut window = Window::ending_at(now);
    let bpm = Bpm::new(60).expect("a heart rate");
    window.insert(Sample { at: now, bpm });
    Reading {
        provider: Provider::Google,
        day: Day::new(offsets.day_of(now)),
        time_zone: TimeZone {
            name: ZoneName::new(),
            source: ZoneSource::Machine,
            offsets,
        },
        window,
        battery_percent: None,
        last_sync: None,
        resting: None,
        heart_zones: HeartZones::PLAIN,
        fetched_at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_is_part_of_the_picture_and_a_page_is_all_of_it() {
        let page = Sight::page(State::Offline);
        assert_eq!(page.picture.height, 320);
        assert!(page.check(&page.picture).is_ok());
        let other = Sight::page(State::WaitingForClock);
        assert!(other.check(&page.picture).is_err());

        let banner = Sight::banner(State::Offline);
        assert!((20..100).contains(&banner.picture.height));
        let mut shown = page.picture;
        assert!(banner.check(&shown).is_err());
        let rows = shown.pixels.len() - banner.picture.pixels.len();
        shown.pixels.truncate(rows);
        shown.pixels.extend(&banner.picture.pixels);
        assert!(banner.check(&shown).is_ok());
        assert!(Sight::banner(State::FirstStart).check(&shown).is_err());
    }
}
