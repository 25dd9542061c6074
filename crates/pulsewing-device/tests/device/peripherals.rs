//! The device's peripherals: a model of every port.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    future::{pending, poll_fn},
    net::Ipv4Addr,
    num::NonZeroU16,
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

use embedded_graphics::{geometry::Size, prelude::*, primitives::Rectangle};
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{look::Brightness, oauth::NoAnswer, request::Endpoint};
use pulsewing_device::ports::{
    Backlight, Board, Button, Card, CardError, Clock, ConnectError, Credentials, Entropy,
    JoinError, Joined, Link, Outgoing, Panel, PanelError, Reply, Sounder, System, TimeError,
    Trusted, Unanswered, Web,
};
use pulsewing_screen::{Colours, Frame, Ink, Palette};
use pulsewing_store::mock::{MockError, MockFlash};

use crate::cloud::{Call, Cloud, Outcome};

/// The board under test.
pub(crate) struct Bench;

impl Board for Bench {
    type Clock = Handle;
    type Link = Handle;
    type Web = Handle;
    type Flash = Handle;
    type Panel = Handle;
    type Backlight = Handle;
    type Sounder = Handle;
    type Entropy = Handle;
    type Card = Handle;
    type Button = Handle;
    type System = Handle;
    type Input = Handle;
    type Output = Handle;
}

/// The world around a device; each port is a handle to it.
pub(crate) struct World {
    /// True time since the beginning.
    pub(crate) real: Cell<Duration>,
    /// When the device was started.
    pub(crate) started: Cell<Duration>,
    /// How far the device's wall clock is ahead of the time since its start.
    utc_at_start: Cell<Option<Timestamp>>,
    /// The times at which a waiting part wants to wake.
    pub(crate) deadlines: RefCell<Vec<Duration>>,
    pub(crate) waker: RefCell<Option<Waker>>,

    pub(crate) flash: RefCell<MockFlash>,
    pub(crate) cloud: RefCell<Cloud>,
    pub(crate) calls: RefCell<Vec<(Duration, Call)>>,
    pub(crate) network: RefCell<Network>,
    pub(crate) panel: RefCell<Screen>,
    /// The brightness of the panel's light, in percent.
    pub(crate) light: Cell<u8>,
    /// How often it was set, and the pushes to the panel before the last time.
    pub(crate) light_set: Cell<(usize, usize)>,
    /// How often the alarms were written.
    pub(crate) alarms_written: Cell<usize>,
    /// What the piezo did: when, and the tone in hertz.
    pub(crate) sounds: RefCell<Vec<(Duration, Option<u16>)>>,
    pub(crate) files: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) has_card: Cell<bool>,
    pub(crate) is_pressed: Cell<bool>,
    pub(crate) typed: RefCell<VecDeque<u8>>,
    pub(crate) said: RefCell<Vec<u8>>,
    /// Whether nobody reads the device's output.
    pub(crate) is_deaf: Cell<bool>,
    pub(crate) progress: Cell<Duration>,
    pub(crate) hangs: Cell<Option<Hang>>,
}

/// A port that never returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hang {
    Join,
    Exchange,
    Time,
    Push,
    Card,
    CardRead,
}

/// The router, and the network behind it.
pub(crate) struct Network {
    pub(crate) is_wired: bool,
    /// Networks in reach, with their passwords.
    pub(crate) in_reach: BTreeMap<String, String>,
    pub(crate) has_address: bool,
    pub(crate) address: Ipv4Addr,
    joined: Option<String>,
    pub(crate) joins: Vec<(Duration, Option<String>)>,
    pub(crate) time_server: Option<Ipv4Addr>,
    /// The answers of time servers; servers that are not listed do not answer.
    pub(crate) times: BTreeMap<String, SignedDuration>,
    pub(crate) asked: Vec<(Duration, String)>,
    /// The connection problem between the device and the cloud.
    pub(crate) connect_error: Option<ConnectError>,
    pub(crate) is_internet_up: bool,
    pub(crate) trusted: Trusted,
    /// How far the cloud's clock is ahead of the true time.
    pub(crate) cloud_ahead: SignedDuration,
}

impl Network {
    pub(crate) fn new() -> Self {
        Self {
            is_wired: false,
            in_reach: BTreeMap::from([("home".to_owned(), "correct horse".to_owned())]),
            has_address: true,
            address: Ipv4Addr::new(10, 0, 2, 15),
            joined: None,
            joins: Vec::new(),
            time_server: None,
            times: BTreeMap::from([("pool.ntp.org".to_owned(), SignedDuration::ZERO)]),
            asked: Vec::new(),
            connect_error: None,
            is_internet_up: true,
            trusted: Trusted {
                usable: 8,
                unusable: 0,
            },
            cloud_ahead: SignedDuration::ZERO,
        }
    }

