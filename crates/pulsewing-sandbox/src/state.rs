//! A sandbox's configuration, and the state that its requests share.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    clock::{self, Clock},
    faults::{Fault, Faults},
    oauth::{Codes, Issue, Mint, Tokens},
    quota::Quota,
    request_log::RequestLog,
    settings::Settings,
    wearer::{Recording, Source, Synced, Synthetic},
};

/// The configuration of a sandbox.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The wearer's recorded heart rate; several recordings are several days of one wearer. Without
    /// any, the wearer is synthetic.
    pub data: Vec<Recording>,
    /// Determines the synthetic wearer and the tokens; the same seed makes the same ones.
    pub seed: u64,
    /// The wearer's time zone, which must have an IANA name.
    pub zone: TimeZone,
    /// The lifetime of an access token in seconds; by default the provider's own (Fitbit 28800,
    /// Google 3599).
    pub token_life: Option<u32>,
    /// Where the clock starts; by default 7 minutes after the sync that includes the last recorded
    /// sample, or at the real time if there is no recording.
    pub now: Option<Timestamp>,
    /// How many times faster than real time the clock runs.
    pub speed: u32,
    /// The fault list to start with.
    pub faults: Vec<Fault>,
    /// The DNS names and IP addresses to serve https for; none means plain http.
    pub tls_names: Vec<String>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: Vec::new(),
            seed: 0,
            zone: TimeZone::UTC,
            token_life: None,
            now: None,
            speed: 1,
            faults: Vec::new(),
            tls_names: Vec::new(),
        }
    }
}

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    zone: TimeZone,
    source: Source,
    seed: u64,
    pub(crate) tls_names: Vec<String>,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(config: SandboxConfig) -> Self {
        let recording = Recording::joined(config.data);
        let start = config
            .now
            .or_else(|| recording.last().map(clock::start_after))
            .unwrap_or_else(Timestamp::now);
        let clock = Clock::starting_at(start, config.speed);
        let source = match recording.first() {
            Some(_) => Source::Recorded(recording),
            None => Source::Synthetic(Synthetic { seed: config.seed }),
        };
        let mut faults = Faults::default();
        faults.replace(config.faults);
        let state = State {
            tokens: Tokens::new(config.token_life),
            codes: Codes::default(),
            mint: Mint::new(config.seed),
            settings: Settings::default(),
            fitbit_quota: Quota::fitbit(),
            google_quota: Quota::google(),
            faults,
            log: RequestLog::default(),
        };
        Self {
            clock,
            zone: config.zone,
            source,
            seed: config.seed,
            tls_names: config.tls_names,
            state: Mutex::new(state),
        }
    }

    /// Returns the wearer as the clouds know them at `now`.
    pub(crate) fn wearer(&self, settings: &Settings, now: Timestamp) -> Synced<'_> {
        Synced {
            source: &self.source,
            zone: match &settings.wearing.time_zone {
                Some(named) => named.zone.clone(),
                None => self.zone.clone(),
            },
            now,
            wearing: settings.wearing.clone(),
            seed: self.seed,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state that requests change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tokens: Tokens,
    pub(crate) codes: Codes,
    pub(crate) mint: Mint,
    pub(crate) settings: Settings,
    pub(crate) fitbit_quota: Quota,
    pub(crate) google_quota: Quota,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
}

impl State {
    /// Returns the token table, and the circumstances in which it grants tokens now.
    pub(crate) fn issue(&mut self, now: Timestamp) -> (&mut Tokens, Issue<'_>) {
        let issue = Issue {
            settings: &self.settings,
            mint: &mut self.mint,
            now,
        };
        (&mut self.tokens, issue)
    }
}
