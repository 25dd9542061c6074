//! The context of a command: configuration, console, clock, and the wearers with their directories.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Provider,
    chain::UserId,
    cycle::{Cycle, Deadline, Settings},
};
use pulsewing_history::{HistoryWriter, Listener};

use crate::{
    alarms::Lookout,
    config::{
        Config,
        places::{self, Place},
        wearer::{WearerConfig, WearerId},
    },
    custody::{ChainStore, chain_file::ChainFile, roster::Roster, state_file::State},
    daemon::Members,
    engine::{
        Engine,
        clock::{Clock, StartTime},
        http::{Clients, Http},
    },
    sign_in::person::Wearer,
    tell::{
        console::Console,
        problem::{Exit, Problem, command_for},
    },
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
    /// The wearers that were named.
    pub wearers: Vec<WearerId>,
    /// The database's address, if one was named.
    pub store: Option<String>,
    /// The key file, if one was named.
    pub key_file: Option<PathBuf>,
    /// The start time of the clock, if not now.
    pub now: Option<StartTime>,
}

/// What the contexts of all wearers share.
#[derive(Clone, Debug)]
pub(crate) struct Household {
    /// The configuration.
    pub config: Arc<Config>,
    /// The wearers there are.
    pub roster: Arc<Roster>,
    /// The wearers that the command line names; empty if it names none.
    pub chosen: Vec<WearerId>,
    /// The console, for messages to the user.
    pub console: Console,
    /// The program's clock.
    pub clock: Clock,
    /// The requested start time of the clock, if any.
    pub start: Option<StartTime>,
    /// The state directory, which has a directory for each wearer.
    pub state_dir: PathBuf,
    /// The HTTP clients, one per provider.
    pub clients: Clients,
    /// The wearers that this program polls.
    pub members: Members,
}

impl Household {
    /// Reads the configuration that the options name, and the list of wearers.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration or the places, or with a wearer that was named.
    pub(crate) fn new(options: &Options, console: Console) -> Result<Self, Problem> {
        let config_file = places::config_file(options.config.as_deref())?;
        let config = Config::load(&config_file, options.config.is_some())?;
        let config = with_store(config, options)?;
        warn_if_others_can_read(&config_file, &console);
        let state_dir = places::state_dir(options.state_dir.as_deref())?;
        let household = Self {
            chosen: options.wearers.clone(),
            start: options.now,
            ..Self::of(config, console, Clock::new(options.now), state_dir)?
        };
        // The wearers of a fleet are in its database.
        if household.is_fleet() {
            return match cfg!(feature = "fleet") {
                true => Ok(household),
                false => Err(files_only()),
            };
        }
        for id in &household.chosen {
            household.roster.find(id)?;
        }
        Ok(household)
    }

    /// Returns whether the wearers are in a database.
    pub(crate) fn is_fleet(&self) -> bool {
        self.config.store.url.is_some()
    }

    /// Builds the context of all wearers in this configuration and this state directory.
    ///
    /// # Errors
    /// A [`Problem`] with the list of added wearers.
    pub(crate) fn of(
        config: Config,
        console: Console,
        clock: Clock,
        state_dir: PathBuf,
    ) -> Result<Self, Problem> {
        Ok(Self {
            roster: Arc::new(Roster::load(&config.wearer, &state_dir)?),
            config: Arc::new(config),
            chosen: Vec::new(),
            console,
            clock,
            start: None,
            state_dir,
            clients: Clients::default(),
            members: Members::default(),
        })
    }

    /// Reads the list of wearers again: some may have been added or removed.
    ///
    /// # Errors
    /// A [`Problem`] with the list.
    pub(crate) fn refresh(&mut self) -> Result<(), Problem> {
        self.roster = Arc::new(Roster::load(&self.config.wearer, &self.state_dir)?);
        Ok(())
    }

    /// Returns the context of every wearer.
    pub(crate) fn all(&self) -> Vec<App> {
        let wearers = self.roster.all().iter();
        wearers.map(|wearer| self.app(wearer)).collect()
    }

