//! An HX8357D at the end of an SPI bus, down to the simulator of its controller.

use std::{cell::Cell, convert::Infallible, fmt, path::Path, rc::Rc, time::Duration};

use embedded_graphics::geometry::{OriginDimensions, Size};
use embedded_hal::{
    digital::{self, OutputPin},
    spi::{self, Operation, SpiDevice},
};
use pulsewing_core::look::Brightness;
use pulsewing_hx8357::{
    Rotation,
    sim::{Settings, SimBacklight, SimDc, SimDelay, SimSpi, Simulator},
};
use pulsewing_panels::{Panel, PanelError, PanelSpec, PinSpec, picture::Picture, spi::Ports};
use pulsewing_screen::{Colours, Ink, Palette};

use crate::{
    pictures::{area, noise, with_boxes},
    words,
};

const NOW: Duration = Duration::ZERO;

/// A panel on a bench, wired as the user said.
#[derive(Clone)]
struct Bench {
    panel: Simulator,
    /// How many transactions the bus carries yet; then it is broken.
    patience: Rc<Cell<u64>>,
    /// The levels of the reset pin, the latest last, as digits.
    resets: Rc<Cell<u64>>,
    /// What was asked for.
    asked: Rc<Cell<(u32, u32)>>,
}

struct BenchSpi(SimSpi, Rc<Cell<u64>>);

#[derive(Debug)]
struct Broken;

enum BenchPin {
    Dc(SimDc),
    Backlight(SimBacklight),
    Reset(Rc<Cell<u64>>),
}

impl Ports for Bench {
    type Spi = BenchSpi;
    type Pin = BenchPin;
    type Delay = SimDelay;

    fn spi(&mut self, path: &Path, hz: u32) -> Result<BenchSpi, PanelError> {
        assert_eq!(path, Path::new("/dev/spidev0.0"));
        self.asked.set((hz, 0));
        Ok(BenchSpi(self.panel.spi(), self.patience.clone()))
    }

    fn output(&mut self, pin: &PinSpec, is_high: bool) -> Result<BenchPin, PanelError> {
        assert_eq!(pin.chip, Path::new("/dev/gpiochip0"));
        let (hz, pins) = self.asked.get();
        self.asked.set((hz, pins + 1));
        let mut output = match pin.line {
            25 => BenchPin::Dc(self.panel.dc()),
            18 => BenchPin::Backlight(self.panel.backlight()),
            24 => BenchPin::Reset(self.resets.clone()),
            _ => {
                let (pin, user) = (pin.clone(), "nobody".to_owned());
                return Err(PanelError::PinInUse { pin, user });
            }
        };
        let Ok(()) = output.set_state(is_high.into());
        Ok(output)
    }

    fn delay(&mut self) -> SimDelay {
        self.panel.delay()
    }
}

impl spi::Error for Broken {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl spi::ErrorType for BenchSpi {
    type Error = Broken;
}

impl SpiDevice for BenchSpi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Broken> {
        let left = self.1.get().checked_sub(1).ok_or(Broken)?;
        self.1.set(left);
        let Ok(()) = self.0.transaction(operations);
        Ok(())
    }
}

impl digital::ErrorType for BenchPin {
    type Error = Infallible;
}

impl OutputPin for BenchPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        match self {
            Self::Dc(pin) => pin.set_low(),
            Self::Backlight(pin) => pin.set_low(),
            Self::Reset(levels) => {
                levels.set(levels.get() * 10);
                Ok(())
            }
        }
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        match self {
            Self::Dc(pin) => pin.set_high(),
            Self::Backlight(pin) => pin.set_high(),
            Self::Reset(levels) => {
                levels.set(levels.get() * 10 + 1);
                Ok(())
            }
        }
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            panel: Simulator::new(Settings {
                may_draw_unseen: true,
                ..Settings::default()
            }),
            patience: Rc::new(Cell::new(u64::MAX)),
            resets: Rc::default(),
            asked: Rc::default(),
        }
    }

    /// Opens the panel under the name that a user gives it.
    fn open(&self, options: &str) -> Result<Panel, PanelError> {
        let text = format!("spi:/dev/spidev0.0{options}");
        let Ok(PanelSpec::Spi(spec)) = text.parse() else {
            panic!("{text} is no SPI panel")
        };
        let surface = pulsewing_panels::spi::open(&spec, &mut self.clone())?;
        Ok(Panel::over("bench", surface))
    }

    #[track_caller]
    fn assert_shows(&self, picture: &Picture, rotation: Rotation) {
        let seen = self.panel.visible(rotation).expect("the display is on");
        assert_eq!(seen.size(), picture.frame.size());
        let colours = picture.colours.rgb565();
        let drawn = picture.frame.pixels();
        let wrong = drawn
            .map(|ink| colours[usize::from(ink.index())])
            .zip(seen.pixels())
            .filter(|(drawn, seen)| drawn != *seen)
            .count();
        assert_eq!(wrong, 0, "pixels differ");
        assert_eq!(self.panel.complaints(), []);
    }
}

