//! The real devices of Linux.

use std::{ffi::c_ulong, fs::File, io, os::fd::AsRawFd, path::Path, ptr};

use linux_embedded_hal::{
    CdevPin, Delay, SpidevDevice,
    gpio_cdev::{self, Chip, Line, LineRequestFlags},
    spidev::{SpiModeFlags, SpidevOptions},
};

use crate::{
    PanelError, PinSpec,
    framebuffer::{Channel, Fixed, ScreenInfo, Variable},
    spi,
};

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

/// A structure that an ioctl fills in.
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

/// Asks the kernel. A file that does not support the request returns `ENOTTY`.
#[expect(unsafe_code, reason = "an ioctl takes a pointer")]
fn ask<A: Answer>(device: &File) -> io::Result<A> {
    let mut answer = A::default();
    // SAFETY: the kernel writes one structure of the request's type to the pointer's target. The
    // implementations of `Answer` pair each request with that structure, which has C layout and
    // consists of integers only, so that any bytes are a valid value. The file is open, and the
    // kernel keeps no pointer.
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

    fn spi(&mut self, path: &Path, hz: u32) -> Result<SpidevDevice, PanelError> {
        let options = SpidevOptions::new()
            .bits_per_word(8)
            .max_speed_hz(hz)
            .mode(SpiModeFlags::SPI_MODE_0)
            .lsb_first(false)
            .build();
        let mut spi = SpidevDevice::open(path).map_err(|error| PanelError::OpenSpi {
            device: path.to_owned(),
            source: copy_of(error.inner()),
        })?;
        spi.configure(&options)
            .map_err(|source| PanelError::ConfigureSpi {
                device: path.to_owned(),
                source,
            })?;
        Ok(spi)
    }

    fn output(&mut self, pin: &PinSpec, is_high: bool) -> Result<CdevPin, PanelError> {
        if let Ok(Some(user)) = user_of(pin) {
            let pin = pin.clone();
            return Err(PanelError::PinInUse { pin, user });
        }
        let line = line_of(pin)?;
        line.request(LineRequestFlags::OUTPUT, u8::from(is_high), "pulsewing")
            .and_then(CdevPin::new)
            .map_err(|error| no_pin(pin, error))
    }

    fn delay(&mut self) -> Delay {
        Delay
    }
}

/// Checks that an SPI device can be opened.
pub(super) fn check_spi(path: &Path) -> Result<(), PanelError> {
    let opened = File::options().read(true).write(true).open(path);
    opened.map(drop).map_err(|source| PanelError::OpenSpi {
        device: path.to_owned(),
        source,
    })
}

/// Returns a pin's user, as the kernel names it.
pub(super) fn user_of(pin: &PinSpec) -> Result<Option<String>, PanelError> {
    let info = line_of(pin)?.info().map_err(|error| no_pin(pin, error))?;
    let user = info.consumer().unwrap_or("the kernel").to_owned();
    Ok(info.is_used().then_some(user))
}

fn line_of(pin: &PinSpec) -> Result<Line, PanelError> {
    Chip::new(&pin.chip)
        .and_then(|mut chip| chip.get_line(pin.line))
        .map_err(|error| no_pin(pin, error))
}

/// Copies an error: the crate only lends it, and an [`io::Error`] cannot be cloned.
fn copy_of(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

fn no_pin(pin: &PinSpec, error: gpio_cdev::Error) -> PanelError {
    PanelError::OpenPin {
        pin: pin.clone(),
        source: error.into(),
    }
}