    /// Returns the context of the wearers that the command line names, in its order; of all if it
    /// names none.
    pub(crate) fn chosen(&self) -> Vec<App> {
        if self.chosen.is_empty() {
            return self.all();
        }
        let known = self
            .chosen
            .iter()
            .filter_map(|id| self.roster.find(id).ok());
        known.map(|wearer| self.app(wearer)).collect()
    }

    /// Returns the context of the one wearer that a command is about.
    ///
    /// # Errors
    /// A [`Problem`] when there are several and none, or more than one, was named.
    pub(crate) fn one(&self) -> Result<App, Problem> {
        if self.is_fleet() {
            return Err(files_only());
        }
        match self.chosen.as_slice() {
            [] => Ok(self.app(self.roster.only()?)),
            [id] => Ok(self.app(self.roster.find(id)?)),
            _ => Err(Problem::new(
                Exit::Usage,
                "this command is about one wearer; name only one with --wearer",
            )),
        }
    }

    /// Returns the context of a wearer.
    pub(crate) fn app(&self, wearer: &WearerConfig) -> App {
        App {
            config: Arc::clone(&self.config),
            wearer: wearer.clone(),
            roster: Arc::clone(&self.roster),
            console: self.console,
            clock: self.clock.clone(),
            start: self.start,
            place: Place::new(&self.state_dir, &wearer.id),
            state_dir: self.state_dir.clone(),
            clients: self.clients.clone(),
            members: self.members.clone(),
        }
    }
}

/// The context of a command about one wearer. Only commands get it whole; what they call gets the
/// values it needs.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// The configuration.
    pub config: Arc<Config>,
    /// The wearer.
    pub wearer: WearerConfig,
    /// The wearers there are.
    pub roster: Arc<Roster>,
    /// The console, for messages to the user.
    pub console: Console,
    /// The program's clock.
    pub clock: Clock,
    /// The requested start time of the clock, if any.
    pub start: Option<StartTime>,
    /// Where the wearer's files are.
    pub place: Place,
    /// The state directory, which has a directory for each wearer.
    pub state_dir: PathBuf,
    /// The HTTP clients, one per provider.
    pub clients: Clients,
    /// The wearers that this program polls.
    pub members: Members,
}

impl App {
    /// Reads the configuration that the options name, for the one wearer that they mean.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration, the places or the choice of a wearer.
    pub(crate) fn new(options: &Options, console: Console) -> Result<Self, Problem> {
        Household::new(options, console)?.one()
    }

    /// Returns the chain's files.
    pub(crate) fn chain_file(&self) -> ChainFile {
        ChainFile::new(self.place.clone())
    }

    /// Returns the state that is remembered between runs. A read error is only reported.
    pub(crate) fn state(&self) -> State {
        State::load_or_warn(&self.place.dir, self.console)
    }

    /// Takes over the wearer's alarms.
    pub(crate) fn lookout(&self) -> Lookout {
        let limits = self.config.limits(&self.wearer);
        Lookout::open(&self.place, limits, self.now(), self.console)
    }

    /// Returns the wearer for a person to sign in as.
    pub(crate) fn wearer(&self) -> Wearer {
        let others = self.roster.all().iter();
        let others = others.filter(|other| other.id != self.wearer.id);
        Wearer {
            place: self.place.clone(),
            others: others
                .map(|other| Place::new(&self.state_dir, &other.id))
                .collect(),
            keep: self.config.history.keep,
            clock: self.clock.clone(),
            console: self.console,
        }
    }

    /// Returns the provider that was asked for, else the configured one, else the stored chain's,
    /// else Google.
    pub(crate) fn provider(&self, asked: Option<Provider>) -> Provider {
        let configured = self.wearer.provider.or(self.config.provider);
        self.chain_file().provider(asked.or(configured))
    }

    /// Returns the HTTP client of a provider.
    ///
    /// # Errors
    /// A [`Problem`] with its addresses or certificates.
    pub(crate) fn http(&self, provider: Provider) -> Result<Http, Problem> {
        self.clients.get(provider, &self.config.endpoints)
    }

