//! A framebuffer device of the kernel, `/dev/fbN`.
//!
//! Before every picture we ask the kernel for the size, the pixel format and the line length:
//! plugging in a monitor may change all of them.
//!
//! Pixels are written with `pwrite`, not through mapped memory. That needs no unsafe code, a device
//! that is shorter than it claims gives an error instead of a crash, and the driver of a panel on a
//! slow bus learns which lines changed and sends only those.

use std::{
    fs::{File, OpenOptions},
    io,
    ops::Range,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use embedded_graphics::{
    geometry::{Point, Size},
    pixelcolor::{IntoStorage, Rgb565, Rgb888},
    primitives::Rectangle,
};
use pulsewing_screen::{Colours, Frame};
use rustix::fs::OFlags;

use crate::{FramebufferSpec, PanelError, Ready, Surface, Turn};

/// `FB_TYPE_PACKED_PIXELS` of linux/fb.h.
const PACKED_PIXELS: u32 = 0;

/// `FB_VISUAL_TRUECOLOR` of linux/fb.h.
const TRUE_COLOUR: u32 = 2;

/// The kernel's information about a framebuffer.
pub trait ScreenInfo {
    /// Returns the changeable settings: `FBIOGET_VSCREENINFO`.
    ///
    /// # Errors
    /// Whatever the kernel reports; `ENOTTY` when the file is not a framebuffer.
    fn variable(&self, device: &File) -> io::Result<Variable>;

    /// Returns the fixed settings: `FBIOGET_FSCREENINFO`.
    ///
    /// # Errors
    /// Whatever the kernel reports; `ENOTTY` when the file is not a framebuffer.
    fn fixed(&self, device: &File) -> io::Result<Fixed>;
}

/// `struct fb_var_screeninfo` of linux/fb.h, reduced to the members that we need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// The visible size.
    pub size: (u32, u32),
    /// The position of the visible part in memory.
    pub offset: (u32, u32),
    /// The number of bits per pixel.
    pub bits: u32,
    /// 0 unless pixels are greys, or their format is a FOURCC.
    pub grayscale: u32,
    /// The places of red, green, blue and opacity in a pixel.
    pub channels: [Channel; 4],
    /// 0 unless the pixel format is nonstandard.
    pub nonstandard: u32,
}

/// `struct fb_bitfield` of linux/fb.h.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Channel {
    /// The position of its lowest bit.
    pub offset: u32,
    /// Its number of bits.
    pub length: u32,
    /// 0 unless its lowest bit comes first.
    pub msb_right: u32,
}

/// `struct fb_fix_screeninfo` of linux/fb.h, reduced to the members that we need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The size of the memory, in bytes.
    pub bytes: u32,
    /// The arrangement of pixels in memory: 0 for packed pixels.
    pub kind: u32,
    /// The meaning of a pixel: 2 for a colour.
    pub visual: u32,
    /// The length of a line, in bytes.
    pub line: u32,
}

/// A framebuffer, and its layout at the last query.
#[derive(Debug)]
pub struct Framebuffer<I> {
    device: File,
    path: PathBuf,
    turn: Turn,
    info: I,
    layout: Layout,
}

/// The layout of the visible pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    size: Size,
    /// The first byte of the visible part.
    start: u64,
    /// The distance from one line to the next, in bytes.
    line: u64,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Rgb565,
    /// The fourth byte is the value of the highest bits: the opacity, if it is used at all.
    Xrgb8888 {
        opaque: u32,
    },
}

impl<I: ScreenInfo> Framebuffer<I> {
    /// Opens a framebuffer.
    ///
    /// # Errors
    /// [`PanelError`] when there is no framebuffer that we can draw to.
    pub fn open(spec: &FramebufferSpec, info: I) -> Result<Self, PanelError> {
        let path = spec.device.clone();
        // Opening a pipe in its place would block until another process reads it.
        let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
        let device = OpenOptions::new()
            .write(true)
            .custom_flags(without_waiting)
            .open(&path);
        let device = device.map_err(|source| PanelError::OpenFramebuffer {
            device: path.clone(),
            source,
        })?;
        let layout = ask(&device, &path, &info)?;
        Ok(Self {
            device,
            path,
            turn: spec.turn,
            info,
            layout,
        })
    }
}

