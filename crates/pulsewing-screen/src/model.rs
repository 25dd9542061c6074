//! The contents of a picture, decided before a pixel is drawn.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
};
use pulsewing_core::{
    Bpm,
    civil::Offsets,
    day::{Day, Sample, WINDOW_LEN, Window},
    heart_zone::{ClassicZone, HeartZone, HeartZones},
    reading::{Absence, Freshness, Reading},
    trend::Trend,
};

use crate::{State, Theme, Wallpaper};

/// The contents of a picture, whatever its size.
#[derive(Clone, Debug)]
pub struct Model<'r> {
    /// The theme in which it is drawn.
    pub theme: Theme,
    /// The facts of the latest reading; `None` before the first one.
    pub facts: Option<Facts<'r>>,
    /// A circumstance to report in addition.
    pub state: Option<State<'r>>,
    /// The user's picture, shown above the notice that there are no values yet; `None` for our own.
    pub wallpaper: Option<Wallpaper<'r>>,
    /// Whether that picture is also behind a reading, darker, in the desk theme and the big face.
    pub has_background: bool,
}

/// The facts of a reading at the moment of drawing.
#[derive(Clone, Debug)]
pub struct Facts<'r> {
    /// The time of drawing.
    pub now: Timestamp,
    /// The wearer's current time of day, if it is known.
    pub clock: Option<Time>,
    /// The wearer's current date.
    pub today: Date,
    /// The civil day of the reading.
    pub date: Date,
    /// Whether that is today for the wearer.
    pub is_today: bool,
    /// The day's latest fifteen minutes, or the number of minutes so far.
    pub latest: Latest,
    /// The beginning of the newest minute of the last 24 hours, on the wearer's clock, whatever its
    /// day.
    pub newest: Option<DateTime>,
    /// Its rate and the zone of that rate.
    pub rate: Option<(Bpm, HeartZone)>,
    /// The direction of the latest quarter of an hour, if it is fresh and has enough minutes.
    pub trend: Option<Trend>,
    /// The resting heart rate of the wearer's day, or of the day before, if it is known.
    pub resting: Option<Bpm>,
    /// Its age; negative if a clock was set back.
    pub age: Option<SignedDuration>,
    /// Whether the rate is one that a live source measured just now, and not the newest minute's.
    pub is_live: bool,
    /// The freshness of the data.
    pub freshness: Freshness,
    /// The reason why there is no newer minute, if one was expected.
    pub absence: Absence,
    /// Whether the wearer's zone is a guess.
    pub is_zone_guessed: bool,
    /// The tracker's battery in percent, 0 to 100, if known.
    pub battery_percent: Option<u8>,
    /// The latest fifteen minutes of the last 24 hours, or as many as there are.
    pub window: &'r Window,
    /// The reading's day, minute by minute.
    pub day: &'r Day,
    /// The day before it, if it is known.
    pub earlier: Option<&'r Day>,
    /// The offsets of the wearer's clock.
    pub offsets: &'r Offsets,
    /// The limits of the wearer's zones.
    pub heart_zones: HeartZones,
}

/// The day's latest fifteen minutes, or their number if there are fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latest {
    /// There are fifteen.
    Fifteen(LatestFifteen),
    /// There are fewer: this many.
    TooFew(u16),
}

/// One minute of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minute {
    /// Minutes elapsed since the day began.
    pub of_day: u16,
    /// The time on the wearer's clock.
    pub clock: Time,
    /// The minute's average.
    pub bpm: Bpm,
}

/// The latest fifteen minutes of a day that have a value, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestFifteen(pub [Minute; WINDOW_LEN]);

impl<'r> Model<'r> {
    /// Creates the model of a reading at `now`.
    #[must_use]
    pub fn new(reading: &'r Reading, now: Timestamp, freshness: Freshness, theme: Theme) -> Self {
        Self {
            theme,
            facts: Some(Facts::new(reading, now, freshness)),
            state: None,
            wallpaper: None,
            has_background: false,
        }
    }

    /// Creates the model that is shown before the first reading.
    #[must_use]
    pub const fn from_state(state: State<'r>, theme: Theme) -> Self {
        Self {
            theme,
            facts: None,
            state: Some(state),
            wallpaper: None,
            has_background: false,
        }
    }

    /// Adds the day before the reading's, for the graph of the last 24 hours.
    #[must_use]
    pub fn with_earlier(mut self, earlier: &'r Day) -> Self {
        if let Some(facts) = &mut self.facts {
            facts.earlier = Some(earlier);
        }
        self
    }

