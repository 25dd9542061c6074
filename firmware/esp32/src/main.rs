//! Pulsewing on a Feather with the 3.5" TFT FeatherWing: Adafruit's Feather ESP32-C6 (feature `feather-c6`,
//! the default) or Unexpected Maker's FeatherS3 (feature `feather-s3`).
//!
//! This crate is pins and adapters; the board's behaviour is in `pulsewing-device`.
//! `firmware/README.md` describes how to wire and flash it, and which parts have never run on
//! silicon.

#![no_std]
#![no_main]
#![expect(
    unsafe_code,
    reason = "a board is registers: each block says why it is sound"
)]

extern crate alloc;

mod bus;
mod button;
mod card;
mod entropy;
mod feather;
mod flash;
mod libc;
mod light;
mod memory;
mod panel;
mod panic;
mod piezo;
mod radio;
mod system;

use embassy_executor::Spawner;
use embassy_net::{Config, DhcpConfig, Runner, StackResources};
use esp_hal::{
    Async,
    clock::CpuClock,
    ledc::{LSGlobalClkSource, Ledc},
    timer::timg::TimerGroup,
    usb::usb_serial_jtag::{UsbSerialJtag, UsbSerialJtagRx, UsbSerialJtagTx},
};
use esp_radio::wifi::{Interface, WifiController};
use esp_storage::FlashStorage;
use pulsewing_device::{
    Parts,
    ports::{Board, Entropy as _},
    run,
};
use pulsewing_net::{BoardClock, Client, TlsRandom, roots::Roots};
use pulsewing_store::{Blocking, MAX_SETTINGS, Store};
use static_cell::StaticCell;

use crate::{
    button::Boot, card::Slot, entropy::RadioNoise, feather::Feather, light::Lite, panel::Tft,
    piezo::Piezo, radio::Radio, system::Machine,
};

esp_bootloader_esp_idf::esp_app_desc!();

/// DHCP, a name server, a connection and a time server.
static SOCKETS: StaticCell<StackResources<4>> = StaticCell::new();
static TLS_RANDOM: StaticCell<TlsRandom<RadioNoise>> = StaticCell::new();
/// The pulses of the light and of the piezo.
static LEDC: StaticCell<Ledc<'static>> = StaticCell::new();

/// The board's parts.
struct Esp32;

impl Board for Esp32 {
    type Clock = BoardClock;
    type Link = Radio;
    type Web = Client<RadioNoise>;
    type Flash = Blocking<FlashStorage<'static>>;
    type Panel = Tft;
    type Backlight = Lite;
    type Sounder = Piezo;
    type Entropy = RadioNoise;
    type Card = Slot;
    type Button = Boot;
    type System = Machine;
    type Input = UsbSerialJtagRx<'static, Async>;
    type Output = UsbSerialJtagTx<'static, Async>;
}

#[embassy_executor::task]
async fn network_task(mut runner: Runner<'static, Interface>) -> ! {
    runner.run().await
}

#[esp_rtos::main]
async fn main(spawner: Spawner) -> ! {
    let config = esp_hal::Config::default().with_cpu_clock(CpuClock::max());
    let feather = Feather::take(esp_hal::init(config));
    memory::start_heap();
    let timers = TimerGroup::new(feather.timers);
    esp_rtos::start(timers.timer0, feather.interrupt);
    let system = Machine::start(feather.rtc);
    let (input, output) = UsbSerialJtag::new(feather.usb).into_async().split();

    let mut flash = FlashStorage::new(feather.flash);
    let layout = flash::layout(&mut flash).expect("a partition named `pulsewing`");
    panic::record_at(layout.panic);
    let mut store = Store::new(Blocking(flash), layout).expect("a layout for sectors of 4 KiB");
    let spi_hz = spi_hz(&mut store).await;
    let roots = roots(&mut store).await;

    // First, because the radio's noise is the source of randomness.
    let controller = WifiController::new(feather.wifi, radio::frugal()).expect("the radio starts");
    let mut entropy = RadioNoise::new().expect("the radio is on");
    let mut seed = [0; 8];
    entropy.fill(&mut seed);
    let mut dhcp = DhcpConfig::default();
    dhcp.hostname = heapless::String::try_from("pulsewing").ok();
    let (stack, runner) = embassy_net::new(
        Interface::station(),
        Config::dhcpv4(dhcp),
        SOCKETS.init(StackResources::new()),
        u64::from_le_bytes(seed),
    );
    spawner.spawn(network_task(runner).expect("one network task"));
    let tls_random = TLS_RANDOM.init(TlsRandom(entropy.clone()));
    let web = Client::new(stack, roots, entropy.clone(), tls_random).expect("one client");

    let mut ledc = Ledc::new(feather.ledc);
    ledc.set_global_slow_clock(LSGlobalClkSource::APBClk);
    let ledc = &*LEDC.init(ledc);
    let bus = bus::start(feather.spi, feather.dma, feather.spi_pins);
    let (frame, wallpaper) = memory::pictures(feather.pictures);
    run(Parts::<Esp32> {
        clock: BoardClock,
        link: Radio::new(controller, stack),
        web,
        store,
        panel: Tft::new(bus, feather.panel_select, feather.panel_dc, spi_hz),
        backlight: Lite::new(ledc, feather.light),
        sounder: Piezo::new(ledc, feather.piezo),
        entropy,
        card: Slot::new(bus, feather.card_select, spi_hz),
        button: Boot::new(feather.button),
        system,
        input,
        output,
        frame,
        wallpaper,
    })
    .await
}

/// Returns the SPI clock in the settings, in hertz.
async fn spi_hz(store: &mut Store<Blocking<FlashStorage<'static>>>) -> u32 {
    let mut buffer = alloc::vec![0; MAX_SETTINGS];
    // The device reports errors in them.
    let settings = store.load_settings(&mut buffer).await.ok().flatten();
    settings.unwrap_or_default().spi_hz
}

/// Returns the trusted certificates: the built-in ones and those that the user put on the board.
async fn roots(store: &mut Store<Blocking<FlashStorage<'static>>>) -> Roots {
    let Ok(Some(mut reader)) = store.roots().await else {
        return Roots::new();
    };
    let mut added = alloc::vec![0; reader.len() as usize];
    match reader.read(0, &mut added).await {
        Ok(added) => Roots::with(added).unwrap_or_default(),
        Err(_) => Roots::new(),
    }
}
