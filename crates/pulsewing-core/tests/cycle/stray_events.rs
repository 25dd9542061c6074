//! Unrequested events in any order: a driver with a bug, or an incomplete restart.

use std::time::Duration;

use jiff::{SignedDuration, tz::Offset};
use proptest::{collection::vec, prelude::*};
use pulsewing_core::{
    civil::Offsets,
    cycle::{Action, Now, StoreTrouble},
    oauth::NoAnswer,
    reading::{TimeZone, ZoneName, ZoneSource},
    request::{REQUEST_BUFFER, ReplyHead},
};

use crate::world::{Setup, World, beginning};

#[derive(Clone, Debug)]
enum Event {
    Opened,
    Unavailable(bool),
    Stored(bool),
    Closed,
    Head(u16),
    Body(Vec<u8>),
    End(bool),
    Zone,
    Acknowledge,
    Start,
    Passes(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Opened),
        any::<bool>().prop_map(Event::Unavailable),
        any::<bool>().prop_map(Event::Stored),
        Just(Event::Closed),
        prop_oneof![Just(200), Just(400), Just(401), Just(429), any::<u16>()].prop_map(Event::Head),
        prop_oneof![
            Just(br#"{"access_token":"a","refresh_token":"r-9"}"#.to_vec()),
            vec(any::<u8>(), 0..40),
        ]
        .prop_map(Event::Body),
        any::<bool>().prop_map(Event::End),
        Just(Event::Zone),
        Just(Event::Acknowledge),
        Just(Event::Start),
        any::<u32>().prop_map(Event::Passes),
    ]
}

proptest! {
    #[test]
    fn events_in_any_order_neither_panic_nor_send_what_is_not_stored(
        events in vec(event(), 0..80),
        rotates in any::<bool>(),
        is_expired in any::<bool>(),
    ) {
        let setup = if rotates { Setup::fitbit() } else { Setup::google() };
        let setup = if is_expired { setup.expired() } else { setup };
        let mut world = World::new(setup);
        let record = world.store.chain();
        let mut now = Now { utc: beginning(), up: Duration::ZERO };
        let mut confirmed = vec!["refresh_token=refresh-1&".to_owned()];
        for event in events {
            let mut buffer = [0; REQUEST_BUFFER];
            let mut storing = None;
            match world.cycle.poll(now, &mut buffer) {
                Action::Send { request, .. } => {
                    let body = std::str::from_utf8(request.view(&buffer).body).unwrap();
                    let is_known = confirmed.iter().any(|token| body.contains(token));
                    prop_assert!(is_known || !body.contains("refresh_token="), "{}", body);
                }
                Action::Store { len, .. } => {
                    let record = pulsewing_core::chain::Record::decode(&buffer[..len]).unwrap();
                    let token = record.chain.refresh_token().expose().to_owned();
                    storing = Some(format!("refresh_token={token}&"));
                }
                _ => {}
            }
            let cycle = &mut world.cycle;
            match event {
                Event::Opened => cycle.opened(record.clone(), now),
                Event::Unavailable(is_empty) => cycle.unavailable((!is_empty).then_some(StoreTrouble::Io)),
                Event::Stored(is_done) => {
                    confirmed.extend(storing.filter(|_| is_done));
                    cycle.stored(is_done, now);
                }
                Event::Closed => cycle.closed(now),
                Event::Head(status) => cycle.reply_head(ReplyHead::new(status)),
                Event::Body(bytes) => cycle.reply_body(&bytes),
                Event::End(fails) => cycle.reply_end(fails.then_some(NoAnswer::TimedOut), now),
                Event::Zone => {
                    let zone = TimeZone {
                        name: ZoneName::new(),
                        source: ZoneSource::Machine,
                        offsets: Offsets::fixed(Offset::UTC),
                    };
                    cycle.zone_resolved(zone, now);
                }
                Event::Acknowledge => cycle.acknowledge(),
                Event::Start => cycle.start_now(),
                Event::Passes(milliseconds) => {
                    now.up += Duration::from_millis(milliseconds.into());
                    now.utc += SignedDuration::from_millis(milliseconds.into());
                }
            }
        }
    }
}
