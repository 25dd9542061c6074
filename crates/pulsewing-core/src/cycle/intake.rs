//! The reply that is arriving, and the draft that it fills.

use super::{
    draft::Draft,
    route::{Call, FitbitCall, GoogleCall, day_before},
};
use crate::{
    Bpm,
    day::Day,
    dialect::{DecodeError, PageToken, ZoneFacts, fitbit, google},
    heart_zone::ProviderZones,
};

/// The decoder of the reply that is arriving.
pub(super) enum Intake {
    /// With the number of minutes in the future so far.
    GoogleHeart(google::HeartDecoder, u32),
    GoogleDevices(google::DevicesDecoder),
    GoogleResting(google::RestingDecoder),
    GoogleZones(google::ZonesDecoder),
    FitbitToday(fitbit::HeartDecoder),
    FitbitYesterday(fitbit::HeartDecoder),
    FitbitDevices(fitbit::DevicesDecoder),
    FitbitZone(fitbit::ProfileDecoder),
}

/// The result of a complete reply, in addition to the data that is in the draft.
#[derive(Debug)]
pub(super) enum Received {
    /// Zone facts.
    Zone(ZoneFacts),
    /// Other data, and the next page of the reply.
    Page(Option<PageToken>),
    /// The resting heart rate, and the next page of the list.
    Resting(Option<Bpm>, Option<PageToken>),
    /// The heart-rate zones, and the next page of the list.
    HeartZones(Option<ProviderZones>, Option<PageToken>),
}

impl Intake {
    /// Returns the decoder of the reply to a call.
    pub(super) fn new(call: Call, draft: &mut Draft) -> Self {
        let offsets = &draft.reading.time_zone.offsets;
        let today = draft.reading.day.local().date();
        match call {
            Call::Google(GoogleCall::Today(_) | GoogleCall::Earlier(_)) => {
                Self::GoogleHeart(google::HeartDecoder::new(), 0)
            }
            Call::Google(GoogleCall::Devices) => Self::GoogleDevices(google::DevicesDecoder::new()),
            Call::Google(GoogleCall::Resting) => {
                Self::GoogleResting(google::RestingDecoder::new(today))
            }
            Call::Google(GoogleCall::HeartZones) => {
                Self::GoogleZones(google::ZonesDecoder::new(today))
            }
            Call::Fitbit(FitbitCall::Today) => {
                draft.incoming = Day::new(offsets.day(today));
                Self::FitbitToday(fitbit::HeartDecoder::new(offsets))
            }
            Call::Fitbit(FitbitCall::Yesterday) => {
                draft.incoming = Day::new(offsets.day(day_before(today)));
                Self::FitbitYesterday(fitbit::HeartDecoder::new(offsets))
            }
            Call::Fitbit(FitbitCall::Devices) => {
                Self::FitbitDevices(fitbit::DevicesDecoder::new(offsets))
            }
            Call::Fitbit(FitbitCall::ZoneAgain) => Self::FitbitZone(fitbit::ProfileDecoder::new()),
        }
    }

    /// Decodes the next bytes of the body.
    pub(super) fn feed(&mut self, chunk: &[u8], draft: &mut Draft) -> Result<(), DecodeError> {
        match self {
            Self::GoogleHeart(decoder, future) => decoder.feed(chunk, &mut |point| {
                // A rollUp has only minutes.
                if let google::HeartPoint::Minute(sample) = point
                    && !draft.reading.take_minute(sample)
                {
                    *future = future.saturating_add(1);
                }
            }),
            Self::GoogleDevices(decoder) => decoder.feed(chunk),
            Self::GoogleResting(decoder) => decoder.feed(chunk),
            Self::GoogleZones(decoder) => decoder.feed(chunk),
            Self::FitbitToday(decoder) | Self::FitbitYesterday(decoder) => {
                decoder.feed(chunk, &mut draft.incoming)
            }
            Self::FitbitDevices(decoder) => decoder.feed(chunk),
            Self::FitbitZone(decoder) => decoder.feed(chunk),
        }
    }

    /// Ends the body, and puts its content into the draft.
    pub(super) fn finish(self, draft: &mut Draft) -> Result<Received, DecodeError> {
        let Draft {
            reading, incoming, ..
        } = draft;
        let next_page = match self {
            Self::GoogleHeart(decoder, future) => {
                let page = decoder.finish()?;
                let credible = page.points.saturating_sub(future);
                draft.points = draft.points.saturating_add(credible);
                draft.count_future(future);
                page.next_page
            }
            Self::GoogleDevices(decoder) => {
                let page = decoder.finish()?;
                reading.take_trackers(page.trackers);
                page.next_page
            }
            Self::GoogleResting(decoder) => {
                let page = decoder.finish()?;
                reading.take_resting(page.newest.map(|(_, bpm)| bpm));
                return Ok(Received::Resting(reading.resting, page.next_page));
            }
            Self::GoogleZones(decoder) => {
                let page = decoder.finish()?;
                reading.take_zones(page.newest.map(|(_, zones)| zones));
                return Ok(Received::HeartZones(reading.provider_zones, page.next_page));
            }
            Self::FitbitToday(decoder) => {
                let facts = decoder.finish(incoming)?;
                let future = reading.take_fitbit_day(incoming, &facts);
                draft.count_future(future.into());
                None
            }
            Self::FitbitYesterday(decoder) => {
                let facts = decoder.finish(incoming)?;
                let future = reading.take_fitbit_day_before(incoming, &facts);
                draft.count_future(future.into());
                None
            }
            Self::FitbitDevices(decoder) => {
                reading.take_trackers(decoder.finish()?);
                None
            }
            Self::FitbitZone(decoder) => return decoder.finish().map(Received::Zone),
        };
        Ok(Received::Page(next_page))
    }
}
