//! The screen: draws the current state, sends the changes, and updates the age of the reading. It also
//! sets the backlight, as the wearer's clock goes on.

use core::time::Duration;

use embassy_futures::select::{Either, select};
use jiff::{SignedDuration, Timestamp, tz::Offset};
use pulsewing_core::reading::{Freshness, Reading};
use pulsewing_screen::{Model, Palette, Wallpaper};

use crate::{
    alarms,
    backoff::Backoff,
    configuration,
    deadlines::Part,
    instruction_counts::Work,
    ports::{Backlight, Board, Card, Clock, PanelError},
    shared::{Facts, Shared},
    situation::{self, Texts, When},
};

/// The wallpaper's name on the card.
pub const CARD_WALLPAPER: &str = "WALLPAPR.PWW";

/// How often the picture is redrawn even if nothing has happened: its age has changed.
const MINUTE: Duration = Duration::from_secs(60);

/// How often everything is sent, changed or not: the board cannot detect a disturbance on the bus.
const ALL_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// How long it may take to send a picture, or to wait until it may be drawn: a screenshot over the
/// serial line holds it for up to that long.
const DRAWN_WITHIN: Duration = Duration::from_secs(120);

/// Draws and sends, forever.
pub(crate) async fn run<B: Board>(
    shared: &Shared<'_, B>,
    panel: &mut B::Panel,
    backlight: &mut B::Backlight,
    memory: &mut [u8],
) -> ! {
    let mut screen = Screen {
        shared,
        panel,
        backlight,
        all_at: shared.after(ALL_EVERY),
        has_failed: false,
        again: Backoff::new(1),
    };
    // Before the wallpaper is looked for, which may take a second.
    screen.set_light();
    loop {
        let length = load_wallpaper(shared, memory).await;
        let wallpaper = Wallpaper::parse(memory.get(..length).unwrap_or_default()).ok();
        screen.show_with(wallpaper.as_ref()).await;
    }
}

/// Reads the user's wallpaper, from the flash or else from the card; returns its length.
async fn load_wallpaper<B: Board>(shared: &Shared<'_, B>, memory: &mut [u8]) -> usize {
    shared
        .deadlines
        .promise(Part::Screen, shared.after(DRAWN_WITHIN));
    if memory.is_empty() {
        return 0;
    }
    if let Ok(Some(mut reader)) = shared.store.lock().await.wallpaper().await {
        let length = usize::try_from(reader.len()).unwrap_or(usize::MAX);
        if let Some(place) = memory.get_mut(..length)
            && reader.read(0, place).await.is_ok()
        {
            return length;
        }
    }
    let mut card = shared.card.lock().await;
    card.read(CARD_WALLPAPER, memory).await.unwrap_or(0)
}

struct Screen<'s, 'b, B: Board> {
    shared: &'s Shared<'b, B>,
    panel: &'s mut B::Panel,
    backlight: &'s mut B::Backlight,
    all_at: Duration,
    has_failed: bool,
    again: Backoff,
}

impl<B: Board> Screen<'_, '_, B> {
    /// Shows pictures until there is a new wallpaper.
    async fn show_with(&mut self, wallpaper: Option<&Wallpaper<'_>>) {
        let shared = self.shared;
        loop {
            shared
                .deadlines
                .promise(Part::Screen, shared.after(DRAWN_WITHIN));
            self.set_light();
            let sent = self.show(wallpaper).await;
            let next = match sent {
                Ok(()) => {
                    self.has_failed = false;
                    self.again.reset();
                    shared.after(until_next_minute(shared.clock.utc()))
                }
                Err(error) => {
                    if !core::mem::replace(&mut self.has_failed, true) {
                        shared.went_wrong(format_args!("{error}")).await;
                    }
                    shared.after(self.again.wait())
                }
            };
            let next = match shared.light.sleeps_at(shared.clock.up()) {
                Some(sleeps_at) => next.min(sleeps_at),
                None => next,
            };
            shared
                .deadlines
                .promise(Part::Screen, next.saturating_add(DRAWN_WITHIN));
            let wake = select(shared.redraw.wait(), shared.clock.sleep_until(next)).await;
            if let Either::First(()) = wake
                && shared.has_new_wallpaper.replace(false)
            {
                return;
            }
        }
    }

