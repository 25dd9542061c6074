//! The steps of a sign-in: the address to open, and the exchange of the code that comes back.
//! `login`, the demo and the page guide a person from one step to the next, each in its own way.

pub(crate) mod person;

use std::time::Duration;

use pulsewing_core::{
    AuthorizationCode, Provider,
    chain::{Client, Issuer, Unstored},
    cycle::{Consent, Failure},
    oauth::{
        Answer, Grant, NoAnswer, OAuthError, Redirect, Refused, ReplyDecoder, Scopes,
        authorize::{Authorize, MAX_URL, Pkce},
        token,
    },
    request::REQUEST_BUFFER,
};
use zeroize::Zeroizing;

use crate::{
    app::{self, App},
    engine::http::{Http, Part, Unanswered},
    sign_in::person::{IfAnother, Person},
    tell::problem::{Exit, Problem, advice_on},
};

/// The time limit for the token endpoint's answer.
const EXCHANGE_FOR: Duration = Duration::from_secs(15);

/// A sign-in that has begun.
#[derive(Debug)]
pub(crate) struct SignIn {
    app: App,
    provider: Provider,
    http: Http,
    client: Client,
    redirect_uri: String,
    state: String,
    pkce: Pkce,
}

impl SignIn {
    /// Begins a sign-in whose redirect leads to `redirect_uri`.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration, or with the machine's random numbers.
    pub(crate) fn new(
        app: &App,
        provider: Provider,
        client: Client,
        redirect_uri: String,
    ) -> Result<Self, Problem> {
        let mut entropy = [0; 32];
        let mut state = [0; 16];
        getrandom::fill(&mut entropy)
            .and_then(|()| getrandom::fill(&mut state))
            .map_err(|error| {
                Problem::failed("the machine gives no random numbers")
                    .caused_by(&std::io::Error::other(error.to_string()))
            })?;
        let pkce =
            Pkce::new(&entropy).ok_or_else(|| Problem::failed("the sign-in cannot begin"))?;
        Ok(Self {
            app: app.clone(),
            provider,
            http: app.http(provider)?,
            client,
            redirect_uri,
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
            provider: self.provider,
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
    #[must_use]
    pub(crate) const fn provider(&self) -> Provider {
        self.provider
    }

    /// Returns the OAuth client.
    #[must_use]
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the issuer of the tokens.
    #[must_use]
    pub(crate) fn issuer(&self) -> Issuer {
        self.http.endpoints().issuer()
    }

    /// Returns the address of the redirect.
    #[must_use]
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Returns whether a redirect belongs to this sign-in. A bare code has no state to compare; we
    /// trust the user who pasted it. An error without a state belongs to no sign-in.
    #[must_use]
    pub(crate) fn is_ours(&self, redirect: &Redirect) -> bool {
        match &redirect.state {
            Some(state) => *state == self.state.as_str(),
            None => redirect.answer.is_ok(),
        }
    }

    /// Describes the text that the user has to paste, as the middle of a sentence.
    #[must_use]
    pub(crate) fn what_to_paste(&self) -> String {
        let code = match self.provider {
            Provider::Google => "Google's begin with 4/",
            Provider::Fitbit => "Fitbit's have 40 characters",
        };
        format!(
            "paste the whole address that the browser ended at, such as {}?state=...&code=..., or the code in it ({code})",
            self.redirect_uri
        )
    }

    /// Builds the problem for the consent page's refusal of this sign-in.
    #[must_use]
    pub(crate) fn denied(&self, error: Refused) -> Problem {
        let problem =
            Problem::new(Exit::ConsentNeeded, "the sign-in was not completed").caused_by(&error);
        match error {
            Refused::Denied => problem.hint("sign in again and allow the access to heart rate"),
            Refused::OAuth(error) => problem.hint(advice_on(error, self.provider)),
            Refused::Named(_) | Refused::Unnamed => problem.hint("sign in again"),
        }
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
        if_another: IfAnother,
    ) -> Result<Unstored, Problem> {
        let mut files = self.app.chain_file();
        let replaced = app::open_chain(&mut files).await?;
        let mut grant = self.exchange(code).await?;
        let person = Person::behind(&grant, self.provider, &self.http, &self.app).await;
        if if_another == IfAnother::Refuse {
            let replaced = replaced.as_ref().map(|record| &record.chain);
            person.check(replaced, &self.http, &self.app).await?;
        }
        grant.user_id = person.user_id().and_then(|id| id.try_into().ok());
        let chain = Unstored::signed_in(
            self.provider,
            self.issuer(),
            self.client.clone(),
            grant,
            Scopes::all_requested(self.provider),
            replaced.as_ref().map(|record| record.chain.generation()),
            self.app.now(),
        )
        .ok_or_else(|| no_answer(NoAnswer::NoRefreshToken.into()))?;
        files.store_new(&chain).map_err(|error| {
            Problem::failed("the sign-in could not be written")
                .caused_by(&error)
                .hint("make room, or make the state directory writable, and sign in again")
        })?;
        let mut state = self.app.state();
        state.forget_account();
        self.app.save_state(&mut state);
        // Under the lock, so that no update comes in between.
        person.move_in(&self.app, if_another)?;
        files.unlock();
        Ok(chain)
    }

    /// Exchanges the code for tokens, which are only in memory afterwards.
    ///
    /// # Errors
    /// A [`Problem`] with the network or the code.
    pub(crate) async fn exchange(&self, code: &AuthorizationCode) -> Result<Grant, Problem> {
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        let request = token::exchange(
            self.provider,
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
            .send(self.app.now(), |part| match part {
                Part::Head(head) => status = head.status,
                Part::Body(chunk) => reply.feed(chunk),
            })
            .await;
        if let Err(unanswered) = &sent {
            reply.fail(unanswered.cause);
        }
        let grant = match (status, sent) {
            (0, Err(unanswered)) => return Err(no_answer(unanswered)),
            (_, sent) => match reply.finish(status, true) {
                Answer::Granted(grant) => grant,
                Answer::Refused(error) => return Err(self.refused(error)),
                Answer::Gone => {
                    return Err(Problem::from_failure(Failure::Gone, self.provider));
                }
                Answer::RateLimited => {
                    return Err(Problem::new(
                        Exit::Temporary,
                        "the provider asks to come back later",
                    )
                    .details("the token endpoint answered with status 429"));
                }
                Answer::Missing(cause) => {
                    let detail = match sent {
                        Ok(answered) => answered.leads_to(),
                        Err(unanswered) => unanswered.detail,
                    };
                    return Err(no_answer(Unanswered { cause, detail }));
                }
            },
        };
        let scopes = grant
            .scopes
            .unwrap_or_else(|| Scopes::all_requested(self.provider));
        if !scopes.has_heart_rate() {
            let failure = Failure::ConsentNeeded(Consent::HeartRateScopeMissing);
            return Err(Problem::from_failure(failure, self.provider));
        }
        Ok(grant)
    }

    fn refused(&self, error: OAuthError) -> Problem {
        let exit = Problem::from_failure(Failure::OAuth(error), self.provider).exit();
        let problem = Problem::new(exit, "the provider did not complete the sign-in")
            .details(format!("the token endpoint answered {error}"));
        match error {
            OAuthError::InvalidGrant => Problem::new(Exit::ConsentNeeded, "this sign-in was used before, or took too long")
                .details("the code was refused (invalid_grant)")
                .hint("sign in again: what the browser brings back is good once, for ten minutes"),
            OAuthError::InvalidClient | OAuthError::UnauthorizedClient => problem
                .hint("the client's id or secret is wrong: check the configuration, or download the client's JSON anew"),
            OAuthError::InvalidRequest => problem.hint("Google wants the client's secret of desktop apps as well: set client_secret, or use --client-json"),
            OAuthError::RedirectUriMismatch => problem
                .hint("make the OAuth client one of type \"Desktop app\": it takes any address of this machine"),
            OAuthError::UnsupportedGrantType | OAuthError::InvalidScope => problem,
            OAuthError::DeletedClient
            | OAuthError::DisabledClient
            | OAuthError::PolicyEnforced
            | OAuthError::AdminPolicyEnforced
            | OAuthError::OrgInternal
            | OAuthError::AccessDenied => problem.hint(advice_on(error, self.provider)),
        }
    }
}

fn no_answer(unanswered: Unanswered) -> Problem {
    let exit = if unanswered.cause.has_moved() {
        Exit::Failed
    } else {
        Exit::Temporary
    };
    let problem = Problem::new(exit, "the provider did not complete the sign-in").details(format!(
        "the code could not be exchanged for tokens: {unanswered}"
    ));
    problem.hint(match unanswered.cause {
        NoAnswer::NoRefreshToken => {
            "remove the app at https://myaccount.google.com/connections, then sign in again; nothing was changed"
        }
        cause if cause.is_login_page() => {
            "the login page of a network seems to answer in the provider's place: open any web page in a browser on this network, sign in there, then sign in here again; nothing was changed"
        }
        NoAnswer::Redirected(_) => {
            "if [endpoints] in the configuration names the address, name the one that it leads to; then sign in again"
        }
        _ => "sign in again; nothing was changed",
    })
}