    /// Adds a circumstance, shown as a banner if there is a heart rate. If it prevents updates, the
    /// reading counts as from memory.
    #[must_use]
    pub fn with_state(mut self, state: State<'r>) -> Self {
        if state.stops_updates()
            && let Some(facts) = &mut self.facts
        {
            facts.freshness = Freshness::Cached;
            facts.trend = None;
        }
        self.state = Some(state);
        self
    }

    /// Shows a rate that a live source measured just now, and its age in seconds, in the place of the newest
    /// minute's. It is current whatever prevents updates, so it comes after
    /// [`with_state`](Self::with_state). Graphs stay as they are.
    #[must_use]
    pub fn with_live(mut self, bpm: Bpm, age: SignedDuration) -> Self {
        if let Some(facts) = &mut self.facts {
            facts.rate = Some((bpm, facts.heart_zones.zone(bpm)));
            facts.age = Some(age.max(SignedDuration::ZERO));
            facts.is_live = true;
        }
        self
    }

    /// Adds the user's own wallpaper.
    #[must_use]
    pub fn with_wallpaper(self, wallpaper: Wallpaper<'r>) -> Self {
        Self {
            wallpaper: Some(wallpaper),
            ..self
        }
    }

    /// Puts the wallpaper behind readings as well.
    #[must_use]
    pub fn with_background(self) -> Self {
        Self {
            has_background: true,
            ..self
        }
    }
}

impl<'r> Facts<'r> {
    /// Returns the facts of a reading at `now`.
    ///
    /// The classic theme's fifteen minutes are of the reading's civil day alone, as in the original
    /// sketch; rate, age and window are of the last 24 hours, across midnight.
    #[must_use]
    pub fn new(reading: &'r Reading, now: Timestamp, freshness: Freshness) -> Self {
        let local = reading.day.local();
        let offsets = &reading.time_zone.offsets;
        // A reading that is older than 24 hours has no newest minute in its window; the day may.
        let newest = reading.latest().or_else(|| {
            let (minute, bpm) = reading.day.latest()?;
            let at = local.instant(minute);
            Some(Sample { at, bpm })
        });
        let latest = match LatestFifteen::of(&reading.day) {
            Some(fifteen) => Latest::Fifteen(fifteen),
            None => Latest::TooFew(reading.day.logged_minutes()),
        };
        let clock = offsets.local(now);
        let today = clock.date();
        Self {
            now,
            clock: Some(clock.time()),
            today,
            date: local.date(),
            is_today: today == local.date(),
            latest,
            newest: newest.map(|sample| offsets.local(sample.at)),
            rate: newest.map(|sample| (sample.bpm, reading.heart_zones.zone(sample.bpm))),
            trend: Trend::of(&reading.window).filter(|_| freshness == Freshness::Fresh),
            resting: reading.resting_at(now),
            age: newest.map(|sample| now.duration_since(sample.at)),
            is_live: false,
            freshness,
            absence: reading.absence(),
            is_zone_guessed: reading.time_zone.is_guessed(),
            battery_percent: reading.battery_percent.filter(|percent| *percent <= 100),
            window: &reading.window,
            day: &reading.day,
            earlier: None,
            offsets,
            heart_zones: reading.heart_zones,
        }
    }
}

impl LatestFifteen {
    /// Returns the latest fifteen of a day; `None` if it has fewer.
    #[must_use]
    pub fn of(day: &Day) -> Option<Self> {
        let fifteen = day.latest_fifteen()?;
        Some(Self(fifteen.map(|(of_day, bpm)| Minute {
            of_day,
            clock: day.local().clock(of_day),
            bpm,
        })))
    }

    /// Returns the newest minute.
    #[must_use]
    pub const fn newest(&self) -> Minute {
        let [.., newest] = self.0;
        newest
    }

    /// Returns the lowest rate.
    #[must_use]
    pub fn min(&self) -> Bpm {
        self.0
            .iter()
            .map(|minute| minute.bpm)
            .fold(self.newest().bpm, Ord::min)
    }

    /// Returns the highest rate.
    #[must_use]
    pub fn max(&self) -> Bpm {
        self.0
            .iter()
            .map(|minute| minute.bpm)
            .fold(self.newest().bpm, Ord::max)
    }

    /// Returns the zone of the highest rate: the original takes its word and its colour from that.
    #[must_use]
    pub fn zone(&self) -> ClassicZone {
        ClassicZone::from_bpm(self.max())
    }

