//! The errors of panels.

use std::{error::Error, io, path::PathBuf};

use embedded_graphics::geometry::Size;
use thiserror::Error;

use crate::{PictureError, PinSpec};

/// The reason why a panel cannot show a picture.
#[derive(Debug, Error)]
pub enum PanelError {
    /// The framebuffer device cannot be opened.
    #[error("the framebuffer {} could not be opened", device.display())]
    OpenFramebuffer {
        /// The device.
        device: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The kernel does not know the device as a framebuffer.
    #[error("{} is not a framebuffer", device.display())]
    NoFramebuffer {
        /// The device.
        device: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The framebuffer has a pixel format that we cannot write.
    #[error("the framebuffer {} cannot be drawn to: {why}", device.display())]
    PixelFormat {
        /// The device.
        device: PathBuf,
        /// The difference, such as its number of bits.
        why: String,
    },
    /// Pixels could not be written to the framebuffer.
    #[error("the framebuffer {} could not be written", device.display())]
    WriteFramebuffer {
        /// The device.
        device: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The SPI device cannot be opened.
    #[error("the SPI device {} could not be opened", device.display())]
    OpenSpi {
        /// The device.
        device: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The SPI device refuses mode 0 with 8-bit words, or the clock.
    #[error("{} does not accept our settings", device.display())]
    ConfigureSpi {
        /// The device.
        device: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Another process or driver uses a pin.
    #[error("the pin {pin} is in use by {user}")]
    PinInUse {
        /// The pin.
        pin: PinSpec,
        /// Its user, as the kernel names it.
        user: String,
    },
    /// A pin cannot be opened.
    #[error("the pin {pin} is not available")]
    OpenPin {
        /// The pin.
        pin: PinSpec,
        /// The cause; its own source is the [`io::Error`], if there is one.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The panel's reset pin cannot be driven.
    #[error("the panel at {name} could not be reset: {why}")]
    Reset {
        /// The SPI device of the panel.
        name: String,
        /// The pin's own error.
        why: String,
    },
    /// A transfer on the bus failed.
    #[error("the panel at {name} cannot be drawn to")]
    Bus {
        /// The SPI device of the panel.
        name: String,
        /// The driver's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The directory is not that of a backlight.
    #[error("{} is not a backlight of the kernel", directory.display())]
    NoBacklight {
        /// The directory.
        directory: PathBuf,
    },
    /// A file of the backlight cannot be read, or has no number.
    #[error("the backlight's {} could not be read", file.display())]
    ReadBacklight {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file of the backlight cannot be written.
    #[error("the backlight's {} could not be written", file.display())]
    WriteBacklight {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The panel is smaller or larger than a picture can be.
    #[error("the panel {name} has {}x{} pixels, but a picture must have from 160x80 to 4096x4096", size.width, size.height)]
    Size {
        /// The panel.
        name: String,
        /// Its size in pixels.
        size: Size,
    },
    /// The picture does not have the panel's size.
    #[error("the picture does not have the panel's size")]
    OtherSize,
    /// The picture could not be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// This operating system does not support such panels.
    #[error("there is no panel {0}")]
    Unsupported(String),
}

impl PanelError {
    /// Returns the suggested next step, in one sentence; `None` if the message is enough.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        use io::ErrorKind::{NotFound, PermissionDenied};
        Some(match self {
            Self::OpenFramebuffer { source, .. } => match source.kind() {
                NotFound => {
                    "list this machine's framebuffers with `cat /proc/fb`; a panel has one once its overlay is loaded (docs/panels.md)"
                }
                PermissionDenied => {
                    "it belongs to the group video: `sudo usermod -aG video $USER`, then sign out and in again"
                }
                _ => return None,
            },
            Self::NoFramebuffer { .. } => {
                "list this machine's framebuffers with `cat /proc/fb`: number 1 is /dev/fb1"
            }
            Self::PixelFormat { .. } => {
                "only 16 bits (RGB565) and 32 bits (XRGB8888) are supported; on many machines `fbset -fb DEVICE -depth 16` changes the depth"
            }
            Self::OpenSpi { source, .. } => match source.kind() {
                NotFound => {
                    "on a Raspberry Pi, turn on SPI with `sudo raspi-config nonint do_spi 0` and restart; an overlay for a panel takes over the device (docs/panels.md)"
                }
                PermissionDenied => {
                    "it belongs to the group spi: `sudo usermod -aG spi,gpio $USER`, then sign out and in again"
                }
                _ => return None,
            },
            Self::ConfigureSpi { .. } => {
                "check that this is an SPI device such as /dev/spidev0.0, and that it supports this clock (hz=...)"
            }
            Self::PinInUse { .. } => {
                "free it, or wire the panel to another pin: `gpioinfo` shows which are unused"
            }
            Self::OpenPin { source, .. } => {
                let cause = source.source().and_then(<dyn Error>::downcast_ref);
                match cause.map(io::Error::kind) {
                    Some(NotFound) => {
                        "list this machine's chips with `gpiodetect`; the header of a Raspberry Pi is gpiochip0, or gpiochip4 on a Pi 5 with an older kernel"
                    }
                    Some(PermissionDenied) => {
                        "it belongs to the group gpio: `sudo usermod -aG spi,gpio $USER`, then sign out and in again"
                    }
                    _ => return None,
                }
            }
            Self::NoBacklight { .. } => {
                "name a directory such as /sys/class/backlight/NAME or /sys/class/pwm/pwmchip0/pwm0: `ls /sys/class/backlight /sys/class/pwm` lists them (docs/panels.md)"
            }
            Self::ReadBacklight { source, .. } | Self::WriteBacklight { source, .. } => {
                match source.kind() {
                    PermissionDenied => {
                        "the file belongs to root: a udev rule gives it to a group that you are in (docs/panels.md, \"The backlight\")"
                    }
                    _ => {
                        "check that `backlight=` names this panel's backlight; it is tried again every minute"
                    }
                }
            }
            Self::Unsupported(_) => {
                "framebuffers and SPI devices only exist on Linux; elsewhere, draw to a PNG file (--png FILE)"
            }
            Self::WriteFramebuffer { .. }
            | Self::Reset { .. }
            | Self::Bus { .. }
            | Self::Size { .. }
            | Self::OtherSize
            | Self::Picture(_) => return None,
        })
    }
}
