//! Replies of the Google Health API v4, in the documented shapes and in observed ones.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use jiff::{
    SignedDuration,
    civil::{date, time},
    tz::Offset,
};
use proptest::prelude::*;
use pulsewing_core::{
    Bpm,
    day::{Day, Sample, Window},
    dialect::{
        DecodeError, DeviceFacts, PageToken, ZoneFacts,
        google::{
            DevicesDecoder, DevicesPage, HeartDecoder, HeartPage, HeartPoint, Identity,
            IdentityDecoder, MinuteMeans, RestingDecoder, RestingPage, SettingsDecoder,
            ZonesDecoder, ZonesPage,
        },
    },
    heart_zone::ProviderZones,
    json::ErrorKind,
};
use pulsewing_testkit::{
    at,
    chunks::{cut, damaged_and_cut, fed},
    readings::berlin,
};

fn bpm(rate: u16) -> Bpm {
    Bpm::new(rate).unwrap()
}

fn minute(instant: &str, rate: u16) -> HeartPoint {
    HeartPoint::Minute(Sample {
        at: at(instant),
        bpm: bpm(rate),
    })
}

fn heart_in(chunks: &[&[u8]]) -> Result<(Vec<HeartPoint>, HeartPage), DecodeError> {
    let mut points = Vec::new();
    let mut decoder = HeartDecoder::new();
    let mut fed = Ok(());
    for chunk in chunks {
        fed = decoder.feed(chunk, &mut |point| points.push(point));
    }
    let page = decoder.finish();
    if let Err(error) = fed {
        assert_eq!(page, Err(error), "an error is returned again");
    }
    page.map(|page| (points, page))
}

fn heart(body: &str) -> Result<(Vec<HeartPoint>, HeartPage), DecodeError> {
    heart_in(&[body.as_bytes()])
}

fn points(body: &str) -> Vec<HeartPoint> {
    heart(body).unwrap().0
}

fn devices_in(chunks: &[&[u8]]) -> Result<DevicesPage, DecodeError> {
    fed(DevicesDecoder::new(), chunks, |decoder, chunk| {
        decoder.feed(chunk)
    })
    .finish()
}

fn settings_in(chunks: &[&[u8]]) -> Result<ZoneFacts, DecodeError> {
    fed(SettingsDecoder::new(), chunks, |decoder, chunk| {
        decoder.feed(chunk)
    })
    .finish()
}

fn settings(body: &str) -> ZoneFacts {
    settings_in(&[body.as_bytes()]).unwrap()
}

fn identity_in(chunks: &[&[u8]]) -> Result<Identity, DecodeError> {
    fed(IdentityDecoder::new(), chunks, |decoder, chunk| {
        decoder.feed(chunk)
    })
    .finish()
}

fn resting_in(chunks: &[&[u8]]) -> Result<RestingPage, DecodeError> {
    fed(
        RestingDecoder::new(date(2026, 11, 21)),
        chunks,
        |decoder, chunk| decoder.feed(chunk),
    )
    .finish()
}

fn zones_in(chunks: &[&[u8]]) -> Result<ZonesPage, DecodeError> {
    fed(
        ZonesDecoder::new(date(2026, 11, 21)),
        chunks,
        |decoder, chunk| decoder.feed(chunk),
    )
    .finish()
}

const ROLL_UP: &str = r#"{"rollupDataPoints":[
    {"startTime":"2026-11-22T09:29:00Z","endTime":"2026-11-22T09:30:00Z",
     "heartRate":{"beatsPerMinuteAvg":71.5,"beatsPerMinuteMax":78,"beatsPerMinuteMin":66}},
    {"startTime":"2026-11-22T09:27:00Z","endTime":"2026-11-22T09:28:00Z",
     "heartRate":{"beatsPerMinuteAvg":70,"beatsPerMinuteMax":71,"beatsPerMinuteMin":69}}]}"#;

