//! The reply that is arriving, and the reading that it fills.

use jiff::Timestamp;

use super::step::{Heart, Step};
use crate::{
    Bpm, Provider,
    day::{Day, Window},
    dialect::{DecodeError, DeviceFacts, PageToken, Trackers, ZoneFacts, fitbit, google},
    heart_zone::HeartZones,
    instant::latest_credible,
    reading::{Reading, TimeZone},
};

/// The reading so far.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) time_zone: TimeZone,
    pub(super) day: Day,
    pub(super) window: Window,
    /// The time of the cycle's requests.
    pub(super) now: Timestamp,
    /// The number of values in this cycle's heart-rate replies, without those in the future.
    pub(super) points: u32,
    /// The number of reported minutes that lie in the future.
    pub(super) future_minutes: u32,
    /// Whether a sync in the future was reported.
    has_future_sync: bool,
    /// The day of the current reply, in Fitbit's dialect.
    incoming: Day,
    trackers: Trackers,
    /// The worn device.
    device: DeviceFacts,
    resting: Option<Bpm>,
    provider_zones: Option<HeartZones>,
}

impl Draft {
    pub(super) fn new(time_zone: TimeZone, now: Timestamp) -> Self {
        let day = Day::new(time_zone.offsets.day_of(now));
        Self {
            time_zone,
            incoming: day.clone(),
            day,
            window: Window::ending_at(now),
            now,
            points: 0,
            future_minutes: 0,
            has_future_sync: false,
            trackers: Trackers::default(),
            device: DeviceFacts::default(),
            resting: None,
            provider_zones: None,
        }
    }

    /// Returns the range of a rollUp: from local midnight, or an hour ago if that is earlier, to the
    /// last full minute; or the rest of the last 24 hours before that.
    pub(super) fn range(&self, is_earlier: bool) -> (Timestamp, Timestamp) {
        let back = |hours: i64| {
            let at = self.now.as_second().saturating_sub(hours * 3_600);
            Timestamp::from_second(at.div_euclid(60) * 60).unwrap_or(Timestamp::MIN)
        };
        let start = self.day.local().start().min(back(1));
        if is_earlier {
            (back(24), start)
        } else {
            (start, back(0))
        }
    }

    /// Returns whether an instant belongs to the reading's day.
    pub(super) fn is_of_its_day(&self, at: Timestamp) -> bool {
        self.time_zone.offsets.local(at).date() == self.day.local().date()
    }

    /// Builds the reading. The wearer's configuration takes precedence over the provider's data; data
    /// fetched earlier in the day fills the gaps.
    pub(super) fn into_reading(
        self,
        provider: Provider,
        zones: Option<HeartZones>,
        resting: Option<Bpm>,
    ) -> Reading {
        Reading {
            provider,
            time_zone: self.time_zone,
            day: self.day,
            window: self.window,
            battery_percent: self.device.battery_percent,
            last_sync: self.device.last_sync,
            resting: self.resting.or(resting),
            heart_zones: zones.or(self.provider_zones).unwrap_or(HeartZones::PLAIN),
            fetched_at: self.now,
        }
    }
}

/// The result of a complete reply.
#[derive(Debug)]
pub(super) enum Received {
    /// Zone facts.
    Zone(ZoneFacts),
    /// Heart rate, and the next page.
    Heart(Option<PageToken>),
    /// The tracker, and the next page of the list.
    Devices(Option<PageToken>),
    /// The resting heart rate, and the next page of the list.
    Resting(Option<Bpm>, Option<PageToken>),
}

/// The decoder of the reply that is arriving.
pub(super) enum Intake {
    GoogleZone(google::SettingsDecoder),
    /// With the number of minutes in the future so far.
    GoogleHeart(google::HeartDecoder, u32),
    GoogleDevices(google::DevicesDecoder),
    GoogleResting(google::RestingDecoder),
    FitbitZone(fitbit::ProfileDecoder),
    FitbitHeart(fitbit::HeartDecoder),
    FitbitDevices(fitbit::DevicesDecoder),
}

impl Intake {
    /// Returns the decoder for the reply to a step that has one.
    pub(super) fn new(step: Step, provider: Provider, draft: Option<&mut Draft>) -> Option<Self> {
        Some(match (step, provider, draft) {
            (Step::Zone, Provider::Google, _) => Self::GoogleZone(google::SettingsDecoder::new()),
            (Step::Zone, Provider::Fitbit, _) => Self::FitbitZone(fitbit::ProfileDecoder::new()),
            (Step::Heart(_), Provider::Google, Some(_)) => {
                Self::GoogleHeart(google::HeartDecoder::new(), 0)
            }
            (Step::Heart(heart), Provider::Fitbit, Some(draft)) => {
                let offsets = &draft.time_zone.offsets;
                draft.incoming = Day::new(offsets.day(heart.date(&draft.day)));
                Self::FitbitHeart(fitbit::HeartDecoder::new(offsets))
            }
            (Step::Devices, Provider::Google, _) => {
                Self::GoogleDevices(google::DevicesDecoder::new())
            }
            (Step::Devices, Provider::Fitbit, Some(draft)) => {
                Self::FitbitDevices(fitbit::DevicesDecoder::new(&draft.time_zone.offsets))
            }
            (Step::Resting, _, Some(draft)) => {
                Self::GoogleResting(google::RestingDecoder::new(draft.day.local().date()))
            }
            (Step::Idle | Step::ResolvingZone, ..) | (_, _, None) => return None,
        })
    }

