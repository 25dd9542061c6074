//! The big face: rate, age and colour alone, to be read across a room.
//!
//! ```text
//!  14:07                [##-]     on a small panel in the desk theme: clock and battery
//!
//!      ###  ###
//!      #      #                   the newest minute's rate, in the colour of its zone; grey if it is old
//!      ###   #
//!      # #   #
//!      ###   #
//!
//!  Easy            8 min ago      the zone and the age
//! ```
//!
//! A banner at the bottom says what is wrong. A tiny panel has no room for one: its title takes the place
//! of the zone.

use core::ops::Range;

use embedded_graphics::{prelude::*, primitives::Rectangle};

use crate::{
    Ink, banner,
    desk::{draw_battery, is_fresh},
    model::Facts,
    outline::Outline,
    proportions::Proportions,
    slot::{Family, Letters, Slot},
    state::{Notice, written},
    text::Align,
    words,
};

/// The largest sides of a panel that has no room for the desk theme's graphs, the longer one first.
const SMALL: (u32, u32) = (320, 240);

/// The longest words and age that stand on a line together, apart from those of a notice.
const WIDEST_FOOT: &str = "Not charged  9 h 59 min ago";

/// The height of capitals from which type counts as large: 24 pixels of type (WCAG 2.2, "large scale").
const LARGE: i32 = 17;

/// Returns whether the desk theme shows this face on a panel of this size.
pub(crate) fn is_for(size: Size) -> bool {
    let (long, short) = (size.width.max(size.height), size.width.min(size.height));
    long <= SMALL.0 || short <= SMALL.1
}

/// The places of the parts.
struct Layout {
    head: Option<Head>,
    /// The rows that the digits have.
    rows: Range<i32>,
    columns: Range<i32>,
    /// The line below them: words at the left, the age at the right.
    foot: Letters,
    foot_top: i32,
}

/// The row above the digits.
struct Head {
    clock: Slot,
    battery: Rectangle,
}

impl Layout {
    fn new(size: Size, has_head: bool, has_banner: bool) -> Self {
        let picture = Proportions::new(size);
        let margin = picture.scaled(12, 3);
        let columns = margin..picture.width - margin;
        let head = (has_head && picture.height >= 100).then(|| {
            let letters = Letters::of(picture.scaled(25, 11));
            let width = letters.ascent() * 2;
            let battery = Point::new(columns.end - width, margin);
            let size = Size::new(width.cast_unsigned(), letters.ascent().cast_unsigned());
            Head {
                clock: Slot::new(letters, Align::Left, columns.start..battery.x, margin),
                battery: Rectangle::new(battery, size),
            }
        });
        let floor = match has_banner {
            true => banner::area(size, Family::Barlow).rows().start,
            false => picture.height,
        };
        let room = columns.end - columns.start;
        let foot = Family::Barlow.fitting(WIDEST_FOOT, picture.scaled(36, 11), room);
        let foot_top = floor - margin.max(foot.descent()) - foot.ascent();
        let gap = picture.scaled(14, 4);
        let top = match &head {
            Some(head) => head.clock.baseline() + gap,
            None => margin,
        };
        Self {
            head,
            rows: top..(foot_top - gap).max(top + 1),
            columns,
            foot,
            foot_top,
        }
    }

    fn foot(&self, letters: Letters, align: Align) -> Slot {
        let top = self.foot_top + self.foot.ascent() - letters.ascent();
        Slot::new(letters, align, self.columns.clone(), top)
    }

    /// Returns the largest type in which this many digits fit.
    fn digits(&self, cells: i32) -> Outline {
        let room = self.columns.end - self.columns.start;
        let highest = (self.rows.end - self.rows.start).min(room);
        let heights = (1..=highest).rev().map(Outline::exactly);
        let mut fitting = heights.filter(|outline| cells * outline.digit_width() <= room);
        fitting.next().unwrap_or_else(|| Outline::exactly(1))
    }
}