    /// Builds an engine that polls this provider. With a deadline it gives up in time.
    pub(crate) fn engine(
        &self,
        provider: Provider,
        deadline: Option<Deadline>,
    ) -> Result<Engine, Problem> {
        let chain = ChainStore::Files(self.chain_file());
        self.engine_with(provider, deadline, chain, self.state())
    }

    /// Builds an engine with this chain and this state.
    pub(crate) fn engine_with(
        &self,
        provider: Provider,
        deadline: Option<Deadline>,
        chain: ChainStore,
        state: State,
    ) -> Result<Engine, Problem> {
        let http = self.http(provider)?;
        let configured = self.config.client(provider);
        let client = configured.to_client(provider)?;
        let user_id = match &configured.user_id {
            Some(_) if self.are_several() => {
                return Err(Problem::failed(
                    "[fitbit] user_id names one person, but there are several wearers",
                )
                .hint("remove it from the configuration: each sign-in says whose it is"));
            }
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
            heart_zones: self.wearer.zones,
            born: self.wearer.born,
            cache_access: true,
            deadline,
        };
        let seed = getrandom::u32().unwrap_or_default();
        let engine = Engine::new(
            Cycle::new(settings, state.pacing(), state.memory(), seed),
            http,
            chain,
            state,
            self.clock.clone(),
            self.wearer.time_zone.clone(),
            self.console,
        );
        Ok(match self.are_several() {
            true => engine.naming(self.wearer.id.clone()),
            false => engine,
        })
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
            self.place.dir.clone(),
            self.wearer.id.to_string(),
            self.config.history.keep,
            self.history_listener(),
        )
    }

    /// Returns whether there are several wearers, so that it has to be said who is meant.
    fn are_several(&self) -> bool {
        self.config.store.url.is_some() || self.roster.are_several()
    }

    /// Names the wearer in the commands of a text, if there are several.
    pub(crate) fn say_whose(&self, text: &str) -> String {
        match self.are_several() {
            true => command_for(text, self.wearer.id.as_str()),
            false => text.to_owned(),
        }
    }

    /// Names the wearer in the commands of a problem's hints, if there are several.
    pub(crate) fn about_whom(&self, problem: Problem) -> Problem {
        match self.are_several() {
            true => problem.for_wearer(self.wearer.id.as_str()),
            false => problem,
        }
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

/// Builds the problem for a command, or a build without the feature `fleet`, that cannot work on a
/// database.
pub(crate) fn files_only() -> Problem {
    let (what, hint) = match cfg!(feature = "fleet") {
        true => (
            "this command works with files of this machine, not with a database",
            "leave out --store, PULSEWING_STORE and [store] url",
        ),
        false => (
            "this build of Pulsewing keeps everything in files: it was built without databases",
            "build it with `cargo install --path crates/pulsewing --features fleet`, or leave out --store, PULSEWING_STORE and [store] url",
        ),
    };
    Problem::new(Exit::Usage, what).hint(hint)
}

/// Returns whether the options or a readable configuration name a database.
pub(crate) fn names_database(options: &Options) -> bool {
    let configured = || {
        let file = places::config_file(options.config.as_deref()).ok()?;
        Config::load(&file, false).ok()?.store.url
    };
    options.store.is_some() || configured().is_some()
}

/// Takes over what the command line says of the database.
fn with_store(mut config: Config, options: &Options) -> Result<Config, Problem> {
    let given = options.store.as_deref();
    // The variable is private, and the command line is not.
    let is_visible = |url: &&str| std::env::args().any(|word| word.contains(*url));
    let has_password = |url: &&str| {
        let authority = url.split_once("://").map_or(*url, |(_, rest)| rest);
        let user = authority.split_once('@').map_or("", |(user, _)| user);
        user.contains(':') || url.contains("password=")
    };
    if given
        .filter(has_password)
        .is_some_and(|url| is_visible(&url))
    {
        return Err(Problem::new(
            Exit::Usage,
            "everybody on this machine can see the password in the command line",
        )
        .hint("put the address into the variable PULSEWING_STORE, or into the configuration as url under [store]"));
    }
    config.store.url = options.store.clone().or(config.store.url);
    config.store.key_file = options.key_file.clone().or(config.store.key_file);
    Ok(config)
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
