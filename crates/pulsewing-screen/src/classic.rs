//! The classic theme: the picture of the original sketch, element by element.
//!
//! ```text
//! 2024-03-03                                    Battery: 40%   first row
//! 02:05                   Relaxing                21 min ago   second row, zone in its colour
//!                                                update failed   only when something is amiss
//!  91 -#                                              /
//!     -#                                             /         plot: one pixel wide, white
//!  90 -#----.                                  .    /
//!      #     `.______          /\       /\    / `--'
//!  89 -#             `.  :    /  `.    /  `--'
//!      #               ` :  o                                  a dot: neighbours are missing
//!      ####################/ /#########################        axes in the zone's colour,
//!        |  '  |  '  |  '  |  '  |  '  |  '  |  '  |           broken where minutes are
//!      01:31 01:33 01:35 01:37 01:59 ...         02:05         missing
//! ```
//!
//! It shows what the original shows: date and time of the newest minute, battery, the zone's word
//! and colour (of the greatest of the fifteen rates, not of the newest), axes, ticks, a thin line.
//! It differs where the original is wrong:
//!
//! - Time runs from left to right, and all fifteen readings are inside the plot.
//! - Readings are placed by their index, one column each, as in the original, because fifteen
//!   minutes may span hours. Where minutes are missing, the line ends, the time axis is cut, and a
//!   dotted line marks the gap; the labels are clock times instead of 1, 4, 7, 10, 13. A reading
//!   without neighbours is a dot.
//! - Ticks are at whole rates, and a reading is at the height of the tick of its rate.
//! - The age is always shown. If the data is stale, silent or from memory, words say so and the
//!   zone's colour disappears.
//! - An unknown battery level is a dash.
//! - With fewer than fifteen minutes there is a notice under a wallpaper, with the count and the
//!   age; if the last update failed, the notice says so, without a wallpaper.

use core::fmt::{self, Write as _};

use embedded_graphics::{prelude::*, primitives::Rectangle};
use jiff::{SignedDuration, civil::Time};
use pulsewing_core::{
    day::WINDOW_LEN,
    reading::{Absence, Freshness},
};

use crate::{
    Ink,
    model::{Facts, Latest, LatestFifteen},
    polyline,
    scale::Scale,
    text::Align,
    wallpaper::{self, Wallpaper},
};

mod layout;
mod notice;

pub use layout::Layout;

/// A text that is composed here; longer text is cut at its end.
type Line64 = heapless::String<64>;

/// Draws a reading over the whole of a target, without a wallpaper.
///
/// # Errors
/// Those of the target.
pub fn draw<D: DrawTarget<Color = Ink>>(facts: &Facts<'_>, target: &mut D) -> Result<(), D::Error> {
    let whole = target.bounding_box();
    let mut target = target.cropped(&whole);
    let layout = Layout::new(whole.size);
    target.clear(Ink::Ground)?;
    draw_head(facts, &layout, &mut target)?;
    match &facts.latest {
        Latest::Fifteen(fifteen) => {
            let ink = match facts.freshness {
                Freshness::Fresh => Ink::from_zone(fifteen.zone()),
                // An old rate must not look like a current one.
                _ => Ink::Quiet,
            };
            draw_graph(fifteen, ink, &layout, &mut target)
        }
        Latest::TooFew(logged) => {
            let text = notice::Text::new(facts, *logged, &layout);
            text.draw(text.top_in_the_middle(), &mut target)
        }
    }
}

/// Draws a reading of fewer than fifteen minutes over the whole of a target, with a wallpaper if
/// there is room: the original's screen after midnight.
pub(crate) fn draw_on_wallpaper<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    logged: u16,
    wallpaper: Option<&Wallpaper<'_>>,
    target: &mut D,
) -> Result<(), D::Error> {
    let size = target.bounding_box().size;
    let Some(sky) = sky(facts, logged, size) else {
        return draw(facts, target);
    };
    let layout = Layout::new(size);
    target.clear(Ink::Ground)?;
    draw_head(facts, &layout, target)?;
    wallpaper::draw(wallpaper, &mut target.cropped(&sky))?;
    notice::Text::new(facts, logged, &layout).draw(sky.rows().end, target)
}

