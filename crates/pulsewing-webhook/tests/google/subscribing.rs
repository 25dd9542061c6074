//! The service account, and what the project does with its subscriber.

use pulsewing_webhook::{
    CloudToken, Outcome, Refusal, Secret, TokenError,
    answer::{Accepted, AnswerError, State},
    subscriber::{self, Changes, DataTypes, EndpointUri, ProjectNumber},
};

use crate::{
    http,
    world::{FIRST, World, id, project},
};

#[test]
fn an_endpoint_is_verified_with_the_secret_and_without() {
    let world = World::new(1);
    let [with, without] = world.subscribe();
    assert_eq!((with.status, with.outcome), (201, Outcome::Verification));
    let missing = Outcome::Refused(Refusal::SecretMissing);
    assert_eq!((without.status, without.outcome), (401, missing));
    let page = world.page();
    let [subscriber] = page.subscribers.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!(subscriber.id, "pulsewing");
    assert_eq!(subscriber.state, State::Active);
    assert_eq!(subscriber.data_types, ["heart-rate"]);
    assert_eq!(page.next_page_token, None);
    assert_eq!(
        world.change(&world.creation()),
        Err(AnswerError::AlreadyExists)
    );
    world.endpoint.assert_silent();
}

#[test]
fn an_endpoint_that_does_not_tell_its_secret_from_others_is_not_verified() {
    let world = World::new(1);
    for answers in [&[500][..], &[204], &[201, 201], &[201, 404], &[403]] {
        world.endpoint.answer_instead(answers);
        let refused = world.change(&world.creation());
        assert_eq!(refused, Err(AnswerError::NotVerified), "{answers:?}");
        answers.iter().for_each(|_| drop(world.endpoint.next()));
    }
    assert!(world.page().subscribers.is_empty());
    // Some services answer 200 to everything they know; Google accepts it.
    world.endpoint.answer_instead(&[200, 403]);
    assert_eq!(world.change(&world.creation()), Ok(Accepted::Done));
}

#[test]
fn an_endpoint_that_nobody_serves_is_not_verified() {
    let world = World::new(1);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let creation = subscriber::create(
        &project(),
        &id(),
        &EndpointUri::parse(&uri).unwrap(),
        &crate::world::secret(),
        &DataTypes::of_heart(),
    );
    assert_eq!(world.change(&creation), Err(AnswerError::NotVerified));
}

#[test]
fn another_secret_is_verified_and_used_from_then_on() {
    let world = World::subscribed();
    let other = Secret::from_random(&[8; 32]);
    let changes = Changes {
        secret: Some(&other),
        ..Changes::default()
    };
    let patch = subscriber::patch(&project(), &id(), changes);
    // The endpoint does not know it yet.
    assert_eq!(world.change(&patch), Err(AnswerError::NotVerified));
    let refused = world.endpoint.next();
    assert_eq!(refused.outcome, Outcome::Refused(Refusal::SecretWrong));
    world.endpoint.set_secret(other);
    assert_eq!(world.change(&patch), Ok(Accepted::Done));
    assert_eq!(world.endpoint.next().status, 201);
    assert_eq!(world.endpoint.next().status, 401);
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
}

#[test]
fn other_data_types_need_no_verification() {
    let world = World::subscribed();
    let types = DataTypes::new(["sleep"]).unwrap();
    let changes = Changes {
        data_types: Some(&types),
        ..Changes::default()
    };
    let patch = subscriber::patch(&project(), &id(), changes);
    assert_eq!(world.change(&patch), Ok(Accepted::Done));
    assert_eq!(world.page().subscribers[0].data_types, ["sleep"]);
    world.endpoint.assert_silent();
}

#[test]
fn a_deleted_subscriber_is_notified_no_more() {
    let world = World::subscribed();
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    let deletion = subscriber::delete(&project(), &id(), true);
    assert_eq!(world.change(&deletion), Ok(Accepted::Done));
    assert_eq!(world.change(&deletion), Err(AnswerError::NotFound));
    world.sync();
    // A new one is, and gets only what comes after it.
    world.subscribe();
    world.sync();
    assert_eq!(world.endpoint.next_ids(), [FIRST]);
    world.assert_sent(2);
}

#[test]
fn an_inactive_subscriber_is_seen_and_verified_again() {
    let world = World::subscribed();
    let inactive = r#"{"id":"pulsewing","state":"INACTIVE"}"#;
    world.control("POST", "subscribers", inactive);
    assert_eq!(world.page().subscribers[0].state, State::Inactive);
    world.sync();
    let (uri, secret) = (world.uri(), crate::world::secret());
    let changes = Changes {
        endpoint_uri: Some(&uri),
        secret: Some(&secret),
        ..Changes::default()
    };
    let patch = subscriber::patch(&project(), &id(), changes);
    assert_eq!(world.change(&patch), Ok(Accepted::Done));
    assert_eq!(world.endpoint.next().status, 201);
    assert_eq!(world.endpoint.next().status, 401);
    assert_eq!(world.page().subscribers[0].state, State::Active);
}

#[test]
fn only_the_service_account_manages_subscribers_and_only_its_own_projects() {
    let world = World::new(1);
    let other = ProjectNumber::parse("999").unwrap();
    let answer = world.ask(&subscriber::list(&other, None));
    assert_eq!(answer.status(), 403);
    let list = subscriber::list(&project(), None);
    let authorization = world.token().authorization();
    let ask = |headers: &[(&str, &str)]| {
        http::send(world.google, "GET", &list.target(), headers, b"").status()
    };
    assert_eq!(ask(&[("Authorization", &authorization)]), 200);
    assert_eq!(ask(&[]), 401);
    assert_eq!(ask(&[("Authorization", "Bearer ya29.c.unknown")]), 401);
    // An hour later the token is over.
    world.advance(3600);
    assert_eq!(ask(&[("Authorization", &authorization)]), 401);
}

#[test]
fn an_assertion_must_be_of_the_right_time_and_account() {
    let world = World::new(1);
    let account = world.account();
    let now = world.clock.now();
    let ask = |form: &str| {
        let answer = world.post_form("/token", form);
        CloudToken::read(answer.status(), &answer.body, now).map(|token| token.is_fresh(now))
    };
    let good = account.token_request(now).unwrap();
    assert_eq!(ask(good.body()), Ok(true));
    world.advance(-3600);
    assert_eq!(ask(good.body()), Err(TokenError::AccountRefused));
    world.advance(2 * 3600 + 600);
    assert_eq!(ask(good.body()), Err(TokenError::AccountRefused));
    world.advance(-3600 - 600);
    let broken = format!("{}A", &good.body()[..good.body().len() - 4]);
    assert_eq!(ask(&broken), Err(TokenError::AccountRefused));
    assert_eq!(ask(good.body()), Ok(true));
}
