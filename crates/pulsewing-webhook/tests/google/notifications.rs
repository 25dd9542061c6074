//! Notifications: whom they are about, and what is accepted.

use pulsewing_webhook::{Operation, Outcome, Range, Refusal, SIGNATURE_HEADER};

use crate::{
    http,
    world::{FIRST, World, encoded, secret},
};

#[test]
fn every_sync_is_one_notification() {
    let world = World::subscribed();
    for sync in ["2026-11-22T14:15:00Z", "2026-11-22T14:30:00Z"] {
        world.sync();
        let received = world.endpoint.next();
        assert_eq!(received.status, 204);
        let Outcome::Accepted(notifications) = received.outcome else {
            panic!("{received:?}");
        };
        let [notification] = notifications.all.as_slice() else {
            panic!("{notifications:?}");
        };
        assert_eq!(notification.health_user_id, FIRST);
        assert_eq!(notification.data_type, "heart-rate");
        assert_eq!(notification.operation, Operation::Upsert);
        let Some(Range::Physical { start, end }) = notification.range else {
            panic!("{notification:?}");
        };
        let until: jiff::Timestamp = sync.parse().unwrap();
        let since = until - jiff::SignedDuration::from_mins(15);
        assert!(
            since <= start && start < end && end <= until,
            "{start} {end}"
        );
    }
    // Between two syncs nothing arrives.
    world.advance(300);
    world.sync();
    world.endpoint.next_ids();
    world.assert_sent(3);
}

#[test]
fn a_long_step_of_the_clock_is_one_notification_too() {
    let world = World::subscribed();
    world.advance(8 * 3600);
    let received = world.endpoint.next();
    let Outcome::Accepted(notifications) = received.outcome else {
        panic!("{received:?}");
    };
    let Some(Range::Physical { start, end }) = notifications.all[0].range else {
        panic!("{notifications:?}");
    };
    assert!(end.duration_since(start).as_hours() >= 6, "{start} {end}");
    world.sync();
    world.endpoint.next_ids();
    world.assert_sent(2);
}

#[test]
fn only_those_who_consented_are_told_about_and_only_as_long_as_they_do() {
    let world = World::new(3);
    world.consent(1);
    world.subscribe();
    let refresh = world.consent(3);
    world.sync();
    let third = "111122223333444457";
    assert_eq!(world.endpoint.next_ids(), [FIRST, third]);
    let revoked = world.post_form("/revoke", &encoded(&[("token", &refresh)]));
    assert_eq!(revoked.status(), 200);
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
}

#[test]
fn several_are_an_array_of_at_most_ninety_nine() {
    let world = World::new(101);
    (1..=101).for_each(|user| drop(world.consent(user)));
    world.subscribe();
    world.sync();
    let mut ids = world.endpoint.next_ids();
    assert_eq!(ids.len(), 99);
    ids.extend(world.endpoint.next_ids());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 101);
    world.assert_sent(2);
}

#[test]
fn what_is_not_googles_is_refused_and_comes_again_in_good_order() {
    for (mishap, refusal, status) in [
        ("wrong-secret", Refusal::SecretWrong, 403),
        ("wrong-signature", Refusal::SignatureWrong, 403),
        ("tampered", Refusal::SignatureWrong, 403),
        ("wrong-key", Refusal::KeyUnknown, 403),
    ] {
        let world = World::subscribed();
        world.mishap(mishap, 1);
        world.sync();
        let received = world.endpoint.next();
        assert_eq!(received.outcome, Outcome::Refused(refusal), "{mishap}");
        assert_eq!(received.status, status);
        world.until_noted("waiting");
        world.advance(10);
        assert_eq!(world.endpoint.next_ids(), [FIRST]);
    }
}

#[test]
fn a_notification_that_comes_twice_says_the_same_twice() {
    let world = World::subscribed();
    world.mishap("duplicate", 1);
    world.sync();
    let (one, other) = (world.endpoint.next(), world.endpoint.next());
    assert_eq!((one.status, other.status), (204, 204));
    assert_eq!(one.outcome, other.outcome);
    world.sync();
    world.endpoint.next_ids();
    world.assert_sent(2);
}

#[test]
fn a_replayed_body_is_accepted_and_a_changed_one_is_not() {
    let world = World::subscribed();
    world.sync();
    let received = world.endpoint.next();
    let signature = received.message.header(&SIGNATURE_HEADER.to_lowercase());
    let signature = signature.unwrap().to_owned();
    let secret = secret();
    let headers = [
        ("Authorization", secret.expose()),
        (SIGNATURE_HEADER, signature.as_str()),
    ];
    let address = world.endpoint.address;
    world.advance(3 * 3600);
    world.endpoint.next_ids();
    let replay = |body: &[u8]| http::send(address, "POST", "/hook", &headers, body).status();
    assert_eq!(replay(&received.message.body), 204);
    assert_eq!(world.endpoint.next().outcome, received.outcome);
    let changed = received.message.text().replace(FIRST, "111122223333444456");
    assert_eq!(replay(changed.as_bytes()), 403);
}

#[test]
fn an_unknown_user_is_told_by_their_id_and_answered_like_any_other() {
    let world = World::subscribed();
    world.mishap("unknown-user", 1);
    world.sync();
    assert_eq!(world.endpoint.next_ids(), ["999900000000000001"]);
}

#[test]
fn a_notification_may_come_after_a_later_one() {
    let world = World::subscribed();
    world.mishap("out-of-order", 1);
    let range = || {
        let received = world.endpoint.next();
        match received.outcome {
            Outcome::Accepted(notifications) => match notifications.all[0].range {
                Some(Range::Physical { start, .. }) => start,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    world.sync();
    world.until_noted("held");
    world.sync();
    let (first, second) = (range(), range());
    assert!(first > second, "{first} {second}");
}

#[test]
fn the_resting_heart_rate_is_a_notification_once_a_day() {
    let world = World::new(1);
    world.consent(1);
    let types = pulsewing_webhook::subscriber::DataTypes::new(["daily-resting-heart-rate"]);
    let creation = pulsewing_webhook::subscriber::create(
        &crate::world::project(),
        &crate::world::id(),
        &world.uri(),
        &secret(),
        &types.unwrap(),
    );
    world.change(&creation).unwrap();
    world.endpoint.next();
    world.endpoint.next();
    for day in ["2026-11-23", "2026-11-24"] {
        world.clock.set(format!("{day}T12:07:00Z").parse().unwrap());
        let received = world.endpoint.next();
        let Outcome::Accepted(notifications) = received.outcome else {
            panic!("{received:?}");
        };
        assert_eq!(notifications.all[0].data_type, "daily-resting-heart-rate");
        let Some(Range::Physical { start, .. }) = notifications.all[0].range else {
            panic!("{notifications:?}");
        };
        assert_eq!(start.to_string(), format!("{day}T00:00:00Z"));
        world.sync();
    }
    world.assert_sent(2);
}