const LIST: &str = r#"{"dataPoints":[
    {"dataSource":{"recordingMethod":"PASSIVELY_MEASURED","device":{"displayName":"Charge 6"},"platform":"FITBIT"},
     "heartRate":{"sampleTime":{"physicalTime":"2026-11-22T07:01:05Z","utcOffset":"3600s",
       "civilTime":{"date":{"year":2026,"month":11,"day":22},"time":{"hours":8,"minutes":1,"seconds":5}}},
      "beatsPerMinute":"63","metadata":{"motionContext":"SEDENTARY","sensorLocation":"WRIST"}}},
    {"dataPointName":"x","heartRate":{"beatsPerMinute":64,"sampleTime":{"physicalTime":"2026-11-22T07:01:00.250Z"}}}],
    "nextPageToken":"b3BhcXVl"}"#;

const DEVICES: &str = r#"{"pairedDevices":[
    {"name":"users/1/pairedDevices/1","deviceType":"SCALE","deviceVersion":"Aria","batteryStatus":"High","batteryLevel":99,"lastSyncTime":"2026-11-22T10:00:00Z"},
    {"name":"users/1/pairedDevices/2","deviceType":"TRACKER","deviceVersion":"Inspire","batteryStatus":"Low","batteryLevel":12,"lastSyncTime":"2026-03-01T09:27:41Z"},
    {"name":"users/1/pairedDevices/3","deviceType":"TRACKER","deviceVersion":"Charge 6","batteryStatus":"High","batteryLevel":84,"lastSyncTime":"2026-11-22T09:27:41Z","macAddress":"AABBCCDDEEFF","features":["HEART_RATE","STEPS"]}]}"#;

const SETTINGS: &str = r#"{"name":"users/1/settings","timeZone":"Europe/Berlin","utcOffset":"3600s","distanceUnit":"DISTANCE_UNIT_KILOMETERS","languageLocale":"de_DE"}"#;

const IDENTITY: &str =
    r#"{"name":"users/me/identity","healthUserId":"111122223333444455","legacyUserId":"A1B2C3"}"#;

const ZONES: &str = r#"{"dataPoints":[
    {"dailyHeartRateZones":{"date":{"year":2026,"month":11,"day":21},"heartRateZones":[
        {"heartRateZoneType":"UNKNOWN","minBeatsPerMinute":"164","maxBeatsPerMinute":"220"},
        {"heartRateZoneType":"VIGOROUS","minBeatsPerMinute":"134","maxBeatsPerMinute":"163"},
        {"heartRateZoneType":"MODERATE","minBeatsPerMinute":"110","maxBeatsPerMinute":"133"}]}},
    {"dataSource":{"platform":"FITBIT"},"dailyHeartRateZones":{"date":{"year":2026,"month":11,"day":20},"heartRateZones":[
        {"heartRateZoneType":"LIGHT","minBeatsPerMinute":"30","maxBeatsPerMinute":"108"},
        {"heartRateZoneType":"MODERATE","minBeatsPerMinute":"109","maxBeatsPerMinute":"132"},
        {"heartRateZoneType":"VIGOROUS","minBeatsPerMinute":"133","maxBeatsPerMinute":"162"},
        {"heartRateZoneType":"PEAK","minBeatsPerMinute":"163","maxBeatsPerMinute":"220"}]}},
    {"dailyHeartRateZones":{"date":{"year":2026,"month":11,"day":19},"heartRateZones":[
        {"heartRateZoneType":"MODERATE","minBeatsPerMinute":"108"},
        {"heartRateZoneType":"VIGOROUS","minBeatsPerMinute":"132"},
        {"heartRateZoneType":"PEAK","minBeatsPerMinute":"162"}]}}],"nextPageToken":""}"#;

const RESTING: &str = r#"{"dataPoints":[
    {"dataSource":{"recordingMethod":"DERIVED","platform":"FITBIT"},"dailyRestingHeartRate":{"date":{"year":2026,"month":11,"day":20},"beatsPerMinute":"60"}},
    {"dailyRestingHeartRate":{"beatsPerMinute":"58","dailyRestingHeartRateMetadata":{"calculationMethod":"WITH_SLEEP"},"date":{"day":21,"month":11,"year":2026}}},
    {"dailyRestingHeartRate":{"date":{"year":2026,"month":11,"day":19},"beatsPerMinute":57}}],"nextPageToken":""}"#;

