//! The person who signs in, and the owner of the history: the data of two people is never mixed.

use std::time::Duration;

use pulsewing_core::{
    AccessToken, Provider,
    chain::{Standing, Stored},
    dialect::google::{self, Identity, IdentityDecoder},
    oauth::Grant,
    request::REQUEST_BUFFER,
};
use pulsewing_history::{Account, Aside, History, HistoryError, Notice, Relation, Retention};
use zeroize::Zeroizing;

use crate::{
    app::App,
    config::places,
    engine::http::{Http, Part},
    tell::problem::{Exit, Problem},
};

/// The time limit for Google's answer about the person who signed in.
const IDENTITY_FOR: Duration = Duration::from_secs(15);

/// The action to take if the person who signs in is not the owner of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IfAnother {
    /// Change nothing, and refuse the sign-in.
    #[default]
    Refuse,
    /// Set the history aside and begin a new one, whoever the person is.
    Replace,
}

/// The person who signs in, as far as the provider identifies them.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    provider: Provider,
    /// Their accounts, the provider's own first.
    accounts: Vec<Account>,
}

impl Person {
    /// Builds a person from the provider's user id; a hyphen is not an id.
    #[must_use]
    pub(crate) fn named(provider: Provider, user_id: Option<&str>) -> Self {
        let named = user_id.filter(|id| !id.is_empty() && *id != "-");
        let accounts = named.map(|id| account(provider, id));
        Self {
            provider,
            accounts: accounts.into_iter().collect(),
        }
    }

    /// Finds the person behind a grant: Fitbit names them in the grant; for Google we ask with the
    /// grant's access token. That happens before the token is stored, which is safe, because
    /// Google's tokens do not rotate.
    pub(crate) async fn behind(grant: &Grant, provider: Provider, http: &Http, app: &App) -> Self {
        match &grant.access {
            Some((token, _)) if provider == Provider::Google => {
                Self::google(token, http, app).await
            }
            _ => Self::named(provider, grant.user_id.as_deref()),
        }
    }

    /// Finds the person who signed in before, if possible. An old history that has no owner yet
    /// gets one in this way before another person can sign in.
    async fn before(chain: &Stored, http: &Http, app: &App) -> Self {
        let person = Self::named(chain.provider(), chain.user_id());
        let is_known = !person.accounts.is_empty();
        let access = chain
            .access()
            .filter(|access| access.expires_at > app.now());
        match access {
            // A token is sent only to its issuer.
            Some(access)
                if !is_known
                    && chain.provider() == Provider::Google
                    && chain.standing() == Standing::Active
                    && http.endpoints().issuer() == chain.issuer() =>
            {
                Self::google(&access.token, http, app).await
            }
            _ => person,
        }
    }

    /// Asks Google for the owner of this token; the person is unknown if it does not answer.
    async fn google(token: &AccessToken, http: &Http, app: &App) -> Self {
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        let Ok(request) = google::identity(&mut buffer[..], token) else {
            return Self::named(Provider::Google, None);
        };
        let mut decoder = IdentityDecoder::new();
        let sent = http
            .prepare(&request.view(&buffer[..]), IDENTITY_FOR)
            .send(app.now(), |part| {
                if let Part::Body(chunk) = part {
                    // An error here is reported again at the end.
                    let _ = decoder.feed(chunk);
                }
            })
            .await;
        let identity = match sent {
            Ok(answered) if answered.status.is_success() => decoder.finish().unwrap_or_default(),
            _ => Identity::default(),
        };
        let health = identity.health.map(|id| account(Provider::Google, &id));
        // The account from before the move to Google belongs to the same person.
        let legacy = identity.legacy.map(|id| account(Provider::Fitbit, &id));
        Self {
            provider: Provider::Google,
            accounts: health.into_iter().chain(legacy).collect(),
        }
    }

    /// Returns the provider's id for them.
    #[must_use]
    pub(crate) fn user_id(&self) -> Option<&str> {
        let mut accounts = self.accounts.iter();
        let own = accounts.find(|account| account.provider == self.provider);
        own.map(|account| account.user_id.as_str())
    }

