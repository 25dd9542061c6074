//! `--panel`: the real binary draws on a framebuffer and on an SPI panel; a preloaded library simulates
//! their kernel side.
#![cfg(target_os = "linux")]

use std::{fs, path::PathBuf};

use embedded_hal::{delay::DelayNs, digital::OutputPin, spi::SpiDevice};
use pulsewing_hx8357::{
    Rotation,
    sim::{Settings, Simulator},
};

use crate::harness::{
    hermetic::{Home, Running, words},
    patience::until,
    picture::{self, render, save_ordinary_day},
    shim,
    signed_in::SignedIn,
};

/// The value of a byte that nobody has written.
const UNTOUCHED: u8 = 0xa5;

/// A framebuffer over an ordinary file, with lines longer than its pixels need.
struct Screen {
    file: PathBuf,
    size: (u32, u32),
    bytes_of_pixel: u32,
    line: u32,
    offset: (u32, u32),
}

impl Screen {
    fn new(home: &Home, bits: u32, size: (u32, u32)) -> Self {
        let offset = (3, 2);
        let bytes_of_pixel = bits / 8;
        let screen = Self {
            file: home.work("fb1"),
            size,
            bytes_of_pixel,
            line: (size.0 + offset.0) * bytes_of_pixel + 40,
            offset,
        };
        let length = screen.line * (size.1 + offset.1);
        fs::write(&screen.file, vec![UNTOUCHED; length as usize]).unwrap();
        screen
    }

    fn mode(&self) -> String {
        let (width, height) = self.size;
        let (x, y) = self.offset;
        let bits = self.bytes_of_pixel * 8;
        format!("{width} {height} {bits} {} {x} {y}", self.line)
    }

    fn panel(&self) -> String {
        format!("fb:{}", self.file.display())
    }

    /// Returns the pixels, from the left in rows from the top, as numbers; and how many other bytes were
    /// written.
    fn read(&self) -> (Vec<u32>, usize) {
        let mut bytes = fs::read(&self.file).unwrap();
        let mut pixels = Vec::new();
        for y in 0..self.size.1 {
            for x in 0..self.size.0 {
                let at =
                    (y + self.offset.1) * self.line + (x + self.offset.0) * self.bytes_of_pixel;
                let pixel = &mut bytes[at as usize..(at + self.bytes_of_pixel) as usize];
                pixels.push(match *pixel {
                    [a, b] => u16::from_ne_bytes([a, b]).into(),
                    [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]),
                    _ => unreachable!(),
                });
                pixel.fill(UNTOUCHED);
            }
        }
        let others = bytes.iter().filter(|byte| **byte != UNTOUCHED).count();
        (pixels, others)
    }
}

/// Rounds to the nearest of the steps that five and six bits have.
fn rgb565([red, green, blue]: [u8; 3]) -> u32 {
    let part = |channel: u8, most: u32| (u32::from(channel) * most + 127) / 255;
    part(red, 31) << 11 | part(green, 63) << 5 | part(blue, 31)
}

fn xrgb8888([red, green, blue]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, red, green, blue])
}

#[test]
fn a_framebuffer_shows_the_pixels_of_the_png() {
    let home = Home::new();
    let heart = save_ordinary_day(&home);
    for (bits, size, packed) in [
        (16, (480, 320), rgb565 as fn([u8; 3]) -> u32),
        (32, (480, 320), xrgb8888),
        (16, (320, 240), rgb565),
        (32, (800, 480), xrgb8888),
    ] {
        let screen = Screen::new(&home, bits, size);
        let wanted = format!("{}x{}", size.0, size.1);
        let panel = screen.panel();
        let args = render(
            &heart,
            &["--png", "same.png", "--size", &wanted, "--panel", &panel],
        );
        let drawn = shim::with_framebuffer(home.program(&args), &screen.file, &screen.mode())
            .run()
            .exits(0);
        assert_eq!((drawn.stdout.as_str(), drawn.stderr.as_str()), ("", ""));
        let png = picture::read(&home, "same.png");
        assert_eq!(png.size, size);
        assert!(png.colours().len() > 6);
        let expected: Vec<u32> = png.rgb.into_iter().map(packed).collect();
        let (pixels, others) = screen.read();
        assert!(pixels == expected, "{bits} bits, {wanted}");
        assert_eq!(others, 0, "{bits} bits, {wanted}");
    }
}

