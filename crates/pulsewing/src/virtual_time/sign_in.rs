//! A sign-in at the sandbox, by a wearer who allows everything at once.

use std::time::Duration;

use pulsewing_core::{
    Provider,
    chain::{Client, Unstored},
    oauth::{
        Answer, Redirect, ReplyDecoder, Scopes,
        authorize::{Authorize, MAX_URL, Pkce},
        token,
    },
    request::REQUEST_BUFFER,
};
use pulsewing_sandbox::Clock;

use crate::engine::http::{Http, Part};

/// Signs in, and returns the new chain.
pub(crate) async fn sign_in(
    provider: Provider,
    http: &Http,
    client: &Client,
    clock: &Clock,
) -> Unstored {
    let pkce = Pkce::new(&[3; 32]).unwrap();
    let redirect_uri = "http://127.0.0.1:1/";
    let mut url = [0; MAX_URL];
    let authorize = Authorize {
        provider,
        endpoint: http.endpoints().authorize.as_str(),
        client_id: &client.id,
        redirect_uri,
        state: "s",
        pkce: &pkce,
    };
    let url = format!("{}&auto=1", authorize.url(&mut url).unwrap());
    let redirect = Redirect::parse(&http.redirect_of(&url).await.unwrap()).unwrap();
    let mut buffer = vec![0; REQUEST_BUFFER];
    let (code, verifier) = (&redirect.answer.unwrap(), pkce.verifier());
    let request = token::exchange(provider, client, code, verifier, redirect_uri, &mut buffer);
    let request = request.unwrap().view(&buffer);
    let outgoing = http.prepare(&request, Duration::from_secs(5));
    let mut reply = ReplyDecoder::new();
    let status = outgoing.send(clock.now(), |part| {
        if let Part::Body(chunk) = part {
            reply.feed(chunk);
        }
    });
    let status = status.await.unwrap().status.as_u16();
    let Answer::Granted(grant) = reply.finish(status, true) else {
        panic!("the sandbox grants nothing");
    };
    let (issuer, now) = (http.endpoints().issuer(), clock.now());
    Unstored::signed_in(
        provider,
        issuer,
        client.clone(),
        grant,
        Scopes::ALL,
        None,
        now,
    )
    .unwrap()
}
