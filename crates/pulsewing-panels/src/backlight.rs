//! A backlight that the kernel drives, by the files of its directory.
//!
//! | directory | kind | files (the kernel's `Documentation/ABI`) |
//! |---|---|---|
//! | `/sys/class/backlight/NAME` | a backlight device | `max_brightness`, `brightness`, perhaps `bl_power` |
//! | `/sys/class/pwm/pwmchipN/pwmM` | a PWM output | `period`, `duty_cycle`, `enable`; `../export` makes the directory |
//!
//! Which of them it is, its files tell. Nothing is opened before the first brightness is set, and a
//! failure is tried again: on a starting machine a directory appears, and gets its permissions,
//! whenever its driver and udev get to it.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
};

use pulsewing_core::look::Brightness;
use pulsewing_files::regular_file;

use crate::PanelError;

/// The period of a PWM that has none yet, in nanoseconds: 1 kHz. A person sees no flicker, the
/// FAN5333 on older panels wants no more (CircuitPython's issue 6236), and chips such as the TPS61169
/// on newer ones take only a pause of 2.5 ms for "off". A period that is set already is kept.
const PERIOD_NS: u32 = 1_000_000;

/// The most that is read of a file: the size that sysfs claims is that of a page of memory.
const MOST_BYTES: u64 = 65_536;

/// `FB_BLANK_UNBLANK` and `FB_BLANK_POWERDOWN` of linux/fb.h, the values of `bl_power`.
const POWER_ON: u32 = 0;
const POWER_OFF: u32 = 4;

/// A backlight of the kernel. Dropped, it is as bright as it was found, or at its brightest if it
/// was found dark.
#[derive(Debug)]
pub struct KernelBacklight {
    directory: PathBuf,
    /// `None` until a brightness is set.
    device: Option<Device>,
    /// The brightness that it has; `None` if it is unknown.
    shown: Option<Brightness>,
}

/// A device, and how it was found.
#[derive(Clone, Copy, Debug)]
enum Device {
    Backlight {
        most: u32,
        has_power: bool,
        /// The value of `brightness` to go back to.
        before: u32,
    },
    Pwm {
        period: u32,
        /// The value of `duty_cycle` to go back to.
        before: u32,
    },
}

impl KernelBacklight {
    /// Names a backlight by its directory. Nothing is opened yet.
    #[must_use]
    pub const fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            device: None,
            shown: None,
        }
    }

    /// Sets the brightness. Writes nothing if it is the one that was set last.
    ///
    /// # Errors
    /// [`PanelError::NoBacklight`], [`PanelError::ReadBacklight`] and
    /// [`PanelError::WriteBacklight`]. The next call tries again.
    pub fn set(&mut self, brightness: Brightness) -> Result<(), PanelError> {
        if self.shown == Some(brightness) {
            return Ok(());
        }
        self.shown = None;
        let device = match self.device {
            Some(device) => device,
            None => *self.device.insert(Device::open(&self.directory)?),
        };
        let (Device::Backlight { most, .. } | Device::Pwm { period: most, .. }) = device;
        device.write(&self.directory, brightness.of(most))?;
        self.shown = Some(brightness);
        Ok(())
    }

    /// Checks that a brightness could be set, without setting one.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn check(directory: &Path) -> Result<(), PanelError> {
        let files: &[&str] = match Kind::of(directory) {
            Some(Kind::Backlight) if has(directory, "bl_power") => &["brightness", "bl_power"],
            Some(Kind::Backlight) => &["brightness"],
            Some(Kind::Pwm) => &["period", "duty_cycle", "enable"],
            Some(Kind::Unexported(_)) => &["../export"],
            None => return Err(no_backlight(directory)),
        };
        for file in files {
            open(&place_of(directory, file), OpenOptions::new().write(true))?;
        }
        Ok(())
    }
}

/// What a directory's files say that it is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Backlight,
    Pwm,
    /// A PWM output of this number, whose directory the kernel makes on demand.
    Unexported(u32),
}

