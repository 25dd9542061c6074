//! Many wearers in a database, and collectors that share it.
//!
//! A collector takes wearers who are due, one lease each, and runs a cycle for each of them as the
//! daemon of a household does: the same engine, with the chain in the database instead of a file.
//! What the database guarantees is described in [`pulsewing_fleet`].
//!
//! | module | contents |
//! |---|---|
//! | `turn.rs` | **one wearer's turn: a cycle under a lease, and what is written after it** |
//! | `collector.rs` | endless turns, as many at once as are allowed |
//! | `past.rs` | the past days that a history lacks |
//! | `phase.rs` | when a wearer is due again: spread over the interval |
//! | `kept.rs` | what is known of a wearer without asking the provider |
//! | `sign_in.rs` | a sign-in, wherever it began |
//! | `page.rs` | what the page sees of a fleet |
//! | `tally.rs` | how many turns were given, by their results |
//! | `errors.rs` | the database's errors in words |

mod collector;
mod errors;
mod kept;
mod page;
mod past;
mod phase;
mod sign_in;
mod tally;
mod turn;

use std::{path::Path, sync::Arc, time::Duration};

use pulsewing_core::Provider;
use pulsewing_files::regular_file;
use pulsewing_fleet::{Database, Error, Keys, Lease, Limit, Listed, Options, Wearer};
use serde::{Deserialize, Serialize};

pub(crate) use collector::Collector;
pub(crate) use kept::Kept;
pub(crate) use sign_in::WITHIN;
pub(crate) use turn::{End, Turn};

use crate::{
    app::{App, Household},
    config::wearer::{WearerConfig, WearerId},
    custody::leased_chain::LeasedChain,
    engine::http,
    tell::problem::{Exit, Problem},
};

/// The size limit for reading a key file, in bytes.
const MAX_KEY_FILE: u64 = 64 * 1_024;

/// Google's quota for a project, in requests a minute (Google Health API, "Rate limits").
const REQUESTS_PER_MINUTE: u32 = 120_000;

/// The number of wearers that a collector works for at once.
const AT_ONCE: u16 = 64;

/// The wearers in a database, and what all of them share.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    household: Household,
    database: Database,
    keys: Arc<Keys>,
    tally: tally::Tally,
}

/// A wearer's settings, as the database keeps them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    time_zone: Option<String>,
}

impl Fleet {
    /// Connects to the database that the configuration names.
    ///
    /// # Errors
    /// A [`Problem`] with the address, the key file or the database.
    pub(crate) async fn connect(household: Household) -> Result<Self, Problem> {
        let store = &household.config.store;
        let url = store.url.as_deref().unwrap_or_default();
        let key_file = store.key_file.as_deref().ok_or_else(|| {
            Problem::failed("the database needs a key file: token chains are stored sealed")
                .hint("make one with `pulsewing fleet key > pulsewing.keys`, keep it private and backed up, and name it with --key-file or key_file under [store]")
        })?;
        let keys = Arc::new(read_keys(key_file)?);
        let tls = http::tls_to(household.config.endpoints.ca_file.as_deref())?;
        let at_once = store.at_once.unwrap_or(AT_ONCE);
        let mut options = Options {
            collector: collector_name(),
            // Most of the time a turn waits for the provider.
            connections: usize::from(at_once).div_ceil(4).clamp(2, 16),
            ..Options::default()
        };
        if let Some(tenant) = &store.tenant {
            options.tenant = Some(tenant.clone());
            // The tables are not this user's.
            options.migrate = false;
        }
        if let Some(lease) = store.lease {
            options.lease = lease.0;
        }
        let database = Database::connect(url, tls, options).await?;
        database.check_keys(&keys).await?;
        Ok(Self {
            household,
            database,
            keys,
            tally: tally::Tally::default(),
        })
    }

    /// Returns the database.
    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// Returns the keys under which token chains are sealed.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Returns what the wearers share.
    pub(crate) const fn household(&self) -> &Household {
        &self.household
    }

    /// Returns the number of wearers that a collector works for at once.
    pub(crate) fn at_once(&self) -> u16 {
        let store = &self.household.config.store;
        store.at_once.unwrap_or(AT_ONCE).max(1)
    }

    /// Returns the one wearer that a command is about.
    ///
    /// # Errors
    /// A [`Problem`] that lists the wearers when there are several and none was named, or an unknown
    /// one; when several were named; or with the database.
    pub(crate) async fn named(&self) -> Result<Wearer, Problem> {
        match self.household.chosen.as_slice() {
            [] => self.only().await,
            [id] => match self.database.wearer(&known(id)?).await {
                Err(error @ Error::NoSuchWearer(_)) => {
                    let all = self.database.wearers(None).await?;
                    Err(Problem::from(error).hint(in_words(&all)))
                }
                found => Ok(found?),
            },
            _ => Err(Problem::new(
                Exit::Usage,
                "this command is about one wearer; name only one with --wearer",
            )),
        }
    }