    fn is_up(&self) -> bool {
        let is_in_reach = |ssid: &String| self.is_wired || self.in_reach.contains_key(ssid);
        self.has_address && self.joined.as_ref().is_some_and(is_in_reach)
    }

    /// Returns the reason why no connection can be made, if there is one.
    fn unreachable(&self) -> Option<ConnectError> {
        let is_online = self.is_up() && self.is_internet_up;
        match is_online {
            true => self.connect_error,
            false => Some(ConnectError::Dns),
        }
    }

    /// Returns the addresses that the router has given.
    fn given(&self) -> Option<Joined> {
        self.is_up().then_some(Joined {
            address: self.address,
            time_server: self.time_server,
        })
    }
}

/// A panel with its current pixels.
pub(crate) struct Screen {
    pub(crate) size: Size,
    pub(crate) inks: Vec<Ink>,
    pub(crate) colours: Colours,
    pub(crate) pushes: usize,
    pub(crate) pixels: u64,
    pub(crate) is_broken: bool,
}

impl Screen {
    pub(crate) fn new(size: Size) -> Self {
        Self {
            size,
            inks: vec![Ink::Pink; (size.width * size.height) as usize],
            colours: Colours::from(Palette::Day),
            pushes: 0,
            pixels: 0,
            is_broken: false,
        }
    }
}

/// A port: a handle to the world.
#[derive(Clone)]
pub(crate) struct Handle(pub(crate) Rc<World>);

impl World {
    pub(crate) fn new(flash: MockFlash, cloud: Cloud, size: Size) -> Rc<Self> {
        Rc::new(Self {
            real: Cell::new(Duration::from_secs(1_000)),
            started: Cell::new(Duration::from_secs(1_000)),
            utc_at_start: Cell::new(None),
            deadlines: RefCell::default(),
            waker: RefCell::default(),
            flash: RefCell::new(flash),
            cloud: RefCell::new(cloud),
            calls: RefCell::default(),
            network: RefCell::new(Network::new()),
            panel: RefCell::new(Screen::new(size)),
            light: Cell::new(100),
            light_set: Cell::default(),
            alarms_written: Cell::default(),
            sounds: RefCell::default(),
            files: RefCell::default(),
            has_card: Cell::new(true),
            is_pressed: Cell::new(false),
            typed: RefCell::default(),
            said: RefCell::default(),
            is_deaf: Cell::new(false),
            progress: Cell::new(Duration::ZERO),
            hangs: Cell::new(None),
        })
    }

    /// Returns the true time.
    pub(crate) fn truth(&self) -> Timestamp {
        beginning() + SignedDuration::try_from(self.real.get()).unwrap()
    }

    /// Restores the power: RAM and clock have lost their state.
    pub(crate) fn restart(&self) {
        self.started.set(self.real.get());
        self.utc_at_start.set(None);
        self.network.borrow_mut().joined = None;
        // The panel's pull-up.
        self.light.set(100);
        self.progress.set(self.real.get());
        self.typed.borrow_mut().clear();
    }

    pub(crate) fn up_now(&self) -> Duration {
        self.real.get() - self.started.get()
    }

    async fn sleep(&self, until: Duration) {
        poll_fn(|context| {
            self.waker.borrow_mut().replace(context.waker().clone());
            if self.up_now() >= until {
                return Poll::Ready(());
            }
            self.deadlines.borrow_mut().push(until);
            Poll::Pending
        })
        .await;
    }

    async fn takes(&self, time: Duration) {
        self.sleep(self.up_now() + time).await;
    }

    async fn hang_if(&self, hang: Hang) {
        if self.hangs.get() == Some(hang) {
            pending::<()>().await;
        }
    }