#[test]
fn a_roll_up_yields_minutes_rounded_half_up() {
    let (points, page) = heart(ROLL_UP).unwrap();
    assert_eq!(
        points,
        [
            minute("2026-11-22T09:29:00Z", 72),
            minute("2026-11-22T09:27:00Z", 70)
        ]
    );
    assert_eq!(
        page,
        HeartPage {
            points: 2,
            next_page: None
        }
    );
}

#[test]
fn a_list_yields_measurements_and_the_next_page() {
    let (points, page) = heart(LIST).unwrap();
    let told: Vec<_> = points
        .iter()
        .map(|point| match *point {
            HeartPoint::Raw { at, bpm, source } => (at, bpm.get(), source.is_some()),
            HeartPoint::Minute(_) => panic!("{point:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            (at("2026-11-22T07:01:05Z"), 63, true),
            (at("2026-11-22T07:01:00.25Z"), 64, false)
        ]
    );
    assert_eq!(
        page,
        HeartPage {
            points: 2,
            next_page: PageToken::new("b3BhcXVl")
        }
    );
}

#[test]
fn a_minute_begins_at_its_beginning() {
    let body = r#"{"rollupDataPoints":[{"startTime":"2026-11-22T10:29:59.5+01:00","heartRate":{"beatsPerMinuteAvg":71}}]}"#;
    assert_eq!(points(body), [minute("2026-11-22T09:29:00Z", 71)]);
}

#[test]
fn members_come_in_any_order_and_unknown_ones_do_not_matter() {
    let body = r#"{"kind":"heart","nextPageToken":"","rollupDataPoints":[
        {"heartRate":{"quality":[{"startTime":1}],"beatsPerMinuteMin":60,"beatsPerMinuteAvg":61.49},
         "startTime":"2026-11-22T09:29:00Z","heartRateVariability":{"beatsPerMinuteAvg":9},"dataSource":null}]}"#;
    let (points, page) = heart(body).unwrap();
    assert_eq!(points, [minute("2026-11-22T09:29:00Z", 61)]);
    assert_eq!(page.next_page, None);
}

#[test]
fn a_point_does_not_inherit_from_the_one_before() {
    let body = r#"{"rollupDataPoints":[
        {"startTime":"2026-11-22T09:29:00Z","heartRate":{"beatsPerMinuteAvg":71}},
        {"heartRate":{"beatsPerMinuteAvg":72}},{"startTime":"2026-11-22T09:27:00Z"}]}"#;
    assert_eq!(points(body), [minute("2026-11-22T09:29:00Z", 71)]);
}

#[test]
fn what_has_no_heart_rate_is_left_out() {
    for member in [
        r#""heartRate":{}"#,
        r#""heartRate":null"#,
        r#""heartRate":[{"beatsPerMinuteAvg":71}]"#,
        r#""heartRate":{"beatsPerMinuteAvg":null}"#,
        r#""heartRate":{"beatsPerMinuteAvg":"NaN"}"#,
        r#""heartRate":{"beatsPerMinuteAvg":0.49}"#,
        r#""heartRate":{"beatsPerMinuteAvg":300.5}"#,
        r#""heartRate":{"beatsPerMinuteAvg":-70}"#,
        r#""steps":{"beatsPerMinuteAvg":71}"#,
    ] {
        let body =
            format!(r#"{{"rollupDataPoints":[{{"startTime":"2026-11-22T09:29:00Z",{member}}}]}}"#);
        let (points, page) = heart(&body).unwrap();
        assert_eq!(
            (points.as_slice(), page.points),
            ([].as_slice(), 0),
            "{member}"
        );
    }
    let edges = r#"{"rollupDataPoints":[
        {"startTime":"2026-11-22T09:29:00Z","heartRate":{"beatsPerMinuteAvg":0.5}},
        {"startTime":"2026-11-22T09:28:00Z","heartRate":{"beatsPerMinuteAvg":300.49}}]}"#;
    assert_eq!(
        points(edges),
        [
            minute("2026-11-22T09:29:00Z", 1),
            minute("2026-11-22T09:28:00Z", 300)
        ]
    );
}