/// Returns the place of the wallpaper behind such a reading in a picture of this size, if one is
/// visible.
pub(crate) fn sky(facts: &Facts<'_>, logged: u16, size: Size) -> Option<Rectangle> {
    let layout = Layout::new(size);
    notice::Text::new(facts, logged, &layout).sky()
}

/// Draws date, battery, age and, unless all is well, the status.
fn draw_head<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let left = layout.margin;
    let right = layout.size().width.cast_signed() - layout.margin;
    let date = written(format_args!("{}", facts.date));
    let first = |x| Point::new(x, layout.first_row);
    layout
        .face
        .write(&date, first(left), Align::Left, Ink::Text, target)?;
    let battery = match facts.battery_percent {
        Some(percent) => written(format_args!("Battery: {percent}%")),
        None => written(format_args!("Battery: -")),
    };
    layout
        .face
        .write(&battery, first(right), Align::Right, Ink::Text, target)?;

    let status = status(facts.freshness, facts.absence, facts.is_zone_guessed);
    let ink = if facts.freshness == Freshness::Fresh {
        Ink::Quiet
    } else {
        Ink::Warning
    };
    if let Some(age) = facts.age {
        let at = Point::new(right, layout.age_row);
        layout
            .small
            .write(&age_text(age), at, Align::Right, ink, target)?;
    }
    if let Some(status) = status {
        let row = if facts.age.is_some() {
            layout.status_row
        } else {
            layout.age_row
        };
        layout
            .small
            .write(status, Point::new(right, row), Align::Right, ink, target)?;
    }
    Ok(())
}

/// Returns the problem in words; `None` if the data is as new as can be expected, and its time is
/// not a guess.
const fn status(
    freshness: Freshness,
    absence: Absence,
    is_zone_guessed: bool,
) -> Option<&'static str> {
    match (freshness, absence) {
        (Freshness::Fresh, _) if is_zone_guessed => Some("zone guessed"),
        (Freshness::Fresh, _) => None,
        (Freshness::Cached, _) => Some("update failed"),
        (_, Absence::ZoneGuessed) => Some("zone guessed"),
        (Freshness::Silent, _) => Some("no data in 24 h"),
        (Freshness::Stale, Absence::NotAsked) => Some("not updated"),
        (Freshness::Stale, Absence::NotWorn) => Some("not worn"),
        (Freshness::Stale, Absence::NotCharged) => Some("not charged"),
        (Freshness::Stale, Absence::NotSynced) => Some("not synced"),
        (Freshness::Stale, Absence::NothingRecorded) => Some("stale data"),
    }
}

fn age_text(age: SignedDuration) -> Line64 {
    let minutes = age.as_mins();
    match minutes {
        // A minute is dated by its beginning, so a correct clock is never behind it.
        ..0 => written(format_args!("clock is behind")),
        0..60 => written(format_args!("{minutes} min ago")),
        60..1_440 => written(format_args!("{} h {} min ago", minutes / 60, minutes % 60)),
        1_440..2_880 => written(format_args!("1 day ago")),
        2_880..1_440_000 => written(format_args!("{} days ago", minutes / 1_440)),
        _ => written(format_args!("years ago")),
    }
}

/// Draws time, zone, axes and line.
fn draw_graph<D: DrawTarget<Color = Ink>>(
    fifteen: &LatestFifteen,
    ink: Ink,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let zone = fifteen.zone();
    let at = Point::new(layout.margin, layout.second_row);
    layout.face.write(
        &clock(fifteen.newest().clock),
        at,
        Align::Left,
        Ink::Text,
        target,
    )?;
    let (x, align) = if layout.is_zone_centred {
        (layout.size().width.cast_signed() / 2, Align::Centre)
    } else {
        (layout.margin, Align::Left)
    };
    layout.face.write(
        zone.name(),
        Point::new(x, layout.zone_row),
        align,
        ink,
        target,
    )?;

    let scale = layout.scale(fifteen.min(), fifteen.max());
    draw_axes(fifteen, &scale, layout, ink, target)?;

    let points = fifteen.0.iter().enumerate().map(|(index, minute)| {
        let at = Point::new(layout.column(index), layout.row(&scale, minute.bpm.get()));
        (at, index + 1 < WINDOW_LEN && !fifteen.has_gap_after(index))
    });
    polyline::draw(points, layout.dot, Ink::Text, target)
}