/// A picture is too much to read.
impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bench")
    }
}

fn show(panel: &mut Panel, picture: &Picture) {
    panel.show(NOW, |_| Ok(picture.clone())).unwrap();
}

#[test]
fn a_picture_arrives_however_the_panel_is_held() {
    for (options, rotation) in [
        ("", Rotation::Landscape),
        (",rotate=0", Rotation::Portrait),
        (",rotate=90", Rotation::Landscape),
        (",rotate=180", Rotation::PortraitFlipped),
        (",rotate=270", Rotation::LandscapeFlipped),
    ] {
        let bench = Bench::new();
        let mut panel = bench.open(options).unwrap();
        assert_eq!(bench.asked.get(), (20_000_000, 1));
        let mut picture = noise(rotation.size(), 5, Palette::Day);
        panel
            .show(NOW, |size| {
                assert_eq!(size, rotation.size());
                Ok(picture.clone())
            })
            .unwrap();
        bench.assert_shows(&picture, rotation);
        for step in 0..20 {
            let boxes = [
                (area(step * 13, step * 11, 30, 7), Ink::Pink),
                (area(300 - step * 3, 40, 2, 60), Ink::Text),
                (area(-5, 310, 40, 40), Ink::from_index(step as u8)),
            ];
            picture = with_boxes(&picture, &boxes);
            show(&mut panel, &picture);
            bench.assert_shows(&picture, rotation);
        }
    }
}

#[test]
fn only_what_changed_crosses_the_bus() {
    let bench = Bench::new();
    let mut panel = bench.open("").unwrap();
    let size = Size::new(480, 320);
    let picture = noise(size, 5, Palette::Dim);
    show(&mut panel, &picture);
    assert!(bench.panel.take_traffic().bytes > 307_200);
    show(&mut panel, &picture);
    assert_eq!(bench.panel.take_traffic().bytes, 0);
    let digit = with_boxes(&picture, &[(area(33, 40, 16, 24), Ink::Text)]);
    show(&mut panel, &digit);
    // A window takes 11 bytes, a pixel two.
    assert!(bench.panel.take_traffic().bytes <= 11 + 16 * 24 * 2);
    bench.assert_shows(&digit, Rotation::Landscape);
    // The same pixels in other colours are another picture.
    let night = Picture {
        colours: Colours::from(Palette::Night),
        ..digit
    };
    show(&mut panel, &night);
    assert_eq!(bench.panel.take_traffic().bytes, 307_211);
    bench.assert_shows(&night, Rotation::Landscape);
}

#[test]
fn the_light_goes_on_with_the_first_picture_and_no_noise_is_seen() {
    let bench = Bench::new();
    let mut panel = bench
        .open(",reset=gpiochip0:24,backlight=gpiochip0:18,hz=32000000")
        .unwrap();
    assert_eq!(bench.asked.get(), (32_000_000, 3));
    assert!(bench.panel.visible(Rotation::Landscape).is_none());
    let picture = noise(Size::new(480, 320), 8, Palette::Day);
    panel
        .show(NOW, |_| {
            assert!(bench.panel.visible(Rotation::Landscape).is_none());
            Ok(picture.clone())
        })
        .unwrap();
    bench.assert_shows(&picture, Rotation::Landscape);
    // High from the beginning, then low and high once.
    assert_eq!(bench.resets.get(), 101);
    show(&mut panel, &picture);
    assert_eq!(bench.resets.get(), 101);

    // The next run begins where this one ends: its picture is seen until there is another.
    drop(panel);
    let mut panel = bench.open(",backlight=gpiochip0:18").unwrap();
    bench.assert_shows(&picture, Rotation::Landscape);
    let other = noise(Size::new(480, 320), 9, Palette::Day);
    show(&mut panel, &other);
    bench.assert_shows(&other, Rotation::Landscape);
}

