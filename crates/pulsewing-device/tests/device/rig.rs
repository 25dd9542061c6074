//! The test rig: powers a device, moves the clock, types, presses the button, checks the output.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use embedded_graphics::geometry::Size;
use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    AccessToken, ClientSecret, Provider, RefreshToken,
    chain::{Client, Record, Unstored, codec::MAX_RECORD},
    oauth::{Grant, Scopes},
    reading::{Freshness, Reading},
};
use pulsewing_device::{Parts, run};
use pulsewing_screen::{Frame, Model, Palette, State, Theme, Wallpaper};
use pulsewing_store::{
    Area, Layout, MAX_SETTINGS, MAX_SNAPSHOT, Settings, Store,
    mock::{Access, Geometry, MockFlash, run as at_once},
};
use pulsewing_testkit::pictures::drawn;

use crate::{
    cloud::{Cloud, Fault, Route},
    grants::Grants,
    peripherals::{Bench, Handle, Restart, World, beginning},
};

/// The size of a picture that is drawn quickly.
pub(crate) const TINY: Size = Size::new(64, 48);

/// The timeout of the hardware watchdog.
const WATCHDOG: Duration = Duration::from_secs(180);

/// Every secret of the modelled world: none may appear in the output.
pub(crate) const SECRETS: [&str; 6] = [
    "refresh-",
    "access-",
    "correct horse",
    "hush-hush",
    "other horse",
    "client-secret",
];

pub(crate) fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

