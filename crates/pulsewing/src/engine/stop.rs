//! Being told to stop.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

/// How long a refresh that is under way may go on after the program was told to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Knows whether the program was told to stop: by Ctrl-C, on Unix also by SIGTERM and SIGHUP (the terminal
/// is gone), or by a key.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    request: CancellationToken,
    requested_at: Arc<OnceLock<Instant>>,
}

impl Stop {
    /// Begins to listen: from now on these signals no longer end the program by themselves. Needs a
    /// tokio runtime.
    #[must_use]
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

    /// Stops the program as a signal does: somebody pressed a key.
    pub(crate) fn request(&self) {
        self.request.cancel();
    }

    /// Waits until the program is told to stop; returns at once if it was.
    pub(crate) async fn requested(&self) {
        self.request.cancelled().await;
    }

    /// Whether it was told to stop before now.
    #[must_use]
    pub(crate) fn is_requested(&self) -> bool {
        self.request.is_cancelled()
    }

    /// Whether it was told so long ago that nothing is waited for any more.
    #[must_use]
    pub(crate) fn is_overdue(&self) -> bool {
        let at = self.requested_at.get();
        at.is_some_and(|at| at.elapsed() >= PATIENCE)
    }
}

/// Listens at once, and waits for the first signal. One that cannot be listened for never comes.
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

/// Waits for Ctrl-C. If it cannot be listened for, it never comes.
#[cfg(not(unix))]
async fn signal() {
    let pressed: io::Result<()> = tokio::signal::ctrl_c().await;
    if pressed.is_err() {
        std::future::pending::<()>().await;
    }
}
