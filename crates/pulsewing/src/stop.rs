//! Being told to stop.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// How long a refresh that is under way may go on after the program was told to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Listens for Ctrl-C and, on Unix, for SIGTERM and SIGHUP (the terminal is gone).
#[derive(Debug)]
pub struct Stop {
    requested_at: Option<Instant>,
    by_hand: Arc<Notify>,
    #[cfg(unix)]
    terminate: Option<Signal>,
    #[cfg(unix)]
    interrupt: Option<Signal>,
    #[cfg(unix)]
    hang_up: Option<Signal>,
}

impl Stop {
    /// Begins to listen: from now on these signals no longer end the program by themselves.
    #[must_use]
    pub fn listen() -> Self {
        Self {
            requested_at: None,
            by_hand: Arc::default(),
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate()).ok(),
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt()).ok(),
            #[cfg(unix)]
            hang_up: signal(SignalKind::hangup()).ok(),
        }
    }

    /// Notified, it is as if a signal had come: somebody pressed a key.
    #[must_use]
    pub fn by_hand(&self) -> Arc<Notify> {
        Arc::clone(&self.by_hand)
    }

    /// Waits until the program is told to stop; returns at once if it was.
    pub async fn requested(&mut self) {
        if self.requested_at.is_some() {
            return;
        }
        #[cfg(unix)]
        tokio::select! {
            () = received(&mut self.terminate) => {}
            () = received(&mut self.interrupt) => {}
            () = received(&mut self.hang_up) => {}
            () = self.by_hand.notified() => {}
        }
        #[cfg(not(unix))]
        tokio::select! {
            Ok(()) = tokio::signal::ctrl_c() => {}
            () = self.by_hand.notified() => {}
        }
        self.requested_at = Some(Instant::now());
    }

    /// Whether it was told to stop before now.
    pub async fn is_requested(&mut self) -> bool {
        tokio::select! {
            biased;
            () = self.requested() => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Whether it was told so long ago that nothing is waited for any more.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.requested_at.is_some_and(|at| at.elapsed() >= PATIENCE)
    }
}

/// A signal that cannot be listened for never comes.
#[cfg(unix)]
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
