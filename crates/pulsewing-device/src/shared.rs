//! The state that the parts of the device share: app loop, screen, console and button run as one
//! future on one thread, and each sees the findings of the others.
//!
//! Cells are borrowed for a moment and never across an await. State that must be held for longer
//! (store, card, picture) is behind an asynchronous mutex. The order of locks is chain, store or
//! picture, card; no part takes a lock while holding a later one.

use core::{
    cell::{Cell, RefCell},
    fmt,
    time::Duration,
};

use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::Mutex, signal::Signal};
use jiff::Timestamp;
use pulsewing_core::{
    chain::{Standing, Stored},
    cycle::{Failure, StoreTrouble},
    day::Day,
    reading::Reading,
};
use pulsewing_store::{MAX_ERROR_TEXT, PanicText, Settings, Store, When};

use crate::{
    alarms::Watch,
    deadlines::Deadlines,
    errors::Journal,
    instruction_counts::InstructionCounts,
    light::Light,
    picture::Picture,
    ports::{Board, Clock, ConnectError, JoinError, Joined, System, Trusted},
    serial_queue::{SerialQueue, text},
    sound::Sound,
};

/// The name of a network, at most 32 bytes.
pub(crate) type Ssid = heapless::String<32>;

/// The state that more than one part uses.
pub(crate) struct Shared<'b, B: Board> {
    pub(crate) clock: B::Clock,
    pub(crate) system: B::System,
    pub(crate) trusted: Trusted,
    pub(crate) store: Mutex<NoopRawMutex, Store<B::Flash>>,
    pub(crate) card: Mutex<NoopRawMutex, B::Card>,
    pub(crate) picture: Mutex<NoopRawMutex, Picture<'b>>,
    /// Held while a refresh or an upload is under way.
    pub(crate) chain_lock: Mutex<NoopRawMutex, ()>,
    pub(crate) settings: RefCell<Settings>,
    pub(crate) reading: RefCell<Option<Reading>>,
    /// The day before the reading's, for the graph of the last 24 hours.
    pub(crate) earlier: RefCell<Option<Day>>,
    pub(crate) facts: RefCell<Facts>,
    pub(crate) errors: RefCell<Journal>,
    pub(crate) serial_queue: SerialQueue,
    pub(crate) light: Light,
    pub(crate) watch: Watch,
    pub(crate) sound: Sound,
    pub(crate) deadlines: Deadlines,
    pub(crate) requests: AppRequests,
    pub(crate) instruction_counts: InstructionCounts,
    /// Whether there is a new wallpaper to load.
    pub(crate) has_new_wallpaper: Cell<bool>,
    /// Signals that something shown has changed.
    pub(crate) redraw: Signal<NoopRawMutex, ()>,
}

/// Requests to the app loop.
pub(crate) struct AppRequests {
    /// Signals that there is a request.
    pub(crate) any: Signal<NoopRawMutex, ()>,
    /// Start a cycle now.
    pub(crate) poll: Cell<bool>,
    /// The settings have changed.
    pub(crate) settings: Cell<bool>,
    /// Join this network now, even if another one is joined.
    pub(crate) join: RefCell<Option<Ssid>>,
    /// The result of the last request to join.
    pub(crate) joined: Signal<NoopRawMutex, Result<(), JoinError>>,
}

impl<B: Board> Shared<'_, B> {
    /// Shows a new reading. When its day has begun since the last one, that one's is kept as the day
    /// before.
    pub(crate) fn show(&self, reading: Option<&Reading>) {
        if let Some(reading) = reading {
            let date = reading.day.local().date().yesterday().ok();
            let mut earlier = self.earlier.borrow_mut();
            if let Some(before) = &*self.reading.borrow()
                && Some(before.day.local().date()) == date
            {
                *earlier = Some(before.day.clone());
            }
            match &mut *earlier {
                // Its last minutes came with the first poll of this day.
                Some(earlier) if Some(earlier.local().date()) == date => {
                    earlier.record_window(&reading.window);
                }
                other => *other = None,
            }
        }
        *self.reading.borrow_mut() = reading.cloned();
    }
}

impl AppRequests {
    pub(crate) const fn new() -> Self {
        Self {
            any: Signal::new(),
            poll: Cell::new(false),
            settings: Cell::new(false),
            join: RefCell::new(None),
            joined: Signal::new(),
        }
    }
}

