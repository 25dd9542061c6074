//! A board that was set up, with no network in reach: everything that is typed is answered before the clock
//! moves on.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    convert::Infallible,
    future::{pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use embedded_graphics::{geometry::Size, primitives::Rectangle};
use jiff::Timestamp;
use pulsewing_core::look::Brightness;
use pulsewing_device::{
    Parts,
    ports::{
        Backlight, Board, Button, Card, CardError, Clock, Credentials, Entropy, JoinError, Joined,
        Link, Outgoing, Panel, PanelError, Reply, Sounder, System, TimeError, Trusted, Unanswered,
        Web,
    },
    run,
};
use pulsewing_screen::{Colours, Frame};
use pulsewing_store::{
    Area, Layout, MAX_SETTINGS, Settings, Store,
    mock::{Geometry, MockFlash, run as block_on},
};

use crate::chain::chain;

/// The panel's size.
const SIZE: Size = Size::new(320, 240);

/// How often a board that waits for nothing is polled, at most.
const MAX_POLLS: usize = 10_000;

/// A board with power, until it restarts.
pub(crate) struct Bench {
    world: Rc<World>,
    device: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

/// What the ports of a board are wired to.
#[derive(Default)]
struct World {
    up: Cell<Duration>,
    typed: RefCell<VecDeque<u8>>,
    said: RefCell<Vec<u8>>,
    is_woken: Arc<Flag>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Bench {
    /// Switches a board on.
    pub(crate) fn new() -> Self {
        let world = Rc::new(World::default());
        let port = Port(Rc::clone(&world));
        let device = async move {
            let port = || port.clone();
            let never = run(Parts::<Port> {
                clock: port(),
                link: port(),
                web: port(),
                store: set_up(),
                panel: port(),
                backlight: port(),
                sounder: port(),
                entropy: port(),
                card: port(),
                button: port(),
                system: port(),
                input: port(),
                output: port(),
                // Nothing is drawn: that would take most of the time.
                frame: &mut [],
                wallpaper: &mut [],
            });
            never.await
        };
        let mut bench = Self {
            world,
            device: Some(Box::pin(device)),
        };
        bench.settle();
        bench
    }

    /// Returns whether the board has not restarted.
    pub(crate) fn is_on(&self) -> bool {
        self.device.is_some()
    }

    /// Types something, and returns everything that the board says until it waits. A board that restarts
    /// loses the rest.
    pub(crate) fn type_bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.world.typed.borrow_mut().extend(bytes);
        self.settle();
        self.world.said.take()
    }

    /// Lets some time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.world.up.set(self.world.up.get() + time);
        self.settle();
    }

    /// Polls the board until it waits.
    fn settle(&mut self) {
        let Some(device) = &mut self.device else {
            return;
        };
        let flag = &self.world.is_woken;
        let waker = Waker::from(Arc::clone(flag));
        let mut context = Context::from_waker(&waker);
        flag.0.store(true, Ordering::Relaxed);
        let mut polls = 0;
        while flag.0.swap(false, Ordering::Relaxed) {
            polls += 1;
            assert!(polls < MAX_POLLS, "the board is busy without end");
            match catch_unwind(AssertUnwindSafe(|| device.as_mut().poll(&mut context))) {
                Ok(_) => {}
                Err(payload) if payload.is::<Restart>() => {
                    self.device = None;
                    return;
                }
                Err(payload) => resume_unwind(payload),
            }
        }
    }
}

/// Returns the store of a board that knows a network and is signed in.
fn set_up() -> Store<MockFlash> {
    thread_local! {
        static FLASH: MockFlash = block_on(async {
            let mut store = store(MockFlash::new(Geometry::ESP32, 1));
            let mut settings = Settings::default();
            settings.set("wifi.1.ssid", "home").expect("it is a name");
            let saved = store.save_settings(&settings, &mut [0; MAX_SETTINGS]).await;
            saved.expect("the flash is sound");
            store.adopt_chain(&chain(1)).await.expect("the flash is sound");
            store.into_flash()
        });
    }
    store(FLASH.with(MockFlash::clone))
}

fn store(flash: MockFlash) -> Store<MockFlash> {
    let end = u32::try_from(flash.bytes().len()).expect("it is small");
    let layout = Layout::within(Area { start: 0, end }, 4_096).expect("the store fits");
    Store::new(flash, layout).expect("the layout fits the flash")
}

/// Every port of the board.
#[derive(Clone)]
struct Port(Rc<World>);

/// What a restart unwinds with.
struct Restart;

impl Board for Port {
    type Clock = Self;
    type Link = Self;
    type Web = Self;
    type Flash = MockFlash;
    type Panel = Self;
    type Backlight = Self;
    type Sounder = Self;
    type Entropy = Self;
    type Card = Self;
    type Button = Self;
    type System = Self;
    type Input = Self;
    type Output = Self;
}

impl Clock for Port {
    fn up(&self) -> Duration {
        self.0.up.get()
    }

    fn utc(&self) -> Option<Timestamp> {
        None
    }

    fn set_utc(&self, _: Timestamp) {}

    async fn sleep_until(&self, up: Duration) {
        until(|| self.up() >= up).await;
    }
}

/// Waits until a condition holds; each poll of the board looks again.
async fn until(is_so: impl Fn() -> bool) {
    poll_fn(|_| {
        if is_so() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

impl Link for Port {
    async fn join(
        &mut self,
        _: Option<Credentials<'_>>,
        timeout: Duration,
    ) -> Result<Joined, JoinError> {
        self.sleep_until(self.up() + timeout).await;
        Err(JoinError::NotFound)
    }

    fn joined(&self) -> Option<Joined> {
        None
    }

    fn is_wired(&self) -> bool {
        false
    }
}

impl Web for Port {
    async fn exchange(&mut self, _: &Outgoing<'_>, _: &mut impl Reply) -> Result<(), Unanswered> {
        unreachable!("no network is joined")
    }

    async fn ask_time(&mut self, _: &str, _: Duration) -> Result<Timestamp, TimeError> {
        unreachable!("no network is joined")
    }

    fn trusted(&self) -> Trusted {
        Trusted::default()
    }
}

impl Sounder for Port {
    fn sound(&mut self, _: Option<core::num::NonZeroU16>) {}
}

impl Backlight for Port {
    fn set(&mut self, _: Brightness) {}
}

impl Panel for Port {
    fn size(&self) -> Size {
        SIZE
    }

    async fn push(
        &mut self,
        _: &Frame<&mut [u8]>,
        _: &Rectangle,
        _: &Colours,
    ) -> Result<(), PanelError> {
        Ok(())
    }
}

impl Entropy for Port {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

impl Card for Port {
    async fn write(&mut self, _: &str, _: impl FnMut(&mut [u8]) -> usize) -> Result<(), CardError> {
        Err(CardError::Missing)
    }

    async fn read(&mut self, _: &str, _: &mut [u8]) -> Result<usize, CardError> {
        Err(CardError::Missing)
    }
}

impl Button for Port {
    async fn pressed(&mut self) {
        pending().await
    }

    async fn released(&mut self) {
        pending().await
    }
}

impl System for Port {
    const BOARD: &'static str = "bench";

    fn built_at(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn serial_number(&self) -> heapless::String<16> {
        "0123456789ab".try_into().expect("it is short")
    }

    fn progress(&self) {}

    fn heap(&self) -> (usize, usize, usize) {
        (0, 0, 0)
    }

    fn restart(&self) -> ! {
        resume_unwind(Box::new(Restart))
    }
}

impl embedded_io_async::ErrorType for Port {
    type Error = Infallible;
}

impl embedded_io_async::Read for Port {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        until(|| !self.0.typed.borrow().is_empty()).await;
        let mut typed = self.0.typed.borrow_mut();
        let count = typed.len().min(buffer.len());
        for (slot, byte) in buffer.iter_mut().zip(typed.drain(..count)) {
            *slot = byte;
        }
        Ok(count)
    }
}

impl embedded_io_async::Write for Port {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.said.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
