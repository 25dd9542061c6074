//! A notice that fills the screen, while there is no picture to keep.

use core::ops::Range;

use embedded_graphics::{prelude::*, primitives::Rectangle};
use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};

use crate::{
    Ink,
    icon::Icon,
    proportions::Proportions,
    slot::{Family, Letters, Slot},
    state::Notice,
    text::Align,
    wallpaper::{self, Wallpaper},
};

/// The largest code that is drawn: 41 modules a side, enough for an address of 106 characters.
const LARGEST: Version = Version::new(6);

/// The length of the buffers for such a code, in bytes.
const CODE_BYTES: usize = LARGEST.buffer_len();

/// The empty modules that a reader needs around a code.
const QUIET_ZONE: i32 = 4;

/// The height below which a wallpaper is not worth showing.
const LEAST_SKY: i32 = 48;

/// Draws a notice over the whole of a target.
pub(crate) fn draw<D: DrawTarget<Color = Ink>>(
    notice: &Notice<'_>,
    target: &mut D,
) -> Result<(), D::Error> {
    target.clear(Ink::Ground)?;
    let measures = Measures::new(target.bounding_box().size);
    let right = measures.width - measures.margin;
    let code = match notice.address {
        Some(address) => draw_code(address, &measures, right, target)?,
        None => None,
    };
    let full = match code {
        Some(_) => notice.clone().beside_its_code(),
        None => notice.clone().without_a_code(),
    };
    let right = code.unwrap_or(right);
    let mut text = Text::new(&full, &measures, right);
    if text.advice.is_empty() {
        // The address is too long for the page; the rest may fit.
        text = Text::new(notice, &measures, right);
    }
    // A little above the middle, which looks centred.
    let top = (measures.height - text.height) * 2 / 5;
    text.draw(top.max(measures.margin), target)
}

/// Draws a wallpaper with a notice under it; the notice alone if there is no room for both.
pub(crate) fn draw_on_wallpaper<D: DrawTarget<Color = Ink>>(
    notice: &Notice<'_>,
    wallpaper: Option<&Wallpaper<'_>>,
    target: &mut D,
) -> Result<(), D::Error> {
    let size = target.bounding_box().size;
    let Some(sky) = sky(notice, size) else {
        return draw(notice, target);
    };
    target.clear(Ink::Ground)?;
    wallpaper::draw(wallpaper, &mut target.cropped(&sky))?;
    let measures = Measures::new(size);
    Text::of_page(notice, &measures).draw(sky.rows().end + measures.margin, target)
}

/// Returns the place of the wallpaper with a notice in a picture of this size, if one is visible.
pub(crate) fn sky(notice: &Notice<'_>, size: Size) -> Option<Rectangle> {
    let measures = Measures::new(size);
    let height = measures.height - Text::of_page(notice, &measures).height - 2 * measures.margin;
    let is_enough = height >= LEAST_SKY.max(measures.height / 3);
    let size = Size::new(size.width, height.max(0).cast_unsigned());
    is_enough.then(|| Rectangle::new(Point::zero(), size))
}

/// The measures of a page.
struct Measures {
    width: i32,
    height: i32,
    /// The height of the title's capitals, if there is enough width.
    title: i32,
    body: Letters,
    margin: i32,
    /// The thickness of the bar on the left.
    bar: i32,
}

impl Measures {
    fn new(size: Size) -> Self {
        let page = Proportions::new(size);
        Self {
            width: page.width,
            height: page.height,
            title: page.scaled(29, 8),
            body: Letters::of(page.scaled(14, 8)),
            margin: page.scaled(24, 3),
            bar: page.scaled(4, 1),
        }
    }
}

/// A title and some paragraphs, and their total height.
struct Text<'t> {
    title: (&'t str, Letters),
    why: &'t str,
    advice: &'t str,
    command: &'t str,
    icon: Icon,
    ink: Ink,
    /// The columns of the icon before the title.
    icon_room: i32,
    measures: &'t Measures,
    columns: Range<i32>,
    height: i32,
}