#[test]
fn a_panel_is_drawn_in_its_own_size_and_turned_as_asked() {
    let home = Home::new();
    let heart = save_ordinary_day(&home);
    let args = render(&heart, &["--png", "upright.png", "--size", "320x480"]);
    home.run(&args).exits(0);
    let upright = picture::read(&home, "upright.png");
    let screen = Screen::new(&home, 32, (480, 320));
    let panel = format!("{},rotate=90", screen.panel());
    // `--panel` works without `--png`.
    let args = render(&heart, &["--panel", &panel]);
    shim::with_framebuffer(home.program(&args), &screen.file, &screen.mode())
        .run()
        .exits(0);
    let (pixels, _) = screen.read();
    let at = |x: usize, y: usize| pixels[y * 480 + x];
    for y in 0..480 {
        for x in 0..320 {
            // Rotated clockwise, the left edge is at the top.
            let seen = at(479 - y, x);
            assert_eq!(seen, xrgb8888(upright.rgb[y * 320 + x]), "{x},{y}");
        }
    }
}

#[test]
fn a_framebuffer_that_cannot_be_drawn_to_is_told_in_words() {
    let home = Home::new();
    let heart = save_ordinary_day(&home);
    let screen = Screen::new(&home, 32, (480, 320));
    let panel = screen.panel();
    let args = render(&heart, &["--panel", &panel]);
    for (mode, words) in [
        ("480 320 8 480 0 0", "8 bits"),
        ("480 320 24 1440 0 0", "24 bits"),
        ("480 320 32 1919 0 0", "its pixels would need 1920"),
        ("128 128 16 256 0 0", "128x128 pixels"),
    ] {
        shim::with_framebuffer(home.program(&args), &screen.file, mode)
            .run()
            .exits(1)
            .says(words);
    }
    // Without the library it is an ordinary file.
    home.run(&args).exits(1).says("is not a framebuffer");
    // The program does not wait for a pipe without a reader.
    let pipe = home.work("pipe");
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    let panel = format!("fb:{}", pipe.display());
    home.run(&render(&heart, &["--panel", &panel]))
        .exits(1)
        .says("could not be opened");
}

/// The signals on the wires of an SPI panel.
struct Wires {
    spidev: PathBuf,
    chip: PathBuf,
    log: PathBuf,
}

impl Wires {
    fn new(home: &Home) -> Self {
        let wires = Self {
            spidev: home.work("spidev0.0"),
            chip: home.work("gpiochip0"),
            log: home.work("wires"),
        };
        fs::write(&wires.spidev, "").unwrap();
        fs::write(&wires.chip, "").unwrap();
        wires
    }

    /// Returns the panel's address, with a pin for each name.
    fn panel(&self, pins: &[(&str, u32)]) -> String {
        let chip = self.chip.display();
        let pins = pins
            .iter()
            .map(|(name, line)| format!(",{name}={chip}:{line}"));
        format!("spi:{}{}", self.spidev.display(), pins.collect::<String>())
    }

    /// Replays the recording to the simulator; returns it, the clock of the bus, and the levels of line
    /// 24.
    fn play(&self) -> (Simulator, u32, Vec<u8>) {
        let panel = Simulator::new(Settings {
            may_draw_unseen: true,
            ..Settings::default()
        });
        let (mut spi, mut dc, mut light) = (panel.spi(), panel.dc(), panel.backlight());
        let (mut hz, mut resets, mut before) = (0, Vec::new(), None);
        let log = fs::read(&self.log).unwrap();
        let mut rest = &log[..];
        while let Some((head, after)) = rest.split_first_chunk::<13>() {
            let ns = u64::from_le_bytes(head[1..9].try_into().unwrap());
            let length = u32::from_le_bytes(head[9..].try_into().unwrap());
            let (bytes, after) = after.split_at(length as usize);
            rest = after;
            // The program waited in real time; the panel waits as long.
            let waited = ns - before.replace(ns).unwrap_or(ns);
            panel.delay().delay_ns(waited.try_into().unwrap());
            match (head[0], bytes) {
                (b'h', bytes) => hz = u32::from_le_bytes(bytes.try_into().unwrap()),
                (b'm', mode) => assert_eq!(mode, [0]),
                (b't', bytes) => spi.write(bytes).unwrap(),
                (b'p', [25, level]) => dc.set_state((*level == 1).into()).unwrap(),
                (b'p', [18, level]) => light.set_state((*level == 1).into()).unwrap(),
                (b'p', [24, level]) => resets.push(*level),
                other => panic!("{other:?}"),
            }
        }
        (panel, hz, resets)
    }
}