    /// Returns whether minutes are missing between the reading at `index` and the next one.
    #[must_use]
    pub fn has_gap_after(&self, index: usize) -> bool {
        match self.0.get(index..) {
            Some([this, next, ..]) => this.of_day.checked_add(1) != Some(next.of_day),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pulsewing_testkit::readings::{berlin, with_minutes};

    use super::*;

    const EVERY: SignedDuration = SignedDuration::from_mins(15);

    /// A reading of a day with a value in each of `minutes`, taken at `now`.
    fn reading(minutes: impl IntoIterator<Item = u16>, now: Timestamp) -> Reading {
        let minutes = minutes.into_iter().map(|minute| (minute, 60 + minute % 40));
        with_minutes(berlin(), now, minutes)
    }

    fn facts(reading: &Reading, now: Timestamp) -> Facts<'_> {
        Facts::new(reading, now, reading.freshness(now, EVERY, false))
    }

    #[test]
    fn the_fifteen_are_those_that_the_report_prints() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let reading = reading((0..100).step_by(3), now);
        let Latest::Fifteen(fifteen) = facts(&reading, now).latest else {
            panic!("there are fifteen");
        };
        let printed = reading.day.latest_fifteen().unwrap();
        assert_eq!(fifteen.0.map(|minute| (minute.of_day, minute.bpm)), printed);
        assert!(fifteen.has_gap_after(3) && !fifteen.has_gap_after(14));
    }

    #[test]
    fn fourteen_are_too_few() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let reading = reading(0..14, now);
        let facts = facts(&reading, now);
        assert_eq!((facts.latest, facts.is_today), (Latest::TooFew(14), true));
    }

    #[test]
    fn a_repeated_hour_is_no_gap() {
        // 02:59 summer time is minute 179; the clock then shows 02:00 again.
        let now = "2026-10-25T01:10:00Z".parse().unwrap();
        let reading = reading(172..187, now);
        let fifteen = LatestFifteen::of(&reading.day).unwrap();
        assert!((0..15).all(|index| !fifteen.has_gap_after(index)));
        assert_eq!(fifteen.0[7].clock, Time::constant(2, 59, 0, 0));
        assert_eq!(fifteen.0[8].clock, Time::constant(2, 0, 0, 0));
    }

    #[test]
    fn a_day_that_is_over_is_not_called_today() {
        let taken = "2026-11-22T22:50:00Z".parse().unwrap();
        let reading = reading(1_410..1_425, taken);
        let facts = facts(&reading, taken + SignedDuration::from_hours(1));
        assert_eq!((facts.date, facts.is_today), (date(2026, 11, 22), false));
    }

    #[test]
    fn the_age_counts_from_the_newest_minute_and_shows_a_clock_that_was_set_back() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let reading = reading(600..615, now);
        let newest = date(2026, 11, 22).at(10, 14, 0, 0);
        let minutes_later = |n| {
            let at = reading.day.local().instant(614) + SignedDuration::from_mins(n);
            let facts = facts(&reading, at);
            (facts.newest, facts.age.map(|age| age.as_mins()))
        };
        assert_eq!(minutes_later(166), (Some(newest), Some(166)));
        assert_eq!(minutes_later(3_000), (Some(newest), Some(3_000)));
        assert_eq!(minutes_later(-30), (Some(newest), Some(-30)));
    }

    #[test]
    fn nothing_is_up_to_date_under_a_banner_that_says_why_it_cannot_be() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let reading = reading(700..775, now);
        let command = "pulsewing login";
        for (state, is_fresh) in [
            (State::ServiceGone { command }, false),
            (
                State::SignInNeeded {
                    command,
                    address: None,
                },
                false,
            ),
            (State::Offline, false),
            (State::RateLimited { until: Time::MIN }, false),
            (State::TokensNotStored, true),
        ] {
            let freshness = reading.freshness(now, EVERY, false);
            assert_eq!(freshness, Freshness::Fresh);
            let model = Model::new(&reading, now, freshness, Theme::Desk).with_state(state);
            let freshness = model.facts.unwrap().freshness;
            assert_eq!(freshness == Freshness::Fresh, is_fresh, "{state:?}");
        }
    }

    #[test]
    fn a_battery_of_more_than_full_is_unknown() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut reading = reading(0..15, now);
        reading.battery_percent = Some(101);
        assert_eq!(facts(&reading, now).battery_percent, None);
    }
}
