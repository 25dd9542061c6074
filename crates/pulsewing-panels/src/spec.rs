//! The name of a panel on the command line.
//!
//! ```text
//! panel       = "fb:" device {"," ("rotate=" turn | "backlight=" directory)}
//!             | "spi:" device {"," option}
//! option      = "dc=" pin | "reset=" pin | "backlight=" (pin | directory) | "hz=" number
//!             | "rotate=" turn
//! pin         = chip ":" line          chip is a name below /dev, or a path
//! directory   = an absolute path, such as /sys/class/backlight/NAME
//! turn        = "0" | "90" | "180" | "270"
//! ```
//! A path cannot contain a comma, and an option may be given at most once.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use thiserror::Error;

/// The default clock of the bus: owners of the panel use it without problems.
const HZ: u32 = 20_000_000;

/// The accepted clocks: at a slower one a frame takes minutes, and no SPI bus is faster.
const CLOCKS: std::ops::RangeInclusive<u32> = 100_000..=125_000_000;

/// A requested panel.
///
/// ```
/// use pulsewing_panels::{PanelSpec, Turn};
///
/// let spec: PanelSpec = "spi:/dev/spidev0.0,reset=gpiochip0:24".parse()?;
/// let PanelSpec::Spi(spec) = spec else { unreachable!() };
/// assert_eq!(spec.dc.to_string(), "/dev/gpiochip0:25"); // as on Adafruit's PiTFT
/// assert_eq!((spec.hz, spec.turn), (20_000_000, Turn::Quarter));
/// # Ok::<(), pulsewing_panels::BadSpec>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PanelSpec {
    /// A Linux framebuffer device.
    Framebuffer(FramebufferSpec),
    /// An HX8357D on an SPI bus.
    Spi(SpiSpec),
}

/// A Linux framebuffer device, such as `fb:/dev/fb1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramebufferSpec {
    /// The device.
    pub device: PathBuf,
    /// The turn of the picture.
    pub turn: Turn,
    /// The directory of its backlight, if it is to be dimmed.
    pub backlight: Option<PathBuf>,
}

/// An HX8357D on an SPI bus, such as `spi:/dev/spidev0.0,dc=gpiochip0:25`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpiSpec {
    /// The SPI device, whose chip select is the panel's.
    pub device: PathBuf,
    /// The pin that distinguishes commands from data; line 25 of gpiochip0 by default.
    pub dc: PinSpec,
    /// The reset pin, if it is wired; active low.
    pub reset: Option<PinSpec>,
    /// The backlight, if it is to be controlled.
    pub backlight: Option<BacklightSpec>,
    /// The clock of the bus in bits per second; 20 MHz by default.
    pub hz: u32,
    /// The turn of the picture from the panel's own upright 320x480; a quarter turn by default.
    pub turn: Turn,
}

/// A backlight, such as `gpiochip0:18` or `/sys/class/pwm/pwmchip0/pwm0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BacklightSpec {
    /// A pin that switches it; active high.
    Pin(PinSpec),
    /// The directory of a backlight or a PWM output of the kernel, which dims it.
    Directory(PathBuf),
}

/// A line of a GPIO chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinSpec {
    /// The chip's device.
    pub chip: PathBuf,
    /// The line's number on that chip, from 0.
    pub line: u32,
}

/// The clockwise turn of a picture relative to the panel's own orientation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// Not at all.
    #[default]
    None,
    /// By 90 degrees.
    Quarter,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    ThreeQuarters,
}

/// The reason why a text is not a valid panel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadSpec {
    /// It does not begin with a kind of panel.
    #[error(
        "write a panel as \"fb:\" and a framebuffer, such as fb:/dev/fb1, or as \"spi:\" and an SPI device, such as spi:/dev/spidev0.0,dc=gpiochip0:25"
    )]
    Kind,
    /// There is no device after the kind.
    #[error("the device is missing: write {0}:/dev/...")]
    Device(&'static str),
    /// An option that this kind of panel does not have.
    #[error("\"{option}\" is not an option of such a panel; the options are: {known}")]
    Option {
        /// The given option.
        option: String,
        /// The known options.
        known: &'static str,
    },
    /// An option is given more than once.
    #[error("\"{0}\" is given twice")]
    Twice(&'static str),
    /// A pin that is not valid.
    #[error("\"{0}\" is not a pin; write a chip and a line number, such as gpiochip0:25")]
    Pin(String),
    /// A backlight that is neither a pin nor a directory.
    #[error(
        "\"{0}\" is not a backlight; write its directory, such as /sys/class/backlight/NAME, or for an SPI panel a pin, such as gpiochip0:18"
    )]
    Backlight(String),
    /// A clock that no panel supports.
    #[error("hz must be a number from 100000 to 125000000 (bits per second), such as 20000000")]
    Clock,
    /// An angle that is not a multiple of a quarter turn.
    #[error("rotate must be 0, 90, 180 or 270")]
    Turn,
}