#[test]
fn an_spi_panel_shows_the_pixels_of_the_png_once_they_were_fetched() {
    let signed_in = SignedIn::google();
    let home = &signed_in.home;
    let wires = Wires::new(home);
    let panel = wires.panel(&[("dc", 25), ("backlight", 18), ("reset", 24)]);
    let program = signed_in.program(&["once", "--png", "same.png", "--panel", &panel]);
    shim::with_wires(program, &wires.spidev, &wires.chip, &wires.log)
        .run()
        .exits(0)
        .prints("Finished!");
    let (panel, hz, resets) = wires.play();
    assert_eq!((hz, &resets[..]), (20_000_000, &[1, 0, 1][..]));
    let seen = panel.visible(Rotation::Landscape).expect("the light is on");
    let png = picture::read(home, "same.png");
    let expected: Vec<u32> = png.rgb.into_iter().map(rgb565).collect();
    let seen: Vec<u32> = seen
        .pixels()
        .iter()
        .map(|colour| embedded_graphics::pixelcolor::IntoStorage::into_storage(*colour).into())
        .collect();
    assert!(seen == expected);
    assert_eq!(panel.complaints(), []);
}

#[test]
fn what_is_wrong_with_a_panel_is_told_before_anything_is_asked_for() {
    let signed_in = SignedIn::google();
    let home = &signed_in.home;
    let wires = Wires::new(home);
    let requests = signed_in.sandbox.requests().len();
    for (panel, words) in [
        ("fb:/dev/no-such-fb".to_owned(), "cat /proc/fb"),
        ("spi:/dev/no-such-spidev".to_owned(), "do_spi 0"),
        (
            format!("spi:{},dc=no-such-chip:25", wires.spidev.display()),
            "gpiodetect",
        ),
        (wires.panel(&[("dc", 17)]), "in use by button@17"),
        (wires.panel(&[("dc", 99)]), "is not available"),
    ] {
        let program = signed_in.program(&["once", "--panel", &panel]);
        let once = shim::with_wires(program, &wires.spidev, &wires.chip, &wires.log)
            .run()
            .exits(1)
            .says(words);
        assert_eq!(once.stdout, "");
    }
    assert_eq!(signed_in.sandbox.requests().len(), requests);
    for (panel, words) in [
        ("/dev/fb1", "fb:/dev/fb1"),
        ("fb:/dev/fb1,rotate=45", "0, 90, 180 or 270"),
        ("spi:/dev/spidev0.0,dc=25", "gpiochip0:25"),
    ] {
        home.run(&["once", "--panel", panel]).exits(2).says(words);
    }
}

#[test]
fn several_panels_show_the_demo() {
    let home = Home::new();
    let screen = Screen::new(&home, 16, (480, 320));
    let wires = Wires::new(&home);
    // By variable, with a semicolon between panels.
    let panels = format!("{};{}", screen.panel(), wires.panel(&[("dc", 25)]));
    let program = home
        .program(&words(
            "demo --once --palette night --now 2026-11-22T14:07:00Z",
        ))
        .env("PULSEWING_PANEL", panels);
    let program = shim::with_framebuffer(program, &screen.file, &screen.mode());
    shim::with_wires(program, &wires.spidev, &wires.chip, &wires.log)
        .run()
        .exits(0);
    let png = picture::read(&home, "pulsewing-demo.png");
    assert!(png.colours().iter().all(|[_, _, blue]| *blue < 50));
    let expected: Vec<u32> = png.rgb.into_iter().map(rgb565).collect();
    assert!(screen.read().0 == expected);
    let (panel, ..) = wires.play();
    let seen = panel.visible(Rotation::Landscape).unwrap();
    assert!(seen.pixels().iter().zip(&expected).all(|(seen, expected)| {
        u32::from(embedded_graphics::pixelcolor::IntoStorage::into_storage(
            *seen,
        )) == *expected
    }));
}

