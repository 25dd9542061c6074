//! Requests to stop.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

/// The longest time that a refresh under way may still take after a request to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The state of a request to stop: by Ctrl-C, on Unix also by SIGTERM and SIGHUP (the terminal is
/// gone), or by a key.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    request: CancellationToken,
    requested_at: Arc<OnceLock<Instant>>,
}

impl Stop {
    /// Starts to listen: from now on these signals no longer end the program by themselves. Needs a
    /// tokio runtime.
    pub(crate) fn listen() -> Self {
        let stop = Self {
            request: CancellationToken::new(),
            requested_at: Arc::default(),
        };
        let signal = signal();
        let told = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = signal => {}
                () = told.request.cancelled() => {}
            }
            told.requested_at.get_or_init(Instant::now);
            told.request.cancel();
        });
        stop
    }

    /// Returns a request to stop one part of the program, which a request to stop the program
    /// includes.
    pub(crate) fn part(&self) -> Self {
        Self {
            request: self.request.child_token(),
            requested_at: Arc::clone(&self.requested_at),
        }
    }

    /// Stops the program as a signal does, after a key press; a part of it if it is one.
    pub(crate) fn request(&self) {
        self.request.cancel();
    }

    /// Waits for a request to stop; returns at once if there was one.
    pub(crate) async fn requested(&self) {
        self.request.cancelled().await;
    }

    /// Returns whether there was a request to stop.
    pub(crate) fn is_requested(&self) -> bool {
        self.request.is_cancelled()
    }

    /// Returns whether the request is so old that we no longer wait for anything.
    pub(crate) fn is_overdue(&self) -> bool {
        let at = self.requested_at.get();
        at.is_some_and(|at| at.elapsed() >= PATIENCE)
    }
}

/// Listens at once, and waits for the first signal. A signal that we cannot listen for never
/// arrives.
#[cfg(unix)]
fn signal() -> impl Future<Output = ()> + use<> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn received(signal: io::Result<Signal>) {
        match signal {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    }
    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    let hang_up = signal(SignalKind::hangup());
    async {
        tokio::select! {
            () = received(terminate) => {}
            () = received(interrupt) => {}
            () = received(hang_up) => {}
        }
    }
}

/// Waits for Ctrl-C. Never returns if we cannot listen for it.
#[cfg(not(unix))]
async fn signal() {
    let pressed: io::Result<()> = tokio::signal::ctrl_c().await;
    if pressed.is_err() {
        std::future::pending::<()>().await;
    }
}