impl FromStr for PanelSpec {
    type Err = BadSpec;

    fn from_str(text: &str) -> Result<Self, BadSpec> {
        let (kind, rest) = text.split_once(':').ok_or(BadSpec::Kind)?;
        let mut parts = rest.split(',');
        let device = parts.next().unwrap_or_default();
        let device = |kind| match device {
            "" => Err(BadSpec::Device(kind)),
            device => Ok(PathBuf::from(device)),
        };
        match kind {
            "fb" => {
                let device = device("fb")?;
                let [turn, backlight] =
                    options(parts, ["rotate", "backlight"], "rotate and backlight")?;
                Ok(Self::Framebuffer(FramebufferSpec {
                    device,
                    turn: turn.map_or(Ok(Turn::None), str::parse)?,
                    backlight: backlight.map(directory).transpose()?,
                }))
            }
            "spi" => {
                let device = device("spi")?;
                let [dc, reset, backlight, hz, turn] = options(
                    parts,
                    ["dc", "reset", "backlight", "hz", "rotate"],
                    "dc, reset, backlight, hz and rotate",
                )?;
                Ok(Self::Spi(SpiSpec {
                    device,
                    dc: dc.unwrap_or("gpiochip0:25").parse()?,
                    reset: reset.map(str::parse).transpose()?,
                    backlight: backlight.map(str::parse).transpose()?,
                    hz: hz.map_or(Ok(HZ), clock)?,
                    turn: turn.map_or(Ok(Turn::Quarter), str::parse)?,
                }))
            }
            _ => Err(BadSpec::Kind),
        }
    }
}

/// Returns the values of these options, in their order.
fn options<'t, const N: usize>(
    parts: impl Iterator<Item = &'t str>,
    names: [&'static str; N],
    known: &'static str,
) -> Result<[Option<&'t str>; N], BadSpec> {
    let mut values = [None; N];
    for part in parts {
        let unknown = || BadSpec::Option {
            option: part.to_owned(),
            known,
        };
        let (name, value) = part.split_once('=').ok_or_else(unknown)?;
        let place = names.iter().zip(&mut values).find(|(n, _)| **n == name);
        let (name, place) = place.ok_or_else(unknown)?;
        if place.replace(value).is_some() {
            return Err(BadSpec::Twice(name));
        }
    }
    Ok(values)
}

fn clock(text: &str) -> Result<u32, BadSpec> {
    let hz = text.parse().ok().filter(|hz| CLOCKS.contains(hz));
    hz.ok_or(BadSpec::Clock)
}

/// Reads an absolute path.
fn directory(text: &str) -> Result<PathBuf, BadSpec> {
    match Path::new(text) {
        path if path.has_root() => Ok(path.to_owned()),
        _ => Err(BadSpec::Backlight(text.to_owned())),
    }
}

impl FromStr for BacklightSpec {
    type Err = BadSpec;

    fn from_str(text: &str) -> Result<Self, BadSpec> {
        // Names below /sys may have colons; no chip is there.
        match text.parse() {
            Ok(pin) if !text.starts_with("/sys/") => Ok(Self::Pin(pin)),
            _ => directory(text).map(Self::Directory),
        }
    }
}

impl FromStr for PinSpec {
    type Err = BadSpec;

    fn from_str(text: &str) -> Result<Self, BadSpec> {
        let refuse = || BadSpec::Pin(text.to_owned());
        let (chip, line) = text.rsplit_once(':').ok_or_else(refuse)?;
        if chip.is_empty() {
            return Err(refuse());
        }
        Ok(Self {
            // `join` keeps an absolute path as it is.
            chip: Path::new("/dev").join(chip),
            line: line.parse().map_err(|_| refuse())?,
        })
    }
}

impl FromStr for Turn {
    type Err = BadSpec;

    fn from_str(text: &str) -> Result<Self, BadSpec> {
        let turns = [Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters];
        let known = turns
            .into_iter()
            .find(|turn| turn.degrees().to_string() == text);
        known.ok_or(BadSpec::Turn)
    }
}

impl Turn {
    /// Returns the angle in degrees, 0 to 270.
    #[must_use]
    pub const fn degrees(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Quarter => 90,
            Self::Half => 180,
            Self::ThreeQuarters => 270,
        }
    }
}

impl fmt::Display for PanelSpec {
    /// Writes the kind and the device, which is enough to distinguish panels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Framebuffer(spec) => write!(f, "fb:{}", spec.device.display()),
            Self::Spi(spec) => write!(f, "spi:{}", spec.device.display()),
        }
    }
}

