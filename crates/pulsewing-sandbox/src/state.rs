//! A sandbox's configuration, and the state that its requests share.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::Notify;

use crate::{
    clock::{self, Clock},
    faults::{Fault, Faults},
    google::ServiceTokens,
    oauth::{Codes, Issue, Mints, Tokens},
    quota::Quota,
    request_log::RequestLog,
    settings::{Change, Settings},
    wearer::{Recording, Source, Synced, Wearer},
    webhook::Webhooks,
};

/// The configuration of a sandbox.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// How many wearers there are, each with an account in both clouds; at most
    /// [`MOST_WEARERS`](crate::MOST_WEARERS).
    pub wearers: NonZeroU32,
    /// The first wearer's recorded heart rate; several recordings are several days of that wearer.
    /// Without any, the first wearer is synthetic, as all others are.
    pub data: Vec<Recording>,
    /// Determines the synthetic wearers and the tokens; the same seed makes the same ones.
    pub seed: u64,
    /// The wearers' time zone, which must have an IANA name.
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
            wearers: NonZeroU32::MIN,
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
    /// The first wearer's, if there is one.
    recording: Option<Recording>,
    seed: u64,
    pub(crate) tls_names: Vec<String>,
    /// Wakes whoever notifies subscribers: they, or what they are to learn, have changed.
    pub(crate) webhooks_changed: Notify,
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
        let mut faults = Faults::default();
        faults.replace(config.faults);
        let state = State {
            wearers: config.wearers,
            tokens: Tokens::new(config.token_life),
            codes: Codes::default(),
            mints: Mints::new(config.seed),
            settings: Settings::default(),
            fitbit_quota: Quota::fitbit(),
            google_quota: Quota::google(),
            faults,
            log: RequestLog::default(),
            service_tokens: ServiceTokens::new(config.seed),
            webhooks: Webhooks::default(),
        };
        Self {
            clock,
            zone: config.zone,
            recording: recording.first().is_some().then_some(recording),
            seed: config.seed,
            tls_names: config.tls_names,
            webhooks_changed: Notify::new(),
            state: Mutex::new(state),
        }
    }

    /// Returns a wearer as the clouds know them at `now`.
    pub(crate) fn wearer(&self, who: Wearer, settings: &Settings, now: Timestamp) -> Synced<'_> {
        let wearing = settings.wearing_of(who);
        Synced {
            who,
            source: match &self.recording {
                Some(recording) if who == Wearer::FIRST => Source::Recorded(recording),
                _ => Source::Synthetic(who.life(self.seed)),
            },
            zone: match &wearing.time_zone {
                Some(named) => named.zone.clone(),
                None => self.zone.clone(),
            },
            now,
            wearing: wearing.clone(),
            seed: who.seed(self.seed),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state that requests change.
#[derive(Debug)]
pub(crate) struct State {
    /// How many there are.
    pub(crate) wearers: NonZeroU32,
    pub(crate) tokens: Tokens,
    pub(crate) codes: Codes,
    pub(crate) mints: Mints,
    pub(crate) settings: Settings,
    pub(crate) fitbit_quota: Quota,
    pub(crate) google_quota: Quota,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) service_tokens: ServiceTokens,
    pub(crate) webhooks: Webhooks,
}

impl State {
    /// Returns the token table, and the circumstances in which it grants a wearer tokens now.
    pub(crate) fn issue(&mut self, wearer: Wearer, now: Timestamp) -> (&mut Tokens, Issue<'_>) {
        let issue = Issue {
            settings: &self.settings,
            mint: self.mints.of(wearer),
            now,
        };
        (&mut self.tokens, issue)
    }

    /// Applies a change of the settings.
    ///
    /// # Errors
    /// Returns what is wrong with it; then nothing has changed.
    pub(crate) fn change(&mut self, change: Change) -> Result<(), String> {
        self.known(change.user)?;
        self.settings.apply(change)?;
        // A tracker may have come back into reach of its phone.
        self.webhooks.look_again();
        Ok(())
    }

    /// Replaces the fault list.
    ///
    /// # Errors
    /// Returns what is wrong with it; then nothing has changed.
    pub(crate) fn replace_faults(&mut self, faults: Vec<Fault>) -> Result<(), String> {
        for fault in &faults {
            self.known(fault.user())?;
        }
        self.faults.replace(faults);
        Ok(())
    }

    /// Returns the wearer whom a call names, or the first.
    ///
    /// # Errors
    /// Returns how many wearers there are, if this one is not among them.
    pub(crate) fn known(&self, user: Option<Wearer>) -> Result<Wearer, String> {
        let wearer = user.unwrap_or(Wearer::FIRST);
        match Wearer::numbered(wearer.number(), self.wearers) {
            Some(wearer) => Ok(wearer),
            None => Err(format!(
                "there is no wearer {}: `user` must be 1 to {}",
                wearer.number(),
                self.wearers
            )),
        }
    }
}
