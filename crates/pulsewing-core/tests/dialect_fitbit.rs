//! Replies of the Fitbit Web API, in the documented shapes and in observed ones.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use jiff::{
    civil::{Date, date},
    tz::Offset,
};
use proptest::prelude::*;
use pulsewing_core::{
    Bpm,
    day::Day,
    dialect::{
        DecodeError, DeviceFacts, Trackers, ZoneFacts,
        fitbit::{DevicesDecoder, HeartDecoder, HeartFacts, ProfileDecoder},
    },
    heart_zone::ProviderZones,
};
use pulsewing_testkit::{
    at,
    chunks::{cut, damaged_and_cut, fed},
    readings::berlin,
};

fn bpm(rate: u16) -> Bpm {
    Bpm::new(rate).unwrap()
}

/// Decodes a reply for the requested day.
fn heart_on(asked: Date, chunks: &[&[u8]]) -> Result<(HeartFacts, Day), DecodeError> {
    let offsets = berlin();
    let mut day = Day::new(offsets.day(asked));
    let mut decoder = HeartDecoder::new(&offsets);
    let mut fed = Ok(());
    for chunk in chunks {
        fed = decoder.feed(chunk, &mut day);
    }
    let facts = decoder.finish(&mut day);
    if let Err(error) = fed {
        assert_eq!(facts, Err(error), "an error is returned again");
    }
    facts.map(|facts| (facts, day))
}

fn heart(body: &str) -> Result<(HeartFacts, Day), DecodeError> {
    heart_on(date(2026, 11, 22), &[body.as_bytes()])
}

fn minutes(body: &str) -> Vec<(u16, u16)> {
    logged(&heart(body).unwrap().1)
}

fn logged(day: &Day) -> Vec<(u16, u16)> {
    day.iter()
        .map(|(minute, bpm)| (minute, bpm.get()))
        .collect()
}

/// Returns a body for a date, with these entries.
fn of_day(date: &str, entries: &[(&str, u16)]) -> String {
    let entries: Vec<_> = entries
        .iter()
        .map(|(time, rate)| format!(r#"{{"time":"{time}","value":{rate}}}"#))
        .collect();
    format!(
        r#"{{"activities-heart":[{{"dateTime":"{date}","value":{{}}}}],"activities-heart-intraday":{{"dataset":[{}]}}}}"#,
        entries.join(",")
    )
}

fn devices_in(chunks: &[&[u8]]) -> Result<Trackers, DecodeError> {
    let offsets = berlin();
    fed(DevicesDecoder::new(&offsets), chunks, |decoder, chunk| {
        decoder.feed(chunk)
    })
    .finish()
}

fn device(body: &str) -> DeviceFacts {
    worn(body, None)
}

/// Returns the worn device if there is heart rate until `newest`.
fn worn(body: &str, newest: Option<&str>) -> DeviceFacts {
    devices_in(&[body.as_bytes()]).unwrap().worn(newest.map(at))
}

fn profile_in(chunks: &[&[u8]]) -> Result<ZoneFacts, DecodeError> {
    fed(ProfileDecoder::new(), chunks, |decoder, chunk| {
        decoder.feed(chunk)
    })
    .finish()
}

fn profile(body: &str) -> ZoneFacts {
    profile_in(&[body.as_bytes()]).unwrap()
}

const WHOLE_DAY: &str = r#"{"activities-heart":[{"dateTime":"2026-11-22","value":{"customHeartRateZones":[{"name":"Peak","min":1}],
   "heartRateZones":[{"caloriesOut":612.4,"max":108,"min":30,"minutes":431,"name":"Out of Range"},{"caloriesOut":20.1,"max":136,"min":108,"minutes":3,"name":"Fat Burn"},
                     {"caloriesOut":0,"max":171,"min":136,"minutes":0,"name":"Cardio"},{"caloriesOut":0,"max":220,"min":171,"minutes":0,"name":"Peak"}],
   "restingHeartRate":61}}],
 "activities-heart-intraday":{"dataset":[{"time":"00:00:00","value":64},{"time":"00:01:00","value":66},{"time":"23:59:00","value":120}],"datasetInterval":1,"datasetType":"minute"}}"#;

