//! A cloud of either provider, with faults on demand: its answers, and what the client gets of them.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    time::Duration,
};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::Offset,
};
use pulsewing_core::{
    Provider,
    oauth::NoAnswer,
    request::{Endpoint, Method, ReplyHead, RequestView},
};
use serde_json::{Value, json};

use crate::grants::{Grants, Verdict};

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// A refresh.
    Token,
    /// The heart rate.
    Heart,
    /// The tracker.
    Devices,
    /// The wearer's time zone.
    Zone,
    /// The resting heart rate, at Google.
    Resting,
    /// The heart-rate zones, at Google.
    HeartZones,
}

/// A request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: Method,
    /// Which of the provider's addresses it goes to.
    pub endpoint: Endpoint,
    /// The path and the query.
    pub target: String,
    /// The access token.
    pub bearer: Option<String>,
    /// The form or the JSON document; may be empty.
    pub body: String,
}

impl From<RequestView<'_>> for Call {
    fn from(request: RequestView<'_>) -> Self {
        Self {
            method: request.method,
            endpoint: request.endpoint,
            target: request.target.to_owned(),
            bearer: request.bearer.map(str::to_owned),
            body: String::from_utf8(request.body.to_vec()).unwrap(),
        }
    }
}

impl Call {
    /// Returns its kind.
    ///
    /// # Panics
    ///
    /// If it goes to no address of the modelled cloud.
    #[must_use]
    pub fn route(&self) -> Route {
        let parts = [
            ("/token", Route::Token),
            ("/activities/heart/", Route::Heart),
            ("dataPoints:rollUp", Route::Heart),
            ("daily-resting-heart-rate", Route::Resting),
            ("daily-heart-rate-zones", Route::HeartZones),
            ("/devices.json", Route::Devices),
            ("/pairedDevices", Route::Devices),
            ("/profile.json", Route::Zone),
            ("/settings", Route::Zone),
        ];
        let found = parts.iter().find(|(part, _)| self.target.contains(part));
        found.expect("a known address").1
    }

