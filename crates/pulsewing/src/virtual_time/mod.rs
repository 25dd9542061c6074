//! The program in virtual time: weeks pass in seconds, because a wait moves the sandbox's clock.
#![cfg(feature = "sandbox")]

mod fortnight;
mod month;

use pulsewing_core::{
    chain::{Client, Unstored},
    oauth::Redirect,
};

use crate::{
    engine::{clock::Clock, http::Http},
    sign_in::SignIn,
};

/// Signs a wearer in who allows everything at once, and returns the new chain.
async fn sign_in(http: &Http, client: Client, clock: &pulsewing_sandbox::Clock) -> Unstored {
    let clock = Clock::from_sandbox(clock.clone());
    let sign_in = SignIn::new(http.clone(), client, "http://127.0.0.1:1/".into(), clock).unwrap();
    let url = format!("{}&auto=1", sign_in.url().unwrap());
    let redirect = Redirect::parse(&http.redirect_of(&url).await.unwrap()).unwrap();
    let grant = sign_in.exchange(&redirect.answer.unwrap()).await.unwrap();
    sign_in.chain(grant, None).unwrap()
}
