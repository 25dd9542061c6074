//! The context of a command: configuration, console, clock, and the wearer's directory.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Provider,
    chain::UserId,
    cycle::{Cycle, Deadline, Settings},
};
use pulsewing_history::{HistoryWriter, Listener};

use crate::{
    config::{Config, places},
    custody::{chain_file::ChainFile, state_file::State},
    engine::{
        Engine,
        clock::{Clock, StartTime},
        http::Http,
    },
    sign_in::person::Wearer,
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

/// The context of a command. Only commands get it whole; what they call gets the values it needs.
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
    /// The wearer's state directory.
    pub state_dir: PathBuf,
}

impl App {
    /// Reads the configuration that the options name.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration or the places.
    pub(crate) fn new(options: &Options, console: Console) -> Result<Self, Problem> {
        let config_file = places::config_file(options.config.as_deref())?;
        let config = Config::load(&config_file, options.config.is_some())?;
        warn_if_others_can_read(&config_file, &console);
        Ok(Self {
            config,
            console,
            clock: Clock::new(options.now),
            start: options.now,
            state_dir: places::wearer_dir(options.state_dir.as_deref())?,
        })
    }

    /// Returns the chain's files.
    pub(crate) fn chain_file(&self) -> ChainFile {
        ChainFile::new(self.state_dir.clone())
    }

    /// Returns the state that is remembered between runs. A read error is only reported.
    pub(crate) fn state(&self) -> State {
        State::load_or_warn(&self.state_dir, self.console)
    }

    /// Returns the wearer for a person to sign in as.
    pub(crate) fn wearer(&self) -> Wearer {
        Wearer {
            dir: self.state_dir.clone(),
            keep: self.config.history.keep,
            clock: self.clock.clone(),
            console: self.console,
        }
    }

    /// Returns the provider that was asked for, else the configured one, else the stored chain's,
    /// else Google.
    pub(crate) fn provider(&self, asked: Option<Provider>) -> Provider {
        self.chain_file().provider(asked.or(self.config.provider))
    }

    /// Builds an engine that polls this provider. With a deadline it gives up in time.
    pub(crate) fn engine(
        &self,
        provider: Provider,
        deadline: Option<Deadline>,
    ) -> Result<Engine, Problem> {
        let http = Http::new(provider, &self.config.endpoints)?;
        let configured = self.config.client(provider);
        let client = configured.to_client(provider)?;
        let user_id = match &configured.user_id {
            Some(id) => Some(UserId::try_from(id.as_str()).map_err(|_| {
                Problem::failed("[fitbit] user_id is too long")
                    .hint("correct it in the configuration")
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
        Ok(Engine::new(
            Cycle::new(settings, state.pacing(), state.memory(), seed),
            http,
            self.chain_file(),
            state,
            self.clock.clone(),
            self.config.wearer.time_zone.clone(),
            self.console,
        ))
    }

    /// Returns a listener that reports the history's notices on the console.
    pub(crate) fn history_listener(&self) -> Listener {
        let console = self.console;
        Listener::new(move |notice| match notice.is_detail() {
            true => console.detail(|| notice.to_string()),
            false => console.warn(&notice.to_string()),
        })
    }

    /// Returns a writer for the wearer's history.
    pub(crate) fn history_writer(&self) -> HistoryWriter {
        HistoryWriter::new(
            self.state_dir.clone(),
            places::WEARER.to_owned(),
            self.config.history.keep,
            self.history_listener(),
        )
    }

    /// Returns the poll interval.
    pub(crate) fn every(&self) -> Duration {
        self.config.poll.every.map_or(POLL_EVERY, |every| every.0)
    }

    /// Returns the poll interval as a signed duration, for comparing ages with it.
    pub(crate) fn interval(&self) -> SignedDuration {
        SignedDuration::try_from(self.every()).unwrap_or(SignedDuration::MAX)
    }

    /// Returns the time on the program's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().utc
    }
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &std::path::Path, console: &Console) {
    use std::os::unix::fs::PermissionsExt;
    let is_open = std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if is_open {
        console.warn(&format!(
            "others on this machine can read {}; use `chmod 600` to keep the client secret private",
            path.display()
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &std::path::Path, _: &Console) {}
