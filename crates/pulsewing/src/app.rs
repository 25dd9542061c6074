//! The context of a command: configuration, places, clock, console.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    ClientSecret, Provider,
    chain::{Client, ClientId, Record, UserId},
    cycle::{Cycle, Deadline, Settings},
};
use pulsewing_history::{HistoryWriter, Listener};

use crate::{
    config::{Config, endpoints::Endpoints, places},
    custody::{chain_file::ChainFile, state_file::State},
    engine::{
        Engine, Surroundings,
        clock::{Clock, StartTime},
        http::Http,
    },
    tell::{console::Console, problem::Problem},
};

/// The default poll interval: that of the original, and of the trackers themselves.
const POLL_EVERY: Duration = Duration::from_secs(15 * 60);

/// The default limit on requests within an hour.
const HOURLY_CAP: u16 = 60;

/// The options that determine the context of a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The configuration file, if one was named.
    pub config: Option<PathBuf>,
    /// The state directory, if one was named.
    pub state_dir: Option<PathBuf>,
    /// The start time of the clock, if not now.
    pub now: Option<StartTime>,
}

/// The context of a command.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// The configuration.
    pub config: Config,
    /// The console, for messages to the user.
    pub console: Console,
    /// The program's clock.
    pub clock: Clock,
    /// The requested start time of the clock, if any.
    pub start: Option<StartTime>,
    state_dir: PathBuf,
}

impl App {
    /// Reads the configuration that the options name.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration or the places.
    pub(crate) fn new(options: &Options, console: Console) -> Result<Self, Problem> {
        let config_file = match &options.config {
            Some(path) => path.clone(),
            None => places::config_file()?,
        };
        let config = Config::load(&config_file, options.config.is_some())?;
        warn_if_others_can_read(&config_file, &console);
        let state_dir = match &options.state_dir {
            Some(dir) => dir.clone(),
            None => places::state_dir()?,
        };
        let clock = match options.now {
            Some(start) => Clock::starting_at(start.at),
            None => Clock::system(),
        };
        Ok(Self {
            config,
            console,
            clock,
            start: options.now,
            state_dir: state_dir.join(places::WEARER),
        })
    }

    /// Builds an app with its own configuration, clock and place, such as the demo's.
    #[must_use]
    pub(crate) const fn private(
        config: Config,
        console: Console,
        clock: Clock,
        state_dir: PathBuf,
    ) -> Self {
        Self {
            config,
            console,
            clock,
            start: None,
            state_dir,
        }
    }

    /// Returns the chain's files.
    #[must_use]
    pub(crate) fn chain_file(&self) -> ChainFile {
        ChainFile::new(self.state_dir.clone())
    }

    /// Returns the state that is remembered between runs. A read error is only reported.
    #[must_use]
    pub(crate) fn state(&self) -> State {
        State::load(&self.state_dir).unwrap_or_else(|error| {
            self.console
                .warn(&format!("the state could not be read: {error}"));
            State::default()
        })
    }

    /// Writes the state that is remembered between runs. A write error is only reported.
    pub(crate) fn save_state(&self, state: &mut State) {
        if let Err(error) = state.save(&self.state_dir) {
            self.console
                .warn(&format!("the state could not be written: {error}"));
        }
    }

    /// Returns the wearer's state directory.
    #[must_use]
    pub(crate) const fn state_dir(&self) -> &PathBuf {
        &self.state_dir
    }

    /// Returns the provider that was asked for, else the configured one, else the stored chain's,
    /// else Google.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration.
    pub(crate) fn provider(&self, asked: Option<Provider>) -> Result<Provider, Problem> {
        if let Some(provider) = asked.or(self.config.provider) {
            return Ok(provider);
        }
        let stored = self
            .chain_file()
            .load()
            .ok()
            .and_then(|loaded| loaded.record);
        Ok(stored.map_or(Provider::Google, |record| record.chain.provider()))
    }

    /// Builds the HTTP client for a provider.
    ///
    /// # Errors
    /// A [`Problem`] with its addresses or certificates.
    pub(crate) fn http(&self, provider: Provider) -> Result<Http, Problem> {
        let endpoints = Endpoints::new(provider, &self.config.endpoints)?;
        Http::new(endpoints, self.config.endpoints.ca_file.as_deref())
    }

    /// Returns the configured OAuth client of a provider.
    ///
    /// # Errors
    /// A [`Problem`] when it is too long to be valid.
    pub(crate) fn client(&self, provider: Provider) -> Result<Option<Client>, Problem> {
        let config = self.config.client(provider);
        let Some(id) = &config.client_id else {
            return Ok(None);
        };
        Ok(Some(client(id, config.client_secret.as_deref()).map_err(
            |problem| problem.hint(format!("check [{}] in the configuration", provider.name())),
        )?))
    }