impl Kind {
    fn of(directory: &Path) -> Option<Self> {
        if has(directory, "max_brightness") {
            return Some(Self::Backlight);
        }
        if has(directory, "duty_cycle") {
            return Some(Self::Pwm);
        }
        let number = directory.file_name()?.to_str()?.strip_prefix("pwm")?;
        let number = number.parse().ok()?;
        let can_export = place_of(directory, "../export").is_file();
        can_export.then_some(Self::Unexported(number))
    }
}

impl Device {
    /// Finds out which device it is, and makes it ready; its light stays as it is.
    fn open(directory: &Path) -> Result<Self, PanelError> {
        match Kind::of(directory) {
            Some(Kind::Backlight) => Self::open_backlight(directory),
            Some(Kind::Pwm) => Self::open_pwm(directory),
            Some(Kind::Unexported(number)) => {
                write(directory, "../export", number)?;
                Self::open_pwm(directory)
            }
            None => Err(no_backlight(directory)),
        }
    }

    fn open_backlight(directory: &Path) -> Result<Self, PanelError> {
        let most = read(directory, "max_brightness")?;
        let has_power = has(directory, "bl_power");
        let is_on = !has_power || read(directory, "bl_power")? == POWER_ON;
        let before = match read(directory, "brightness")? {
            0 => most,
            found if is_on => found,
            _ => most,
        };
        Ok(Self::Backlight {
            most,
            has_power,
            before,
        })
    }

    fn open_pwm(directory: &Path) -> Result<Self, PanelError> {
        let period = match read(directory, "period")? {
            0 => {
                write(directory, "period", PERIOD_NS)?;
                PERIOD_NS
            }
            period => period,
        };
        let is_on = read(directory, "enable")? == 1;
        let before = match read(directory, "duty_cycle")? {
            0 => period,
            found if is_on => found,
            _ => period,
        };
        Ok(Self::Pwm { period, before })
    }

    /// Writes a value of the device's own scale.
    fn write(self, directory: &Path, value: u32) -> Result<(), PanelError> {
        match self {
            Self::Backlight { has_power, .. } => {
                write(directory, "brightness", value)?;
                let power = match value {
                    // At 0 some drivers leave a glow.
                    0 => POWER_OFF,
                    _ => POWER_ON,
                };
                if has_power && read(directory, "bl_power")? != power {
                    write(directory, "bl_power", power)?;
                }
            }
            Self::Pwm { .. } => {
                write(directory, "duty_cycle", value)?;
                // Not disabled for "off": the level of a disabled output is the driver's choice,
                // and many panels pull their line up.
                if read(directory, "enable")? != 1 {
                    write(directory, "enable", 1)?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for KernelBacklight {
    fn drop(&mut self) {
        if let Some(device) = self.device {
            let (Device::Backlight { before, .. } | Device::Pwm { before, .. }) = device;
            // There is nobody left to tell.
            let _ = device.write(&self.directory, before);
        }
    }
}

fn has(directory: &Path, file: &str) -> bool {
    directory.join(file).is_file()
}

/// Returns the path of a file in the directory, or beside it: `..` may not be left to the file
/// system, because the directory may not be there yet.
fn place_of(directory: &Path, file: &str) -> PathBuf {
    match file.strip_prefix("../") {
        Some(file) => directory.with_file_name(file),
        None => directory.join(file),
    }
}

fn no_backlight(directory: &Path) -> PanelError {
    PanelError::NoBacklight {
        directory: directory.to_owned(),
    }
}

fn read(directory: &Path, file: &str) -> Result<u32, PanelError> {
    let file = directory.join(file);
    let number = regular_file::read_text(&file, MOST_BYTES).and_then(|text| {
        let number = text.trim().parse();
        number.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    });
    number.map_err(|source| PanelError::ReadBacklight { file, source })
}

fn write(directory: &Path, file: &str, number: u32) -> Result<(), PanelError> {
    use io::Write as _;

    let path = place_of(directory, file);
    let mut opened = open(&path, OpenOptions::new().write(true).truncate(true))?;
    // One call: the kernel takes each as a value of its own.
    opened
        .write_all(format!("{number}\n").as_bytes())
        .map_err(|source| PanelError::WriteBacklight { file: path, source })
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<std::fs::File, PanelError> {
    regular_file::open_with(options, path).map_err(|source| PanelError::WriteBacklight {
        file: path.to_owned(),
        source,
    })
}