    /// Returns a field of the form.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&str> {
        let mut pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// A fault of a request or of its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection could be made.
    NeverLeft,
    /// The connection broke before the server did anything.
    DropBefore,
    /// The server processed the request, and the reply was lost.
    DropAfter,
    /// The server processed the request, and the reply does not come in time.
    Stall,
    /// Another status, with an empty error report, and a header.
    Status(u16, Option<(&'static str, String)>),
    /// A status with this body; the request was not processed.
    Body(u16, String),
    /// Processed, but the reply breaks off after this many bytes of its body.
    Truncate(usize),
    /// Processed, but the reply lacks this member.
    Omit(&'static str),
    /// Processed, but the reply has this in place of a member's value.
    Replace(&'static str, Value),
    /// Processed, and the reply has a header.
    Header(&'static str, String),
}

impl Fault {
    /// Returns the fault of another status without a header.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status(status, None)
    }

    /// Returns the fault of a page for people.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::Body(status, "<html><h1>Oops</h1></html>".to_owned())
    }

    /// Returns the fault of a rate limit, announced in a header.
    #[must_use]
    pub fn limited(header: &'static str, value: &str) -> Self {
        Self::Status(429, Some((header, value.to_owned())))
    }
}

/// The result that the client sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No connection could be made.
    NeverLeft,
    /// The connection broke.
    Disconnected,
    /// No reply comes.
    Nothing,
    /// A reply, or what came of it.
    Reply {
        /// The HTTP status.
        status: u16,
        /// The one header that matters, if any.
        header: Option<(&'static str, String)>,
        /// The body.
        body: Vec<u8>,
        /// Whether the connection broke before the body's end.
        is_cut: bool,
    },
}

impl Outcome {
    /// Returns the reason why there is no whole reply, if there is none.
    #[must_use]
    pub fn no_answer(&self) -> Option<NoAnswer> {
        match self {
            Self::NeverLeft => Some(NoAnswer::NeverLeft),
            Self::Disconnected | Self::Reply { is_cut: true, .. } => Some(NoAnswer::Disconnected),
            Self::Nothing => Some(NoAnswer::TimedOut),
            Self::Reply { .. } => None,
        }
    }

    /// Returns the head and the body of a reply; `now` is the time on the client's clock.
    #[must_use]
    pub fn reply(&self, now: Timestamp) -> Option<(ReplyHead, &[u8])> {
        let Self::Reply {
            status,
            header,
            body,
            ..
        } = self
        else {
            return None;
        };
        let mut head = ReplyHead::new(*status);
        if let Some((name, value)) = header {
            head.header(name, value.as_bytes(), now);
        }
        Some((head, body))
    }
}

/// The cloud.
#[derive(Debug)]
pub struct Cloud {
    /// The provider that it stands for.
    pub provider: Provider,
    /// The tokens that it has given out.
    pub grants: Grants,
    /// The next faults by route; after those, or without any, the permanent ones.
    pub faults: BTreeMap<Route, VecDeque<Fault>>,
    /// The permanent faults by route.
    pub always: BTreeMap<Route, Fault>,
    /// The minutes since 1970 in which the wearer's tracker measured.
    pub worn: Vec<Range<i64>>,
    /// The same of another source.
    pub other: Vec<Range<i64>>,
    /// Only this many minutes of every six hours: less to read, in long tests.
    pub minutes: i64,
    /// The heart rate of every minute; without it, it rises within each hour.
    pub rate: Option<i64>,
    /// The wearer's offset from UTC.
    pub offset: Offset,
    /// The maximum number of points on a page of Google's.
    pub page_size: usize,
    /// Minutes between the last sync and now.
    pub sync_age: i64,
}

impl Cloud {
    /// Returns a cloud without faults, for a wearer in UTC+1 whose tracker is always worn.
    #[must_use]
    pub fn new(provider: Provider, grants: Grants) -> Self {
        Self {
            provider,
            grants,
            faults: BTreeMap::new(),
            always: BTreeMap::new(),
            worn: vec![0..i64::MAX],
            other: Vec::new(),
            minutes: 360,
            rate: None,
            offset: Offset::constant(1),
            page_size: 5_000,
            sync_age: 7,
        }
    }

    /// Schedules faults for the next requests to a route.
    pub fn will(&mut self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        self.faults.entry(route).or_default().extend(faults);
    }

    /// Answers a request; `now` is the time on the server's clock, `up` the time since the beginning.
    ///
    /// # Panics
    ///
    /// If the request is not as the provider's documents ask.
    pub fn exchange(&mut self, call: &Call, up: Duration, now: Timestamp) -> Outcome {
        let route = call.route();
        let fault = self
            .faults
            .get_mut(&route)
            .and_then(VecDeque::pop_front)
            .or_else(|| self.always.get(&route).cloned());
        let json = |status: u16, header, body: String| Outcome::Reply {
            status,
            header,
            body: body.into_bytes(),
            is_cut: false,
        };
        match fault {
            None => {}
            Some(Fault::NeverLeft) => return Outcome::NeverLeft,
            Some(Fault::DropBefore) => return Outcome::Disconnected,
            Some(Fault::Status(status, ref header)) => {
                return json(status, header.clone(), r#"{"error":{}}"#.to_owned());
            }
            Some(Fault::Body(status, ref body)) => return json(status, None, body.clone()),
            _ => {}
        }
        let (status, mut value) = self.answer(call, up, now);
        let mut header = None;
        match fault {
            Some(Fault::DropAfter) => return Outcome::Disconnected,
            Some(Fault::Stall) => return Outcome::Nothing,
            Some(Fault::Omit(name)) => {
                if let Some(members) = value.as_object_mut() {
                    members.remove(name);
                }
            }
            Some(Fault::Replace(name, ref new)) => {
                if let Some(members) = value.as_object_mut() {
                    members.insert(name.to_owned(), new.clone());
                }
            }
            Some(Fault::Header(name, ref value)) => header = Some((name, value.clone())),
            _ => {}
        }
        let mut body = value.to_string().into_bytes();
        let is_cut = matches!(fault, Some(Fault::Truncate(_)));
        if let Some(Fault::Truncate(length)) = fault {
            body.truncate(length);
        }
        Outcome::Reply {
            status,
            header,
            body,
            is_cut,
        }
    }

    fn answer(&mut self, call: &Call, up: Duration, now: Timestamp) -> (u16, Value) {
        if call.route() == Route::Token {
            return self.token(call, up);
        }
        if !self.grants.admits(call.bearer.as_deref().unwrap(), up) {
            let body = json!({"errors": [{"errorType": "expired_token", "message": "Access token expired"}], "success": false});
            return (401, body);
        }
        let body = match (call.route(), self.provider) {
            (Route::Heart, Provider::Fitbit) => self.fitbit_heart(call, now),
            (Route::Heart, Provider::Google) => self.google_heart(call),
            (Route::Devices, _) => self.devices(now),
            (Route::Zone, Provider::Fitbit) => json!({"user": {
                "timezone": "Europe/Berlin",
                "offsetFromUTCMillis": i64::from(self.offset.seconds()) * 1_000
            }}),
            (Route::Zone, Provider::Google) => json!({
                "timeZone": "Europe/Berlin",
                "utcOffset": format!("{}s", self.offset.seconds())
            }),
            (Route::HeartZones, _) => zones(call),
            _ => resting(call),
        };
        (200, body)
    }

    fn token(&mut self, call: &Call, up: Duration) -> (u16, Value) {
        assert_eq!(call.form("grant_type"), Some("refresh_token"));
        assert_eq!(call.form("client_id"), Some("23ABCD"));
        let token = call.form("refresh_token").unwrap();
        let lifetime = self.grants.lifetime.as_secs();
        match (self.grants.refreshed(token, up), self.provider) {
            (Verdict::Granted { refresh, access }, Provider::Fitbit) => {
                let body = json!({"access_token": access, "expires_in": lifetime, "refresh_token": refresh,
                    "scope": "heartrate settings profile", "token_type": "Bearer", "user_id": "ABC123"});
                (200, body)
            }
            (Verdict::Granted { access, .. }, Provider::Google) => (
                200,
                json!({"access_token": access, "expires_in": lifetime, "token_type": "Bearer"}),
            ),
            (Verdict::Invalid, Provider::Fitbit) => (
                400,
                json!({"errors": [{"errorType": "invalid_grant", "message": "Refresh token invalid"}], "success": false}),
            ),
            (Verdict::Invalid, Provider::Google) => (400, json!({"error": "invalid_grant"})),
        }
    }

    /// Returns the value of a minute; the wearer's tracker takes precedence.
    fn bpm(&self, minute: i64, with_others: bool) -> Option<i64> {
        if minute % 360 >= self.minutes {
            return None;
        }
        let has = |ranges: &[Range<i64>]| ranges.iter().any(|range| range.contains(&minute));
        if has(&self.worn) {
            return Some(self.rate.unwrap_or(60 + minute % 60));
        }
        (with_others && has(&self.other)).then_some(130)
    }

    fn fitbit_heart(&self, call: &Call, now: Timestamp) -> Value {
        let date = call.target.split('/').nth(7).unwrap();
        let today = self.offset.to_datetime(now).date();
        let date = match date {
            "today" => today,
            date => date.parse().unwrap(),
        };
        let midnight = self.offset.to_timestamp(date.at(0, 0, 0, 0)).unwrap();
        let first = midnight.as_second() / 60;
        let dataset: Vec<_> = (0..1_440)
            .filter(|minute| first + minute < now.as_second() / 60)
            .filter_map(|minute| {
                let time = format!("{:02}:{:02}:00", minute / 60, minute % 60);
                Some(json!({"time": time, "value": self.bpm(first + minute, false)?}))
            })
            .collect();
        json!({
            "activities-heart": [{"dateTime": date.to_string(), "value": {"restingHeartRate": 61}}],
            "activities-heart-intraday": {"dataset": dataset, "datasetInterval": 1, "datasetType": "minute"}
        })
    }

    fn google_heart(&self, call: &Call) -> Value {
        let asked: Value = serde_json::from_str(&call.body).unwrap();
        let minute = |name: &str| {
            let at: Timestamp = asked["range"][name].as_str().unwrap().parse().unwrap();
            assert_eq!(at.as_second() % 60, 0, "ranges begin and end with a minute");
            at.as_second() / 60
        };
        let (start, end) = (minute("startTime"), minute("endTime"));
        assert!(start < end, "an empty range is an error to the provider");
        let all = asked["dataSourceFamily"]
            .as_str()
            .unwrap()
            .ends_with("all-sources");
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap().to_string();
        let points: Vec<_> = (start..end)
            .rev()
            .filter_map(|minute| {
                Some(json!({"startTime": at(minute), "endTime": at(minute + 1),
                    "heartRate": {"beatsPerMinuteAvg": self.bpm(minute, all)?}}))
            })
            .collect();
        let skip: usize = asked["pageToken"]
            .as_str()
            .map_or(0, |token| token.parse().unwrap());
        let size = self
            .page_size
            .min(asked["pageSize"].as_u64().unwrap() as usize);
        let page: Vec<_> = points.iter().skip(skip).take(size).collect();
        if page.is_empty() {
            return json!({});
        }
        let mut body = json!({ "rollupDataPoints": page });
        if skip + size < points.len() {
            body["nextPageToken"] = json!((skip + size).to_string());
        }
        body
    }

    /// Returns the tracker's last sync.
    ///
    /// # Panics
    ///
    /// If `now` is at an end of time.
    #[must_use]
    pub fn last_sync(&self, now: Timestamp) -> Timestamp {
        let at = now - SignedDuration::from_mins(self.sync_age);
        Timestamp::from_second(at.as_second() / 60 * 60).unwrap()
    }

    fn devices(&self, now: Timestamp) -> Value {
        let sync = self.last_sync(now);
        match self.provider {
            Provider::Google => {
                json!({"pairedDevices": [{"deviceType": "TRACKER", "deviceVersion": "Charge 6",
                "batteryStatus": "High", "batteryLevel": 84, "lastSyncTime": sync.to_string()}]})
            }
            Provider::Fitbit => {
                let local = self.offset.to_datetime(sync);
                json!([{"battery": "High", "batteryLevel": 84, "deviceVersion": "Charge 6", "type": "TRACKER",
                    "lastSyncTime": format!("{local}.000")}])
            }
        }
    }
}

/// Returns the resting heart rates of five days, limited to the requested range, newest first.
fn resting(call: &Call) -> Value {
    daily(call, |day, date| {
        json!({"dailyRestingHeartRate": {
            "date": date,
            "beatsPerMinute": (37 + day).to_string()
        }})
    })
}

/// Returns the heart-rate zones of the same days: on the 22nd, moderate begins at 109 bpm, and a beat lower each day before.
fn zones(call: &Call) -> Value {
    daily(call, |day, date| {
        let moderate = 87 + i16::from(day);
        let zone = |(name, min, max): (&str, i16, i16)| {
            json!({
                "heartRateZoneType": name,
                "minBeatsPerMinute": min.to_string(),
                "maxBeatsPerMinute": max.to_string(),
            })
        };
        let zones = [
            ("LIGHT", 30, moderate - 1),
            ("MODERATE", moderate, 132),
            ("VIGOROUS", 133, 162),
            ("PEAK", 163, 220),
        ]
        .map(zone);
        json!({"dailyHeartRateZones": {"date": date, "heartRateZones": zones}})
    })
}

/// Returns a data point for each of five days, limited to the requested range, newest first.
fn daily(call: &Call, point: impl Fn(i8, Value) -> Value) -> Value {
    let mut dates = call.target.split("%22").skip(1).step_by(2);
    let mut next = || dates.next().unwrap().parse::<Date>().unwrap();
    let (from, until) = (next(), next());
    let points: Vec<Value> = (18..=22)
        .rev()
        .filter(|day| (from..until).contains(&date(2026, 11, *day)))
        .map(|day| point(day, json!({"year": 2026, "month": 11, "day": day})))
        .collect();
    json!({ "dataPoints": points })
}