    /// Returns the client to sign in with: the configured one, else the stored sign-in's.
    ///
    /// # Errors
    /// A [`Problem`] when the configured one is too long to be valid.
    pub(crate) fn sign_in_client(&self, provider: Provider) -> Result<Option<Client>, Problem> {
        if let Some(client) = self.client(provider)? {
            return Ok(Some(client));
        }
        let loaded = self.chain_file().load().ok();
        let stored = loaded.and_then(|loaded| loaded.record);
        Ok(stored
            .filter(|record| record.chain.provider() == provider)
            .map(|record| record.chain.client().clone()))
    }

    /// Builds an engine that polls this provider. With a deadline it gives up in time.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration.
    pub(crate) fn engine(
        &self,
        provider: Provider,
        deadline: Option<Deadline>,
    ) -> Result<Engine, Problem> {
        let http = self.http(provider)?;
        let client = self.client(provider)?;
        let user_id = match &self.config.client(provider).user_id {
            Some(id) => Some(UserId::try_from(id.as_str()).map_err(|_| {
                Problem::failed("[fitbit] user_id is longer than any")
                    .hint("check it in the configuration")
            })?),
            None => None,
        };
        let settings = Settings {
            provider,
            issuer: http.endpoints().issuer(),
            client_id: client.as_ref().map(|client| client.id.clone()),
            client_secret: client.and_then(|client| client.secret),
            user_id,
            every: self.every(),
            hourly_cap: self.config.poll.hourly_cap.unwrap_or(HOURLY_CAP),
            heart_zones: self.config.wearer.zones,
            cache_access: true,
            deadline,
        };
        let state = self.state();
        let seed = getrandom::u32().unwrap_or_default();
        let cycle = Cycle::new(settings, state.pacing(), state.memory(), seed);
        Ok(Engine::new(
            cycle,
            Surroundings {
                provider,
                http,
                files: self.chain_file(),
                state,
                clock: self.clock.clone(),
                configured_zone: self.config.wearer.time_zone.clone(),
                console: self.console,
            },
        ))
    }

    /// Returns a listener that reports the history's notices on the console.
    #[must_use]
    pub(crate) fn history_listener(&self) -> Listener {
        let console = self.console;
        Listener::new(move |notice| match notice.is_detail() {
            true => console.detail(|| notice.to_string()),
            false => console.warn(&notice.to_string()),
        })
    }

    /// Returns a writer for the wearer's history.
    #[must_use]
    pub(crate) fn history_writer(&self) -> HistoryWriter {
        HistoryWriter::new(
            self.state_dir.clone(),
            places::WEARER.to_owned(),
            self.config.history.keep,
            self.history_listener(),
        )
    }

    /// Returns the poll interval.
    #[must_use]
    pub(crate) fn every(&self) -> Duration {
        self.config.poll.every.map_or(POLL_EVERY, |every| every.0)
    }

    /// Returns the poll interval as a signed duration, for comparing ages with it.
    #[must_use]
    pub(crate) fn interval(&self) -> SignedDuration {
        SignedDuration::try_from(self.every()).unwrap_or(SignedDuration::MAX)
    }

    /// Returns the time on the program's clock.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().utc
    }
}

/// Takes the lock and reads the chain, for a command that is about to change it.
///
/// # Errors
/// A [`Problem`] when the lock or the chain is not available.
pub(crate) async fn open_chain(files: &mut ChainFile) -> Result<Option<Record>, Problem> {
    let loaded = match files.lock(Duration::from_secs(30)).await {
        Ok(()) => files.load(),
        Err(unavailable) => Err(unavailable),
    };
    loaded.map(|loaded| loaded.record).map_err(Problem::from)
}

/// Builds an OAuth client from an id and a secret.
///
/// # Errors
/// A [`Problem`] when one of them is not valid.
pub(crate) fn client(id: &str, secret: Option<&str>) -> Result<Client, Problem> {
    let refuse = || Problem::failed("the OAuth client's id is empty, or longer than any");
    let id = ClientId::try_from(id.trim()).map_err(|_| refuse())?;
    if id.is_empty() {
        return Err(refuse());
    }
    let secret = secret
        .map(str::trim)
        .filter(|secret| !secret.is_empty())
        .map(|secret| {
            ClientSecret::new(secret).map_err(|error| {
                Problem::failed("the OAuth client's secret cannot be one").caused_by(&error)
            })
        })
        .transpose()?;
    Ok(Client { id, secret })
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &std::path::Path, console: &Console) {
    use std::os::unix::fs::PermissionsExt;
    let is_open = std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if is_open {
        console.warn(&format!(
            "others on this machine can read {}; `chmod 600` keeps the client secret to yourself",
            path.display()
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &std::path::Path, _: &Console) {}
