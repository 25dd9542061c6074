//! The bus costs of whole days on a panel, compared with the original's: the whole frame, every
//! time.

use std::{fmt::Write as _, ops::Range};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::Offset,
};
use pulsewing_core::{Bpm, civil::Offsets, day::Day, reading::Reading};
use pulsewing_screen::{
    Frame, Model, Theme, Tiles,
    changes::{self, Changes, Cost},
};

use crate::{
    pictures::{PANEL, blank, drawn},
    wearer,
};

/// The bytes that the original sends at every update: a window and 153,600 pixels of two bytes.
pub const ORIGINAL_BYTES: u64 = 307_211;

/// The bytes to set a window: three commands and eight bytes, with each command and each argument
/// list sent separately.
const WINDOW_BYTES: u64 = 11;
const WINDOW_TRANSACTIONS: u64 = 6;

/// The number of bytes in one transaction.
const BATCH: u64 = 4_096;

const EVERY: i64 = 15;

/// A reading, its time, and the day before it.
pub struct Poll {
    /// The reading.
    pub reading: Reading,
    /// When it was taken.
    pub taken: Timestamp,
    /// The day before its day.
    pub earlier: Day,
}

impl Poll {
    /// Returns the model of its picture in the desk theme, some minutes later.
    pub fn model(&self, later: i64) -> Model<'_> {
        let now = self.taken + SignedDuration::from_mins(later);
        let every = SignedDuration::from_mins(EVERY);
        let freshness = self.reading.freshness(now, every, false);
        Model::new(&self.reading, now, freshness, Theme::Desk).with_earlier(&self.earlier)
    }
}

/// Returns some days of the synthetic wearer, polled every quarter of an hour.
pub fn polls(days: i64) -> Vec<Poll> {
    // Begin with a day that has a past, otherwise the first polls would have little to show.
    polls_of(date(2026, 11, 22), 1..days + 1, wearer::bpm)
}

/// Returns some days of a wearer; `bpm` gives the rate of a minute, counted from midnight of
/// `first`.
pub fn polls_of(first: Date, days: Range<i64>, bpm: impl Fn(i64) -> Option<Bpm>) -> Vec<Poll> {
    let offsets = Offsets::fixed(Offset::constant(1));
    let midnight = offsets.day(first).start();
    let polls = days.start * 1_440 / EVERY..days.end * 1_440 / EVERY;
    polls
        .map(|poll| {
            let now = midnight + SignedDuration::from_mins(poll * EVERY + 7);
            let reading = wearer::reading(&offsets, now, first, &bpm);
            let before = reading.day.local().start() - SignedDuration::from_mins(1);
            Poll {
                earlier: wearer::reading(&offsets, before, first, &bpm).day,
                taken: now,
                reading,
            }
        })
        .collect()
}

/// Returns the frame of a reading some minutes after it was taken.
pub fn frame(poll: &Poll, later: i64) -> Frame<Vec<u8>> {
    drawn(&poll.model(later), PANEL)
}

/// The cost of one update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traffic {
    /// The bytes on the bus.
    pub bytes: u64,
    /// The transactions on the bus.
    pub transactions: u64,
    /// The rectangles that are sent.
    pub rectangles: u64,
}

impl Traffic {
    fn of(changes: &Changes) -> Self {
        let mut traffic = Self {
            bytes: 0,
            transactions: 0,
            rectangles: changes.len() as u64,
        };
        for area in changes {
            let pixels = 2 * u64::from(area.size.width) * u64::from(area.size.height);
            traffic.bytes += WINDOW_BYTES + pixels;
            traffic.transactions += WINDOW_TRANSACTIONS + pixels.div_ceil(BATCH);
        }
        traffic
    }
}

/// The costs of updates of one kind, ascending.
#[derive(Clone, Debug)]
pub struct Updates(Vec<Traffic>);

impl Updates {
    fn new(mut updates: Vec<Traffic>) -> Self {
        updates.sort_unstable();
        Self(updates)
    }

    /// Returns the cost that `percent` percent of the updates do not exceed.
    pub fn percentile(&self, percent: usize) -> Traffic {
        self.0[(self.0.len() - 1) * percent / 100]
    }

    /// Returns the number of rectangles of the update that has most.
    ///
    /// # Panics
    ///
    /// If there are no updates.
    #[must_use]
    pub fn most_rectangles(&self) -> u64 {
        self.0.iter().map(|update| update.rectangles).max().unwrap()
    }

    fn line(&self, name: &str) -> String {
        let mut line = format!("{name:22}");
        for percent in [50, 90, 100] {
            let Traffic {
                bytes,
                transactions,
                ..
            } = self.percentile(percent);
            let share = bytes as f64 / ORIGINAL_BYTES as f64 * 100.0;
            write!(line, "{bytes:>9} B {share:4.1}% {transactions:>4} t").unwrap();
        }
        write!(line, "{:>5}", self.most_rectangles()).unwrap();
        line
    }
}

/// The costs of all updates of some days.
pub struct Figures {
    /// A poll, with two frames in memory.
    pub polls: Updates,
    /// A minute between two polls.
    pub minutes: Updates,
    /// A poll, with tile hashes.
    pub tiled_polls: Updates,
    /// A minute, with tile hashes.
    pub tiled_minutes: Updates,
}

/// Returns the figures of polls, with the picture redrawn at each and every `step` minutes after
/// it.
pub fn figures(polls: &[Poll], step: usize) -> Figures {
    let mut tiles = Tiles::new();
    let mut shown = blank(PANEL);
    let [mut polls_, mut minutes, mut tiled_polls, mut tiled_minutes] = [const { Vec::new() }; 4];
    for (number, poll) in polls.iter().enumerate() {
        for later in (0..EVERY).step_by(step) {
            let next = frame(poll, later);
            let exact = Traffic::of(&changes::between(&shown, &next, Cost::SPI));
            let tiled = Traffic::of(&tiles.update(&next, Cost::SPI));
            shown = next;
            match (number, later) {
                // The very first picture is not an update.
                (0, 0) => {}
                (_, 0) => {
                    polls_.push(exact);
                    tiled_polls.push(tiled);
                }
                _ => {
                    minutes.push(exact);
                    tiled_minutes.push(tiled);
                }
            }
        }
    }
    Figures {
        polls: Updates::new(polls_),
        minutes: Updates::new(minutes),
        tiled_polls: Updates::new(tiled_polls),
        tiled_minutes: Updates::new(tiled_minutes),
    }
}

impl Figures {
    /// Returns a table, with the original's costs for comparison.
    pub fn table(&self) -> String {
        let rows = [
            self.polls.line("poll, two frames"),
            self.minutes.line("minute, two frames"),
            self.tiled_polls.line("poll, tile hashes"),
            self.tiled_minutes.line("minute, tile hashes"),
        ];
        format!(
            "bus bytes (share of the original's) and transactions of an update at 480x320\n\
             {:22}{:>22}{:>22}{:>22}{:>5}\n{}\n{:22}{ORIGINAL_BYTES:>9} B, every time\n",
            "",
            "median",
            "90th percentile",
            "most",
            "rects",
            rows.join("\n"),
            "the original",
        )
    }
}