const PART_OF_DAY: &str = r#"{"activities-heart":[{"customHeartRateZones":[],"dateTime":"today",
   "heartRateZones":[{"name":"Peak","min":171},{"min":108,"name":"Fat Burn"},{"name":"Cardio","min":136}],"value":"60.49"}],
 "activities-heart-intraday":{"dataset":[{"time":"08:00:00","value":61}],"datasetInterval":1,"datasetType":"minute"}}"#;

const DEVICES: &str = r#"[
  {"battery":"Empty","deviceVersion":"MobileTrack","id":"1","lastSyncTime":"2026-11-22T12:00:00.000","type":"TRACKER"},
  {"battery":"High","batteryLevel":95,"deviceVersion":"Aria Air","id":"2","lastSyncTime":"2026-11-22T12:00:00.000","type":"SCALE"},
  {"battery":"Low","batteryLevel":20,"deviceVersion":"Alta","id":"3","lastSyncTime":"2024-01-01T00:00:00.000","type":"TRACKER"},
  {"battery":"Medium","batteryLevel":60,"deviceVersion":"Charge 6","features":[],"id":"816713257","lastSyncTime":"2026-11-22T08:40:11.000","mac":"AABBCCDDEEFF","type":"TRACKER"}]"#;

const PROFILE: &str = r#"{"user":{"age":40,"displayName":"A","features":{"timezone":"no"},"offsetFromUTCMillis":-21600000,"timezone":"America/Chicago","topBadges":[{"timezone":"no"}]}}"#;

#[test]
fn a_whole_day_is_placed_by_the_clock() {
    let (facts, day) = heart(WHOLE_DAY).unwrap();
    assert_eq!(logged(&day), [(0, 64), (1, 66), (1_439, 120)]);
    assert_eq!(
        facts,
        HeartFacts {
            date: Some(date(2026, 11, 22)),
            resting: Some(bpm(61)),
            zones: ProviderZones::new([bpm(108), bpm(136), bpm(171)]),
            entries: 3,
        }
    );
    assert!(facts.zones.is_some());
}

#[test]
fn a_part_of_a_day_has_its_zones_elsewhere() {
    let (facts, day) = heart(PART_OF_DAY).unwrap();
    assert_eq!(logged(&day), [(480, 61)]);
    assert_eq!((facts.date, facts.resting), (None, None));
    assert_eq!(
        facts.zones,
        ProviderZones::new([bpm(108), bpm(136), bpm(171)])
    );
    assert!(facts.zones.is_some());
}

#[test]
fn members_come_in_any_order_and_unknown_ones_do_not_matter() {
    let body = r#"{"activities-heart-intraday":{"datasetType":"minute","dataset":[
          {"value":64,"quality":{"value":1,"time":"03:00:00"},"time":"00:00:00"}]},"success":true,
        "activities-heart":[{"value":{"restingHeartRate":61},"dateTime":"2026-11-22","time":"x"}]}"#;
    let (facts, day) = heart(body).unwrap();
    assert_eq!(logged(&day), [(0, 64)]);
    assert_eq!(
        (facts.date, facts.resting, facts.zones),
        (Some(date(2026, 11, 22)), Some(bpm(61)), None)
    );
}

#[test]
fn an_empty_data_set_is_a_day_without_minutes() {
    let body = r#"{"activities-heart":[],"activities-heart-intraday":{"dataset":[],"datasetInterval":1,"datasetType":"minute"}}"#;
    let (facts, day) = heart(body).unwrap();
    assert_eq!((facts.entries, day.logged_minutes()), (0, 0));
}

