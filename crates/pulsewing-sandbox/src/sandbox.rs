//! The sandbox as a whole: starting and stopping.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    clock::Clock,
    faults::Fault,
    message::with,
    oauth::{FITBIT_APP, FITBIT_USER_ID, GOOGLE_APP},
    server,
    state::{SandboxConfig, Shared},
    tls::{self, Tls, TlsError},
    wearer::{MOST_WEARERS, Wearer},
    webhook,
};

/// A running stand-in for both clouds on one origin.
///
/// It serves until [`stop`](Self::stop) is called or it is dropped, inside any tokio runtime with
/// time and I/O enabled.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    clock: Clock,
    wearers: NonZeroU32,
    tls_names: Vec<String>,
    ca_pem: Option<String>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    notifying: JoinHandle<()>,
}

impl Sandbox {
    /// Binds the address and starts serving.
    ///
    /// # Errors
    /// Returns an error if the address cannot be bound, the zone has no IANA name, there are more
    /// than [`MOST_WEARERS`](crate::MOST_WEARERS) wearers, a fault is of one who does not exist, or
    /// no certificate can be made for the names.
    pub async fn start(config: SandboxConfig) -> Result<Self, StartError> {
        if config.zone.iana_name().is_none() {
            return Err(StartError::UnnamedZone);
        }
        let wearers = config.wearers;
        if wearers.get() > MOST_WEARERS {
            return Err(StartError::TooManyWearers(wearers));
        }
        let named = config.faults.iter().filter_map(Fault::user);
        if let Some(user) = named.map(Wearer::number).find(|user| *user > wearers.get()) {
            return Err(StartError::NoSuchWearer { user, wearers });
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
        let notifying = tokio::spawn(webhook::run(Arc::clone(&shared), stopped.clone()));
        let serving = tokio::spawn(server::serve(listener, acceptor, shared, stopped));
        Ok(Self {
            address,
            clock,
            wearers,
            tls_names,
            ca_pem,
            stop,
            serving,
            notifying,
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

    /// Returns the certificate of the authority that clients must trust, as PEM, if TLS is on.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Returns its clock; moving it moves the sandbox's time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the information that a client needs, to be printed as one line when the sandbox is
    /// ready: its origin and the registered apps, with the first wearer's id; and how many wearers
    /// there are, if several.
    pub fn ready_line(&self) -> Value {
        let ready = json!({
            "url": self.url(),
            "google": GOOGLE_APP,
            "fitbit": with(json!(FITBIT_APP), "user_id", FITBIT_USER_ID),
        });
        match self.wearers.get() {
            1 => ready,
            several => with(ready, "wearers", several),
        }
    }

    /// Stops: no new connection is accepted, and open ones get a second to finish their reply.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.serving).await;
        let _ = (&mut self.notifying).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The tasks end by themselves; we cannot wait for them here.
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
        /// The requested address.
        address: SocketAddr,
        /// The error from the system.
        #[source]
        error: io::Error,
    },
    /// The zone is only an offset or a rule, but both clouds send their clients a name.
    #[error("the wearer's time zone has no IANA name")]
    UnnamedZone,
    /// There are more wearers than a sandbox can have.
    #[error("{0} wearers are too many: at most {MOST_WEARERS}")]
    TooManyWearers(NonZeroU32),
    /// A fault is of a wearer who does not exist.
    #[error("a fault is of wearer {user}, but there are only {wearers}")]
    NoSuchWearer {
        /// The number of the wearer.
        user: u32,
        /// How many there are.
        wearers: NonZeroU32,
    },
    /// No certificate can be made for the https names.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
