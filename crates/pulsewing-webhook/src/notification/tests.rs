use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parse(body: &Value) -> Option<Notifications> {
    Notifications::parse(body.to_string().as_bytes())
}

fn one(body: &Value) -> Notification {
    let parsed = parse(body).unwrap();
    assert_eq!((parsed.all.len(), parsed.unreadable), (1, 0), "{body}");
    parsed.all.into_iter().next().unwrap()
}

fn with(member: &str, value: Value) -> Value {
    let mut body = json!({ "data": {
        "version": "1",
        "healthUserId": "111122223333444455",
        "operation": "UPSERT",
        "dataType": "heart-rate",
    } });
    body["data"][member] = value;
    body
}

fn range(intervals: Value) -> Option<Range> {
    one(&with("intervals", intervals)).range
}

fn physical(start: &str, end: &str) -> Option<Range> {
    Some(Range::Physical {
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
    })
}

fn civil_range(start: &str, end: &str) -> Option<Range> {
    Some(Range::Civil {
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
    })
}

#[test]
fn one_notification_is_an_object_and_several_are_an_array() {
    let interval = json!([{ "physicalTimeInterval":
        { "startTime": "2026-11-22T13:45:00Z", "endTime": "2026-11-22T14:00:00Z" } }]);
    let object = with("intervals", interval);
    let notification = one(&object);
    assert_eq!(
        notification,
        Notification {
            health_user_id: "111122223333444455".to_owned(),
            data_type: "heart-rate".to_owned(),
            operation: Operation::Upsert,
            range: physical("2026-11-22T13:45:00Z", "2026-11-22T14:00:00Z"),
        }
    );
    let array = Value::from(vec![object; 99]);
    let parsed = parse(&array).unwrap();
    assert_eq!(parsed.all, vec![notification; 99]);
    assert_eq!(parse(&json!([])).unwrap(), Notifications::default());
}

#[test]
fn an_item_that_cannot_be_read_costs_nobody_else() {
    let good = with("operation", json!("DELETE"));
    let items = json!([good, {}, with("healthUserId", json!("")), 7, null, good]);
    let parsed = parse(&items).unwrap();
    assert_eq!((parsed.all.len(), parsed.unreadable), (2, 4));
    assert_eq!(parsed.all[0].operation, Operation::Delete);
}

#[test]
fn more_than_the_bound_are_counted_and_not_kept() {
    let many = Value::from(vec![with("x", json!(0)); MAX_NOTIFICATIONS + 3]);
    let parsed = parse(&many).unwrap();
    assert_eq!(
        (parsed.all.len(), parsed.unreadable),
        (MAX_NOTIFICATIONS, 3)
    );
}

#[test]
fn what_has_no_notification_in_it_is_unreadable() {
    for body in [
        "",
        "{",
        "{}",
        "[{}]",
        "null",
        "{\"type\":\"verification\"}",
        "{\"data\":{\"dataType\":\"heart-rate\"}}",
        "[{\"data\":{}}",
        "\u{feff}[]",
    ] {
        assert_eq!(Notifications::parse(body.as_bytes()), None, "{body}");
    }
    assert_eq!(Notifications::parse(b"{\"data\":\xff}"), None);
}

#[test]
fn the_id_is_taken_as_it_is_or_not_at_all() {
    for id in ["me", "users/1", "0001", "A-b_c", "a\\\"b"] {
        assert_eq!(one(&with("healthUserId", json!(id))).health_user_id, id);
    }
    let long = "1".repeat(MAX_ID + 1);
    for id in [
        json!(""),
        json!(" 1"),
        json!("1\n"),
        json!(1),
        json!(null),
        json!(long),
    ] {
        assert_eq!(parse(&with("healthUserId", id.clone())), None, "{id}");
    }
}

#[test]
fn an_operation_that_is_not_known_is_neither() {
    for (word, operation) in [
        (json!("UPSERT"), Operation::Upsert),
        (json!("DELETE"), Operation::Delete),
        (json!("delete"), Operation::Other),
        (json!(1), Operation::Other),
        (json!(null), Operation::Other),
    ] {
        assert_eq!(one(&with("operation", word)).operation, operation);
    }
}