    /// Sets the backlight, if its brightness is to change.
    fn set_light(&mut self) {
        let shared = self.shared;
        let brightness = {
            let settings = shared.settings.borrow();
            let facts = shared.facts.borrow();
            let reading = shared.reading.borrow();
            let now = shared.clock.utc().map(|utc| {
                let offset = offset(&settings, reading.as_ref(), utc);
                offset.to_datetime(utc).time()
            });
            let must_be_seen = shared.light.is_awake(shared.clock.up())
                || situation::needs_a_person(&facts)
                || shared.watch.must_be_seen();
            configuration::brightness(&settings, now, must_be_seen)
        };
        if shared.light.becomes(brightness) {
            self.backlight.set(brightness);
            shared
                .serial_queue
                .log(format_args!("backlight: {brightness} %"));
        }
    }

    async fn show(&mut self, wallpaper: Option<&Wallpaper<'_>>) -> Result<(), PanelError> {
        let shared = self.shared;
        let mut picture = shared.picture.lock().await;
        if shared.clock.up() >= self.all_at {
            self.all_at = shared.after(ALL_EVERY);
            picture.forget();
        }
        draw(shared, wallpaper, &mut |model, palette| {
            shared
                .instruction_counts
                .measure(&shared.system, Work::Frame, || {
                    picture.draw(model, palette);
                });
        });
        let changes = shared
            .instruction_counts
            .measure(&shared.system, Work::Search, || picture.changes());
        match changes {
            Some(changes) => picture.send(&changes, self.panel).await,
            None => Ok(()),
        }
    }
}

/// Decides what to show now, and draws it.
fn draw<B: Board>(
    shared: &Shared<'_, B>,
    wallpaper: Option<&Wallpaper<'_>>,
    paint: &mut dyn FnMut(&Model<'_>, Palette),
) {
    let settings = shared.settings.borrow();
    let facts = shared.facts.borrow();
    let reading = shared.reading.borrow();
    let earlier = shared.earlier.borrow();
    let utc = shared.clock.utc();
    let offset_at = |at: Timestamp| offset(&settings, reading.as_ref(), at);
    let when = When {
        up: shared.clock.up(),
        utc,
        offset_at: &offset_at,
        has_reading: reading.is_some(),
    };
    let mut texts = Texts::default();
    let alarm = utc.and_then(|now| shared.watch.shown(&alarms::offsets(shared, now), now));
    let state = situation::state(&facts, &when, alarm.as_ref(), &mut texts);
    let theme = settings.theme;
    let model = match reading.as_ref() {
        Some(reading) => {
            let model = of_reading(reading, utc, &facts, &settings);
            let model = match &*earlier {
                Some(earlier) => model.with_earlier(earlier),
                None => model,
            };
            match state {
                Some(state) => model.with_state(state),
                None => model,
            }
        }
        // There is always a state to show, unless there is a reading.
        None => Model::from_state(state.unwrap_or(pulsewing_screen::State::FirstStart), theme),
    };
    let model = match wallpaper {
        Some(wallpaper) if settings.has_background => {
            model.with_wallpaper(wallpaper.clone()).with_background()
        }
        Some(wallpaper) => model.with_wallpaper(wallpaper.clone()),
        None => model,
    };
    let now = utc.map(|utc| offset_at(utc).to_datetime(utc).time());
    paint(&model, configuration::palette(&settings, now));
}

/// Returns the offset of the wearer's clock at an instant.
fn offset(
    settings: &pulsewing_store::Settings,
    reading: Option<&Reading>,
    at: Timestamp,
) -> Offset {
    match reading {
        Some(reading) => reading.time_zone.offsets.at(at),
        None => configuration::zone(settings, at).offsets.at(at),
    }
}

/// Builds the model of a reading at this time.
fn of_reading<'r>(
    reading: &'r Reading,
    utc: Option<Timestamp>,
    facts: &Facts,
    settings: &pulsewing_store::Settings,
) -> Model<'r> {
    let every = configuration::every(settings);
    let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
    let theme = settings.theme;
    let from_memory = !matches!(facts.ended, Some(Ok(())));
    match utc {
        Some(now) => {
            let freshness = reading.freshness(now, every, from_memory);
            Model::new(reading, now, freshness, theme)
        }
        // Without a clock the age is unknown: no age is better than a wrong one. The reading's date
        // is shown, since today's is unknown too.
        None => {
            let mut model = Model::new(reading, reading.fetched_at, Freshness::Cached, theme);
            if let Some(facts) = &mut model.facts {
                facts.clock = None;
                facts.age = None;
                facts.is_today = false;
            }
            model
        }
    }
}

/// Returns how long until the shown age changes: ages are in whole minutes, which begin with those
/// of the clock.
fn until_next_minute(utc: Option<Timestamp>) -> Duration {
    let passed = utc.map_or(0, |utc| utc.as_millisecond().rem_euclid(60_000));
    let passed = Duration::from_millis(passed.unsigned_abs());
    MINUTE.saturating_sub(passed)
}
