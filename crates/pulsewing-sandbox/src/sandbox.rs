//! The sandbox as a whole: its configuration, its state, its start and its end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::{self, Clock};
use crate::faults::{Fault, Faults};
use crate::oauth::{Codes, FITBIT_APP, FITBIT_USER_ID, GOOGLE_APP, Mint, Tokens};
use crate::request_log::RequestLog;
use crate::server;
use crate::settings::Settings;
use crate::tls::{self, Tls, TlsError};
use crate::wearer::{Recording, Source, Synced, Synthetic};
use crate::{fitbit, google};

/// How a sandbox starts.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The wearer's recorded heart rate; several recordings are several days of one wearer.
    /// Without any there is a synthetic wearer.
    pub data: Vec<Recording>,
    /// Makes the synthetic wearer and the tokens; the same seed makes the same ones.
    pub seed: u64,
    /// The wearer's time zone, which must have an IANA name.
    pub zone: TimeZone,
    /// Seconds an access token lives; without it the provider's own (Fitbit 28800, Google 3599).
    pub token_life: Option<u32>,
    /// Where the clock starts; without it 7 minutes after the sync that brings the last recorded
    /// sample, or at the real time when there is no recording.
    pub now: Option<Timestamp>,
    /// How many times faster than real time the clock runs.
    pub speed: u32,
    /// The fault list to start with.
    pub faults: Vec<Fault>,
    /// The DNS names and IP addresses that it serves https for; none means plain http.
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

/// A running stand-in for both clouds on one origin.
///
/// It serves until [`stop`](Self::stop) is called or it is dropped, inside any tokio runtime with
/// time and I/O enabled.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    clock: Clock,
    tls_names: Vec<String>,
    ca_pem: Option<String>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Sandbox {
    /// Binds the address and starts to serve.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be bound, the zone has no IANA name, or there can be no
    /// certificate for the names.
    pub async fn start(config: SandboxConfig) -> Result<Self, StartError> {
        if config.zone.iana_name().is_none() {
            return Err(StartError::UnnamedZone);
        }
        let bound = |error| StartError::Listen {
            address: config.listen,
            error,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(bound)?;
        let address = listener.local_addr().map_err(bound)?;
        let tls = match config.tls_names.as_slice() {
            [] => None,
            names => Some(Tls::for_names(names)?),
        };
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let tls_names = config.tls_names.clone();
        let shared = Arc::new(Shared::new(config));
        let clock = shared.clock.clone();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(server::serve(listener, acceptor, shared, stopped));
        Ok(Self {
            address,
            clock,
            tls_names,
            ca_pem,
            stop,
            serving,
        })
    }

    /// Returns the address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its origin, such as `http://127.0.0.1:40123`.
    ///
    /// When it listens on every address of the machine, this is the loopback one. With TLS it is
    /// `https://localhost:PORT`, or the first of the names if localhost is not among them.
    pub fn url(&self) -> String {
        if self.ca_pem.is_some() {
            return tls::origin(&self.tls_names, self.address.port());
        }
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}")
    }

    /// Returns the certificate of the authority that its clients are to trust, as PEM, if it speaks TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Returns its clock; moving it moves the sandbox's time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns what a client needs to know, to be printed as one line when the sandbox is ready:
    /// its origin and the registered apps.
    pub fn ready_line(&self) -> Value {
        json!({
            "url": self.url(),
            "google": {
                "client_id": GOOGLE_APP.client_id,
                "client_secret": GOOGLE_APP.client_secret,
            },
            "fitbit": {
                "client_id": FITBIT_APP.client_id,
                "client_secret": FITBIT_APP.client_secret,
                "user_id": FITBIT_USER_ID,
            },
        })
    }

    /// Stops: no new connection is taken, open ones get a second to finish their reply.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The task ends by itself; it cannot be waited for here.
        let _ = self.stop.send(true);
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The zone is a mere offset or rule: both clouds tell their clients a name.
    #[error("the wearer's time zone has no IANA name")]
    UnnamedZone,
    /// There is no certificate for the names that it should serve https for.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What every connection shares.
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
            fitbit_quota: fitbit::Quota::default(),
            google_quota: google::Quota::default(),
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

/// What requests change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tokens: Tokens,
    pub(crate) codes: Codes,
    pub(crate) mint: Mint,
    pub(crate) settings: Settings,
    pub(crate) fitbit_quota: fitbit::Quota,
    pub(crate) google_quota: google::Quota,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
}