    /// Waits until a condition holds.
    async fn until(&self, mut is_so: impl FnMut() -> bool) {
        poll_fn(|context| {
            self.waker.borrow_mut().replace(context.waker().clone());
            if is_so() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

pub(crate) fn beginning() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

impl Clock for Handle {
    fn up(&self) -> Duration {
        self.0.up_now()
    }

    fn utc(&self) -> Option<Timestamp> {
        let at_start = self.0.utc_at_start.get()?;
        Some(at_start + SignedDuration::try_from(self.0.up_now()).unwrap())
    }

    fn set_utc(&self, utc: Timestamp) {
        let up = SignedDuration::try_from(self.0.up_now()).unwrap();
        self.0.utc_at_start.set(Some(utc - up));
    }

    async fn sleep_until(&self, up: Duration) {
        self.0.sleep(up).await;
    }
}

impl Link for Handle {
    async fn join(
        &mut self,
        network: Option<Credentials<'_>>,
        timeout: Duration,
    ) -> Result<Joined, JoinError> {
        let world = &self.0;
        let ssid = network.map(|network| network.ssid.to_owned());
        let at = world.real.get();
        world.network.borrow_mut().joins.push((at, ssid.clone()));
        world.hang_if(Hang::Join).await;
        world.takes(Duration::from_secs(2).min(timeout)).await;
        let mut net = world.network.borrow_mut();
        if !net.is_wired {
            let network = network.ok_or(JoinError::NotFound)?;
            match net.in_reach.get(network.ssid) {
                None => return Err(JoinError::NotFound),
                Some(password) if password != network.password => return Err(JoinError::Refused),
                Some(_) => {}
            }
        }
        if net.is_wired || net.has_address {
            net.joined = Some(ssid.unwrap_or_default());
        }
        // A cable stays plugged in, and the router may give an address later.
        net.given().ok_or(JoinError::NoAddress)
    }

    fn joined(&self) -> Option<Joined> {
        self.0.network.borrow().given()
    }

    fn is_wired(&self) -> bool {
        self.0.network.borrow().is_wired
    }
}

impl Web for Handle {
    async fn exchange(
        &mut self,
        request: &Outgoing<'_>,
        reply: &mut impl Reply,
    ) -> Result<(), Unanswered> {
        let world = &self.0;
        world.hang_if(Hang::Exchange).await;
        let unanswered = |cause, connect_error| {
            Err(Unanswered {
                cause,
                connect_error,
            })
        };
        assert_eq!(
            (request.host, request.port, request.is_tls),
            ("cloud.example", 443, true)
        );
        world.takes(Duration::from_millis(300)).await;
        if let Some(connect_error) = world.network.borrow().unreachable() {
            return unanswered(NoAnswer::NeverLeft, Some(connect_error));
        }
        let is_token = request.target.contains("/token");
        let call = Call {
            method: request.method,
            endpoint: if is_token {
                Endpoint::Token
            } else {
                Endpoint::Api
            },
            target: request.target.to_owned(),
            bearer: request.bearer.map(str::to_owned),
            body: String::from_utf8(request.body.to_vec()).unwrap(),
        };
        world
            .calls
            .borrow_mut()
            .push((world.real.get(), call.clone()));
        let ahead = world.network.borrow().cloud_ahead;
        let now = world.truth() + ahead;
        // The tracker syncs every quarter of an hour.
        world.cloud.borrow_mut().sync_age = now.as_second() / 60 % 15;
        let outcome = world
            .cloud
            .borrow_mut()
            .exchange(&call, world.real.get(), now);
        world.takes(Duration::from_millis(200)).await;
        if matches!(outcome, Outcome::Reply { .. }) {
            reply.date(now);
        }
        if let Some((head, body)) = outcome.reply(reply.now()) {
            reply.head(head);
            for chunk in body.chunks(977) {
                world.takes(Duration::from_millis(1)).await;
                reply.body(chunk);
            }
        }
        match outcome.no_answer() {
            None => Ok(()),
            Some(NoAnswer::TimedOut) => {
                world.takes(request.timeout).await;
                unanswered(NoAnswer::TimedOut, None)
            }
            Some(NoAnswer::NeverLeft) => {
                unanswered(NoAnswer::NeverLeft, Some(ConnectError::Connect))
            }
            Some(cause) => unanswered(cause, None),
        }
    }

    async fn ask_time(&mut self, server: &str, timeout: Duration) -> Result<Timestamp, TimeError> {
        let world = &self.0;
        let asked = (world.real.get(), server.to_owned());
        world.network.borrow_mut().asked.push(asked);
        world.hang_if(Hang::Time).await;
        let ahead = {
            let net = world.network.borrow();
            let answers = net.is_up() && net.is_internet_up;
            net.times.get(server).copied().filter(|_| answers)
        };
        match ahead {
            Some(ahead) => {
                world.takes(Duration::from_millis(30)).await;
                Ok(world.truth() + ahead)
            }
            None => {
                world.takes(timeout).await;
                Err(TimeError::Silent)
            }
        }
    }

    fn trusted(&self) -> Trusted {
        self.0.network.borrow().trusted
    }
}

impl ErrorType for Handle {
    type Error = MockError;
}

impl ReadNorFlash for Handle {
    const READ_SIZE: usize = <MockFlash as ReadNorFlash>::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), MockError> {
        pulsewing_store::mock::run(self.0.flash.borrow_mut().read(offset, bytes))
    }

    fn capacity(&self) -> usize {
        self.0.flash.borrow().capacity()
    }
}

impl NorFlash for Handle {
    const WRITE_SIZE: usize = <MockFlash as NorFlash>::WRITE_SIZE;
    const ERASE_SIZE: usize = <MockFlash as NorFlash>::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), MockError> {
        self.0.takes(Duration::from_millis(40)).await;
        pulsewing_store::mock::run(self.0.flash.borrow_mut().erase(from, to))
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), MockError> {
        let alarms = crate::rig::layout().alarms;
        // A seal, with which a record exists.
        if (alarms.start..alarms.end).contains(&offset) && bytes == [0; 32] {
            self.0.alarms_written.set(self.0.alarms_written.get() + 1);
        }
        pulsewing_store::mock::run(self.0.flash.borrow_mut().write(offset, bytes))
    }
}

impl Panel for Handle {
    fn size(&self) -> Size {
        self.0.panel.borrow().size
    }

    async fn push(
        &mut self,
        frame: &Frame<&mut [u8]>,
        area: &Rectangle,
        colours: &Colours,
    ) -> Result<(), PanelError> {
        self.0.hang_if(Hang::Push).await;
        self.0.takes(Duration::from_millis(2)).await;
        let mut panel = self.0.panel.borrow_mut();
        if panel.is_broken {
            return Err(PanelError);
        }
        panel.pushes += 1;
        panel.colours = *colours;
        let width = panel.size.width as usize;
        for at in area.points() {
            let ink = frame.pixel(at).expect("an area lies in the picture");
            panel.inks[at.y as usize * width + at.x as usize] = ink;
            panel.pixels += 1;
        }
        Ok(())
    }
}

impl Backlight for Handle {
    fn set(&mut self, brightness: Brightness) {
        self.0.light.set(brightness.percent());
        let (times, _) = self.0.light_set.get();
        let pushes = self.0.panel.borrow().pushes;
        self.0.light_set.set((times + 1, pushes));
    }
}

impl Sounder for Handle {
    fn sound(&mut self, hertz: Option<NonZeroU16>) {
        let at = self.0.real.get();
        self.0
            .sounds
            .borrow_mut()
            .push((at, hertz.map(NonZeroU16::get)));
    }
}

impl Entropy for Handle {
    fn fill(&mut self, buffer: &mut [u8]) {
        for (place, byte) in (3..).zip(buffer) {
            *byte = place;
        }
    }
}

impl Card for Handle {
    async fn write(
        &mut self,
        name: &str,
        mut next: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<(), CardError> {
        self.0.hang_if(Hang::Card).await;
        if !self.0.has_card.get() {
            return Err(CardError::Missing);
        }
        let mut bytes = Vec::new();
        let mut chunk = [0; 512];
        loop {
            let count = next(&mut chunk);
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&chunk[..count]);
        }
        self.0.files.borrow_mut().insert(name.to_owned(), bytes);
        Ok(())
    }

    async fn read(&mut self, name: &str, buffer: &mut [u8]) -> Result<usize, CardError> {
        self.0.hang_if(Hang::CardRead).await;
        if !self.0.has_card.get() {
            return Err(CardError::Missing);
        }
        let files = self.0.files.borrow();
        let bytes = files.get(name).ok_or(CardError::NoFile)?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }
}

impl Button for Handle {
    async fn pressed(&mut self) {
        self.0.until(|| self.0.is_pressed.get()).await;
    }

    async fn released(&mut self) {
        self.0.until(|| !self.0.is_pressed.get()).await;
    }
}

/// The payload that a restart unwinds with.
pub(crate) struct Restart;

impl System for Handle {
    const BOARD: &'static str = "bench";

    fn built_at(&self) -> Timestamp {
        "2026-11-01T00:00:00Z".parse().unwrap()
    }

    fn serial_number(&self) -> heapless::String<16> {
        "0123456789ab".try_into().unwrap()
    }

    fn progress(&self) {
        self.0.progress.set(self.0.real.get());
    }

    fn heap(&self) -> (usize, usize, usize) {
        (1_000, 2_000, 65_536)
    }

    fn restart(&self) -> ! {
        std::panic::resume_unwind(Box::new(Restart))
    }
}

impl embedded_io_async::ErrorType for Handle {
    type Error = std::convert::Infallible;
}

impl embedded_io_async::Read for Handle {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        self.0.until(|| !self.0.typed.borrow().is_empty()).await;
        let mut typed = self.0.typed.borrow_mut();
        let count = typed.len().min(buffer.len());
        for (slot, byte) in buffer.iter_mut().zip(typed.drain(..count)) {
            *slot = byte;
        }
        Ok(count)
    }
}

impl embedded_io_async::Write for Handle {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        self.0.until(|| !self.0.is_deaf.get()).await;
        // 115,200 bits per second.
        let micros = u64::try_from(bytes.len()).unwrap() * 87;
        self.0.takes(Duration::from_micros(micros)).await;
        self.0.said.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
