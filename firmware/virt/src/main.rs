//! Pulsewing on an emulated board: `qemu-system-riscv32 -M virt`, the ESP32-C6's instruction set with a
//! network card, a display, flash, a card, a key and a serial line.
//!
//! Everything that a Feather does runs here, except for its radio and its pins. `cargo xtask qemu`
//! starts it.

#![no_std]
#![no_main]
#![expect(
    unsafe_code,
    reason = "a board is registers: each block says why it is sound"
)]

extern crate alloc;

mod button;
mod card;
mod entropy;
mod flash;
mod heap;
mod interrupts;
mod libc;
mod network;
mod panel;
mod piezo;
mod registers;
mod system;
mod time;
mod uart;
mod virtio;

use alloc::vec;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, StackResources};
use pulsewing_device::{
    Parts,
    ports::{Board, Entropy as _},
    run,
};
use pulsewing_net::{BoardClock, Client, TlsRandom, roots::Roots};
use pulsewing_screen::{Frame, Wallpaper};
use pulsewing_store::{Blocking, Store};
use static_cell::{ConstStaticCell, StaticCell};

use crate::{
    button::Key,
    card::Slot,
    entropy::HostEntropy,
    flash::{Flash, LAYOUT},
    network::{Cable, Card},
    panel::{Display, NoLight},
    piezo::NoPiezo,
    system::{Machine, Reason},
    virtio::Devices,
};

/// The emulated board.
struct Virt;

impl Board for Virt {
    type Clock = BoardClock;
    type Link = Cable;
    type Web = Client<HostEntropy>;
    type Flash = Blocking<Flash>;
    type Panel = Display;
    type Backlight = NoLight;
    type Sounder = NoPiezo;
    type Entropy = HostEntropy;
    type Card = Slot;
    type Button = Key;
    type System = Machine;
    type Input = uart::Input;
    type Output = uart::Output;
}

/// DHCP, a name server, a connection and a time server.
static SOCKETS: StaticCell<StackResources<4>> = StaticCell::new();
static TLS_RANDOM: StaticCell<TlsRandom<HostEntropy>> = StaticCell::new();
static FRAME: ConstStaticCell<[u8; Frame::<&[u8]>::bytes_for(panel::SIZE)]> =
    ConstStaticCell::new([0; _]);
static WALLPAPER: ConstStaticCell<[u8; Wallpaper::bytes_for(panel::SIZE)]> =
    ConstStaticCell::new([0; _]);

#[embassy_executor::task]
async fn network_task(mut runner: Runner<'static, Card>) -> ! {
    runner.run().await
}

#[embassy_executor::main(entry = "riscv_rt::entry")]
async fn main(spawner: Spawner) -> ! {
    heap::start();
    let reason = Reason::take();
    uart::start();
    time::start();
    interrupts::start();

    let devices = Devices::find();
    let (network, slot) = devices.network.expect("-device virtio-net-device");
    let display = devices.display.expect("-device virtio-gpu-device");
    let random = devices.random.expect("-device virtio-rng-device");

    let mut entropy = HostEntropy::new(random);
    let mut seed = [0; 8];
    entropy.fill(&mut seed);
    let network = Card::new(network, slot);
    let system = Machine {
        address: network.address(),
        reason,
    };
    let (stack, runner) = embassy_net::new(
        network,
        Config::dhcpv4(Default::default()),
        SOCKETS.init(StackResources::new()),
        u64::from_le_bytes(seed),
    );
    spawner.spawn(network_task(runner).expect("one network task"));

    let mut store = Store::new(Blocking(Flash), LAYOUT).expect("a layout for this flash");
    let roots = roots(&mut store).await;
    let tls_random = TLS_RANDOM.init(TlsRandom(entropy));
    run::<Virt>(Parts {
        clock: BoardClock,
        link: Cable { stack },
        web: Client::new(stack, roots, entropy, tls_random).expect("one client"),
        store,
        panel: Display::new(display).expect("480x320"),
        backlight: NoLight,
        sounder: NoPiezo,
        entropy,
        card: Slot::new(devices.disk),
        button: Key {
            keyboard: devices.keyboard,
        },
        system,
        input: uart::Input,
        output: uart::Output,
        frame: FRAME.take(),
        wallpaper: WALLPAPER.take(),
    })
    .await
}

/// Returns the trusted certificates: the built-in ones, and those in the store if they can be read.
async fn roots(store: &mut Store<Blocking<Flash>>) -> Roots {
    let Ok(Some(mut stored)) = store.roots().await else {
        return Roots::new();
    };
    let mut pem = vec![0; stored.len() as usize];
    match stored.read(0, &mut pem).await {
        Ok(pem) => Roots::with(pem).unwrap_or_default(),
        Err(_) => Roots::new(),
    }
}
