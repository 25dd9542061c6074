//! Framebuffers.

use std::{
    cell::Cell,
    fs::{self, File},
    io,
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

use embedded_graphics::geometry::{OriginDimensions, Size};
use pulsewing_panels::{
    Panel, PanelError, PanelSpec, Picture, PictureError, Surface,
    framebuffer::{Channel, Fixed, Framebuffer, ScreenInfo, Variable},
};
use pulsewing_screen::{Ink, Palette};
use tempfile::TempDir;

use crate::{
    pictures::{area, noise, rgb, with_boxes},
    words,
};

/// What a byte is that nobody wrote.
const UNTOUCHED: u8 = 0xa5;

const NOW: Duration = Duration::ZERO;

/// What the stand-in for the kernel says; it can be changed while a panel is open.
#[derive(Clone, Debug)]
struct Told(Rc<Cell<(Variable, Fixed)>>);

impl ScreenInfo for Told {
    fn variable(&self, _: &File) -> io::Result<Variable> {
        Ok(self.0.get().0)
    }

    fn fixed(&self, _: &File) -> io::Result<Fixed> {
        Ok(self.0.get().1)
    }
}

/// A framebuffer in an ordinary file.
struct Glass {
    _dir: TempDir,
    path: PathBuf,
    told: Told,
}

fn channel(offset: u32, length: u32) -> Channel {
    Channel {
        offset,
        length,
        msb_right: 0,
    }
}

fn rgb565() -> Variable {
    Variable {
        bits: 16,
        channels: [channel(11, 5), channel(5, 6), channel(0, 5), channel(0, 0)],
        ..Variable::default()
    }
}

fn xrgb8888() -> Variable {
    Variable {
        bits: 32,
        channels: [channel(16, 8), channel(8, 8), channel(0, 8), channel(0, 0)],
        ..Variable::default()
    }
}

impl Glass {
    /// A framebuffer of this size whose visible part begins at an offset, with lines longer than needed.
    fn new(format: Variable, size: (u32, u32), offset: (u32, u32)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fb1");
        let line = (size.0 + offset.0) * format.bits / 8 + 24;
        let bytes = line * (size.1 + offset.1 + 3);
        fs::write(&path, vec![UNTOUCHED; bytes as usize]).unwrap();
        let variable = Variable {
            size,
            offset,
            ..format
        };
        let fixed = Fixed {
            bytes,
            kind: 0,
            visual: 2,
            line,
        };
        let told = Told(Rc::new(Cell::new((variable, fixed))));
        Self {
            _dir: dir,
            path,
            told,
        }
    }

    fn tell(&self, change: impl FnOnce(&mut Variable, &mut Fixed)) {
        let (mut variable, mut fixed) = self.told.0.get();
        change(&mut variable, &mut fixed);
        self.told.0.set((variable, fixed));
    }

    /// Opens it under the name that a user gives it.
    fn open(&self, options: &str) -> Result<Panel, PanelError> {
        let text = format!("fb:{}{options}", self.path.display());
        let Ok(PanelSpec::Framebuffer(spec)) = text.parse() else {
            panic!("{text} is not a framebuffer")
        };
        let surface: Box<dyn Surface> = Box::new(Framebuffer::open(&spec, self.told.clone())?);
        Ok(Panel::over("glass", surface))
    }

    fn refusal(&self) -> String {
        words(&self.open("").unwrap_err())
    }

    /// Makes what is written from now on visible.
    fn wipe(&self) {
        let length = fs::metadata(&self.path).unwrap().len();
        fs::write(&self.path, vec![UNTOUCHED; length as usize]).unwrap();
    }

    /// The bytes of a visible pixel.
    fn pixel(&self, x: u32, y: u32) -> Vec<u8> {
        let (variable, fixed) = self.told.0.get();
        let bytes = variable.bits / 8;
        let at = (y + variable.offset.1) * fixed.line + (x + variable.offset.0) * bytes;
        let all = fs::read(&self.path).unwrap();
        all[at as usize..(at + bytes) as usize].to_vec()
    }

    fn written(&self) -> usize {
        let all = fs::read(&self.path).unwrap();
        all.iter().filter(|byte| **byte != UNTOUCHED).count()
    }
}

fn show(panel: &mut Panel, picture: &Picture) {
    panel.show(NOW, |_| Ok(picture.clone())).unwrap();
}

/// A colour as the stand-in's pixels have it, worked out apart from the program.
fn packed(bits: u32, [red, green, blue]: [u8; 3], opaque: u32) -> Vec<u8> {
    if bits == 16 {
        // To the nearest of 32 or 64 steps.
        let part = |channel: u8, most: u32| (u32::from(channel) * most + 127) / 255;
        let pixel = part(red, 31) << 11 | part(green, 63) << 5 | part(blue, 31);
        (pixel as u16).to_ne_bytes().to_vec()
    } else {
        let pixel = u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue) | opaque;
        pixel.to_ne_bytes().to_vec()
    }
}

