//! One notification: whose data of which type has arrived.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::wearer::Wearer;

/// Data that has arrived.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) wearer: Wearer,
    pub(super) data_type: &'static str,
    /// The first instant that has data.
    pub(super) start: Timestamp,
    /// The instant after the last.
    pub(super) end: Timestamp,
    /// The wearer's.
    pub(super) zone: TimeZone,
}

impl Notice {
    /// Returns the notification's body for a user id, which is the wearer's unless something is
    /// meant to go wrong.
    pub(super) fn body(&self, user_id: &str) -> Value {
        json!({
            "data": {
                "version": "1",
                "healthUserId": user_id,
                "operation": "UPSERT",
                "dataType": self.data_type,
                "intervals": [{
                    "physicalTimeInterval": {
                        "startTime": self.start.to_string(),
                        "endTime": self.end.to_string(),
                    },
                    "civilDateTimeInterval": {
                        "startDateTime": self.civil(self.start),
                        "endDateTime": self.civil(self.end),
                    },
                    "civilIso8601TimeInterval": {
                        "startTime": self.iso(self.start),
                        "endTime": self.iso(self.end),
                    },
                }],
            },
        })
    }

    fn iso(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at);
        local.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// Writes a civil time; members that are zero are left out.
    fn civil(&self, at: Timestamp) -> Value {
        let local = self.zone.to_datetime(at);
        let mut time = serde_json::Map::new();
        for (name, part) in [
            ("hours", local.hour()),
            ("minutes", local.minute()),
            ("seconds", local.second()),
        ] {
            if part != 0 {
                time.insert(name.to_owned(), part.into());
            }
        }
        json!({
            "date": { "year": local.year(), "month": local.month(), "day": local.day() },
            "time": time,
        })
    }
}

/// The end of a second's sample: data has a resolution of a second.
pub(super) const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_said_in_three_ways() {
        let notice = Notice {
            wearer: Wearer::FIRST,
            data_type: "heart-rate",
            start: "2026-11-21T23:00:00Z".parse().unwrap(),
            end: "2026-11-22T14:00:05Z".parse().unwrap(),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
        };
        let body = notice.body(&Wearer::FIRST.google_id());
        assert_eq!(
            body["data"]["intervals"],
            json!([{
                "physicalTimeInterval": {
                    "startTime": "2026-11-21T23:00:00Z",
                    "endTime": "2026-11-22T14:00:05Z",
                },
                "civilDateTimeInterval": {
                    "startDateTime": { "date": { "year": 2026, "month": 11, "day": 22 }, "time": {} },
                    "endDateTime": {
                        "date": { "year": 2026, "month": 11, "day": 22 },
                        "time": { "hours": 15, "seconds": 5 },
                    },
                },
                "civilIso8601TimeInterval": {
                    "startTime": "2026-11-22T00:00:00",
                    "endTime": "2026-11-22T15:00:05",
                },
            }])
        );
    }
}