#[test]
fn minutes_that_cannot_be_read_are_not_told_as_no_minutes() {
    for intraday in [
        "{}",
        r#"{"dataset":null}"#,
        r#"{"dataset":[{"value":64}]}"#,
        r#"{"dataset":[{"time":"00:01:00"},{"time":"00:02:00"}]}"#,
    ] {
        let body = format!(r#"{{"activities-heart-intraday":{intraday}}}"#);
        assert_eq!(
            heart(&body).unwrap_err(),
            DecodeError::NotTheReply,
            "{body}"
        );
    }
}

#[test]
fn a_reply_without_an_intraday_part_says_so() {
    let body =
        r#"{"activities-heart":[{"dateTime":"2026-11-22","value":{"restingHeartRate":61}}]}"#;
    assert_eq!(heart(body).unwrap_err(), DecodeError::NoIntraday);
    assert_eq!(heart("{}").unwrap_err(), DecodeError::NoIntraday);
}

#[test]
fn another_body_is_an_error() {
    let body = r#"{"errors":[{"errorType":"system","message":"x"}],"success":false}"#;
    assert_eq!(heart(body).unwrap_err(), DecodeError::ErrorReport);
    assert_eq!(
        heart(r#"{"error":{"code":403}}"#).unwrap_err(),
        DecodeError::ErrorReport
    );
    assert_eq!(heart("[]").unwrap_err(), DecodeError::NotTheReply);
    assert!(matches!(
        heart(&WHOLE_DAY[..300]).unwrap_err(),
        DecodeError::Json(_)
    ));
}

#[test]
fn what_falls_into_one_minute_is_averaged_half_up() {
    // Seconds as a worn tracker logs them, and a step of five minutes.
    let entries = [
        ("08:00:03", 60),
        ("08:00:08", 61),
        ("08:01:00", 60),
        ("08:01:20", 60),
        ("08:01:59", 61),
        ("08:05:00", 70),
    ];
    let (facts, day) = heart(&of_day("2026-11-22", &entries)).unwrap();
    assert_eq!(logged(&day), [(480, 61), (481, 60), (485, 70)]);
    assert_eq!(facts.entries, 6);
}

#[test]
fn entries_that_cannot_be_read_are_left_out() {
    let entries = r#"{"time":"00:00:00","value":64},{"time":"24:00:00","value":64},{"time":"00:60:00","value":64},
        {"time":"1:02:03","value":64},{"time":"00:02:00"},{"value":64},{"time":"00:03:00","value":0},{"time":"00:04:00","value":301},
        {"time":"00:05:00","value":null},{"time":"00:06","value":"66.5"},{"time":7,"value":7},null,[],{"time":"00:07:00","value":67.49}"#;
    let body = format!(r#"{{"activities-heart-intraday":{{"dataset":[{entries}]}}}}"#);
    assert_eq!(minutes(&body), [(0, 64), (6, 67), (7, 67)]);
}

#[test]
fn the_hour_that_comes_twice_is_told_by_the_clocks_running_backwards() {
    let entries = [
        ("01:59:00", 60),
        ("02:00:00", 61),
        ("02:59:00", 62),
        ("02:00:00", 63),
        ("02:59:00", 64),
        ("03:00:00", 65),
        ("23:59:00", 66),
    ];
    let (_, day) = heart_on(
        date(2026, 10, 25),
        &[of_day("2026-10-25", &entries).as_bytes()],
    )
    .unwrap();
    assert_eq!(
        logged(&day),
        [
            (119, 60),
            (120, 61),
            (179, 62),
            (180, 63),
            (239, 64),
            (240, 65),
            (1_499, 66)
        ]
    );
}

#[test]
fn a_whole_day_of_25_hours_keeps_all_its_minutes() {
    let local = berlin().day(date(2026, 10, 25));
    let times: Vec<_> = (0..1_500)
        .map(|minute| local.clock(minute).to_string())
        .collect();
    let entries: Vec<_> = times
        .iter()
        .zip(0_u16..)
        .map(|(time, minute)| (time.as_str(), 50 + minute % 100))
        .collect();
    let (facts, day) = heart_on(
        date(2026, 10, 25),
        &[of_day("2026-10-25", &entries).as_bytes()],
    )
    .unwrap();
    assert_eq!((facts.entries, day.logged_minutes()), (1_500, 1_500));
    assert!(
        day.iter()
            .all(|(minute, bpm)| bpm.get() == 50 + minute % 100)
    );
}

#[test]
fn the_hour_that_is_skipped_has_no_minutes() {
    let entries = [
        ("01:59:00", 60),
        ("02:30:00", 99),
        ("03:00:00", 61),
        ("23:59:00", 62),
    ];
    let (facts, day) = heart_on(
        date(2026, 3, 29),
        &[of_day("2026-03-29", &entries).as_bytes()],
    )
    .unwrap();
    assert_eq!(logged(&day), [(119, 60), (120, 61), (1_379, 62)]);
    assert_eq!(facts.entries, 3);
}

#[test]
fn a_reply_of_another_date_makes_the_day_one_of_that_date() {
    let entries = [("00:10:00", 60), ("02:30:00", 61), ("02:10:00", 62)];
    let body = of_day("2026-10-25", &entries);
    let (_, day) = heart_on(date(2026, 10, 26), &[body.as_bytes()]).unwrap();
    assert_eq!(day.local(), &berlin().day(date(2026, 10, 25)));
    assert_eq!(logged(&day), [(10, 60), (150, 61), (190, 62)]);
}

#[test]
fn a_date_that_comes_late_moves_the_minutes_by_the_clock() {
    let body = r#"{"activities-heart-intraday":{"dataset":[{"time":"01:00:00","value":60},{"time":"03:30:00","value":61}]},
        "activities-heart":[{"dateTime":"2026-03-29","value":{}}]}"#;
    let (_, day) = heart(body).unwrap();
    assert_eq!(day.local().date(), date(2026, 3, 29));
    assert_eq!(logged(&day), [(60, 60), (150, 61)]);
}

#[test]
fn minutes_of_another_date_do_not_stay_on_a_day_that_is_made_anew() {
    let offsets = berlin();
    let mut day = Day::new(offsets.day(date(2026, 11, 21)));
    day.record(100, bpm(99));
    let mut decoder = HeartDecoder::new(&offsets);
    decoder.feed(WHOLE_DAY.as_bytes(), &mut day).unwrap();
    decoder.finish(&mut day).unwrap();
    assert_eq!(day.get(100), None);
}

#[test]
fn clock_times_of_several_days_are_refused() {
    let body = r#"{"activities-heart":[{"dateTime":"2026-11-21","value":{}},{"dateTime":"2026-11-22","value":{}}],
        "activities-heart-intraday":{"dataset":[{"time":"23:00:00","value":60},{"time":"01:00:00","value":61}]}}"#;
    assert_eq!(heart(body).unwrap_err(), DecodeError::SeveralDays);
}

#[test]
fn of_all_devices_the_tracker_that_synced_last_is_taken() {
    assert_eq!(
        device(DEVICES),
        DeviceFacts {
            battery_percent: Some(60),
            last_sync: Some(at("2026-11-22T07:40:11Z"))
        }
    );
}

#[test]
fn a_tracker_without_a_battery_level_is_better_than_none() {
    let body = r#"[{"type":"SCALE","batteryLevel":9,"lastSyncTime":"2026-11-22T12:00:00.000"},
        {"type":"TRACKER","battery":"Empty","lastSyncTime":"2026-11-22T08:00:00.000"}]"#;
    assert_eq!(
        device(body),
        DeviceFacts {
            battery_percent: None,
            last_sync: Some(at("2026-11-22T07:00:00Z"))
        }
    );
    assert_eq!(device("[]"), DeviceFacts::default());
    assert_eq!(device(r#"[{},null,{"type":7}]"#), DeviceFacts::default());
}

#[test]
fn what_the_worn_tracker_does_not_tell_is_not_told_by_one_in_a_drawer() {
    // The worn one has no level, but the old one does.
    let body = r#"[{"type":"TRACKER","deviceVersion":"Alta HR","battery":"Low","batteryLevel":12,
          "lastSyncTime":"2019-05-05T08:40:11.000"},
        {"type":"TRACKER","deviceVersion":"Pixel Watch 2","battery":"High",
          "lastSyncTime":"2026-11-22T14:00:12.000"}]"#;
    for newest in [None, Some("2026-11-22T12:58:00Z")] {
        assert_eq!(
            worn(body, newest),
            DeviceFacts {
                battery_percent: None,
                last_sync: Some(at("2026-11-22T13:00:12Z"))
            }
        );
    }
}