#[test]
fn a_pin_switches_the_light_off_and_the_picture_stays_up_to_date() {
    let bench = Bench::new();
    let mut panel = bench.open(",backlight=gpiochip0:18").unwrap();
    let size = Size::new(480, 320);
    let [first, second] = [8, 9].map(|seed| noise(size, seed, Palette::Day));
    show(&mut panel, &first);
    // A pin cannot dim: anything but off is on.
    panel.set_brightness(Brightness::SEEN).unwrap();
    bench.assert_shows(&first, Rotation::Landscape);
    panel.set_brightness(Brightness::OFF).unwrap();
    assert!(bench.panel.visible(Rotation::Landscape).is_none());
    show(&mut panel, &second);
    assert!(bench.panel.visible(Rotation::Landscape).is_none());
    let _ = bench.panel.take_traffic();
    panel.set_brightness(Brightness::FULL).unwrap();
    bench.assert_shows(&second, Rotation::Landscape);
    assert!(
        bench.panel.take_traffic().bytes < 10,
        "it is not set up again"
    );
    panel.set_brightness(Brightness::FULL).unwrap();
    assert_eq!(bench.panel.take_traffic().bytes, 0);

    // When the program ends, its picture is seen.
    panel.set_brightness(Brightness::OFF).unwrap();
    drop(panel);
    bench.assert_shows(&second, Rotation::Landscape);
    assert_eq!(bench.panel.take_complaints(), []);
}

#[test]
fn a_panel_that_is_set_up_at_night_stays_dark() {
    let bench = Bench::new();
    let mut panel = bench.open(",backlight=gpiochip0:18").unwrap();
    let picture = noise(Size::new(480, 320), 8, Palette::Day);
    panel.set_brightness(Brightness::OFF).unwrap();
    show(&mut panel, &picture);
    assert!(bench.panel.visible(Rotation::Landscape).is_none());
    // A broken bus does not light it, and it is set up again in the dark.
    bench.patience.set(0);
    assert!(panel.set_brightness(Brightness::FULL).is_err());
    bench.patience.set(u64::MAX);
    panel.set_brightness(Brightness::OFF).unwrap();
    show(&mut panel, &picture);
    assert!(bench.panel.visible(Rotation::Landscape).is_none());
    panel.set_brightness(Brightness::FULL).unwrap();
    bench.assert_shows(&picture, Rotation::Landscape);
    // Without a pin the light is not ours.
    let bench = Bench::new();
    let mut panel = bench.open("").unwrap();
    show(&mut panel, &picture);
    let _ = bench.panel.take_traffic();
    panel.set_brightness(Brightness::OFF).unwrap();
    assert_eq!(bench.panel.take_traffic().bytes, 0);
    bench.assert_shows(&picture, Rotation::Landscape);
}

#[test]
fn a_bus_that_breaks_anywhere_is_told_and_the_next_picture_is_whole() {
    let size = Size::new(480, 320);
    let picture = noise(size, 8, Palette::Day);
    let changed = with_boxes(&picture, &[(area(9, 9, 90, 90), Ink::Text)]);
    for transactions in [0, 1, 7, 29, 34, 60, 100, 115, 116] {
        let bench = Bench::new();
        bench.patience.set(transactions);
        let mut panel = bench.open(",backlight=gpiochip0:18").unwrap();
        let told = panel.show(NOW, |_| Ok(picture.clone()));
        bench.patience.set(u64::MAX);
        if let Err(told) = told {
            let told = words(&told);
            assert!(told.contains("/dev/spidev0.0 cannot be drawn to"), "{told}");
            assert!(told.contains("SPI device failed"), "{told}");
        }
        show(&mut panel, &changed);
        // What a broken bus leaves behind is a command without its parameters, and no more.
        assert!(bench.panel.take_complaints().len() <= 1);
        bench.assert_shows(&changed, Rotation::Landscape);
    }
    // Also when it was up and running.
    let bench = Bench::new();
    let mut panel = bench.open("").unwrap();
    show(&mut panel, &picture);
    bench.patience.set(6);
    assert!(panel.show(NOW, |_| Ok(changed.clone())).is_err());
    bench.patience.set(u64::MAX);
    let _ = bench.panel.take_traffic();
    show(&mut panel, &changed);
    assert!(bench.panel.take_traffic().bytes > 307_200);
    assert!(bench.panel.take_complaints().len() <= 1);
    bench.assert_shows(&changed, Rotation::Landscape);
}

#[test]
fn devices_that_are_not_there_are_told_with_what_to_do() {
    let open = |spec: &str| words(&Panel::open(&spec.parse().unwrap()).unwrap_err());
    let bus = open("spi:/dev/no-such-spidev");
    assert!(
        bus.contains("/dev/no-such-spidev could not be opened"),
        "{bus}"
    );
    assert!(bus.contains("raspi-config nonint do_spi 0"), "{bus}");
    let file = open("spi:/dev/null");
    assert!(
        file.contains("/dev/null does not accept our settings"),
        "{file}"
    );
    // A pin that is not wired: the bench has none of that number.
    let told = Bench::new().open(",dc=gpiochip0:7").unwrap_err();
    assert!(matches!(told, PanelError::PinInUse { pin, .. } if pin.line == 7));
}