#[test]
fn an_interval_is_read_in_each_of_its_forms() {
    let texts = |start: &str, end: &str| json!({ "startTime": start, "endTime": end });
    let iso = texts("2026-03-07T17:29:00", "2026-03-07T17:34:00");
    let expected = civil_range("2026-03-07T17:29:00", "2026-03-07T17:34:00");
    assert_eq!(
        range(json!([{ "civilIso8601TimeInterval": iso }])),
        expected
    );
    assert_eq!(
        one(&with("civilIso8601TimeInterval", iso.clone())).range,
        expected
    );
    let date = json!({ "year": 2026, "month": 3, "day": 7 });
    let civil = json!({
        "startDateTime": { "date": date, "time": {} },
        "endDateTime": { "date": date, "time": { "hours": 24 } },
    });
    assert_eq!(
        range(json!([{ "civilDateTimeInterval": civil }])),
        civil_range("2026-03-07T00:00:00", "2026-03-08T00:00:00")
    );
    let without_time = json!({ "startDateTime": { "date": date } });
    assert_eq!(
        range(json!([{ "civilDateTimeInterval": without_time }])),
        civil_range("2026-03-07T00:00:00", "2026-03-07T00:00:00")
    );
    // An instant says more than the time of an unknown zone.
    let offset = texts("2026-03-07T17:29:00.5+01:00", "2026-03-07T17:34:00Z");
    assert_eq!(
        range(json!([{ "physicalTimeInterval": offset, "civilDateTimeInterval": civil }])),
        physical("2026-03-07T16:29:00.5Z", "2026-03-07T17:34:00Z")
    );
    // The broken form is no hindrance where another is whole.
    let broken = json!({ "startTime": "soon" });
    assert_eq!(
        range(json!([{ "physicalTimeInterval": broken, "civilIso8601TimeInterval": iso }])),
        expected
    );
    let only_start = json!({ "startTime": "2026-03-07T17:29:00Z" });
    assert_eq!(
        range(json!([{ "physicalTimeInterval": only_start }])),
        physical("2026-03-07T17:29:00Z", "2026-03-07T17:29:00Z")
    );
}

#[test]
fn several_intervals_are_one_range_around_all() {
    let interval = |start: &str, end: &str| json!({ "physicalTimeInterval": { "startTime": start, "endTime": end } });
    let two = json!([
        interval("2026-11-22T10:00:00Z", "2026-11-22T10:15:00Z"),
        interval("2026-11-21T10:00:00Z", "2026-11-21T10:15:00Z"),
    ]);
    assert_eq!(
        range(two),
        physical("2026-11-21T10:00:00Z", "2026-11-22T10:15:00Z")
    );
}

#[test]
fn what_cannot_be_read_is_no_range_but_still_a_notification() {
    let good = json!({ "physicalTimeInterval": { "startTime": "2026-11-22T10:00:00Z", "endTime": "2026-11-22T10:15:00Z" } });
    let backwards = json!({ "physicalTimeInterval": { "startTime": "2026-11-22T10:15:00Z", "endTime": "2026-11-22T10:00:00Z" } });
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    for intervals in [
        json!([]),
        json!({}),
        json!(null),
        json!("today"),
        json!([null]),
        json!([{}]),
        json!([good, {}]),
        json!([backwards]),
        json!([deep]),
        Value::from(vec![good.clone(); MAX_NOTIFICATIONS + 1]),
    ] {
        assert_eq!(range(intervals.clone()), None, "{intervals}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_notifications_or_not(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Notifications::parse(&bytes);
    }

    #[test]
    fn any_change_of_a_good_body_is_read_or_refused(
        at in 0..400_usize,
        byte in any::<u8>(),
        cut in 0..400_usize,
    ) {
        let body = json!([with("intervals", json!([{
            "physicalTimeInterval": { "startTime": "2026-11-22T10:00:00Z", "endTime": "2026-11-22T10:15:00Z" },
            "civilDateTimeInterval": { "startDateTime": { "date": { "year": 2026, "month": 3, "day": 7 } } },
        }]))]);
        let mut bytes = body.to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Notifications::parse(&bytes);
        bytes.truncate(cut);
        let _ = Notifications::parse(&bytes);
    }
}
