//! The steps of a sign-in: the address to open, and the exchange of the code that comes back.
//! `login`, the demo and the page guide a person from one step to the next, each in its own way.

pub(crate) mod person;
mod refusal;

use std::time::Duration;

use pulsewing_core::{
    AuthorizationCode, Provider,
    chain::{Client, Unstored},
    cycle::{Consent, Failure},
    oauth::{
        Answer, Grant, NoAnswer, Redirect, Refused, ReplyDecoder, Scopes,
        authorize::{Authorize, MAX_URL, Pkce},
        token,
    },
    request::REQUEST_BUFFER,
};
use zeroize::Zeroizing;

use crate::{
    config::{Config, places::Place},
    custody::{Custody as _, chain_file::ChainFile, roster, state_file::State},
    engine::{
        clock::Clock,
        http::{Http, Part, Unanswered},
    },
    sign_in::person::{IfAnother, Person, Wearer},
    tell::problem::{Exit, Problem},
};

/// The time limit for the token endpoint's answer.
const EXCHANGE_FOR: Duration = Duration::from_secs(15);

/// Returns the client to sign in with: the configured one, else that of the first stored sign-in at
/// these places. A client is the household's, so a wearer may use another's.
///
/// # Errors
/// A [`Problem`] when the configured one is too long to be valid.
pub(crate) fn client(
    config: &Config,
    places: &[Place],
    provider: Provider,
) -> Result<Option<Client>, Problem> {
    let configured = config.client(provider).to_client(provider)?;
    let stored = || {
        let chains = places.iter().map(|place| ChainFile::new(place.clone()));
        let mut chains = chains.filter_map(|files| files.stored());
        chains.find(|chain| chain.provider() == provider)
    };
    Ok(configured.or_else(|| Some(stored()?.client().clone())))
}

/// A sign-in that has begun.
#[derive(Debug)]
pub(crate) struct SignIn {
    http: Http,
    client: Client,
    redirect_uri: String,
    clock: Clock,
    state: String,
    pkce: Pkce,
}

impl SignIn {
    /// Begins a sign-in whose redirect leads to `redirect_uri`.
    ///
    /// # Errors
    /// A [`Problem`] with the machine's random numbers.
    pub(crate) fn new(
        http: Http,
        client: Client,
        redirect_uri: String,
        clock: Clock,
    ) -> Result<Self, Problem> {
        let mut entropy = [0; 32];
        let mut state = [0; 16];
        getrandom::fill(&mut entropy)
            .and_then(|()| getrandom::fill(&mut state))
            .map_err(Problem::no_random_numbers)?;
        let pkce =
            Pkce::new(&entropy).ok_or_else(|| Problem::failed("cannot start the sign-in"))?;
        Ok(Self {
            http,
            client,
            redirect_uri,
            clock,
            state: state.iter().map(|byte| format!("{byte:02x}")).collect(),
            pkce,
        })
    }

    /// Returns the address that the wearer opens.
    ///
    /// # Errors
    /// A [`Problem`] when it is too long.
    pub(crate) fn url(&self) -> Result<String, Problem> {
        let mut buffer = [0; MAX_URL];
        let authorize = Authorize {
            provider: self.provider(),
            endpoint: self.http.endpoints().authorize.as_str(),
            client_id: &self.client.id,
            redirect_uri: &self.redirect_uri,
            state: &self.state,
            pkce: &self.pkce,
        };
        authorize
            .url(&mut buffer)
            .map(str::to_owned)
            .map_err(|error| {
                Problem::failed("the address of the consent page is too long").caused_by(&error)
            })
    }

    /// Returns the provider of the sign-in.
    pub(crate) const fn provider(&self) -> Provider {
        self.http.endpoints().provider
    }

    /// Returns the address of the redirect.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Returns whether a redirect belongs to this sign-in. A bare code has no state to compare; we
    /// trust the user who pasted it. An error without a state belongs to no sign-in.
    pub(crate) fn is_ours(&self, redirect: &Redirect) -> bool {
        match &redirect.state {
            Some(state) => *state == self.state.as_str(),
            None => redirect.answer.is_ok(),
        }
    }

    /// Describes the text that the user has to paste, as the middle of a sentence.
    pub(crate) fn what_to_paste(&self) -> String {
        let code = match self.provider() {
            Provider::Google => "Google's begin with 4/",
            Provider::Fitbit => "Fitbit's have 40 characters",
        };
        format!(
            "paste the whole address where the browser ended up, such as {}?state=...&code=..., or the code in it ({code})",
            self.redirect_uri
        )
    }

    /// Builds the problem for the consent page's refusal of this sign-in.
    pub(crate) fn denied(&self, error: Refused) -> Problem {
        refusal::denied(error, self.provider())
    }