/// Whether what is seen on the glass is the picture, turned like that.
fn assert_shows(glass: &Glass, picture: &Picture, degrees: u32, opaque: u32) {
    let (variable, _) = glass.told.0.get();
    let (width, height) = variable.size;
    let all = fs::read(&glass.path).unwrap();
    let (line, bytes) = (glass.told.0.get().1.line, variable.bits / 8);
    for y in 0..height {
        for x in 0..width {
            // Where an upright picture's pixel comes from, when the glass is turned back.
            let (from_x, from_y) = match degrees {
                0 => (x, y),
                90 => (y, width - 1 - x),
                180 => (width - 1 - x, height - 1 - y),
                _ => (height - 1 - y, x),
            };
            let at = (y + variable.offset.1) * line + (x + variable.offset.0) * bytes;
            let seen = &all[at as usize..(at + bytes) as usize];
            let expected = packed(variable.bits, rgb(picture, from_x, from_y), opaque);
            assert_eq!(seen, expected, "{degrees} degrees, at {x},{y}");
        }
    }
}

#[test]
fn a_picture_arrives_in_both_formats_however_it_is_turned() {
    for format in [rgb565(), xrgb8888()] {
        for degrees in [0, 90, 180, 270] {
            let size = if degrees % 180 == 0 {
                Size::new(240, 180)
            } else {
                Size::new(180, 240)
            };
            let glass = Glass::new(format, (240, 180), (5, 7));
            let mut panel = glass.open(&format!(",rotate={degrees}")).unwrap();
            let picture = noise(size, 3, Palette::Day);
            panel
                .show(NOW, |wanted| {
                    assert_eq!(wanted, size);
                    Ok(picture.clone())
                })
                .unwrap();
            assert_shows(&glass, &picture, degrees, 0);
            let visible = 240 * 180 * format.bits as usize / 8;
            assert!(glass.written() <= visible, "beside the visible part");

            // And what changed, too.
            let boxes = [
                (area(3, 5, 40, 1), Ink::Pink),
                (area(170, 100, 9, 70), Ink::Text),
                (area(0, 179, 1, 1), Ink::Cyan),
            ];
            let changed = with_boxes(&picture, &boxes);
            show(&mut panel, &changed);
            assert_shows(&glass, &changed, degrees, 0);
        }
    }
}

#[test]
fn opacity_is_set_where_there_is_some() {
    let mut format = xrgb8888();
    format.channels[3] = channel(24, 8);
    let glass = Glass::new(format, (160, 80), (0, 0));
    let picture = noise(Size::new(160, 80), 9, Palette::Day);
    show(&mut glass.open("").unwrap(), &picture);
    assert_shows(&glass, &picture, 0, 0xff00_0000);
}

#[test]
fn after_the_first_picture_only_what_changed_is_written() {
    let glass = Glass::new(xrgb8888(), (480, 320), (0, 0));
    let mut panel = glass.open("").unwrap();
    let picture = noise(Size::new(480, 320), 1, Palette::Day);
    show(&mut panel, &picture);
    glass.wipe();
    show(&mut panel, &picture);
    assert_eq!(glass.written(), 0);
    let red = with_boxes(&picture, &[(area(100, 50, 20, 10), Ink::Red)]);
    show(&mut panel, &red);
    assert!((1..=20 * 10 * 4).contains(&glass.written()));
    assert_eq!(glass.pixel(119, 59), packed(32, Ink::Red.rgb(), 0));
}

#[test]
fn everything_is_written_again_in_other_colours_and_after_six_hours() {
    let glass = Glass::new(rgb565(), (160, 80), (0, 0));
    let mut panel = glass.open("").unwrap();
    let size = Size::new(160, 80);
    let (day, night) = (noise(size, 1, Palette::Day), noise(size, 1, Palette::Night));
    show(&mut panel, &day);
    show(&mut panel, &night);
    assert_shows(&glass, &night, 0, 0);

    let hours = |hours: u64| Duration::from_secs(hours * 60 * 60);
    for (at, is_written) in [
        (hours(5), false),
        (hours(6), true),
        (hours(11), false),
        (hours(12), true),
    ] {
        glass.wipe();
        panel.show(at, |_| Ok(night.clone())).unwrap();
        assert_eq!(glass.written() > 0, is_written, "after {at:?}");
    }
    assert_shows(&glass, &night, 0, 0);
}

