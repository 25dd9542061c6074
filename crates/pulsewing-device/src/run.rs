//! Starting up: reads what was stored, draws the cached picture, then runs everything.

use core::cell::{Cell, RefCell};

use embassy_futures::join::{join, join3, join5};
use embassy_sync::{mutex::Mutex, signal::Signal};
use embedded_storage_async::nor_flash::NorFlash;
use pulsewing_core::{
    alarm::{self, Alarms},
    chain::codec::MAX_RECORD,
    cycle::{Memory, Pacing},
    reading::Reading,
};
use pulsewing_store::{MAX_SETTINGS, MAX_SNAPSHOT, Settings, Store, StoreError};
use zeroize::Zeroizing;

use crate::{
    alarms::{self, Watch},
    app::{App, Found},
    button,
    console::Console,
    deadlines::Deadlines,
    errors::Journal,
    light::Light,
    own_frame::own_frame,
    picture::Picture,
    ports::{Board, Entropy, System, Trusted, Web},
    screen,
    serial_queue::SerialQueue,
    shared::{AppRequests, ChainFacts, Facts, Shared},
    sound::{self, Sound},
};

/// A board's parts.
pub struct Parts<'b, B: Board> {
    /// The clocks.
    pub clock: B::Clock,
    /// The connection to the router.
    pub link: B::Link,
    /// HTTP and SNTP.
    pub web: B::Web,
    /// The store over the board's flash. The board may already have read from it.
    pub store: Store<B::Flash>,
    /// The display.
    pub panel: B::Panel,
    /// Its light.
    pub backlight: B::Backlight,
    /// The piezo.
    pub sounder: B::Sounder,
    /// Randomness.
    pub entropy: B::Entropy,
    /// The card slot.
    pub card: B::Card,
    /// The button.
    pub button: B::Button,
    /// The board as a whole.
    pub system: B::System,
    /// The serial input.
    pub input: B::Input,
    /// The serial output.
    pub output: B::Output,
    /// Memory for the picture: [`Frame::bytes_for`](pulsewing_screen::Frame::bytes_for) the panel's
    /// size. With less, nothing is drawn.
    pub frame: &'b mut [u8],
    /// Memory for the user's wallpaper:
    /// [`Wallpaper::bytes_for`](pulsewing_screen::Wallpaper::bytes_for) its size. May be empty:
    /// then the built-in one is shown.
    pub wallpaper: &'b mut [u8],
}

impl<B: Board> core::fmt::Debug for Parts<'_, B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Runs the device forever.
///
/// Await it on the board's only thread, next to any tasks that its ports need. It takes some tens
/// of kilobytes, so a board makes it static.
pub async fn run<B: Board>(parts: Parts<'_, B>) -> ! {
    let Parts {
        clock,
        link,
        web,
        mut store,
        mut panel,
        mut backlight,
        mut sounder,
        mut entropy,
        card,
        mut button,
        system,
        mut input,
        mut output,
        frame,
        wallpaper,
    } = parts;
    system.progress();
    let serial_queue = SerialQueue::new();
    let board = B::System::BOARD;
    let version = env!("CARGO_PKG_VERSION");
    serial_queue.log(format_args!("pulsewing {version} on {board}"));
    let Start {
        settings,
        reading,
        facts,
        errors,
        found,
        alarms,
    } = own_frame(Start::read(&mut store, &serial_queue)).await;
    let mut seed = [0; 4];
    entropy.fill(&mut seed);
    let seed = u32::from_le_bytes(seed);

    let shared: Shared<'_, B> = Shared {
        clock,
        system,
        trusted: web.trusted(),
        store: Mutex::new(store),
        card: Mutex::new(card),
        picture: Mutex::new(Picture::new(&panel, frame)),
        chain_lock: Mutex::new(()),
        settings: RefCell::new(settings),
        reading: RefCell::new(reading),
        earlier: RefCell::new(None),
        facts: RefCell::new(facts),
        errors: RefCell::new(errors),
        serial_queue,
        light: Light::new(),
        watch: Watch::new(alarms),
        sound: Sound::new(),
        deadlines: Deadlines::new(),
        requests: AppRequests::new(),
        instruction_counts: crate::instruction_counts::InstructionCounts::default(),
        has_new_wallpaper: Cell::new(false),
        redraw: Signal::new(),
    };
    tell_what_was_found(&shared).await;
    // Made here and lent to their futures: a value that is moved into a future takes its space
    // twice.
    let mut app = App::new(&shared, link, web, found, seed);
    let mut console = Console::new(&shared);
    let deadlines = shared
        .deadlines
        .keep(&shared.clock, &shared.system, &shared.serial_queue);
    let (never, ..) = join3(
        deadlines,
        join5(
            own_frame(app.run()),
            own_frame(screen::run(&shared, &mut panel, &mut backlight, wallpaper)),
            own_frame(console.run(&mut input)),
            own_frame(button::run(&shared, &mut button)),
            own_frame(shared.serial_queue.pump(&mut output)),
        ),
        join(
            own_frame(alarms::run(&shared)),
            own_frame(sound::run(&shared, &mut sounder)),
        ),
    )
    .await;
    never
}