impl fmt::Display for PinSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chip.display(), self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spi(text: &str) -> SpiSpec {
        match text.parse() {
            Ok(PanelSpec::Spi(spec)) => spec,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_framebuffer_is_a_device_and_perhaps_a_turn() {
        for (text, turn) in [
            ("fb:/dev/fb1", Turn::None),
            ("fb:/dev/fb1,rotate=0", Turn::None),
            ("fb:/dev/fb1,rotate=90", Turn::Quarter),
            ("fb:/dev/fb1,rotate=180", Turn::Half),
            ("fb:/dev/fb1,rotate=270", Turn::ThreeQuarters),
        ] {
            assert_eq!(
                text.parse(),
                Ok(PanelSpec::Framebuffer(FramebufferSpec {
                    device: "/dev/fb1".into(),
                    turn,
                    backlight: None,
                }))
            );
        }
    }

    #[test]
    fn the_wires_of_an_spi_panel_are_adafruits_unless_named() {
        let plain = spi("spi:/dev/spidev0.0");
        assert_eq!(plain.dc, "gpiochip0:25".parse().unwrap());
        assert_eq!((plain.reset, plain.backlight), (None, None));
        let all = spi(
            "spi:/dev/spidev1.2,rotate=180,hz=32000000,backlight=/dev/gpiochip4:18,reset=gpiochip4:24,dc=gpiochip4:22",
        );
        assert_eq!(all.device, Path::new("/dev/spidev1.2"));
        assert_eq!(all.dc.to_string(), "/dev/gpiochip4:22");
        assert_eq!(all.reset.unwrap().to_string(), "/dev/gpiochip4:24");
        let light = "/dev/gpiochip4:18".parse().unwrap();
        assert_eq!(all.backlight, Some(BacklightSpec::Pin(light)));
        assert_eq!((all.hz, all.turn), (32_000_000, Turn::Half));
    }

    #[test]
    fn a_backlight_is_a_pin_or_a_directory_of_the_kernel() {
        for directory in [
            "/sys/class/backlight/10-0045",
            "/sys/class/backlight/panel:0",
            "/sys/class/pwm/pwmchip0/pwm2",
            "/tmp/x/backlight",
        ] {
            let wanted = Some(BacklightSpec::Directory(directory.into()));
            let text = format!("spi:/dev/spidev0.0,backlight={directory}");
            assert_eq!(spi(&text).backlight, wanted, "{directory}");
            let text = format!("fb:/dev/fb1,backlight={directory},rotate=90");
            let Ok(PanelSpec::Framebuffer(spec)) = text.parse() else {
                panic!("{text}");
            };
            assert_eq!(spec.backlight, Some(directory.into()));
            assert_eq!(spec.turn, Turn::Quarter);
        }
        let pin = spi("spi:/dev/spidev0.0,backlight=gpiochip0:18").backlight;
        assert_eq!(
            pin,
            Some(BacklightSpec::Pin("gpiochip0:18".parse().unwrap()))
        );
    }

    #[test]
    fn what_is_no_panel_is_told_with_what_would_be_one() {
        for (text, words) in [
            ("", "fb:/dev/fb1"),
            ("/dev/fb1", "fb:/dev/fb1"),
            ("hdmi:0", "spi:/dev/spidev0.0"),
            ("fb:", "fb:/dev/..."),
            ("spi:,dc=gpiochip0:25", "spi:/dev/..."),
            ("fb:/dev/fb1,hz=5", "the options are: rotate and backlight"),
            (
                "fb:/dev/fb1,rotate",
                "the options are: rotate and backlight",
            ),
            ("fb:/dev/fb1,", "the options are: rotate and backlight"),
            ("fb:/dev/fb1,rotate=45", "0, 90, 180 or 270"),
            ("fb:/dev/fb1,rotate=090", "0, 90, 180 or 270"),
            ("fb:/dev/fb1,rotate=0,rotate=0", "\"rotate\" is given twice"),
            ("spi:/dev/spidev0.0,cs=gpiochip0:8", "dc, reset"),
            ("spi:/dev/spidev0.0,dc=25", "gpiochip0:25"),
            ("spi:/dev/spidev0.0,dc=:25", "gpiochip0:25"),
            ("spi:/dev/spidev0.0,reset=gpiochip0:-1", "gpiochip0:25"),
            ("spi:/dev/spidev0.0,backlight=18", "gpiochip0:18"),
            ("spi:/dev/spidev0.0,backlight=", "/sys/class/backlight"),
            ("fb:/dev/fb1,backlight=gpiochip0:18", "/sys/class/backlight"),
            ("spi:/dev/spidev0.0,hz=20MHz", "20000000"),
            ("spi:/dev/spidev0.0,hz=0", "20000000"),
            ("spi:/dev/spidev0.0,hz=99999999999", "20000000"),
        ] {
            let error = text.parse::<PanelSpec>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