impl<'t> Text<'t> {
    /// Returns a notice that has the page's whole width.
    fn of_page(notice: &'t Notice<'_>, measures: &'t Measures) -> Self {
        Self::new(notice, measures, measures.width - measures.margin)
    }

    /// Returns the most important parts of a notice that fit on the page, left of `right`.
    fn new(notice: &'t Notice<'_>, measures: &'t Measures, right: i32) -> Self {
        let room = measures.height - 2 * measures.margin;
        let left = measures.margin + 4 * measures.bar;
        let room_of_title = right - left - Letters::of(measures.title).ascent() * 5 / 3;
        let title = Family::Barlow.fitting(&notice.title, measures.title, room_of_title);
        let icon_room = title.ascent() * 5 / 3;
        let mut text = Self {
            title: (&notice.title, title),
            why: &notice.why,
            advice: &notice.advice,
            command: notice.command.unwrap_or_default(),
            icon: notice.icon,
            ink: notice.ink,
            icon_room,
            measures,
            columns: left..right,
            height: 0,
        };
        text.height = text.measured();
        if text.height > room {
            text.why = "";
            text.height = text.measured();
        }
        if text.height > room && !text.command.is_empty() {
            text.advice = "";
            text.height = text.measured();
        }
        text
    }

    const fn pitch(&self) -> i32 {
        self.measures.body.height() + self.measures.body.ascent() / 4
    }

    const fn gap(&self) -> i32 {
        self.measures.body.ascent()
    }

    /// Returns the space around the command in its field.
    const fn padding(&self) -> i32 {
        self.measures.body.ascent() / 2
    }

    fn lines(&self, text: &'t str, inset: i32) -> impl Iterator<Item = &'t str> {
        let width = self.columns.end - self.columns.start - 2 * inset;
        self.measures.body.wrap(text, width)
    }

    /// Returns the command, if there are no words above it.
    const fn lone_command(&self) -> &'t str {
        if self.advice.is_empty() {
            self.command
        } else {
            ""
        }
    }

    fn measured(&self) -> i32 {
        let paragraph = |text, inset| match self.lines(text, inset).map(|_| 1).sum::<i32>() {
            0 => 0,
            lines => lines * self.pitch() + 2 * inset,
        };
        let paragraphs = [self.why, self.advice, self.lone_command()];
        let gaps = paragraphs.map(|text| if text.is_empty() { 0 } else { self.gap() });
        self.title.1.height()
            + gaps.into_iter().sum::<i32>()
            + paragraph(self.why, 0)
            + paragraph(self.advice, 0)
            + paragraph(self.command, self.padding())
    }

    fn draw<D: DrawTarget<Color = Ink>>(&self, top: i32, target: &mut D) -> Result<(), D::Error> {
        let bar = Rectangle::new(
            Point::new(self.measures.margin, top),
            Size::new(
                self.measures.bar.cast_unsigned(),
                self.height.max(0).cast_unsigned(),
            ),
        );
        target.fill_solid(&bar, self.ink)?;
        let (words, letters) = self.title;
        let columns = self.columns.start + self.icon_room..self.columns.end;
        let title = Slot::new(letters, Align::Left, columns, top);
        title.write(words, Ink::Text, target)?;
        let side = letters.ascent() * 5 / 4;
        let icon = Rectangle::new(
            Point::new(self.columns.start, top - side / 10),
            Size::new_equal(side.max(0).cast_unsigned()),
        );
        self.icon.draw(icon, self.ink, target)?;
        let mut y = title.bottom();
        for (text, ink) in [(self.why, Ink::Text), (self.advice, Ink::Quiet)] {
            if !text.is_empty() {
                y += self.gap();
                y = self.draw_lines(text, 0, y, ink, target)?;
            }
        }
        if self.command.is_empty() {
            return Ok(());
        }
        if !self.lone_command().is_empty() {
            y += self.gap();
        }
        let padding = self.padding();
        let widest = self.lines(self.command, padding);
        let widest = widest.map(|line| self.measures.body.width(line)).max();
        let lines = self.lines(self.command, padding).map(|_| 1).sum::<i32>();
        let field = Rectangle::new(
            Point::new(self.columns.start, y),
            Size::new(
                (widest.unwrap_or(0) + 2 * padding).cast_unsigned(),
                (lines * self.pitch() + 2 * padding - self.measures.body.descent())
                    .max(0)
                    .cast_unsigned(),
            ),
        );
        target.fill_solid(&field, Ink::Faint)?;
        self.draw_lines(self.command, padding, y + padding, Ink::Text, target)?;
        Ok(())
    }