impl<I: ScreenInfo + std::fmt::Debug> Surface for Framebuffer<I> {
    fn prepare(&mut self) -> Result<Ready, PanelError> {
        let layout = ask(&self.device, &self.path, &self.info)?;
        let keeps = layout == self.layout;
        self.layout = layout;
        Ok(Ready {
            size: turned(layout.size, self.turn),
            keeps,
        })
    }

    fn push(
        &mut self,
        frame: &Frame<Vec<u8>>,
        colours: &Colours,
        areas: &[Rectangle],
    ) -> Result<(), PanelError> {
        let colours = colours
            .rgb888()
            .map(|colour| self.layout.format.pixel(colour));
        let mut line = Vec::new();
        for area in areas {
            let area = on_glass(area, self.layout.size, self.turn);
            for y in area.rows() {
                line.clear();
                for x in area.columns() {
                    let at = in_frame(Point::new(x, y), self.layout.size, self.turn);
                    let ink = frame.pixel(at).map_or(0, |ink| usize::from(ink.index()));
                    let pixel = colours.get(ink).copied().unwrap_or_default();
                    line.extend_from_slice(self.layout.format.bytes(&pixel));
                }
                self.device
                    .write_all_at(&line, self.layout.place(area.top_left.x, y))
                    .map_err(|source| PanelError::WriteFramebuffer {
                        device: self.path.clone(),
                        source,
                    })?;
            }
        }
        Ok(())
    }
}

impl Layout {
    /// Returns the position of a visible pixel, in bytes.
    fn place(&self, x: i32, y: i32) -> u64 {
        let (x, y) = (x.unsigned_abs(), y.unsigned_abs());
        self.start + u64::from(y) * self.line + u64::from(x) * self.format.bytes_of_pixel()
    }

    fn new(variable: &Variable, fixed: &Fixed) -> Result<Self, String> {
        let format = Format::new(variable, fixed)?;
        let (width, height) = variable.size;
        let (x, y) = variable.offset;
        let line = u64::from(fixed.line);
        let used = (u64::from(x) + u64::from(width)) * format.bytes_of_pixel();
        if used > line {
            return Err(format!(
                "its lines have {line} bytes, and its pixels would need {used}"
            ));
        }
        let start = u64::from(y) * line + u64::from(x) * format.bytes_of_pixel();
        let needed = (u64::from(y) + u64::from(height)) * line;
        // Some drivers do not report the length.
        if fixed.bytes != 0 && needed > u64::from(fixed.bytes) {
            return Err(format!(
                "its memory has {} bytes, and its lines would need {needed}",
                fixed.bytes
            ));
        }
        Ok(Self {
            size: Size::new(width, height),
            start,
            line,
            format,
        })
    }
}

impl Format {
    /// Returns the format of a framebuffer's pixels, or a description of an unsupported one.
    fn new(variable: &Variable, fixed: &Fixed) -> Result<Self, String> {
        if fixed.kind != PACKED_PIXELS {
            return Err("its pixels are not consecutive in memory".into());
        }
        if fixed.visual != TRUE_COLOUR || variable.grayscale != 0 || variable.nonstandard != 0 {
            return Err(format!(
                "its {}-bit pixels are not made of red, green and blue",
                variable.bits
            ));
        }
        let [red, green, blue, opacity] = variable.channels;
        let places = [red, green, blue].map(|channel| (channel.offset, channel.length));
        let is_reversed = [red, green, blue, opacity]
            .iter()
            .any(|channel| channel.msb_right != 0);
        match (variable.bits, places) {
            (16, [(11, 5), (5, 6), (0, 5)]) if !is_reversed => Ok(Self::Rgb565),
            (32, [(16, 8), (8, 8), (0, 8)]) if !is_reversed => Ok(Self::Xrgb8888 {
                opaque: if (opacity.offset, opacity.length) == (24, 8) {
                    0xff00_0000
                } else {
                    0
                },
            }),
            (bits, [red, green, blue]) => {
                let place = |(offset, length): (u32, u32)| format!("{length} from bit {offset}");
                Err(format!(
                    "its pixels have {bits} bits (red {}, green {}, blue {})",
                    place(red),
                    place(green),
                    place(blue)
                ))
            }
        }
    }

