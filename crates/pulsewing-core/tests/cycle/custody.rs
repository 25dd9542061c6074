//! The owner of a chain, and the places that its tokens may be sent to.

use pulsewing_core::{
    Provider,
    chain::{Record, codec::MAX_RECORD},
    cycle::{Failure, StoreTrouble, StoreWhat},
};
use serde_json::json;

use crate::{
    cloud::{Fault, Route},
    world::{Setup, Todo, World, chain},
};

#[test]
fn a_chain_of_another_origin_client_or_provider_is_sent_nowhere() {
    let changes: [fn(&mut World); 4] = [
        |world| world.settings.issuer = "https://cloud.example.org".try_into().unwrap(),
        |world| world.settings.issuer = "https://cloud.example:8443".try_into().unwrap(),
        |world| world.settings.client_id = Some("23WXYZ".try_into().unwrap()),
        |world| world.settings.provider = Provider::Google,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        for setup in [Setup::fitbit(), Setup::fitbit().expired()] {
            let mut world = World::new(setup);
            change(&mut world);
            world.die();
            world.story.clear();
            assert_eq!(world.cycle_once(), Err(Failure::ForeignChain), "{number}");
            assert_eq!(world.told(), "open, close, failed", "{number}");
        }
    }
}

#[test]
fn a_foreign_chain_is_not_sent_either_when_it_appears_after_a_refusal() {
    let mut world = World::new(Setup::fitbit().expired());
    let _ = world.run_until_refresh();
    let _ = world.cloud.grants.refreshed_elsewhere(world.real);
    world.cloud.always.insert(
        Route::Token,
        Fault::Body(400, json!({"error": "invalid_grant"}).to_string()),
    );
    let _ = world.step();
    let other = Setup::google();
    world.put(&chain(&other, "refresh-9", None, Some(8)));
    assert_eq!(world.cycle_once(), Err(Failure::ForeignChain));
    assert_eq!(world.refreshes().len(), 1);
}

#[test]
fn a_moving_chain_is_never_refreshed_also_not_for_an_intent() {
    let mut world = World::new(Setup::fitbit().expired());
    let _ = world.run_until_refresh();
    world.store.record = moving(&world.store.chain());
    world.die();
    world.rules = crate::rules::Rules::new(&world.settings);
    assert_eq!(world.cycle_once(), Err(Failure::ChainMoved));
    assert!(world.refreshes().is_empty());
}

/// Returns the record with another standing: field 14, value 3.
fn moving(record: &Record) -> Vec<u8> {
    edited(record, &[14, 0, 1, 1], 3)
}

/// Returns a hand-edited record: the last byte of the pattern `found` is replaced.
fn edited(record: &Record, found: &[u8], last: u8) -> Vec<u8> {
    use sha2::Digest as _;
    let mut buffer = [0; MAX_RECORD];
    let mut bytes = record.encode(&mut buffer).unwrap().to_vec();
    let place = bytes.windows(found.len()).position(|field| field == found);
    bytes[place.unwrap() + found.len() - 1] = last;
    let end = bytes.len() - 8;
    let sum = sha2::Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum[..8]);
    bytes
}

#[test]
fn an_intent_of_another_generation_is_ignored() {
    let mut world = World::fitbit();
    world.cloud.grants.revoke_access("access-1");
    let _ = world.run_until(|todo| matches!(todo, Todo::Store(_, StoreWhat::Intent)));
    let _ = world.step();
    // Field 15, its generation.
    world.store.record = edited(&world.store.chain(), &[15, 0, 12, 0, 0, 0, 1], 7);
    world.die();
    let first = world.run_until(|todo| matches!(todo, Todo::Send(..)));
    assert!(matches!(first, Todo::Send(call, _) if call.route() != Route::Token));
}

#[test]
fn nothing_that_is_printed_shows_a_token() {
    let mut world = World::new(Setup::fitbit().expired());
    loop {
        let now = world.now();
        let mut buffer = [0; pulsewing_core::request::REQUEST_BUFFER];
        let printed = format!("{:?}", world.cycle.poll(now, &mut buffer));
        // As text, or as the byte values of "refr" and "acce".
        for token in [
            "refresh-",
            "access-",
            "114, 101, 102, 114",
            "97, 99, 99, 101",
        ] {
            assert!(!printed.contains(token), "{printed}");
        }
        let printed = format!("{:?}", world.cycle);
        assert!(
            !printed.contains("refresh-1") && !printed.contains("access-2"),
            "{printed}"
        );
        if let Todo::Finished(_) = world.step() {
            break;
        }
    }
}

#[test]
fn a_newer_format_is_refused_and_left_untouched() {
    let mut world = World::new(Setup::fitbit().expired());
    world.store.record[4] = 2;
    let before = world.store.record.clone();
    assert_eq!(
        world.cycle_once(),
        Err(Failure::Store(StoreTrouble::Newer(2)))
    );
    assert_eq!(world.store.record, before);
}

#[test]
fn a_chain_that_does_not_rotate_needs_no_write() {
    let mut world = World::new(Setup::google().expired());
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.told(),
        "open, token 200, close, zone 200, resolve, wearables 200, devices 200, resting 200, limits 200, done"
    );
    // And continues with the access token that is only in memory.
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(
        world.told(),
        "open, close, resolve, wearables 200, devices 200, done"
    );
    // A new sign-in takes precedence, though.
    let setup = Setup {
        age: 0,
        ..Setup::google()
    };
    world.put(&chain(&setup, "refresh-2", Some("access-2"), Some(1)));
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(world.cycle.chain().unwrap().generation(), 2);
}

#[test]
fn an_access_token_that_may_be_cached_is() {
    let setup = Setup {
        cache_access: true,
        ..Setup::google().expired()
    };
    let mut world = World::new(setup);
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.told().starts_with("open, token 200, cache, close"));
    assert_eq!(world.store.access().as_deref(), Some("access-2"));
    assert_eq!(world.store.chain().chain.generation(), 1);
    world.die();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(world.refreshes().len(), 1);
}

#[test]
fn a_rotation_by_a_provider_that_does_not_rotate_is_stored_first_too() {
    let mut world = World::new(Setup::google().expired());
    world.will(
        Route::Token,
        [Fault::Replace("refresh_token", json!("refresh-8"))],
    );
    let _ = world.run_until_refresh();
    let _ = world.step();
    assert!(world.cycle.holds_unstored_tokens());
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.told().starts_with("open, token 200, tokens, close"));
    assert_eq!(world.store.refresh(), "refresh-8");
    assert!(world.cycle.token_written());
}