#[test]
fn averages_over_more_than_a_minute_are_no_minutes() {
    let of = |interval: &str, kind: &str| {
        heart(&format!(
            r#"{{"activities-heart-intraday":{{"dataset":[{{"time":"08:00:00","value":64}}],
            "datasetInterval":{interval},"datasetType":"{kind}"}}}}"#
        ))
        .map(|_| ())
    };
    assert_eq!(of("1", "minute"), Ok(()));
    assert_eq!(of("1", "second"), Ok(()));
    assert_eq!(of("null", "minute"), Ok(()));
    assert_eq!(of("15", "minute"), Err(DecodeError::NotMinutes));
}

#[test]
fn a_last_sync_is_read_by_the_wearers_clock() {
    for (text, expected) in [
        ("2026-07-01T12:00:00.000", Some("2026-07-01T10:00:00Z")),
        ("2026-07-01T12:00:00", Some("2026-07-01T10:00:00Z")),
        // The first of the two 02:30, and a time that the clock skipped.
        ("2026-10-25T02:30:00.000", Some("2026-10-25T00:30:00Z")),
        ("2026-03-29T02:30:00.000", Some("2026-03-29T01:30:00Z")),
        ("2026-10-25T03:30:00.000", Some("2026-10-25T02:30:00Z")),
        ("2026-07-01T12:00:00Z", Some("2026-07-01T12:00:00Z")),
        ("2026-07-01T12:00:00-04:00", Some("2026-07-01T16:00:00Z")),
        ("yesterday", None),
        ("", None),
    ] {
        let body = format!(r#"[{{"lastSyncTime":"{text}","type":"TRACKER","batteryLevel":50}}]"#);
        assert_eq!(device(&body).last_sync, expected.map(at), "{text}");
    }
}

#[test]
fn an_object_is_no_list_of_devices() {
    let body = br#"{"errors":[{"errorType":"insufficient_scope"}],"success":false}"#;
    assert_eq!(devices_in(&[body]), Err(DecodeError::NotTheReply));
}

#[test]
fn the_time_zone_has_a_name_and_an_offset() {
    let zone = profile(PROFILE);
    assert_eq!(zone.name.as_deref(), Some("America/Chicago"));
    assert_eq!(zone.offset, Some(Offset::constant(-6)));
    for body in [
        "{}",
        r#"{"user":{}}"#,
        r#"{"user":[]}"#,
        r#"{"user":{"timezone":7,"offsetFromUTCMillis":"x"}}"#,
    ] {
        assert_eq!(profile(body), ZoneFacts::default(), "{body}");
    }
    assert_eq!(
        profile_in(&[br#"{"errors":[]}"#]),
        Err(DecodeError::ErrorReport)
    );
}

#[test]
fn a_decoders_state_is_below_one_kibibyte() {
    for (decoder, size) in [
        ("heart", size_of::<HeartDecoder>()),
        ("devices", size_of::<DevicesDecoder>()),
    ] {
        assert!(size < 1_024, "{decoder}: {size}");
    }
    assert!(size_of::<ProfileDecoder>() < 512);
}

const BODIES: &[&str] = &[
    WHOLE_DAY,
    PART_OF_DAY,
    DEVICES,
    PROFILE,
    "[]",
    r#"{"errors":[]}"#,
];

proptest! {
    #[test]
    fn how_a_body_is_cut_does_not_matter((body, places) in damaged_and_cut(BODIES)) {
        let chunks = cut(&body, &places);
        for asked in [date(2026, 11, 22), date(2026, 10, 25)] {
            prop_assert_eq!(heart_on(asked, &chunks), heart_on(asked, &[&body]));
        }
        prop_assert_eq!(devices_in(&chunks), devices_in(&[&body]));
        prop_assert_eq!(profile_in(&chunks), profile_in(&[&body]));
    }

    /// Whole entries are read from their bytes (feature `fast`); single bytes never are.
    #[test]
    fn a_byte_at_a_time_comes_to_the_same((body, _) in damaged_and_cut(BODIES)) {
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        for asked in [date(2026, 11, 22), date(2026, 10, 25)] {
            prop_assert_eq!(heart_on(asked, &bytes), heart_on(asked, &[&body]));
        }
    }

    #[test]
    fn no_bytes_do_harm(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = heart_on(date(2026, 11, 22), &[&body]);
        let _ = devices_in(&[&body]);
        let _ = profile_in(&[&body]);
    }

    #[test]
    fn no_time_of_any_day_does_harm(
        entries in proptest::collection::vec((0_u32..100, 0_u32..100, any::<i64>()), 0..20),
        year in -9999_i16..=9999, month in 1_i8..=12, day in 1_i8..=28,
    ) {
        let entries: Vec<_> = entries
            .iter()
            .map(|(hour, minute, value)| format!(r#"{{"time":"{hour:02}:{minute:02}:00","value":{value}}}"#))
            .collect();
        let asked = date(year, month, day);
        let body = format!(
            r#"{{"activities-heart":[{{"dateTime":"{asked}"}}],"activities-heart-intraday":{{"dataset":[{}]}}}}"#,
            entries.join(",")
        );
        let _ = heart_on(date(2026, 11, 22), &[body.as_bytes()]);
        let device = format!(r#"[{{"lastSyncTime":"{asked}T23:59:59.999"}}]"#);
        let _ = devices_in(&[device.as_bytes()]);
    }
}