    /// Decodes more of the body.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        draft: Option<&mut Draft>,
    ) -> Result<(), DecodeError> {
        match (self, draft) {
            (Self::GoogleZone(decoder), _) => decoder.feed(chunk),
            (Self::GoogleDevices(decoder), _) => decoder.feed(chunk),
            (Self::GoogleResting(decoder), _) => decoder.feed(chunk),
            (Self::FitbitZone(decoder), _) => decoder.feed(chunk),
            (Self::FitbitDevices(decoder), _) => decoder.feed(chunk),
            (Self::GoogleHeart(decoder, future), Some(draft)) => {
                decoder.feed(chunk, &mut |point| {
                    // A rollUp has only minutes.
                    if let google::HeartPoint::Minute(sample) = point {
                        if sample.at > latest_credible(draft.now) {
                            *future = future.saturating_add(1);
                            return;
                        }
                        draft.window.insert(sample);
                        if let Some(minute) = draft.day.local().minute_of(sample.at) {
                            draft.day.record(minute, sample.bpm);
                        }
                    }
                })
            }
            (Self::FitbitHeart(decoder), Some(draft)) => decoder.feed(chunk, &mut draft.incoming),
            (Self::GoogleHeart(..) | Self::FitbitHeart(_), None) => Ok(()),
        }
    }

    /// Ends the body, and puts its content into the draft.
    pub(super) fn finish(
        self,
        step: Step,
        draft: Option<&mut Draft>,
    ) -> Result<Received, DecodeError> {
        match (self, draft) {
            (Self::GoogleZone(decoder), _) => decoder.finish().map(Received::Zone),
            (Self::FitbitZone(decoder), _) => decoder.finish().map(Received::Zone),
            (Self::GoogleHeart(decoder, future), Some(draft)) => {
                let page = decoder.finish()?;
                let credible = page.points.saturating_sub(future);
                draft.points = draft.points.saturating_add(credible);
                draft.future_minutes = draft.future_minutes.saturating_add(future);
                Ok(Received::Heart(page.next_page))
            }
            (Self::FitbitHeart(decoder), Some(draft)) => {
                let facts = decoder.finish(&mut draft.incoming)?;
                draft.points = draft.points.saturating_add(facts.entries);
                draft.take_fitbit_day(step, &facts);
                Ok(Received::Heart(None))
            }
            (Self::GoogleDevices(decoder), Some(draft)) => {
                let page = decoder.finish()?;
                draft.take_trackers(page.trackers);
                Ok(Received::Devices(page.next_page))
            }
            (Self::FitbitDevices(decoder), Some(draft)) => {
                draft.take_trackers(decoder.finish()?);
                Ok(Received::Devices(None))
            }
            (Self::GoogleResting(decoder), Some(draft)) => {
                let page = decoder.finish()?;
                let newest = page.newest.map(|(_, bpm)| bpm);
                draft.resting = draft.resting.or(newest);
                Ok(Received::Resting(draft.resting, page.next_page))
            }
            (_, None) => Err(DecodeError::NotTheReply),
        }
    }
}

impl Draft {
    fn take_fitbit_day(&mut self, step: Step, facts: &fitbit::HeartFacts) {
        let future = self.incoming.truncate(latest_credible(self.now));
        self.future_minutes = self.future_minutes.saturating_add(future.into());
        self.window.insert_day(&self.incoming);
        if step == Step::Heart(Heart::Today) {
            // The reply's own date counts: the cloud knows the wearer's midnight.
            self.day = self.incoming.clone();
            self.resting = facts.resting;
            self.provider_zones = facts.zones;
        } else {
            self.resting = self.resting.or(facts.resting);
        }
    }

    /// Returns the newest reported time: of a sync, or of a minute.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let minute = self.window.latest().map(|sample| sample.at);
        minute.max(self.device.last_sync)
    }

    /// Returns whether something in the future was reported.
    pub(super) const fn has_future(&self) -> bool {
        self.has_future_sync || self.future_minutes > 0
    }

    /// Merges a page of trackers, and picks the worn one of all pages so far.
    fn take_trackers(&mut self, trackers: Trackers) {
        self.trackers.merge(trackers);
        let newest = self.window.latest().map(|sample| sample.at);
        let mut device = self.trackers.worn(newest);
        let latest = latest_credible(self.now);
        self.has_future_sync |= device.last_sync.is_some_and(|sync| sync > latest);
        device.last_sync = device.last_sync.filter(|sync| *sync <= latest);
        self.device = device;
    }
}