#[test]
fn a_mode_that_changes_is_followed() {
    let glass = Glass::new(rgb565(), (240, 160), (0, 0));
    let mut panel = glass.open("").unwrap();
    show(&mut panel, &noise(Size::new(240, 160), 1, Palette::Day));
    // The same size elsewhere in memory, then another size.
    for (size, offset) in [((240, 160), (0, 2)), ((200, 100), (0, 2))] {
        glass.wipe();
        glass.tell(|variable, _| (variable.size, variable.offset) = (size, offset));
        let picture = noise(Size::new(size.0, size.1), 1, Palette::Day);
        panel
            .show(NOW, |wanted| {
                assert_eq!(wanted, picture.frame.size());
                Ok(picture.clone())
            })
            .unwrap();
        assert_shows(&glass, &picture, 0, 0);
    }
    glass.tell(|variable, _| variable.bits = 8);
    let told = panel
        .show(NOW, |_| panic!("nothing to draw on"))
        .unwrap_err();
    assert!(words(&told).contains("8 bits"), "{told}");
}

#[test]
fn a_write_that_fails_is_told_and_made_good() {
    let glass = Glass::new(rgb565(), (160, 80), (0, 0));
    let mut panel = glass.open("").unwrap();
    let picture = noise(Size::new(160, 80), 1, Palette::Day);
    show(&mut panel, &picture);
    // Drawing fails: nothing is known any more.
    let failed = panel.show(NOW, |_| Err(PictureError::Size));
    assert!(matches!(
        failed,
        Err(PanelError::Picture(PictureError::Size))
    ));
    glass.wipe();
    show(&mut panel, &picture);
    assert_shows(&glass, &picture, 0, 0);
}

#[test]
fn what_cannot_be_drawn_to_is_told_in_words() {
    let glass = |format: Variable, change: fn(&mut Variable, &mut Fixed)| {
        let glass = Glass::new(format, (160, 80), (0, 0));
        glass.tell(change);
        glass.refusal()
    };
    for (told, words) in [
        (
            glass(rgb565(), |v, _| v.channels.swap(0, 2)),
            "16 bits (red 5 from bit 0, green 6 from bit 5, blue 5 from bit 11)",
        ),
        (
            glass(xrgb8888(), |v, _| v.channels[1].length = 10),
            "green 10 from bit 8",
        ),
        (glass(xrgb8888(), |v, _| v.bits = 24), "24 bits"),
        (
            glass(rgb565(), |v, _| v.channels[0].msb_right = 1),
            "cannot be drawn to",
        ),
        (
            glass(rgb565(), |v, _| v.grayscale = 1),
            "red, green and blue",
        ),
        (glass(rgb565(), |_, f| f.visual = 3), "red, green and blue"),
        (glass(rgb565(), |_, f| f.kind = 1), "not consecutive"),
        (glass(rgb565(), |_, f| f.line = 319), "would need 320"),
        (glass(rgb565(), |_, f| f.bytes = 9_999), "has 9999 bytes"),
        (
            glass(rgb565(), |v, f| {
                (v.size, v.offset) = ((u32::MAX, u32::MAX), (u32::MAX, u32::MAX));
                f.line = u32::MAX;
            }),
            "would need",
        ),
    ] {
        assert!(told.contains(words), "{words}: {told}");
        assert!(told.contains("RGB565"), "{told}");
    }
    // Too small, and too large, for a picture.
    for size in [(159, 80), (160, 79), (5_000, 80)] {
        let glass = Glass::new(rgb565(), size, (0, 0));
        let mut panel = glass.open("").unwrap();
        let told = panel
            .show(NOW, |_| panic!("no room"))
            .unwrap_err()
            .to_string();
        assert!(told.contains("from 160x80"), "{told}");
    }
}

#[test]
fn what_is_no_framebuffer_is_told_with_what_to_do() {
    let open = |spec: &str| words(&Panel::open(&spec.parse().unwrap()).unwrap_err());
    let missing = open("fb:/dev/no-such-fb");
    assert!(
        missing.contains("/dev/no-such-fb could not be opened"),
        "{missing}"
    );
    assert!(missing.contains("cat /proc/fb"), "{missing}");
    // The kernel itself is asked here: an ordinary file knows nothing of screens.
    let file = tempfile::NamedTempFile::new().unwrap();
    let ordinary = open(&format!("fb:{}", file.path().display()));
    assert!(ordinary.contains("is not a framebuffer"), "{ordinary}");
    assert_eq!(fs::read(file.path()).unwrap(), [0; 0]);
    let terminal = open("fb:/dev/null");
    assert!(
        terminal.contains("/dev/null is not a framebuffer"),
        "{terminal}"
    );
}