#[test]
fn a_point_without_a_readable_time_is_left_out_unless_all_are() {
    for start in [
        r#""2026-11-22T09:29:00""#,
        r#""2026-11-31T09:29:00Z""#,
        r#""""#,
        "17",
        "null",
        r#"{"seconds":1}"#,
    ] {
        let body = format!(
            r#"{{"rollupDataPoints":[{{"startTime":{start},"heartRate":{{"beatsPerMinuteAvg":71}}}}]}}"#
        );
        assert_eq!(heart(&body), Err(DecodeError::NotTheReply), "{start}");
        let good = r#"{"startTime":"2026-11-22T09:30:00Z","heartRate":{"beatsPerMinuteAvg":72}}"#;
        let body = body.replace("Points\":[", &format!("Points\":[{good},"));
        assert_eq!(points(&body).len(), 1, "{start}");
    }
}

#[test]
fn only_an_absent_or_empty_token_is_the_end() {
    for (body, next) in [
        ("{}", None),
        (r#"{"nextPageToken":""}"#, None),
        (r#"{"nextPageToken":null,"dataPoints":[]}"#, None),
        (
            r#"{"dataPoints":[],"nextPageToken":"a/b+\"c"}"#,
            PageToken::new("a/b+\"c"),
        ),
    ] {
        assert_eq!(
            heart(body),
            Ok((
                vec![],
                HeartPage {
                    points: 0,
                    next_page: next
                }
            )),
            "{body}"
        );
    }
    let longest = "t".repeat(PageToken::MAX);
    let body = format!(r#"{{"nextPageToken":"{longest}"}}"#);
    assert_eq!(heart(&body).unwrap().1.next_page, PageToken::new(&longest));
    let body = format!(r#"{{"nextPageToken":"{longest}t"}}"#);
    assert_eq!(heart(&body), Err(DecodeError::PageTokenTooLong));
}

#[test]
fn another_body_is_not_an_empty_page() {
    for (body, error) in [
        (
            r#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#,
            DecodeError::ErrorReport,
        ),
        (
            r#"{"errors":[{"errorType":"system"}],"success":false}"#,
            DecodeError::ErrorReport,
        ),
        (
            r#"{"activities-heart":[],"activities-heart-intraday":{"dataset":[]}}"#,
            DecodeError::NotTheReply,
        ),
        (r#"{"rollupDataPoints":7}"#, DecodeError::NotTheReply),
        (
            r#"{"rollupDataPoints":{},"nextPageToken":""}"#,
            DecodeError::NotTheReply,
        ),
        ("[]", DecodeError::NotTheReply),
        ("null", DecodeError::NotTheReply),
        ("17", DecodeError::NotTheReply),
    ] {
        assert_eq!(heart(body), Err(error), "{body}");
    }
}

#[test]
fn half_a_page_is_an_error() {
    for end in [1, 40, ROLL_UP.len() - 1] {
        let result = heart(&ROLL_UP[..end]);
        assert!(
            matches!(result, Err(DecodeError::Json(error)) if error.kind == ErrorKind::UnexpectedEnd)
        );
    }
    let html = heart("<!DOCTYPE html><html></html>");
    assert!(matches!(html, Err(DecodeError::Json(error)) if error.offset == 0));
}

#[test]
fn measurements_are_averaged_exactly() {
    let mut means = MinuteMeans::new(berlin().day(date(2026, 11, 22)));
    // In any order, and in pages that share a minute: the mean of 60, 61 is 60.5; of 60, 60, 61, 60.33.
    for (instant, rate) in [
        ("2026-11-22T07:02:59.999Z", 61),
        ("2026-11-22T07:01:05Z", 61),
        ("2026-11-22T07:02:00Z", 60),
        ("2026-11-22T07:01:00Z", 60),
        ("2026-11-22T07:02:30Z", 60),
        ("2026-11-21T22:59:59Z", 200),
        ("2026-11-22T23:00:00Z", 200),
    ] {
        means.add(at(instant), bpm(rate));
    }
    assert_eq!(
        means.iter().collect::<Vec<_>>(),
        [(481, bpm(61)), (482, bpm(60))]
    );
    assert_eq!(
        means.samples().next(),
        Some(Sample {
            at: at("2026-11-22T07:01:00Z"),
            bpm: bpm(61)
        })
    );
    assert_eq!(means.to_day().latest(), Some((482, bpm(60))));
}

#[test]
fn a_day_of_25_hours_has_every_minute_of_the_hour_that_comes_twice() {
    let local = berlin().day(date(2026, 10, 25));
    let mut body = String::from(r#"{"rollupDataPoints":["#);
    let start = local.start();
    for number in (0..1_500).rev() {
        let minute = start + SignedDuration::from_mins(number);
        let rate = 60 + number % 100;
        body.push_str(&format!(
            r#"{{"startTime":"{minute}","heartRate":{{"beatsPerMinuteAvg":{rate}.25}}}},"#
        ));
    }
    body.pop();
    body.push_str("]}");

    let mut day = Day::new(local);
    let mut window = Window::ending_at(start + SignedDuration::from_hours(25));
    let mut means = MinuteMeans::new(local);
    for point in points(&body) {
        let HeartPoint::Minute(sample) = point else {
            panic!("{point:?}")
        };
        day.record(local.minute_of(sample.at).unwrap(), sample.bpm);
        window.insert(sample);
        means.add(sample.at, sample.bpm);
    }
    assert_eq!(day.logged_minutes(), 1_500);
    assert_eq!(
        (day.get(150), day.get(210)),
        (Some(bpm(110)), Some(bpm(70)))
    );
    assert_eq!(
        (local.clock(150), local.clock(210)),
        (time(2, 30, 0, 0), time(2, 30, 0, 0))
    );
    assert_eq!(means.to_day(), day);
    assert!(window.is_complete());
}

#[test]
fn a_minute_with_more_measurements_than_can_be_counted_keeps_its_mean() {
    let mut means = MinuteMeans::new(berlin().day(date(2026, 11, 22)));
    for number in 0..140_000_u32 {
        let rate = if number < 65_535 { 300 } else { 1 };
        means.add(at("2026-11-22T07:01:00Z"), bpm(rate));
    }
    assert_eq!(means.iter().collect::<Vec<_>>(), [(481, bpm(300))]);
}

#[test]
fn the_tracker_that_synced_last_is_the_one_on_the_wrist() {
    let page = devices_in(&[DEVICES.as_bytes()]).unwrap();
    assert_eq!(
        page.trackers.worn(None),
        DeviceFacts {
            battery_percent: Some(84),
            last_sync: Some(at("2026-11-22T09:27:41Z"))
        }
    );
    assert_eq!(page.next_page, None);
}

#[test]
fn windows_of_more_than_a_minute_are_no_minutes() {
    let of = |end: &str| {
        heart(&format!(
            r#"{{"rollupDataPoints":[{{"startTime":"2026-11-22T13:00:00Z","endTime":"{end}",
            "heartRate":{{"beatsPerMinuteAvg":71}}}}]}}"#
        ))
        .map(|(points, _)| points.len())
    };
    assert_eq!(of("2026-11-22T13:01:00Z"), Ok(1));
    // The last window of a range may be shorter, and an end that cannot be read is ignored.
    assert_eq!(of("2026-11-22T13:00:20Z"), Ok(1));
    assert_eq!(of("one"), Ok(1));
    assert_eq!(of("2026-11-22T13:01:01Z"), Err(DecodeError::NotMinutes));
    assert_eq!(of("2026-11-22T14:00:00Z"), Err(DecodeError::NotMinutes));
}

#[test]
fn list_tells_who_measured() {
    let of = |source: &str| {
        let body = format!(
            r#"{{"dataPoints":[{{"dataSource":{source},"heartRate":{{"beatsPerMinute":"70",
            "sampleTime":{{"physicalTime":"2026-11-22T13:59:05Z"}}}}}}]}}"#
        );
        match points(&body).pop() {
            Some(HeartPoint::Raw { source, .. }) => source,
            other => panic!("{other:?}"),
        }
    };
    let tracker = of(r#"{"device":{"displayName":"Charge 6"},"platform":"FITBIT","recordingMethod":"PASSIVELY_MEASURED"}"#).unwrap();
    assert!(tracker.is_tracker());
    // In another order, and with another recording method.
    let same = of(
        r#"{"platform":"FITBIT","recordingMethod":"ACTIVELY_MEASURED","device":{"displayName":"Charge 6"}}"#,
    );
    assert_eq!(same, Some(tracker));
    let app = of(r#"{"platform":"HEALTH_CONNECT","application":{"packageName":"com.example.gym"},"device":{"formFactor":"PHONE"}}"#).unwrap();
    assert!(!app.is_tracker() && app != tracker);
    // The part that a text belongs to matters, and so does each part.
    let turned = of(
        r#"{"platform":"com.example.gym","application":{"packageName":"HEALTH_CONNECT"},"device":{"formFactor":"PHONE"}}"#,
    );
    assert_ne!(turned, Some(app));
    assert_ne!(of(r#"{"platform":"HEALTH_CONNECT"}"#), Some(app));
    assert_eq!(of("7"), None);
}

#[test]
fn the_time_zone_has_a_name_and_an_offset() {
    let zone = settings(SETTINGS);
    assert_eq!(zone.name.as_deref(), Some("Europe/Berlin"));
    assert_eq!(zone.offset, Some(Offset::constant(1)));
    for (offset, expected) in [
        (r#""-14400s""#, Some(Offset::constant(-4))),
        (r#""0s""#, Some(Offset::UTC)),
        (r#""20700.000s""#, Offset::from_seconds(20_700).ok()),
        ("3600", Some(Offset::constant(1))),
        (r#""4000000s""#, None),
        (r#""an hour""#, None),
        ("null", None),
    ] {
        let body = format!(r#"{{"utcOffset":{offset}}}"#);
        assert_eq!(
            settings(&body),
            ZoneFacts {
                name: None,
                offset: expected
            },
            "{offset}"
        );
    }
}

#[test]
fn what_cannot_be_a_zones_name_is_none() {
    let long = "A".repeat(65);
    for name in ["", " ", "Europe/Berlin\\n", "<b>", "Zürich", &long] {
        let body = format!(r#"{{"timeZone":"{name}"}}"#);
        assert_eq!(settings(&body).name, None, "{name}");
    }
    assert_eq!(settings("{}"), ZoneFacts::default());
}

#[test]
fn the_newest_resting_heart_rate_counts() {
    let page = resting_in(&[RESTING.as_bytes()]).unwrap();
    assert_eq!(
        page,
        RestingPage {
            newest: Some((date(2026, 11, 21), bpm(58))),
            next_page: None
        }
    );
    for body in [
        "{}",
        r#"{"dataPoints":[{"dailyRestingHeartRate":{"date":{"year":2026,"month":13,"day":1},"beatsPerMinute":"58"}}]}"#,
        r#"{"dataPoints":[{"dailyRestingHeartRate":{"date":{"year":2026,"month":11},"beatsPerMinute":"58"}}]}"#,
        r#"{"dataPoints":[{"dailyRestingHeartRate":{"date":{"year":2026,"month":11,"day":1},"beatsPerMinute":"0"}}]}"#,
        r#"{"dataPoints":[{"dailyRestingHeartRate":{"date":{"year":99999,"month":300,"day":-300},"beatsPerMinute":"60"}}]}"#,
    ] {
        assert_eq!(
            resting_in(&[body.as_bytes()]).unwrap().newest,
            None,
            "{body}"
        );
    }
}

#[test]
fn a_resting_heart_rate_of_tomorrow_is_not_believed() {
    let body = RESTING
        .replacen("58", "59", 1)
        .replacen("\"year\":2026", "\"year\":2033", 1);
    let page = resting_in(&[body.as_bytes()]).unwrap();
    assert_eq!(page.newest, Some((date(2026, 11, 21), bpm(59))));
}

#[test]
fn the_newest_complete_zones_count() {
    let page = zones_in(&[ZONES.as_bytes()]).unwrap();
    let zones = |limits: [u16; 3]| ProviderZones::new(limits.map(bpm)).unwrap();
    assert_eq!(
        page,
        ZonesPage {
            newest: Some((date(2026, 11, 20), zones([109, 133, 163]))),
            next_page: None
        }
    );
    // The 21st gets what it lacks, and counts.
    let whole = ZONES.replacen("UNKNOWN", "PEAK", 1);
    let page = zones_in(&[whole.as_bytes()]).unwrap();
    assert_eq!(
        page.newest,
        Some((date(2026, 11, 21), zones([110, 134, 164])))
    );
    // The 22nd is after the last possible day.
    let tomorrow = whole.replacen("\"day\":21", "\"day\":22", 1);
    let page = zones_in(&[tomorrow.as_bytes()]).unwrap();
    assert_eq!(page.newest.unwrap().0, date(2026, 11, 20));
}

#[test]
fn zones_that_do_not_ascend_are_unknown() {
    let day = |zones: &str| {
        format!(
            r#"{{"dataPoints":[{{"dailyHeartRateZones":{{"heartRateZones":[{zones}],"date":{{"year":2026,"month":11,"day":20}}}}}}]}}"#
        )
    };
    let zone = |name: &str, min: &str| {
        format!(r#"{{"minBeatsPerMinute":{min},"heartRateZoneType":"{name}"}}"#)
    };
    let three = |[moderate, vigorous, peak]: [&str; 3]| {
        day(&[
            zone("PEAK", peak),
            zone("VIGOROUS", vigorous),
            zone("MODERATE", moderate),
        ]
        .join(","))
    };
    let newest = |body: &str| zones_in(&[body.as_bytes()]).unwrap().newest;
    // In any order, and as numbers too.
    assert!(newest(&three(["109", "\"133\"", "163"])).is_some());
    for body in [
        three(["133", "109", "163"]),
        three(["109", "133", "133"]),
        three(["0", "133", "163"]),
        three(["109", "133", "301"]),
        three(["109", "133", "null"]),
        three(["109", "133", "\"many\""]),
        day(""),
        day("[]"),
        day(&zone("PEAK", "163")),
        // The name of one zone does not serve the next.
        day(r#"{"heartRateZoneType":"PEAK"},{"minBeatsPerMinute":"163"}"#),
        "{}".to_owned(),
    ] {
        assert_eq!(newest(&body), None, "{body}");
    }
}

#[test]
fn an_identity_has_an_id_and_perhaps_that_of_the_account_before() {
    let identity = |body: &str| identity_in(&[body.as_bytes()]).unwrap();
    let whole = identity(IDENTITY);
    assert_eq!(whole.health.as_deref(), Some("111122223333444455"));
    assert_eq!(whole.legacy.as_deref(), Some("A1B2C3"));
    let long = format!(r#"{{"healthUserId":"{}"}}"#, "1".repeat(65));
    for body in ["{}", r#"{"healthUserId":"","legacyUserId":7}"#, &long] {
        assert_eq!(identity(body), Identity::default(), "{body}");
    }
}

#[test]
fn a_decoders_state_is_below_one_kibibyte() {
    for (decoder, size) in [
        ("heart", size_of::<HeartDecoder>()),
        ("devices", size_of::<DevicesDecoder>()),
        ("resting", size_of::<RestingDecoder>()),
        ("zones", size_of::<ZonesDecoder>()),
        ("identity", size_of::<IdentityDecoder>()),
    ] {
        assert!(size < 1_024, "{decoder}: {size}");
    }
    assert!(size_of::<SettingsDecoder>() < 400);
}

const BODIES: &[&str] = &[
    ROLL_UP,
    LIST,
    DEVICES,
    SETTINGS,
    IDENTITY,
    RESTING,
    ZONES,
    "{}",
    r#"{"error":{"code":1}}"#,
];

/// Points as Google usually writes them, without white space.
const USUAL: &[&str] = &[
    r#"{"rollupDataPoints":[{"startTime":"2026-11-22T10:01:00Z","endTime":"2026-11-22T10:02:00Z","heartRate":{"beatsPerMinuteAvg":71.5,"beatsPerMinuteMax":80,"beatsPerMinuteMin":64}},{"startTime":"2026-11-22T10:00:00Z","endTime":"2026-11-22T10:01:00Z","heartRate":{"beatsPerMinuteAvg":70,"beatsPerMinuteMax":80,"beatsPerMinuteMin":64}}]}"#,
    r#"{"dataPoints":[{"dataSource":{"recordingMethod":"PASSIVELY_MEASURED","platform":"FITBIT"},"heartRate":{"sampleTime":{"physicalTime":"2026-11-22T10:00:05Z","utcOffset":"3600s","civilTime":{"date":{"year":2026,"month":11,"day":22},"time":{"hours":11,"minutes":0,"seconds":5}}},"beatsPerMinute":"72","metadata":{"motionContext":"SEDENTARY"}}}],"nextPageToken":"next"}"#,
];

proptest! {
    #[test]
    fn how_a_body_is_cut_does_not_matter((body, places) in damaged_and_cut(BODIES)) {
        let chunks = cut(&body, &places);
        prop_assert_eq!(heart_in(&chunks), heart_in(&[&body]));
        prop_assert_eq!(devices_in(&chunks), devices_in(&[&body]));
        prop_assert_eq!(settings_in(&chunks), settings_in(&[&body]));
        prop_assert_eq!(identity_in(&chunks), identity_in(&[&body]));
        prop_assert_eq!(resting_in(&chunks), resting_in(&[&body]));
        prop_assert_eq!(zones_in(&chunks), zones_in(&[&body]));
    }

    /// Whole points are read from their bytes (feature `fast`); single bytes never are.
    #[test]
    fn a_byte_at_a_time_comes_to_the_same((body, _) in damaged_and_cut(USUAL)) {
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        prop_assert_eq!(heart_in(&bytes), heart_in(&[&body]));
    }

    #[test]
    fn no_bytes_do_harm(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = heart_in(&[&body]);
        let _ = devices_in(&[&body]);
        let _ = settings_in(&[&body]);
        let _ = identity_in(&[&body]);
        let _ = resting_in(&[&body]);
        let _ = zones_in(&[&body]);
    }

    #[test]
    fn means_are_those_of_the_measurements(entries in proptest::collection::vec((0_u32..600, 1_u16..=300), 0..200)) {
        let local = berlin().day(date(2026, 11, 22));
        let mut means = MinuteMeans::new(local);
        let mut model = std::collections::BTreeMap::<u32, Vec<u32>>::new();
        for (second, rate) in entries {
            means.add(local.start() + SignedDuration::from_secs(second.into()), bpm(rate));
            model.entry(second / 60).or_default().push(rate.into());
        }
        let expected: Vec<_> = model
            .into_iter()
            .map(|(minute, rates)| {
                let mean = f64::from(rates.iter().sum::<u32>()) / rates.len() as f64;
                (minute as u16, bpm((mean + 0.5).floor() as u16))
            })
            .collect();
        prop_assert_eq!(means.iter().collect::<Vec<_>>(), expected);
    }
}