pub(crate) fn hours(n: u64) -> Duration {
    minutes(60 * n)
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A device on the test rig.
pub(crate) struct Rig {
    pub(crate) world: Rc<World>,
    device: Option<Pin<Box<dyn Future<Output = ()>>>>,
    flag: Arc<Flag>,
    /// How often the device restarted, by itself or by the watchdog.
    pub(crate) restarts: u32,
    pub(crate) bites: u32,
    /// The output up to here has been checked.
    heard: usize,
}

impl Rig {
    /// Makes a device with an erased flash, switched off.
    pub(crate) fn erased(provider: Provider) -> Self {
        Self::sized(provider, Size::new(320, 240))
    }

    pub(crate) fn sized(provider: Provider, size: Size) -> Self {
        let life = match provider {
            Provider::Fitbit => hours(8),
            Provider::Google => hours(1),
        };
        let grants = Grants::new(provider.rotates(), life, hours(1));
        let cloud = Cloud::new(provider, grants);
        let flash = MockFlash::new(Geometry::ESP32, 1);
        Self {
            world: World::new(flash, cloud, size),
            device: None,
            flag: Arc::new(Flag(AtomicBool::new(false))),
            restarts: 0,
            bites: 0,
            heard: 0,
        }
    }

    /// Makes a device that was set up: a network, the cloud's address, a chain with an expired
    /// access token.
    pub(crate) fn set_up(provider: Provider) -> Self {
        Self::set_up_with(provider, |_| {})
    }

    /// Makes the same with a picture that is drawn quickly, for long tests.
    pub(crate) fn tiny(provider: Provider) -> Self {
        let rig = Self::sized(provider, TINY);
        rig.provision(provider, |_| {});
        rig
    }

    /// Makes a device that was set up and has printed its first report.
    pub(crate) fn running(provider: Provider) -> Self {
        let mut rig = Self::set_up(provider);
        rig.start_to_report();
        rig
    }

    pub(crate) fn set_up_with(provider: Provider, more: impl FnOnce(&mut Settings)) -> Self {
        let rig = Self::erased(provider);
        rig.provision(provider, more);
        rig
    }

    pub(crate) fn provision(&self, provider: Provider, more: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::default();
        for (name, value) in [
            ("wifi.1.ssid", "home"),
            ("wifi.1.password", "correct horse"),
            ("provider", provider.name()),
            ("endpoint.token", "https://cloud.example"),
            ("endpoint.api", "https://cloud.example"),
        ] {
            settings.set(name, value).unwrap();
        }
        more(&mut settings);
        let mut store = self.store();
        at_once(store.save_settings(&settings, &mut [0; MAX_SETTINGS])).unwrap();
        at_once(store.adopt_chain(&record(provider, 1))).unwrap();
    }

    /// Opens the store over the device's flash.
    pub(crate) fn store(&self) -> Store<Patient> {
        Store::new(Patient(Handle(Rc::clone(&self.world))), layout()).unwrap()
    }

    /// Returns the stored chain, with its intent.
    pub(crate) fn stored(&self) -> Option<Record> {
        let loaded = at_once(self.store().load_chain(&mut [0; MAX_RECORD])).unwrap();
        loaded.map(|loaded| loaded.record)
    }

    /// Returns the reading in the store.
    pub(crate) fn stored_reading(&self) -> Reading {
        let mut buffer = [0; MAX_SNAPSHOT];
        let loaded = at_once(self.store().load_snapshot(&mut buffer));
        loaded.unwrap().unwrap().reading.unwrap()
    }

    /// Switches the device on.
    pub(crate) fn start(&mut self) {
        self.world.restart();
        let world = Rc::clone(&self.world);
        self.device = Some(Box::pin(async move {
            let size = world.panel.borrow().size;
            let mut frame = vec![0; Frame::<Vec<u8>>::bytes_for(size)];
            let mut wallpaper = vec![0; Wallpaper::bytes_for(size)];
            run(parts(&world, &mut frame, &mut wallpaper)).await
        }));
        self.flag.0.store(true, Ordering::Relaxed);
    }

    /// Returns the size in bytes of a running device, without frame and wallpaper.
    pub(crate) fn future_size() -> usize {
        let rig = Self::erased(Provider::Fitbit);
        size_of_val(&run(parts(&rig.world, &mut [], &mut [])))
    }

    /// Cuts the device's power.
    pub(crate) fn stop(&mut self) {
        self.device = None;
    }

    pub(crate) fn up(&self) -> Duration {
        self.world.up_now()
    }

    pub(crate) fn has_power(&self) -> bool {
        self.device.is_some()
    }

    /// Polls the device until it waits. Returns false if it was switched off meanwhile.
    fn settle(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.flag));
        let mut context = Context::from_waker(&waker);
        let mut polls = 0;
        while self.flag.0.swap(false, Ordering::Relaxed) {
            polls += 1;
            assert!(polls < 100_000, "the device is busy without end");
            self.world.deadlines.borrow_mut().clear();
            let Some(device) = &mut self.device else {
                return false;
            };
            let polled = catch_unwind(AssertUnwindSafe(|| device.as_mut().poll(&mut context)));
            match polled {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(())) => unreachable!("a device runs for ever"),
                Err(payload) if payload.is::<Restart>() => {
                    self.restarts += 1;
                    self.start();
                }
                Err(payload) => std::panic::resume_unwind(payload),
            }
            if !self.world.flash.borrow().has_power() {
                self.device = None;
                return false;
            }
        }
        true
    }

    /// Runs the device until a condition holds, but no longer than the limit. Returns whether it
    /// holds.
    pub(crate) fn run_until(
        &mut self,
        limit: Duration,
        mut is_so: impl FnMut(&Self) -> bool,
    ) -> bool {
        let end = self.world.real.get() + limit;
        self.flag.0.store(true, Ordering::Relaxed);
        loop {
            if !self.settle() {
                return false;
            }
            self.check_what_is_said();
            if is_so(self) {
                return true;
            }
            let now = self.world.real.get();
            if now >= end {
                return false;
            }
            let bite = self.world.progress.get() + WATCHDOG;
            if now >= bite {
                self.bites += 1;
                self.restarts += 1;
                self.start();
                continue;
            }
            let started = self.world.started.get();
            let next = self.world.deadlines.borrow().iter().min().copied();
            let next = next
                .map_or(end, |up| started.saturating_add(up))
                .min(end)
                .min(bite);
            self.world.real.set(next.max(now));
            self.flag.0.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Checks that the new output contains no secret.
    fn check_what_is_said(&mut self) {
        let said = self.world.said.borrow();
        let from = self.heard.saturating_sub(32).min(said.len());
        let text = String::from_utf8_lossy(&said[from..]);
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} was said: {text}");
        }
        self.heard = said.len();
    }

    /// Returns all output so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.world.said.borrow()).into_owned()
    }

    pub(crate) fn has_said(&self, words: &str) -> bool {
        self.said().contains(words)
    }

    /// Returns the line of the answer to `status` that begins with this.
    pub(crate) fn status_line(&mut self, begin: &str) -> Option<String> {
        let answer = self.ask("status");
        answer.into_iter().find(|line| line.starts_with(begin))
    }

    /// Returns whether the answer to `status` has this line.
    pub(crate) fn status_has(&mut self, line: &str) -> bool {
        self.ask("status").iter().any(|told| told == line)
    }

    pub(crate) fn type_bytes(&self, bytes: &[u8]) {
        self.world.typed.borrow_mut().extend(bytes);
        self.flag.0.store(true, Ordering::Relaxed);
    }

    /// Types a command, and returns the lines of its answer without `> `, the last one with `ok` or
    /// the error.
    pub(crate) fn ask(&mut self, command: &str) -> Vec<String> {
        let from = self.world.said.borrow().len();
        self.type_bytes(format!("{command}\n").as_bytes());
        let answer = |rig: &Self| {
            let said = rig.world.said.borrow();
            let text = String::from_utf8_lossy(&said[from..]).into_owned();
            let lines: Vec<_> = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'))
                .filter_map(|line| line.trim_end().strip_prefix("> ").map(str::to_owned))
                .collect();
            let is_end = |line: &String| line == "ok" || line.starts_with("error: ");
            lines.last().is_some_and(is_end).then_some(lines)
        };
        let answered = self.run_until(minutes(3), |rig| answer(rig).is_some());
        assert!(answered, "no answer to {command}:\n{}", self.said());
        answer(self).unwrap()
    }

    /// Types a command that has to succeed with a single line.
    pub(crate) fn tell(&mut self, command: &str) {
        assert_eq!(self.ask(command), ["ok"], "{command}");
    }

    /// Uploads something.
    pub(crate) fn put(&mut self, what: &str, bytes: &[u8]) -> Vec<String> {
        use base64ct::Encoding as _;
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(bytes);
        let hex: String = digest[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.tell(&format!("put {what} {} {hex}", bytes.len()));
        for piece in bytes.chunks(384) {
            let text = base64ct::Base64::encode_string(piece);
            self.tell(&format!("data {text}"));
        }
        self.ask("commit")
    }

    /// Returns how many requests of a kind the cloud received.
    pub(crate) fn count(&self, route: Route) -> usize {
        let calls = self.world.calls.borrow();
        calls
            .iter()
            .filter(|(_, call)| call.route() == route)
            .count()
    }

    /// Runs until a report has been printed.
    pub(crate) fn run_to_report(&mut self, limit: Duration) {
        let before = self.said().matches("Finished!").count();
        let reported = self.run_until(limit, |rig| {
            rig.said().matches("Finished!").count() > before
        });
        assert!(reported, "no report:\n{}", self.said());
        // The picture follows.
        self.run_for(Duration::from_secs(2));
    }

    /// Switches the device on, and runs it for some time.
    pub(crate) fn start_for(&mut self, time: Duration) {
        self.start();
        self.run_for(time);
    }

    /// Switches the device on, and runs to its report, which takes three minutes at most.
    pub(crate) fn start_to_report(&mut self) {
        self.start();
        self.run_to_report(minutes(3));
    }

    /// Runs until the first refresh is sent.
    pub(crate) fn run_to_refresh(&mut self) {
        let sent = |rig: &Self| rig.count(Route::Token) == 1;
        assert!(self.run_until(minutes(3), sent), "{}", self.said());
    }

    /// Schedules faults of the cloud.
    pub(crate) fn will(&self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        self.world.cloud.borrow_mut().will(route, faults);
    }

    /// Schedules a permanent fault of the cloud.
    pub(crate) fn always(&self, route: Route, fault: Fault) {
        self.world.cloud.borrow_mut().always.insert(route, fault);
    }

    /// Lets writes to the place of the chain fail.
    pub(crate) fn write_protect_chain(&self) {
        let Area { start, end } = layout().chain;
        self.world
            .flash
            .borrow_mut()
            .fail(Access::Write, start..end);
    }

    /// Returns whether the panel shows exactly the picture of a model.
    pub(crate) fn shows(&self, model: &Model<'_>) -> bool {
        let panel = self.world.panel.borrow();
        let size = panel.size;
        drawn(model, size).pixels().eq(panel.inks.iter().copied())
            && panel.colours == pulsewing_screen::colours(model, size, Palette::Day)
    }

    /// Returns whether the panel shows the stored reading at its current age, with a banner.
    pub(crate) fn shows_reading(&self, freshness: Freshness, banner: Option<State<'_>>) -> bool {
        let reading = self.stored_reading();
        let model = Model::new(&reading, self.world.truth(), freshness, Theme::Desk);
        self.shows(&match banner {
            Some(state) => model.with_state(state),
            None => model,
        })
    }

    /// Returns whether the panel shows this state, full screen.
    pub(crate) fn shows_state(&self, state: State<'_>) -> bool {
        self.shows(&Model::from_state(state, Theme::Desk))
    }
}