/// Notes in the errors what a start finds out: a panic of the previous run, and certificates that
/// cannot be read.
async fn tell_what_was_found<B: Board>(shared: &Shared<'_, B>) {
    let panic = shared.facts.borrow().panic.clone();
    if let Some(panic) = panic {
        shared.went_wrong(format_args!("panic: {panic}")).await;
    }
    let Trusted { usable, unusable } = shared.trusted;
    if unusable > 0 {
        let all = usable + unusable;
        shared
            .went_wrong(format_args!(
                "{unusable} of {all} trusted certificates cannot be read"
            ))
            .await;
    }
}

/// The state that is known before any request.
struct Start {
    settings: Settings,
    reading: Option<Reading>,
    facts: Facts,
    errors: Journal,
    found: Found,
    alarms: Alarms,
}

impl Start {
    /// Reads what was stored. Logs and skips what cannot be read.
    async fn read<F: NorFlash>(store: &mut Store<F>, serial_queue: &SerialQueue) -> Self {
        let mut facts = Facts::default();
        match store.start().await {
            Ok(started) if started.finished_reset => {
                serial_queue.log(format_args!("completed an interrupted factory reset"));
            }
            Ok(_) => {}
            Err(error) => serial_queue.log(format_args!("the flash: {error}")),
        }
        facts.panic = store.take_panic().await.unwrap_or_default();
        let settings = Self::settings(store, serial_queue, &mut facts).await;
        let has_intent = Self::chain(store, serial_queue, &mut facts).await;
        let snapshot = {
            let mut buffer = [0; MAX_SNAPSHOT];
            let loaded = store.load_snapshot(&mut buffer).await;
            loaded.unwrap_or_else(|error| {
                serial_queue.log(format_args!("the last picture: {error}"));
                None
            })
        };
        let alarms = Self::alarms(store, serial_queue, &settings).await;
        let log = store.errors().await.unwrap_or_default();
        let (reading, pacing, memory) = match snapshot {
            Some(snapshot) => (snapshot.reading, snapshot.pacing, snapshot.memory),
            None => (None, Pacing::default(), Memory::default()),
        };
        let saved_at = reading.as_ref().map(|reading| reading.fetched_at);
        facts.last_success = saved_at;
        Self {
            settings,
            reading,
            facts,
            errors: Journal::resume(&log),
            found: Found {
                pacing,
                memory,
                has_intent,
                saved_at,
            },
            alarms,
        }
    }

    async fn alarms<F: NorFlash>(
        store: &mut Store<F>,
        serial_queue: &SerialQueue,
        settings: &Settings,
    ) -> Alarms {
        let mut buffer = [0; alarm::MAX_RECORD];
        let loaded = store.load_alarms(settings.limits, &mut buffer).await;
        let kept = loaded.unwrap_or_else(|error| {
            serial_queue.log(format_args!(
                "the alarms: {error}; what still holds is told again"
            ));
            None
        });
        kept.unwrap_or_else(|| Alarms::new(settings.limits))
    }

    async fn settings<F: NorFlash>(
        store: &mut Store<F>,
        serial_queue: &SerialQueue,
        facts: &mut Facts,
    ) -> Settings {
        let mut buffer = Zeroizing::new([0; MAX_SETTINGS]);
        match store.load_settings(&mut buffer[..]).await {
            Ok(settings) => settings.unwrap_or_default(),
            Err(error) => {
                serial_queue.log(format_args!("the settings: {error}"));
                facts.settings_fault = Some(match error {
                    StoreError::Newer(_) => "The settings are from a newer firmware.",
                    _ => "The settings cannot be read.",
                });
                Settings::default()
            }
        }
    }

    /// Reads the chain, for the status and for the earliest possible time. Returns whether a
    /// refresh was under way when the power went.
    async fn chain<F: NorFlash>(
        store: &mut Store<F>,
        serial_queue: &SerialQueue,
        facts: &mut Facts,
    ) -> bool {
        let mut buffer = Zeroizing::new([0; MAX_RECORD]);
        match store.load_chain(&mut buffer[..]).await {
            Ok(Some(loaded)) => {
                facts.chain = Some(ChainFacts::from_chain(&loaded.record.chain));
                loaded.record.intent.is_some()
            }
            Ok(None) => false,
            Err(error) => {
                serial_queue.log(format_args!("the sign-in: {error}"));
                facts.chain_trouble = Some(error.trouble());
                false
            }
        }
    }
}