/// Draws a reading over the whole of a target that begins at the origin, and leaves the background as it
/// is. `has_head` asks for the clock.
pub(crate) fn draw<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    notice: Option<&Notice<'_>>,
    has_head: bool,
    target: &mut D,
) -> Result<(), D::Error> {
    let size = target.bounding_box().size;
    let has_room = banner::has_room_for_advice(size);
    let layout = Layout::new(size, has_head, notice.is_some() && has_room);
    if let Some(head) = &layout.head {
        head.clock
            .write(&words::present(facts.clock), Ink::Text, target)?;
        if let Some(percent) = facts.battery_percent {
            draw_battery(percent, head.battery, target)?;
        }
    }
    draw_rate(facts, &layout, target)?;
    match notice {
        Some(notice) if !has_room => draw_tiny_notice(facts, notice, &layout, target)?,
        _ => draw_foot(facts, &layout, target)?,
    }
    match notice.filter(|_| has_room) {
        Some(notice) => banner::draw(notice, Family::Barlow, target),
        None => Ok(()),
    }
}

fn draw_rate<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some((bpm, zone)) = facts.rate else {
        return Ok(());
    };
    let ink = match is_fresh(facts) {
        true => Ink::from_heart_zone(zone),
        false => Ink::Mid,
    };
    let rate = written::<4>(format_args!("{bpm}"));
    let cells = rate.chars().map(|_| 1).sum::<i32>();
    let digits = layout.digits(cells.max(2));
    let middle = i32::midpoint(layout.columns.start, layout.columns.end);
    let left = middle - cells * digits.digit_width() / 2;
    let spare = (layout.rows.end - layout.rows.start - digits.ascent()).max(0);
    let baseline = layout.rows.start + spare / 2 + digits.ascent();
    digits.write(&rate, Point::new(left, baseline), Align::Left, ink, target)
}

/// Writes zone and age. What is wrong is in the banner.
fn draw_foot<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some((_, zone)) = facts.rate else {
        return Ok(());
    };
    let (words, ink) = match is_fresh(facts) {
        // The colour of a zone is for large words; the digits above have it anyway.
        true if layout.foot.ascent() >= LARGE => (
            written::<32>(format_args!("{}", zone.name())),
            Ink::from_heart_zone(zone),
        ),
        true => (written(format_args!("{}", zone.name())), Ink::Text),
        false => (written(format_args!("was {}", zone.name())), Ink::Quiet),
    };
    let left = layout.foot(layout.foot, Align::Left);
    left.write(&words, ink, target)?;
    draw_age(facts, &left, layout.foot.width(&words), layout, target)
}

/// Writes what is wrong, and the age if there is room for both.
fn draw_tiny_notice<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    notice: &Notice<'_>,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let columns = &layout.columns;
    let side = layout.foot.ascent();
    let room = columns.end - columns.start - side * 4 / 3;
    let letters = Family::Barlow.fitting(&notice.title, side, room);
    let title = layout.foot(letters, Align::Left);
    let icon = Rectangle::new(
        Point::new(columns.start, title.baseline() - side),
        Size::new_equal(side.cast_unsigned()),
    );
    notice.icon.draw(icon, notice.ink, target)?;
    let title = Slot::new(
        letters,
        Align::Left,
        columns.start + side * 4 / 3..columns.end,
        title.top(),
    );
    title.write(&notice.title, notice.ink, target)?;
    let taken = side * 4 / 3 + letters.width(&notice.title);
    draw_age(facts, &title, taken, layout, target)
}

/// Writes the age at the right of a line of which the left is taken, if there is room for it.
fn draw_age<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    line: &Slot,
    taken: i32,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let letters = line.letters;
    let room = layout.columns.end - layout.columns.start - taken - letters.ascent() / 2;
    let fitting = words::ages(facts)
        .into_iter()
        .find(|age| letters.width(age) <= room);
    let ink = match is_fresh(facts) {
        true => Ink::Text,
        false => Ink::Warning,
    };
    match fitting {
        Some(age) => layout.foot(letters, Align::Right).write(&age, ink, target),
        None => Ok(()),
    }
}