/// Returns what a device is wired to.
fn parts<'a>(world: &Rc<World>, frame: &'a mut [u8], wallpaper: &'a mut [u8]) -> Parts<'a, Bench> {
    let handle = || Handle(Rc::clone(world));
    Parts {
        clock: handle(),
        link: handle(),
        web: handle(),
        store: Store::new(handle(), layout()).unwrap(),
        panel: handle(),
        backlight: handle(),
        sounder: handle(),
        entropy: handle(),
        card: handle(),
        button: handle(),
        system: handle(),
        input: handle(),
        output: handle(),
        frame,
        wallpaper,
    }
}

/// The flash without its delays, for inspection from outside.
pub(crate) struct Patient(Handle);

impl embedded_storage_async::nor_flash::ErrorType for Patient {
    type Error = pulsewing_store::mock::MockError;
}

impl embedded_storage_async::nor_flash::ReadNorFlash for Patient {
    const READ_SIZE: usize =
        <MockFlash as embedded_storage_async::nor_flash::ReadNorFlash>::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        at_once(self.0.0.flash.borrow_mut().read(offset, bytes))
    }

    fn capacity(&self) -> usize {
        self.0.0.flash.borrow().capacity()
    }
}

impl embedded_storage_async::nor_flash::NorFlash for Patient {
    const WRITE_SIZE: usize =
        <MockFlash as embedded_storage_async::nor_flash::NorFlash>::WRITE_SIZE;
    const ERASE_SIZE: usize =
        <MockFlash as embedded_storage_async::nor_flash::NorFlash>::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        at_once(self.0.0.flash.borrow_mut().erase(from, to))
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        at_once(self.0.0.flash.borrow_mut().write(offset, bytes))
    }
}