    /// Checks that the history does not belong to another person; `replaced` is the sign-in so far.
    ///
    /// # Errors
    /// A [`Problem`] that names the choices.
    pub(crate) async fn check(
        &self,
        replaced: Option<&Stored>,
        http: &Http,
        app: &App,
    ) -> Result<(), Problem> {
        if let Some(chain) = replaced
            && let Ok(Some(history)) = History::look(app.state_dir(), places::WEARER)
            && let Ok(false) = history.is_somebodys()
        {
            drop(history);
            Self::before(chain, http, app).await.settle(app, false);
        }
        // If it cannot be read now, the owner is checked again at the next write.
        let Ok(Some(history)) = History::look(app.state_dir(), places::WEARER) else {
            return Ok(());
        };
        match history.relation_to(&self.accounts) {
            Ok(Relation::Foreign) => Err(another()),
            Ok(Relation::Unknown)
                if self.provider == Provider::Google
                    && self.accounts.is_empty()
                    && history.is_somebodys().unwrap_or(false) =>
            {
                Err(Problem::new(
                    Exit::Temporary,
                    "Google did not say who signed in, so the sign-in was not kept",
                )
                .hint("sign in again a little later; nothing was changed")
                .hint("with `pulsewing login --replace` it does not matter who it is: the history so far is set aside, and a new one begins"))
            }
            _ => Ok(()),
        }
    }

    /// Makes the history theirs once the sign-in is stored. Begins a new one if the old one is to
    /// be replaced.
    ///
    /// # Errors
    /// A [`Problem`] when the old history could not be set aside.
    pub(crate) fn move_in(&self, app: &App, if_another: IfAnother) -> Result<(), Problem> {
        let dir = app.state_dir();
        let is_replaced =
            if_another == IfAnother::Replace && pulsewing_history::bytes_on_disk(dir) > 0;
        if is_replaced {
            let aside = pulsewing_history::move_aside(dir, Aside::Replaced, app.now()).map_err(|error| {
                Problem::failed("the sign-in was stored, and the history so far could not be set aside")
                    .caused_by(&error)
                    .hint("make the state directory writable and sign in again with --replace; until then nothing of this person is kept")
            })?;
            let aside = aside.display();
            app.console.say(&format!(
                "The history so far is now {aside}, and a new one begins."
            ));
        }
        self.settle(app, is_replaced);
        Ok(())
    }

    /// Records the owner of the history; an error is only reported.
    fn settle(&self, app: &App, is_new: bool) {
        if let Err(error) = self.claim(app, is_new) {
            // The next reading will claim it as well.
            app.console
                .detail(|| format!("whose history it is could not be written: {error}"));
        }
    }

    /// Records the owner of the history. If there is none, begins one if `is_new` is set.
    fn claim(&self, app: &App, is_new: bool) -> Result<(), HistoryError> {
        if app.config.history.keep == Retention::Nothing || self.accounts.is_empty() {
            return Ok(());
        }
        let dir = app.state_dir();
        if !is_new && pulsewing_history::bytes_on_disk(dir) == 0 {
            return Ok(());
        }
        let mut history = History::open(dir, places::WEARER)?;
        if history.is_mended() {
            app.console.warn(&Notice::IndexRebuilt.to_string());
        }
        let batch = history.batch()?;
        for account in &self.accounts {
            match batch.claim(account) {
                // One account was enough to identify the person.
                Ok(()) | Err(HistoryError::AnotherPerson) => {}
                Err(error) => return Err(error),
            }
        }
        batch.commit()
    }
}

fn account(provider: Provider, user_id: &str) -> Account {
    Account {
        provider,
        user_id: user_id.to_owned(),
    }
}

fn another() -> Problem {
    Problem::failed("this is another person than the one whose heart rate the history holds, so the sign-in was not kept")
        .hint("if that was a mistake, sign in again with the account from before; nothing was changed")
        .hint("to follow both, give this person a place of their own: name another directory with --state-dir, for `pulsewing login` and every command after it")
        .hint("to go on with this person alone, sign in again and begin anew: the history so far is set aside under a dated name, not deleted, and a new one begins")
        .hint("in a terminal `pulsewing login --replace` begins anew, on the page the box beside \"Begin anew\" does")
}
