//! The published keys: cached, rotated, out of reach.

use pulsewing_webhook::Outcome;

use crate::world::{FIRST, World};

const DAY: i64 = 86_400;

fn unreachable(world: &World) {
    let faults = r#"[{"route":"google.keyset","count":0,"do":{"status":503,"body":"html"}}]"#;
    world.control("POST", "faults", faults);
}

#[test]
fn keys_are_fetched_once_a_day() {
    let world = World::subscribed();
    for _ in 0..3 {
        world.sync();
        assert_eq!(world.endpoint.next_ids(), [FIRST]);
    }
    assert_eq!(world.endpoint.fetches(), 1);
    world.advance(DAY);
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    assert_eq!(world.endpoint.fetches(), 2);
}

#[test]
fn keys_out_of_reach_for_a_day_change_nothing_and_for_eight_days_nothing_is_accepted() {
    let world = World::subscribed();
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    unreachable(&world);
    for _ in 0..2 {
        world.advance(DAY + 3600);
        assert_eq!(world.endpoint.next_ids(), [FIRST]);
    }
    assert_eq!(world.endpoint.fetches(), 3);
    world.advance(6 * DAY);
    let received = world.endpoint.next();
    assert_eq!(
        (received.status, received.outcome),
        (503, Outcome::KeysNeeded)
    );
    world.until_noted("waiting");
    // Back in reach, what was not accepted comes again; no fetch is made twice in a minute.
    world.control("POST", "faults", "[]");
    world.advance(10);
    assert_eq!(world.endpoint.next().outcome, Outcome::KeysNeeded);
    world.until_attempts(2);
    world.advance(60);
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
}

#[test]
fn a_new_key_is_fetched_when_it_is_first_used() {
    let world = World::subscribed();
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    for old in ["enabled", "disabled", "gone"] {
        world.control("POST", "rotate-key", &format!(r#"{{"old":"{old}"}}"#));
        world.sync();
        assert_eq!(world.endpoint.next_ids(), [FIRST]);
    }
    assert_eq!(world.endpoint.fetches(), 4);
}

#[test]
fn a_key_that_is_not_published_costs_one_fetch_a_minute() {
    let world = World::subscribed();
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    world.mishap("wrong-key", 3);
    world.sync();
    assert_eq!(world.endpoint.next().status, 403);
    world.until_noted("waiting");
    world.advance(10);
    assert_eq!(world.endpoint.next().status, 403);
    world.until_attempts(2);
    assert_eq!(world.endpoint.fetches(), 2);
    world.advance(60);
    assert_eq!(world.endpoint.next().status, 403);
    assert_eq!(world.endpoint.fetches(), 3);
}

#[test]
fn keys_that_are_a_page_instead_are_not_taken() {
    let world = World::new(1);
    world.consent(1);
    let faults = r#"[{"route":"google.keyset","count":2,"do":{"status":200,"body":"html"}}]"#;
    world.control("POST", "faults", faults);
    world.subscribe();
    assert_eq!(world.endpoint.fetches(), 1);
    world.sync();
    assert_eq!(world.endpoint.next().outcome, Outcome::KeysNeeded);
    world.until_noted("waiting");
    world.advance(60);
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
}
