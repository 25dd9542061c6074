//! Whatever is not answered with 204 comes again.

use crate::world::{FIRST, World};

#[test]
fn only_204_ends_a_delivery() {
    for status in [500, 200, 401, 503] {
        let world = World::subscribed();
        world.endpoint.answer_instead(&[status, status]);
        world.sync();
        let first = world.endpoint.next();
        assert_eq!(first.status, status);
        world.until_noted("waiting");
        // The pause doubles.
        world.advance(10);
        assert_eq!(world.endpoint.next().message.body, first.message.body);
        world.until_noted("waiting");
        world.advance(19);
        world.endpoint.assert_silent();
        world.advance(1);
        let third = world.endpoint.next();
        assert_eq!(third.status, 204);
        assert_eq!(third.message.body, first.message.body);
        world.until_noted("delivered");
    }
}

#[test]
fn a_lost_notification_comes_later() {
    let world = World::subscribed();
    world.mishap("lost", 2);
    world.sync();
    world.until_noted("waiting");
    world.advance(10);
    world.until_attempts(2);
    world.endpoint.assert_silent();
    world.advance(20);
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
}

#[test]
fn after_seven_days_google_gives_up() {
    let world = World::subscribed();
    world.mishap("lost", 0);
    world.sync();
    world.until_noted("waiting");
    world.advance(8 * 86_400);
    world.until_noted("given-up");
    world.control("POST", "faults", "[]");
    world.sync();
    // The first is lost. What came in the meantime and what comes now is not.
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    world.until_noted("given-up");
    world.endpoint.assert_silent();
}