    /// Draws the lines of a paragraph, as far as there is room; returns the row where it ends.
    fn draw_lines<D: DrawTarget<Color = Ink>>(
        &self,
        text: &'t str,
        inset: i32,
        top: i32,
        ink: Ink,
        target: &mut D,
    ) -> Result<i32, D::Error> {
        let mut y = top;
        let columns = self.columns.start + inset..self.columns.end - inset;
        for line in self.lines(text, inset) {
            let slot = Slot::new(self.measures.body, Align::Left, columns.clone(), y);
            if slot.bottom() <= self.measures.height {
                slot.write(line, ink, target)?;
            }
            y += self.pitch();
        }
        Ok(y)
    }
}

/// Draws an address as a QR code at the right edge; returns the column where the room for text then
/// ends.
///
/// `None` if the address is too long or the picture too small for one.
fn draw_code<D: DrawTarget<Color = Ink>>(
    address: &str,
    measures: &Measures,
    right: i32,
    target: &mut D,
) -> Result<Option<i32>, D::Error> {
    let (mut work, mut code) = ([0; CODE_BYTES], [0; CODE_BYTES]);
    let Ok(code) = QrCode::encode_text(
        address,
        &mut work,
        &mut code,
        QrCodeEcc::Medium,
        Version::MIN,
        LARGEST,
        None,
        true,
    ) else {
        return Ok(None);
    };
    let modules = code.size() + 2 * QUIET_ZONE;
    let room = (measures.height - 2 * measures.margin).min(measures.width * 35 / 100);
    let module = room / modules;
    if module < 2 {
        return Ok(None);
    }
    let side = module * modules;
    let corner = Point::new(right - side, (measures.height - side) / 2);
    let ground = Rectangle::new(corner, Size::new_equal(side.cast_unsigned()));
    // Light background and dark modules: not every reader accepts the reverse.
    target.fill_solid(&ground, Ink::Text)?;
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let at = corner + Point::new(x + QUIET_ZONE, y + QUIET_ZONE) * module;
            let dot = Rectangle::new(at, Size::new_equal(module.cast_unsigned()));
            target.fill_solid(&dot, Ink::Ground)?;
        }
    }
    Ok(Some(corner.x - measures.margin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::examples;

    #[test]
    fn every_page_is_read_to_its_end_at_the_usual_sizes() {
        for notice in examples().map(Notice::from_state) {
            for (width, height) in [(480, 320), (320, 240), (800, 480), (1_024, 600)] {
                let measures = Measures::new(Size::new(width, height));
                let room = measures.height - 2 * measures.margin;
                let text = Text::of_page(&notice, &measures);
                assert_eq!(text.why, notice.why, "{width}x{height}");
                assert_eq!(text.advice, notice.advice, "{width}x{height}");
                assert!(text.height <= room, "{width}x{height}");
            }
        }
    }

    #[test]
    fn where_there_is_little_room_the_command_is_what_stays() {
        let notice = Notice::from_state(crate::State::SignInNeeded {
            command: "pulsewing login",
            address: None,
        });
        let measures = Measures::new(Size::new(160, 46));
        let text = Text::of_page(&notice, &measures);
        assert_eq!((text.why, text.advice), ("", ""));
        assert_eq!(text.command, "pulsewing login");
    }
}
