//! A reading in the making.

use jiff::Timestamp;

use crate::{
    Bpm, Provider,
    civil::LocalDay,
    day::{Day, Sample, Window},
    dialect::{DeviceFacts, Trackers, fitbit},
    heart_zone::{BirthYear, HeartZones, ProviderZones},
    instant::latest_credible,
    reading::{Reading, TimeZone},
};

/// A reading in the making, from decoded replies in the order of their calls: heart rate first, then
/// the devices. Nothing later than now is believed.
#[derive(Debug)]
pub struct ReadingBuilder {
    pub(super) time_zone: TimeZone,
    pub(super) day: Day,
    pub(super) window: Window,
    /// The time of the requests.
    pub(super) now: Timestamp,
    /// Whether a sync in the future was reported.
    pub(super) has_future_sync: bool,
    trackers: Trackers,
    /// The worn device.
    pub(super) device: DeviceFacts,
    pub(super) resting: Option<Bpm>,
    pub(super) provider_zones: Option<ProviderZones>,
}

impl ReadingBuilder {
    /// Creates an empty reading of a day, from replies of `now`.
    #[must_use]
    pub fn new(time_zone: TimeZone, day: LocalDay, now: Timestamp) -> Self {
        Self {
            time_zone,
            day: Day::new(day),
            window: Window::ending_at(now),
            now,
            has_future_sync: false,
            trackers: Trackers::default(),
            device: DeviceFacts::default(),
            resting: None,
            provider_zones: None,
        }
    }

    /// Takes a minute of any day. Returns whether it was believed.
    pub fn take_minute(&mut self, sample: Sample) -> bool {
        if sample.at > latest_credible(self.now) {
            return false;
        }
        self.window.insert(sample);
        if let Some(minute) = self.day.local().minute_of(sample.at) {
            self.day.record(minute, sample.bpm);
        }
        true
    }

    /// Takes Fitbit's reply about today, whose own date counts: the cloud knows the wearer's midnight.
    /// Drops the day's minutes in the future, and returns their number.
    pub fn take_fitbit_day(&mut self, day: &mut Day, facts: &fitbit::HeartFacts) -> u16 {
        let future = self.take_fitbit_day_before(day, facts);
        self.day = day.clone();
        self.provider_zones = facts.zones;
        future
    }

    /// Takes Fitbit's reply about the day before, for the window; otherwise as
    /// [`take_fitbit_day`](Self::take_fitbit_day).
    pub(super) fn take_fitbit_day_before(
        &mut self,
        day: &mut Day,
        facts: &fitbit::HeartFacts,
    ) -> u16 {
        let future = day.truncate(latest_credible(self.now));
        self.window.insert_day(day);
        self.take_resting(facts.resting);
        future
    }

    /// Takes a resting heart rate, unless a newer day's is known.
    pub fn take_resting(&mut self, resting: Option<Bpm>) {
        self.resting = self.resting.or(resting);
    }

    /// Takes the provider's heart-rate zones, unless a newer day's are known.
    pub fn take_zones(&mut self, zones: Option<ProviderZones>) {
        self.provider_zones = self.provider_zones.or(zones);
    }

    /// Takes a page of trackers, and picks the worn one of all pages so far.
    pub fn take_trackers(&mut self, trackers: Trackers) {
        self.trackers.merge(trackers);
        let newest = self.window.latest().map(|sample| sample.at);
        let mut device = self.trackers.worn(newest);
        let latest = latest_credible(self.now);
        self.has_future_sync |= device.last_sync.is_some_and(|sync| sync > latest);
        device.last_sync = device.last_sync.filter(|sync| *sync <= latest);
        self.device = device;
    }

    /// Returns the reading. The wearer's own `zones` come first, then the provider's, then those of the
    /// age of a wearer who was `born` in that year, then [`HeartZones::PLAIN`].
    #[must_use]
    pub fn finish(
        self,
        provider: Provider,
        zones: Option<HeartZones>,
        born: Option<BirthYear>,
    ) -> Reading {
        let heart_zones = zones
            .or_else(|| self.provider_zones?.with_resting(self.resting))
            .or_else(|| born?.zones_in(self.day.local().date().year(), self.resting))
            .unwrap_or(HeartZones::PLAIN);
        Reading {
            provider,
            time_zone: self.time_zone,
            day: self.day,
            window: self.window,
            battery_percent: self.device.battery_percent,
            last_sync: self.device.last_sync,
            resting: self.resting,
            heart_zones,
            fetched_at: self.now,
        }
    }
}