pub(crate) fn layout() -> Layout {
    let whole = Area {
        start: 0,
        end: 256 * 1_024,
    };
    Layout::within(whole, 4_096).unwrap()
}

/// Returns a chain as a host hands it over: its access token expires an hour after the beginning.
pub(crate) fn record(provider: Provider, generation: u32) -> Vec<u8> {
    let obtained: Timestamp = beginning() - SignedDuration::from_hours(7);
    let lifetime = match provider {
        Provider::Fitbit => 28_800,
        Provider::Google => 3_600,
    };
    let grant = Grant {
        refresh: Some(RefreshToken::new("refresh-1").unwrap()),
        access: Some((AccessToken::new("access-1").unwrap(), lifetime)),
        scopes: None,
        refresh_lifetime_s: None,
        user_id: None,
    };
    let client = Client {
        id: "23ABCD".try_into().unwrap(),
        secret: Some(ClientSecret::new("client-secret").unwrap()),
    };
    let chain = Unstored::signed_in(
        provider,
        "https://cloud.example".try_into().unwrap(),
        client,
        grant,
        Scopes::ALL,
        Some(generation - 1),
        obtained,
    );
    let mut buffer = [0; MAX_RECORD];
    chain.unwrap().encode(&mut buffer).unwrap().to_vec()
}