/// Draws the axes, their ticks and labels, and the marks of missing minutes.
fn draw_axes<D: DrawTarget<Color = Ink>>(
    fifteen: &LatestFifteen,
    scale: &Scale,
    layout: &Layout,
    ink: Ink,
    target: &mut D,
) -> Result<(), D::Error> {
    let (columns, rows) = (layout.plot().columns(), layout.plot().rows());
    let (axis, tick) = (layout.axis, layout.tick);
    let corner = Point::new(columns.start - axis, rows.end);
    fill(
        corner,
        Point::new(columns.end, rows.end + axis),
        ink,
        target,
    )?;
    fill(
        Point::new(corner.x, rows.start),
        Point::new(columns.start, rows.end),
        ink,
        target,
    )?;

    let small = layout.small;
    for (rate, is_major) in scale
        .major_ticks()
        .map(|rate| (rate, true))
        .chain(layout.minor_ticks(scale).map(|rate| (rate, false)))
    {
        let y = layout.row(scale, rate);
        let length = if is_major { tick } else { tick / 2 };
        fill(
            Point::new(corner.x - length, y),
            Point::new(corner.x, y + 1),
            Ink::Text,
            target,
        )?;
        if is_major {
            let at = Point::new(corner.x - tick - layout.margin / 2, y + small.ascent() / 2);
            let rate = written(format_args!("{rate}"));
            small.write(&rate, at, Align::Right, Ink::Text, target)?;
        }
    }

    let step = layout.label_step();
    let under = rows.end + axis;
    for (index, minute) in fifteen.0.iter().enumerate() {
        let x = layout.column(index);
        let is_major = index % step == 0;
        let length = if is_major { tick } else { tick / 2 };
        fill(
            Point::new(x, under),
            Point::new(x + 1, under + length),
            Ink::Text,
            target,
        )?;
        if is_major {
            let at = Point::new(x, under + tick + layout.margin / 2 + small.ascent());
            small.write(&clock(minute.clock), at, Align::Centre, Ink::Text, target)?;
        }
        if fifteen.has_gap_after(index) {
            let x = i32::midpoint(x, layout.column(index + 1));
            draw_gap(x, layout, target)?;
        }
    }
    Ok(())
}

/// Draws a dotted line through the plot and a cut through the time axis.
fn draw_gap<D: DrawTarget<Color = Ink>>(
    x: i32,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    let rows = layout.plot().rows();
    let dots = rows.clone().rev().step_by(4);
    target.draw_iter(dots.map(|y| Pixel(Point::new(x, y), Ink::Quiet)))?;
    // The cut leans to the right, as is usual.
    for down in 0..layout.axis {
        let y = rows.end + down;
        let from = x - layout.axis / 2 + (layout.axis - 1 - down) / 2;
        fill(
            Point::new(from, y),
            Point::new(from + layout.axis, y + 1),
            Ink::Ground,
            target,
        )?;
    }
    Ok(())
}

/// Fills from `start` up to, not including, the column and row of `end`.
fn fill<D: DrawTarget<Color = Ink>>(
    start: Point,
    end: Point,
    ink: Ink,
    target: &mut D,
) -> Result<(), D::Error> {
    let size = Size::new(
        (end.x - start.x).max(0).cast_unsigned(),
        (end.y - start.y).max(0).cast_unsigned(),
    );
    target.fill_solid(&Rectangle::new(start, size), ink)
}

fn clock(time: Time) -> Line64 {
    written(format_args!("{:02}:{:02}", time.hour(), time.minute()))
}

