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
    config::places::Place,
    custody::chain_file::ChainFile,
    engine::{
        clock::Clock,
        http::{Http, Part},
    },
    tell::{
        console::Console,
        problem::{Exit, Problem},
    },
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

impl IfAnother {
    /// Returns the action for a user who may have asked for a replacement.
    pub(crate) const fn new(replace: bool) -> Self {
        match replace {
            true => Self::Replace,
            false => Self::Refuse,
        }
    }
}

/// The wearer whose sign-in and history are kept: whoever signs in has to be the same person.
#[derive(Clone, Debug)]
pub(crate) struct Wearer {
    /// Where the sign-in, the state and the history are.
    pub place: Place,
    /// Where those of the other wearers are, who have to be other people.
    pub others: Vec<Place>,
    /// How long the history is kept.
    pub keep: Retention,
    /// The program's clock.
    pub clock: Clock,
    /// The console, for messages to the user.
    pub console: Console,
}

impl Wearer {
    /// Returns where the sign-ins of all wearers are, this wearer's first.
    pub(crate) fn places(&self) -> Vec<Place> {
        let own = std::iter::once(&self.place);
        own.chain(&self.others).cloned().collect()
    }
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
    pub(crate) async fn behind(grant: &Grant, http: &Http, clock: &Clock) -> Self {
        match (http.endpoints().provider, &grant.access) {
            (Provider::Google, Some((token, _))) => Self::google(token, http, clock).await,
            (provider, _) => Self::named(provider, grant.user_id.as_deref()),
        }
    }

    /// Finds the person who signed in before, if possible. An old history that has no owner yet
    /// gets one in this way before another person can sign in.
    async fn before(chain: &Stored, http: &Http, clock: &Clock) -> Self {
        let person = Self::named(chain.provider(), chain.user_id());
        let is_known = !person.accounts.is_empty();
        let access = chain
            .access()
            .filter(|access| access.expires_at > clock.now().utc);
        match access {
            // A token is sent only to its issuer.
            Some(access)
                if !is_known
                    && chain.provider() == Provider::Google
                    && chain.standing() == Standing::Active
                    && http.endpoints().issuer() == chain.issuer() =>
            {
                Self::google(&access.token, http, clock).await
            }
            _ => person,
        }
    }

    /// Asks Google for the owner of this token; the person is unknown if it does not answer.
    async fn google(token: &AccessToken, http: &Http, clock: &Clock) -> Self {
        let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
        let Ok(request) = google::identity(&mut buffer[..], token) else {
            return Self::named(Provider::Google, None);
        };
        let mut decoder = IdentityDecoder::new();
        let sent = http
            .prepare(&request.view(&buffer[..]), IDENTITY_FOR)
            .send(clock.now().utc, |part| {
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
        wearer: &Wearer,
    ) -> Result<(), Problem> {
        let look = || History::look(&wearer.place.dir, wearer.place.wearer.as_str());
        if let Some(chain) = replaced
            && let Ok(Some(history)) = look()
            && let Ok(false) = history.is_somebodys()
        {
            drop(history);
            let before = Self::before(chain, http, &wearer.clock).await;
            before.settle(wearer, false);
        }
        // If it cannot be read now, the owner is checked again at the next write.
        let Ok(Some(history)) = look() else {
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
                .hint("try signing in again a little later; nothing was changed")
                .hint("`pulsewing login --replace` works for anybody: it sets the history so far aside and starts a new one"))
            }
            _ => Ok(()),
        }
    }

    /// Returns their accounts, the provider's own first.
    #[cfg(feature = "fleet")]
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Checks that they are not another wearer already.
    ///
    /// # Errors
    /// A [`Problem`] that names that wearer.
    pub(crate) fn check_others(&self, wearer: &Wearer) -> Result<(), Problem> {
        match wearer.others.iter().find(|other| self.is_wearer(other)) {
            None => Ok(()),
            Some(other) => Err(Problem::failed(format!(
                "this person is already the wearer \"{}\", so this sign-in was not kept",
                other.wearer
            ))
            .hint("sign in with the account of the person whose place this is; nothing was changed")
            .hint(format!(
                "if they are meant to be \"{}\" instead, remove the other one first: `pulsewing wearer remove {}`",
                wearer.place.wearer, other.wearer
            ))),
        }
    }

    /// Returns whether they are the wearer whose files are at this place.
    fn is_wearer(&self, place: &Place) -> bool {
        let chain = ChainFile::new(place.clone()).stored();
        let is_signed_in = chain.is_some_and(|chain| {
            self.accounts.iter().any(|account| {
                let id = chain.user_id();
                account.provider == chain.provider()
                    && id.is_some_and(|id| id.eq_ignore_ascii_case(&account.user_id))
            })
        });
        // Somebody who is signed out at present is still the same person.
        let history = History::look(&place.dir, place.wearer.as_str());
        let is_owner = history.ok().flatten().is_some_and(|history| {
            matches!(history.relation_to(&self.accounts), Ok(Relation::Own))
        });
        is_signed_in || is_owner
    }

    /// Makes the history theirs once the sign-in is stored. Begins a new one if the old one is to
    /// be replaced.
    ///
    /// # Errors
    /// A [`Problem`] when the old history could not be set aside.
    pub(crate) fn move_in(&self, wearer: &Wearer, if_another: IfAnother) -> Result<(), Problem> {
        let dir = &wearer.place.dir;
        let is_replaced =
            if_another == IfAnother::Replace && pulsewing_history::bytes_on_disk(dir) > 0;
        if is_replaced {
            let aside = pulsewing_history::move_aside(dir, Aside::Replaced, wearer.clock.now().utc).map_err(|error| {
                Problem::failed("the sign-in was stored, but the history so far could not be set aside")
                    .caused_by(&error)
                    .hint("make the state directory writable and sign in again with --replace; until then nothing is recorded for this person")
            })?;
            let aside = aside.display();
            wearer.console.say(&format!(
                "Moved the history so far to {aside} and started a new one."
            ));
        }
        self.settle(wearer, is_replaced);
        Ok(())
    }

    /// Records the owner of the history; an error is only reported.
    fn settle(&self, wearer: &Wearer, is_new: bool) {
        if let Err(error) = self.claim(wearer, is_new) {
            // The next reading will claim it as well.
            wearer
                .console
                .detail(|| format!("could not record whose history this is: {error}"));
        }
    }

    /// Records the owner of the history. If there is none, begins one if `is_new` is set.
    fn claim(&self, wearer: &Wearer, is_new: bool) -> Result<(), HistoryError> {
        if wearer.keep == Retention::Nothing || self.accounts.is_empty() {
            return Ok(());
        }
        let dir = &wearer.place.dir;
        if !is_new && pulsewing_history::bytes_on_disk(dir) == 0 {
            return Ok(());
        }
        let mut history = History::open(dir, wearer.place.wearer.as_str())?;
        if history.is_mended() {
            wearer.console.warn(&Notice::IndexRebuilt.to_string());
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
    Problem::failed("the history holds another person's heart rate, so this sign-in was not kept")
        .hint("if this was a mistake, sign in again with the previous account; nothing was changed")
        .hint("to follow both people, add a wearer for this one, such as with `pulsewing wearer add anna`, and sign in as that wearer")
        .hint("to continue with only this person, sign in again and start over: the history so far is set aside under a dated name, not deleted, and a new one is started")
        .hint("to start over, use `pulsewing login --replace` in a terminal, or tick \"Start over\" on the page")
}
