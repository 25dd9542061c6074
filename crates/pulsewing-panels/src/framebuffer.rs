//! A framebuffer device of the kernel's, `/dev/fbN`.
//!
//! How large it is, how its pixels are laid out and how long a line is are asked of the kernel, before
//! every picture: a monitor that is plugged in may change all of it.
//!
//! Pixels are written with `pwrite`, not through mapped memory. That needs no unsafe code, a device
//! shorter than it says is an error and not a crash, and a panel that hangs on a slow bus behind its
//! framebuffer learns which lines changed and sends only those.

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

/// What the kernel is asked about a framebuffer.
pub trait ScreenInfo {
    /// What can be changed: `FBIOGET_VSCREENINFO`.
    ///
    /// # Errors
    /// What the kernel says; `ENOTTY` when the file is no framebuffer.
    fn variable(&self, device: &File) -> io::Result<Variable>;

    /// What cannot: `FBIOGET_FSCREENINFO`.
    ///
    /// # Errors
    /// What the kernel says; `ENOTTY` when the file is no framebuffer.
    fn fixed(&self, device: &File) -> io::Result<Fixed>;
}

/// `struct fb_var_screeninfo` of linux/fb.h, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// The visible size.
    pub size: (u32, u32),
    /// Where the visible part begins in memory.
    pub offset: (u32, u32),
    /// How many bits a pixel has.
    pub bits: u32,
    /// 0 unless pixels are greys, or named by a FOURCC.
    pub grayscale: u32,
    /// Where red, green, blue and opacity are in a pixel.
    pub channels: [Channel; 4],
    /// 0 unless pixels are not as usual.
    pub nonstandard: u32,
}

/// `struct fb_bitfield` of linux/fb.h.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Channel {
    /// The place of its lowest bit.
    pub offset: u32,
    /// How many bits it has.
    pub length: u32,
    /// 0 unless its lowest bit comes first.
    pub msb_right: u32,
}

/// `struct fb_fix_screeninfo` of linux/fb.h, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// How many bytes of memory there are.
    pub bytes: u32,
    /// How pixels lie in memory: 0 for one after the other.
    pub kind: u32,
    /// What a pixel means: 2 for a colour.
    pub visual: u32,
    /// How many bytes a line takes.
    pub line: u32,
}

/// A framebuffer, and how it was when it was last asked.
#[derive(Debug)]
pub struct Framebuffer<I> {
    device: File,
    path: PathBuf,
    turn: Turn,
    info: I,
    layout: Layout,
}

/// Where the visible pixels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    size: Size,
    /// The first byte of the visible part.
    start: u64,
    /// How many bytes from one line to the next.
    line: u64,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Rgb565,
    /// The fourth byte is what its highest bits are set to: opacity, if anything looks at it.
    Xrgb8888 {
        opaque: u32,
    },
}

impl<I: ScreenInfo> Framebuffer<I> {
    /// Opens a framebuffer.
    ///
    /// # Errors
    /// [`PanelError`] when there is none that can be drawn to.
    pub fn open(spec: &FramebufferSpec, info: I) -> Result<Self, PanelError> {
        let path = spec.device.clone();
        // A pipe in its place would be waited for until somebody reads it.
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
    /// Where a visible pixel is.
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
        // Some drivers leave the length out.
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
    /// The format of a framebuffer's pixels, or what they are instead.
    fn new(variable: &Variable, fixed: &Fixed) -> Result<Self, String> {
        if fixed.kind != PACKED_PIXELS {
            return Err("its pixels do not lie one after the other in memory".into());
        }
        if fixed.visual != TRUE_COLOUR || variable.grayscale != 0 || variable.nonstandard != 0 {
            return Err(format!(
                "its pixels of {} bits are not made of red, green and blue",
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

    /// A pixel as it lies in memory, in the machine's byte order; as many bytes as there are count.
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

/// The size of the picture on glass of this size.
const fn turned(glass: Size, turn: Turn) -> Size {
    match turn {
        Turn::None | Turn::Half => glass,
        Turn::Quarter | Turn::ThreeQuarters => Size::new(glass.height, glass.width),
    }
}

/// The point of the picture that is seen at a point of the glass.
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

/// Where an area of the picture is on the glass.
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
