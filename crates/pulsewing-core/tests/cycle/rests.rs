//! Token-endpoint errors that a repeat does not fix: the token rests, and the chain is kept.

use std::time::Duration;

use pulsewing_core::{
    chain::Standing,
    cycle::{CallName, Consent, Failure, FailureKind},
    oauth::{ErrorName, NoAnswer, OAuthError},
};
use serde_json::json;

use crate::{
    cloud::{Fault, Route},
    world::{Setup, Todo, World, chain},
};

const HOUR: Duration = Duration::from_secs(3_600);

fn refused_with(setup: Setup, word: &str) -> World {
    let mut world = World::new(setup.expired());
    let body = json!({ "error": word }).to_string();
    world.always(Route::Token, Fault::Body(401, body));
    world
}

/// Returns how often the token was sent within this time.
fn sent_within(world: &mut World, time: Duration) -> usize {
    let (before, end) = (world.refreshes().len(), world.up + time);
    while world.up < end {
        let _ = world.cycle_once();
    }
    world.refreshes().len() - before
}

#[test]
fn an_error_that_a_person_has_to_act_on_is_sent_no_second_time_until_somebody_asks() {
    for (word, error, kind) in [
        (
            "deleted_client",
            OAuthError::DeletedClient,
            FailureKind::Failed,
        ),
        (
            "disabled_client",
            OAuthError::DisabledClient,
            FailureKind::Failed,
        ),
        (
            "policy_enforced",
            OAuthError::PolicyEnforced,
            FailureKind::ConsentNeeded,
        ),
        (
            "admin_policy_enforced",
            OAuthError::AdminPolicyEnforced,
            FailureKind::ConsentNeeded,
        ),
        (
            "org_internal",
            OAuthError::OrgInternal,
            FailureKind::ConsentNeeded,
        ),
        (
            "access_denied",
            OAuthError::AccessDenied,
            FailureKind::ConsentNeeded,
        ),
    ] {
        for setup in [Setup::google(), Setup::fitbit()] {
            let mut world = refused_with(setup, word);
            let failure = Failure::OAuth(error);
            assert_eq!(world.cycle_once(), Err(failure));
            assert_eq!(failure.kind(), kind, "{word}");
            assert_eq!(sent_within(&mut world, 48 * HOUR), 0, "{word}");
            assert_eq!(world.cycle_once(), Err(failure), "it is still said");
            assert_eq!(world.store.chain().chain.standing(), Standing::Active);
            world.heal();
            world.cycle.start_now();
            assert_eq!(world.cycle_once(), Ok(()), "{word}");
            assert!(world.agrees());
        }
    }
}

#[test]
fn a_new_sign_in_is_taken_up_though_the_old_ones_token_rests() {
    let mut world = refused_with(Setup::fitbit(), "deleted_client");
    assert!(world.cycle_once().is_err());
    world.heal();
    assert_eq!(sent_within(&mut world, HOUR), 0);
    let real = world.real;
    let (refresh, access) = world.cloud.grants.refreshed_elsewhere(real);
    world.put(&chain(&Setup::fitbit(), &refresh, Some(&access), Some(1)));
    assert_eq!(world.cycle_once(), Ok(()));
}

#[test]
fn an_error_that_may_pass_is_sent_ever_more_rarely() {
    let unknown = NoAnswer::Named {
        status: 401,
        error: ErrorName::new("gone_fishing").unwrap(),
    };
    let unknown = Failure::NoAnswer {
        call: CallName::Token,
        cause: unknown,
    };
    for (word, failure) in [
        ("gone_fishing", unknown),
        ("invalid_client", Failure::OAuth(OAuthError::InvalidClient)),
    ] {
        let mut world = refused_with(Setup::google(), word);
        assert_eq!(world.cycle_once(), Err(failure));
        let first = sent_within(&mut world, 24 * HOUR);
        let second = sent_within(&mut world, 7 * 24 * HOUR);
        assert!(
            (3..=40).contains(&first),
            "{word}: {first} on the first day"
        );
        assert!(
            (3..=24).contains(&second),
            "{word}: {second} in the week after"
        );
        world.heal();
        assert_eq!(sent_within(&mut world, 25 * HOUR).min(1), 1, "{word}");
        assert_eq!(world.cycle_once(), Ok(()));
    }
}

#[test]
fn when_the_provider_is_asked_again_is_told_by_what_is_really_sent() {
    let mut world = refused_with(Setup::google(), "deleted_client");
    let failure = world.cycle_once().unwrap_err();
    assert_eq!(world.cycle.asks_again(failure, world.now()), None);

    let mut world = refused_with(Setup::google(), "invalid_client");
    while world.refreshes().len() < 8 {
        let _ = world.cycle_once();
    }
    let failure = Failure::OAuth(OAuthError::InvalidClient);
    let told = world.cycle.asks_again(failure, world.now()).unwrap();
    assert!(told > world.cycle.due());
    while world.refreshes().len() < 9 {
        let _ = world.cycle_once();
    }
    let sent = world.now().utc;
    assert!(
        sent >= told && sent.duration_since(told).as_mins() < 30,
        "{told} {sent}"
    );

    for failure in [
        Failure::NoChain,
        Failure::ChainMoved,
        Failure::ConsentNeeded(Consent::Refused),
        Failure::Gone,
    ] {
        assert_eq!(world.cycle.asks_again(failure, world.now()), None);
    }
    let passing = Failure::Unauthorized;
    let due = world.cycle.due();
    assert_eq!(world.cycle.asks_again(passing, world.now()), Some(due));
}

#[test]
fn a_token_that_may_be_spent_is_sent_again_whatever_the_error_is() {
    let mut world = World::new(Setup::fitbit().expired());
    let denied = json!({ "error": "access_denied" }).to_string();
    world.will(
        Route::Token,
        [Fault::DropAfter, Fault::Body(403, denied.clone())],
    );
    assert_eq!(
        world.cycle_once(),
        Err(Failure::OAuth(OAuthError::AccessDenied))
    );
    // The answer may have come from something in between, and the window is open: the same token is
    // sent again.
    assert_eq!(world.cycle_once(), Ok(()));
    assert!(world.agrees());
    assert_eq!(world.store.chain().chain.standing(), Standing::Active);
}

#[test]
fn a_refresh_without_a_new_refresh_token_says_what_is_missing_while_it_is_asked_for() {
    let mut world = World::new(Setup::fitbit().expired());
    world.always(Route::Token, Fault::Replace("refresh_token", json!(null)));
    let failure = Failure::NoAnswer {
        call: CallName::Token,
        cause: NoAnswer::NoRefreshToken,
    };
    let pause = world.run_until(|todo| matches!(todo, Todo::Wait(_)));
    assert_eq!(world.cycle.unanswered_refresh(), Some((2, failure)));
    world.carry_out(&pause, true);
    assert_eq!(world.cycle_once(), Err(failure));
    assert_eq!(world.cycle.unanswered_refresh(), None);
    assert!(world.refreshes().len() > 5, "no answer is asked for again");
    assert_eq!(
        failure.to_string(),
        "refreshing the access token: the answer contains no new refresh token"
    );
}