    const fn bytes_of_pixel(self) -> u64 {
        match self {
            Self::Rgb565 => 2,
            Self::Xrgb8888 { .. } => 4,
        }
    }

    /// Returns a pixel's bytes in memory, in the machine's byte order. Only the first
    /// [`bytes_of_pixel`](Self::bytes_of_pixel) count.
    fn pixel(self, [red, green, blue]: [u8; 3]) -> [u8; 4] {
        let colour = Rgb888::new(red, green, blue);
        match self {
            Self::Rgb565 => {
                let [a, b] = Rgb565::from(colour).into_storage().to_ne_bytes();
                [a, b, 0, 0]
            }
            Self::Xrgb8888 { opaque } => (colour.into_storage() | opaque).to_ne_bytes(),
        }
    }

    fn bytes(self, pixel: &[u8; 4]) -> &[u8] {
        match self {
            Self::Rgb565 => pixel.first_chunk::<2>().map_or(&[], |both| both),
            Self::Xrgb8888 { .. } => pixel,
        }
    }
}

/// Returns the size of the picture on glass of this size.
const fn turned(glass: Size, turn: Turn) -> Size {
    match turn {
        Turn::None | Turn::Half => glass,
        Turn::Quarter | Turn::ThreeQuarters => Size::new(glass.height, glass.width),
    }
}

/// Returns the point of the picture that appears at a point of the glass.
const fn in_frame(at: Point, glass: Size, turn: Turn) -> Point {
    let right = glass.width.cast_signed() - 1;
    let bottom = glass.height.cast_signed() - 1;
    match turn {
        Turn::None => at,
        Turn::Quarter => Point::new(at.y, right - at.x),
        Turn::Half => Point::new(right - at.x, bottom - at.y),
        Turn::ThreeQuarters => Point::new(bottom - at.y, at.x),
    }
}

/// Returns the place of an area of the picture on the glass.
fn on_glass(area: &Rectangle, glass: Size, turn: Turn) -> Rectangle {
    let right = glass.width.cast_signed();
    let bottom = glass.height.cast_signed();
    let (columns, rows) = (area.columns(), area.rows());
    let between = |x: Range<i32>, y: Range<i32>| {
        let size = Size::new(x.end.abs_diff(x.start), y.end.abs_diff(y.start));
        Rectangle::new(Point::new(x.start, y.start), size)
    };
    match turn {
        Turn::None => between(columns, rows),
        Turn::Quarter => between(right - rows.end..right - rows.start, columns),
        Turn::Half => between(
            right - columns.end..right - columns.start,
            bottom - rows.end..bottom - rows.start,
        ),
        Turn::ThreeQuarters => between(rows, bottom - columns.end..bottom - columns.start),
    }
}

fn ask(device: &File, path: &Path, info: &impl ScreenInfo) -> Result<Layout, PanelError> {
    let told = info
        .variable(device)
        .and_then(|variable| Ok((variable, info.fixed(device)?)));
    let (variable, fixed) = told.map_err(|source| PanelError::NoFramebuffer {
        device: path.to_owned(),
        source,
    })?;
    Layout::new(&variable, &fixed).map_err(|why| PanelError::PixelFormat {
        device: path.to_owned(),
        why,
    })
}
