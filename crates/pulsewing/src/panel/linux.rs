//! The devices themselves.

use std::{error::Error, ffi::c_ulong, fs::File, io, os::fd::AsRawFd, path::Path, ptr};

use linux_embedded_hal::{
    CdevPin, Delay, SpidevDevice,
    gpio_cdev::{self, Chip, LineRequestFlags},
    spidev::{SpiModeFlags, SpidevOptions},
};

use super::{
    PinSpec,
    framebuffer::{Channel, Fixed, ScreenInfo, Variable},
    spi,
};
use crate::problem::Problem;

/// Asks the kernel about framebuffers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel;

/// `struct fb_var_screeninfo` of linux/fb.h.
#[derive(Debug, Default)]
#[repr(C)]
struct FbVarScreeninfo {
    xres: u32,
    yres: u32,
    xres_virtual: u32,
    yres_virtual: u32,
    xoffset: u32,
    yoffset: u32,
    bits_per_pixel: u32,
    grayscale: u32,
    /// Red, green, blue, transparency.
    channels: [Channel; 4],
    nonstd: u32,
    /// From `activate` to the last of `reserved`.
    rest: [u32; 19],
}

/// `struct fb_fix_screeninfo` of linux/fb.h.
#[derive(Debug, Default)]
#[repr(C)]
struct FbFixScreeninfo {
    id: [u8; 16],
    smem_start: c_ulong,
    smem_len: u32,
    kind: u32,
    type_aux: u32,
    visual: u32,
    steps: [u16; 3],
    line_length: u32,
    mmio_start: c_ulong,
    mmio_len: u32,
    accel: u32,
    capabilities: u16,
    reserved: [u16; 2],
}

/// What an ioctl fills in.
trait Answer: Default {
    const REQUEST: libc::Ioctl;
}

impl Answer for FbVarScreeninfo {
    /// `FBIOGET_VSCREENINFO`.
    const REQUEST: libc::Ioctl = 0x4600;
}

impl Answer for FbFixScreeninfo {
    /// `FBIOGET_FSCREENINFO`.
    const REQUEST: libc::Ioctl = 0x4602;
}

/// Asks the kernel. A file that does not know the request says `ENOTTY`.
#[expect(unsafe_code, reason = "an ioctl takes a pointer")]
fn ask<A: Answer>(device: &File) -> io::Result<A> {
    let mut answer = A::default();
    // SAFETY: the kernel writes one structure of the request's kind to where the pointer points. The
    // implementations of `Answer` pair each request with that structure, laid out as C does and of
    // integers only, so that any bytes are a value. The file is open, and the kernel keeps no pointer.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), A::REQUEST, ptr::from_mut(&mut answer)) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(answer)
}

impl ScreenInfo for Kernel {
    fn variable(&self, device: &File) -> io::Result<Variable> {
        let info: FbVarScreeninfo = ask(device)?;
        Ok(Variable {
            size: (info.xres, info.yres),
            offset: (info.xoffset, info.yoffset),
            bits: info.bits_per_pixel,
            grayscale: info.grayscale,
            channels: info.channels,
            nonstandard: info.nonstd,
        })
    }

    fn fixed(&self, device: &File) -> io::Result<Fixed> {
        let info: FbFixScreeninfo = ask(device)?;
        Ok(Fixed {
            bytes: info.smem_len,
            kind: info.kind,
            visual: info.visual,
            line: info.line_length,
        })
    }
}

/// The machine's SPI devices and GPIO chips.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports;

impl spi::Ports for Ports {
    type Spi = SpidevDevice;
    type Pin = CdevPin;
    type Delay = Delay;

    fn spi(&mut self, path: &Path, hz: u32) -> Result<SpidevDevice, Problem> {
        let options = SpidevOptions::new()
            .bits_per_word(8)
            .max_speed_hz(hz)
            .mode(SpiModeFlags::SPI_MODE_0)
            .lsb_first(false)
            .build();
        let mut device = SpidevDevice::open(path).map_err(|error| no_spi(path, error.inner()))?;
        device.configure(&options).map_err(|error| {
            Problem::failed(format!("{} does not take our settings", path.display()))
                .caused_by(&error)
                .hint("an SPI device such as /dev/spidev0.0 is expected; perhaps it does not run at this clock (hz=...)")
        })?;
        Ok(device)
    }

    fn output(&mut self, pin: &PinSpec, is_high: bool) -> Result<CdevPin, Problem> {
        let mut chip = Chip::new(&pin.chip).map_err(|error| no_pin(pin, &error))?;
        let line = chip
            .get_line(pin.line)
            .map_err(|error| no_pin(pin, &error))?;
        let user = line.info().ok().filter(gpio_cdev::LineInfo::is_used);
        if let Some(user) = user {
            let user = user.consumer().unwrap_or("the kernel").to_owned();
            return Err(
                Problem::failed(format!("the pin {pin} is in use by {user}")).hint(
                    "free it, or wire the panel to another: `gpioinfo` shows which are unused",
                ),
            );
        }
        line.request(LineRequestFlags::OUTPUT, u8::from(is_high), "pulsewing")
            .and_then(CdevPin::new)
            .map_err(|error| no_pin(pin, &error))
    }

    fn delay(&mut self) -> Delay {
        Delay
    }
}

fn no_spi(path: &Path, error: &io::Error) -> Problem {
    let problem = Problem::failed(format!(
        "the SPI device {} could not be opened",
        path.display()
    ))
    .caused_by(error);
    match error.kind() {
        io::ErrorKind::NotFound => problem.hint(
            "on a Raspberry Pi `sudo raspi-config nonint do_spi 0` turns SPI on after a restart; an overlay for a panel takes the device away (docs/panels.md)",
        ),
        io::ErrorKind::PermissionDenied => problem.hint(
            "it belongs to the group spi: `sudo usermod -aG spi,gpio $USER`, then sign out and in again",
        ),
        _ => problem,
    }
}

fn no_pin(pin: &PinSpec, error: &gpio_cdev::Error) -> Problem {
    let kind = error
        .source()
        .and_then(|source| source.downcast_ref())
        .map(io::Error::kind);
    let problem = Problem::failed(format!("the pin {pin} could not be had")).caused_by(error);
    match kind {
        Some(io::ErrorKind::NotFound) => problem.hint(
            "`gpiodetect` lists the chips of this machine; the header of a Raspberry Pi is gpiochip0, on a Pi 5 with an older kernel gpiochip4",
        ),
        Some(io::ErrorKind::PermissionDenied) => problem.hint(
            "it belongs to the group gpio: `sudo usermod -aG spi,gpio $USER`, then sign out and in again",
        ),
        _ => problem,
    }
}