    /// Exchanges the code and stores the chain. Holds the chain's lock throughout, so that no
    /// refresh of an older chain can follow.
    ///
    /// # Errors
    /// A [`Problem`] with the store, the network, or the code, or because the history belongs to
    /// another person. Nothing was changed then, unless the problem says so.
    pub(crate) async fn finish(
        &self,
        code: &AuthorizationCode,
        wearer: &Wearer,
        if_another: IfAnother,
    ) -> Result<Unstored, Problem> {
        let mut files = ChainFile::new(wearer.place.clone());
        let replaced = files.open().await?;
        let mut grant = self.exchange(code).await?;
        let person = Person::behind(&grant, &self.http, &self.clock).await;
        if if_another == IfAnother::Refuse {
            let replaced = replaced.as_ref().map(|record| &record.chain);
            person.check(replaced, &self.http, wearer).await?;
        }
        grant.user_id = person.user_id().and_then(|id| id.try_into().ok());
        let replaced = replaced.map(|record| record.chain.generation());
        let chain = self
            .chain(grant, replaced)
            .ok_or_else(|| refusal::no_answer(NoAnswer::NoRefreshToken.into()))?;
        // Nobody else may sign in as the same person at the same time.
        let alone = roster::lock(wearer.place.state_dir())?;
        person.check_others(wearer)?;
        files.store_new(&chain).await.map_err(|error| {
            Problem::failed("the sign-in could not be written")
                .caused_by(&error)
                .hint("free up disk space, or make the state directory writable, and sign in again")
        })?;
        State::forget(&wearer.place, wearer.console);
        // Under the lock, so that no update comes in between.
        person.move_in(wearer, if_another)?;
        drop(alone);
        files.unlock().await;
        Ok(chain)
    }

    /// Finds the person behind a grant.
    #[cfg(feature = "fleet")]
    pub(crate) async fn person(&self, grant: &Grant) -> Person {
        Person::behind(grant, &self.http, &self.clock).await
    }

    /// Builds the chain of a grant; it replaces the chain of generation `replaces`, if there is one.
    /// `None` if the grant has no refresh token.
    pub(crate) fn chain(&self, grant: Grant, replaces: Option<u32>) -> Option<Unstored> {
        Unstored::signed_in(
            self.provider(),
            self.http.endpoints().issuer(),
            self.client.clone(),
            grant,
            Scopes::all_requested(self.provider()),
            replaces,
            self.clock.now().utc,
        )
    }

    /// Exchanges the code for tokens, which are only in memory afterwards.
    ///
    /// # Errors
    /// A [`Problem`] with the network or the code.
    pub(crate) async fn exchange(&self, code: &AuthorizationCode) -> Result<Grant, Problem> {
        let provider = self.provider();
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        let request = token::exchange(
            provider,
            &self.client,
            code,
            self.pkce.verifier(),
            &self.redirect_uri,
            &mut buffer[..],
        )
        .map_err(|error| Problem::failed("the code cannot be exchanged").caused_by(&error))?;
        let outgoing = self.http.prepare(&request.view(&buffer[..]), EXCHANGE_FOR);
        let mut reply = ReplyDecoder::new();
        let mut status = 0;
        let sent = outgoing
            .send(self.clock.now().utc, |part| match part {
                Part::Head(head) => status = head.status,
                Part::Body(chunk) => reply.feed(chunk),
            })
            .await;
        if let Err(unanswered) = &sent {
            reply.fail(unanswered.cause);
        }
        let grant = match (status, sent) {
            (0, Err(unanswered)) => return Err(refusal::no_answer(unanswered)),
            (_, sent) => match reply.finish(status, true) {
                Answer::Granted(grant) => grant,
                Answer::Refused(error) => return Err(refusal::refused(error, provider)),
                Answer::Gone => {
                    return Err(Problem::from_failure(Failure::Gone, provider));
                }
                Answer::RateLimited => {
                    return Err(Problem::new(
                        Exit::Temporary,
                        "the provider is receiving too many requests; try again later",
                    )
                    .details("the token endpoint answered with status 429"));
                }
                Answer::Missing(cause) => {
                    let detail = match sent {
                        Ok(answered) => answered.leads_to(),
                        Err(unanswered) => unanswered.detail,
                    };
                    return Err(refusal::no_answer(Unanswered { cause, detail }));
                }
            },
        };
        let scopes = grant
            .scopes
            .unwrap_or_else(|| Scopes::all_requested(provider));
        if !scopes.has_heart_rate() {
            let failure = Failure::ConsentNeeded(Consent::HeartRateScopeMissing);
            return Err(Problem::from_failure(failure, provider));
        }
        Ok(grant)
    }
}