    async fn only(&self) -> Result<Wearer, Problem> {
        let all = self.database.wearers(None).await?;
        match all.as_slice() {
            [only] => Ok(only.wearer.clone()),
            [] => Err(Problem::new(Exit::Usage, "there are no wearers yet")
                .hint("add one with `pulsewing wearer add ID`")),
            several => Err(Problem::new(
                Exit::Usage,
                "there are several wearers; say which one with --wearer ID",
            )
            .hint(in_words(several))),
        }
    }

    /// Takes the lease of a wearer for a command, and waits for whoever has it.
    ///
    /// # Errors
    /// A [`Problem`] when somebody keeps it, or with the database.
    pub(crate) async fn take(&self, wearer: &Wearer, wait: Duration) -> Result<Lease, Problem> {
        Ok(self.database.take(&wearer.id, wait).await?)
    }

    /// Returns a wearer's context.
    pub(crate) fn app(&self, wearer: &Wearer) -> App {
        let settings: Settings = serde_json::from_str(&wearer.settings).unwrap_or_default();
        let id = wearer.id.as_str().parse();
        self.household.app(&WearerConfig {
            id: id.unwrap_or_default(),
            name: Some(wearer.name.clone()).filter(|name| !name.is_empty()),
            provider: wearer.provider.parse().ok(),
            time_zone: settings.time_zone,
            ..WearerConfig::default()
        })
    }

    /// Returns the chain of the wearer of a lease.
    pub(crate) fn chain(&self, lease: Lease) -> LeasedChain {
        let now = self.household.clock.now().utc;
        LeasedChain::new(self.database.clone(), Arc::clone(&self.keys), now, lease)
    }

    /// Sets the limits of a provider's OAuth client, which all collectors share.
    ///
    /// # Errors
    /// A [`Problem`] with the database.
    pub(crate) async fn limit(&self, provider: Provider) -> Result<(), Problem> {
        let per_minute = self.household.config.store.requests_per_minute;
        let per_second = f64::from(per_minute.unwrap_or(REQUESTS_PER_MINUTE).max(1)) / 60.0;
        let limit = Limit {
            per_second,
            // As much as comes together in ten seconds.
            burst: (10.0 * per_second).max(10.0),
        };
        let project = self.project(provider);
        Ok(self.database.limit_project(&project, limit).await?)
    }

    /// Returns the name under which the limits of a provider's OAuth client are kept.
    fn project(&self, provider: Provider) -> String {
        let client = self.household.config.client(provider).client_id.as_deref();
        format!("{} {}", provider.name(), client.unwrap_or("-"))
    }
}

/// Lists the first wearers in words.
fn in_words(all: &[Listed]) -> String {
    /// The number of wearers in a sentence.
    const MOST: usize = 20;
    let ids = all.iter().take(MOST);
    let ids: Vec<&str> = ids.map(|listed| listed.wearer.id.as_str()).collect();
    match all.len() {
        0 => "there are no wearers yet".to_owned(),
        1..=MOST => format!("the wearers are {}", ids.join(", ")),
        _ => format!(
            "the first wearers are {}; `pulsewing wearer list` lists them all",
            ids.join(", ")
        ),
    }
}

/// Reads a key file.
///
/// # Errors
/// A [`Problem`] with the file.
pub(crate) fn read_keys(path: &Path) -> Result<Keys, Problem> {
    let unreadable = |problem: Problem| problem.hint(format!("the key file is {}", path.display()));
    let text = regular_file::read_text(path, MAX_KEY_FILE).map_err(|error| {
        unreadable(Problem::failed("the key file could not be read").caused_by_file(&error))
    })?;
    let text = zeroize::Zeroizing::new(text);
    Keys::parse(&text).map_err(|error| unreadable(error.into()))
}

/// Returns an id as the database knows it.
///
/// # Errors
/// Never: both follow the same rule.
pub(crate) fn known(id: &WearerId) -> Result<pulsewing_fleet::WearerId, Problem> {
    Ok(id.as_str().parse::<pulsewing_fleet::WearerId>()?)
}

/// Returns the name of this collector, which its leases carry.
fn collector_name() -> String {
    #[cfg(unix)]
    let machine = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    #[cfg(not(unix))]
    let machine = "collector".to_owned();
    format!("{machine}/{}", std::process::id())
}