/// The connection to the network, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Network {
    /// Nothing has been tried yet.
    #[default]
    Untried,
    /// No network is known.
    Unknown,
    /// This network is being joined; the error is that of the previous try.
    Joining(Ssid, Option<JoinError>),
    /// The cable provides no network, for this reason.
    Cable(JoinError),
    /// This network is joined.
    Joined(Ssid, Joined),
}

/// The known facts about the stored chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainFacts {
    pub(crate) provider: pulsewing_core::Provider,
    pub(crate) generation: u32,
    pub(crate) standing: Standing,
    pub(crate) fingerprint: pulsewing_core::Fingerprint,
    pub(crate) scopes: pulsewing_core::oauth::Scopes,
    pub(crate) obtained_at: Timestamp,
    /// When its refresh token ends, if it does.
    pub(crate) ends: Option<Timestamp>,
}

impl ChainFacts {
    pub(crate) fn from_chain(chain: &Stored) -> Self {
        Self {
            provider: chain.provider(),
            generation: chain.generation(),
            standing: chain.standing(),
            fingerprint: chain.refresh_token().fingerprint(),
            scopes: chain.scopes(),
            obtained_at: chain.obtained_at(),
            ends: chain.refresh_expires_at(),
        }
    }
}

/// The findings of the app loop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) network: Network,
    pub(crate) chain: Option<ChainFacts>,
    /// Why the stored chain is unknown.
    pub(crate) chain_trouble: Option<StoreTrouble>,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) next_update: Option<Timestamp>,
    /// How the last cycle since the start ended.
    pub(crate) ended: Option<Result<(), Failure>>,
    /// When the first cycle failed of those that have failed since.
    pub(crate) failing_since: Option<Timestamp>,
    /// The connection problem of the last exchange that failed.
    pub(crate) connect_error: Option<ConnectError>,
    /// Whether new tokens are in memory and not yet in the store.
    pub(crate) holds_unstored: bool,
    /// Whether the last try to store new tokens failed.
    pub(crate) has_store_failed: bool,
    /// Whether a refresh is under way that a restart would interrupt.
    pub(crate) is_refreshing: bool,
    /// The panic that the last run ended with.
    pub(crate) panic: Option<PanicText>,
    /// The seconds until everything is erased.
    pub(crate) erasing_in: Option<u64>,
    /// Why the stored settings could not be read.
    pub(crate) settings_fault: Option<&'static str>,
}

impl<B: Board> Shared<'_, B> {
    /// Changes the facts, and has them shown.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts.borrow_mut());
        self.redraw.signal(());
    }

    /// Reports an error on the serial line, and writes it to the log unless it is there. The text
    /// must not contain a secret.
    pub(crate) async fn went_wrong(&self, what: fmt::Arguments<'_>) {
        self.serial_queue.log(what);
        let what: heapless::String<MAX_ERROR_TEXT> = text(what);
        let up = self.clock.up();
        if !self.errors.borrow_mut().is_to_be_written(&what, up) {
            return;
        }
        let when = match self.clock.utc() {
            Some(utc) => When::At(utc),
            None => When::Uptime(u32::try_from(up.as_secs()).unwrap_or(u32::MAX)),
        };
        // An unwritable log must not stop the work that the entry is about.
        if self
            .store
            .lock()
            .await
            .log_error(when, &what)
            .await
            .is_err()
        {
            self.serial_queue
                .log(format_args!("the error log could not be written"));
        }
    }

    /// Returns the instant after this wait.
    pub(crate) fn after(&self, wait: Duration) -> Duration {
        self.clock.up().saturating_add(wait)
    }

    /// Restarts the board as soon as a restart does no harm: never while new tokens are only in
    /// memory, nor, for up to half a minute, while a refresh waits for its answer.
    ///
    /// # Errors
    /// [`TokensUnstored`] in the first case.
    pub(crate) async fn restart(&self) -> Result<core::convert::Infallible, TokensUnstored> {
        let wait_until = self.after(Duration::from_secs(30));
        while self.facts.borrow().is_refreshing && self.clock.up() < wait_until {
            self.clock
                .sleep_until(self.after(Duration::from_millis(200)))
                .await;
        }
        if self.facts.borrow().holds_unstored {
            return Err(TokensUnstored);
        }
        // Gives a reader the chance to receive the last lines.
        let _ = self.serial_queue.flush(&self.clock).await;
        let _store = self.store.lock().await;
        self.system.restart()
    }
}

/// The error when new tokens are not stored yet; a restart would lose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("new sign-in tokens are waiting to be stored; a restart now would lose them")]
pub(crate) struct TokensUnstored;