fn written(text: fmt::Arguments<'_>) -> Line64 {
    let mut line = Line64::new();
    // Text that does not fit is cut; every text here is far shorter.
    let _ = line.write_fmt(text);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_told_in_minutes_hours_or_days() {
        let told = |minutes| age_text(SignedDuration::from_mins(minutes));
        assert_eq!(told(0), "0 min ago");
        assert_eq!(told(59), "59 min ago");
        assert_eq!(told(60), "1 h 0 min ago");
        assert_eq!(told(1_439), "23 h 59 min ago");
        assert_eq!(told(2_879), "1 day ago");
        assert_eq!(told(2_880), "2 days ago");
        assert_eq!(told(i64::MAX / 60), "years ago");
        assert_eq!(told(-90), "clock is behind");
    }

    #[test]
    fn every_line_of_the_head_fits_beside_its_neighbour_at_every_size() {
        for (width, height) in sizes() {
            let layout = Layout::new(Size::new(width, height));
            let face = |text| layout.face.width(text);
            let small = |text| layout.small.width(text);
            let (inner, gap) = (width.cast_signed() - 2 * layout.margin, 2);
            let name = (width, height);
            assert!(
                face("2000-00-00") + gap + face("Battery: 100%") <= inner,
                "{name:?}"
            );
            assert!(
                face("00:00") + gap + small(layout::WIDEST_AGE) <= inner,
                "{name:?}"
            );
            let beside = small(layout::WIDEST_AGE).max(small(layout::WIDEST_STATUS));
            if layout.is_zone_centred {
                let half = face(layout::WIDEST_ZONE) / 2 + 1;
                assert!(
                    2 * (half + gap + beside.max(face("00:00"))) <= inner,
                    "{name:?}"
                );
            } else {
                let status = small(layout::WIDEST_STATUS);
                assert!(
                    face(layout::WIDEST_ZONE) + gap + status <= inner,
                    "{name:?}"
                );
            }
            let under_age = layout.age_row + layout.small.descent();
            assert!(
                under_age < layout.status_row - layout.small.ascent(),
                "{name:?}"
            );
            assert!(layout.status_row < layout.plot().rows().start, "{name:?}");
            assert!(layout.plot().size.height >= 20, "{name:?}");
        }
    }

    #[test]
    fn no_text_of_the_head_is_wider_than_what_its_place_is_measured_by() {
        for face in [
            &crate::text::FACE_8,
            &crate::text::FACE_10,
            &crate::text::FACE_14,
        ] {
            // All digits have the same width.
            for minutes in [-1, 0, 44, 1_424, 1_438, 1_440, 1_439_000, 1_440_000] {
                let age = age_text(SignedDuration::from_mins(minutes));
                assert!(face.width(&age) <= face.width(layout::WIDEST_AGE), "{age}");
            }
            let freshness = [Freshness::Fresh, Freshness::Stale, Freshness::Silent];
            let known = freshness.into_iter().chain([Freshness::Cached]);
            let absences = [
                Absence::ZoneGuessed,
                Absence::NotAsked,
                Absence::NotWorn,
                Absence::NotCharged,
                Absence::NotSynced,
                Absence::NothingRecorded,
            ];
            for status in
                known.flat_map(|freshness| absences.map(|it| status(freshness, it, true).unwrap()))
            {
                assert!(
                    face.width(status) <= face.width(layout::WIDEST_STATUS),
                    "{status}"
                );
            }
        }
    }

    #[test]
    fn labels_do_not_touch_at_any_size() {
        for (width, height) in sizes() {
            let layout = Layout::new(Size::new(width, height));
            let apart = layout.column(layout.label_step()) - layout.column(0);
            assert!(
                apart >= layout.small.width(layout::WIDEST_CLOCK) + 3,
                "{width}x{height}"
            );
            for (min, max) in [(72, 72), (62, 68), (49, 58), (60, 79), (55, 140), (1, 300)] {
                let [min, max] = [min, max].map(|rate| pulsewing_core::Bpm::new(rate).unwrap());
                let scale = layout.scale(min, max);
                let mut below = None;
                for rate in scale.major_ticks() {
                    let row = layout.row(&scale, rate);
                    let is_clear = below.is_none_or(|below| below - row > layout.small.ascent());
                    assert!(is_clear, "{width}x{height}: {rate} of {scale:?}");
                    below = Some(row);
                }
            }
        }
    }

    fn sizes() -> impl Iterator<Item = (u32, u32)> {
        (160..=1_024)
            .step_by(16)
            .flat_map(|width| (80..=600).step_by(20).map(move |height| (width, height)))
    }
}