/// A backlight of the kernel, in ordinary files, that is a third as bright as it can be.
struct Light(PathBuf);

impl Light {
    fn new(home: &Home) -> Self {
        let light = Self(home.work("light"));
        fs::create_dir(&light.0).unwrap();
        for (file, value) in [
            ("max_brightness", "1000"),
            ("brightness", "333"),
            ("bl_power", "0"),
        ] {
            fs::write(light.0.join(file), value).unwrap();
        }
        light
    }

    fn read(&self, file: &str) -> String {
        // It is empty while it is being written.
        until(file, || {
            let text = fs::read_to_string(self.0.join(file)).unwrap();
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        })
    }

    fn becomes(&self, brightness: &str) {
        until(&format!("the brightness {brightness}"), || {
            (self.read("brightness") == brightness).then_some(())
        });
    }
}

/// A panel with a backlight on somebody's desk, whose light is off at night.
struct Desk {
    signed_in: SignedIn,
    screen: Screen,
    light: Light,
}

impl Desk {
    fn new() -> Self {
        let signed_in = SignedIn::google_today();
        let home = &signed_in.home;
        home.configure_more(
            "[screen]\nnight = \"22:00-07:00\"\nbacklight = 80\nnight_backlight = 0\n",
        );
        Self {
            screen: Screen::new(home, 16, (320, 240)),
            light: Light::new(home),
            signed_in,
        }
    }

    /// Starts the daemon at this time.
    fn run_at(&self, now: &str) -> Running {
        let panel = format!(
            "{},backlight={}",
            self.screen.panel(),
            self.light.0.display()
        );
        let args = ["run", "--no-web", "--panel", &panel, "--now", now];
        let program = self.signed_in.home.program(&args);
        shim::with_framebuffer(program, &self.screen.file, &self.screen.mode()).start()
    }

    /// Sets the cloud's clock to this time, which the daemon has as well.
    fn daemon_at(&self, now: &str) -> Running {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        let sandbox = &self.signed_in.sandbox;
        let ahead = at(now).duration_since(at(&sandbox.now()));
        sandbox.advance(ahead.as_secs());
        self.run_at(now)
    }
}

#[test]
fn the_light_goes_out_in_the_evening_and_is_given_back_at_the_end() {
    let desk = Desk::new();
    // No poll is due when the clock strikes.
    let running = desk.daemon_at("2026-11-22T21:59:54Z");
    desk.light.becomes("800");
    running.error_line_with("updated");
    desk.light.becomes("0");
    assert_eq!(desk.light.read("bl_power"), "4");
    running.stop();
    assert_eq!(desk.light.read("brightness"), "333");
    assert_eq!(desk.light.read("bl_power"), "0");
}

#[test]
fn the_light_comes_on_in_the_morning() {
    let desk = Desk::new();
    let running = desk.daemon_at("2026-11-23T06:59:54Z");
    desk.light.becomes("0");
    desk.light.becomes("800");
    assert_eq!(desk.light.read("bl_power"), "0");
    running.stop();
}

#[test]
fn a_message_that_needs_a_person_is_seen_at_night() {
    let desk = Desk::new();
    let night = "2026-11-22T23:30:00Z";
    desk.signed_in.home.run(&["logout"]).exits(0);
    let running = desk.run_at(night);
    desk.light.becomes("100");
    running.stop();
}

#[test]
fn a_backlight_that_fails_stops_no_picture() {
    let desk = Desk::new();
    fs::remove_file(desk.light.0.join("brightness")).unwrap();
    let running = desk.daemon_at("2026-11-22T15:00:00Z");
    running.error_line_with("light/brightness could not be read");
    running.error_line_with("updated");
    until("a picture", || {
        let (pixels, _) = desk.screen.read();
        pixels.iter().any(|pixel| *pixel != 0xa5a5).then_some(())
    });
    let ended = running.stop();
    let told = ended.stderr.matches("could not be read").count();
    assert_eq!(told, 1, "{}", ended.stderr);
}
