//! The desk theme: Pulsewing's own picture.
//!
//! ```text
//!  14:07  Sunday 22 November      Up to date  [##-] 82%   head: the present time
//!
//!   ##   ###   ##                             Moderate    the newest minute's zone, in its colour
//!    #     #  #  #                            > steady    the direction of the last minutes
//!    #   ###   ##                           12 min ago    how long ago the newest minute was
//!    #   #    #  #
//!    #   ###   ##  bpm                                    the newest minute's rate
//!
//!  130-|                    .--o        max       128
//!  120-|  .--'`----. ,--'               mean      121     the window: time runs to the right,
//!  110-|_-'_________:____________       min       112     gaps stay gaps
//!      14:40     14:45     14:50           15 minutes
//!
//!  160  ::::::::|:::::           |  |
//!   54  -:_::_-:|::_:---_--_-_---|--|--                   the last 24 hours: the night shaded, a line at
//!   40  ::::::::|:::::           |  |                     midnight and now, a dotted one at the resting rate
//!      18      0       6       12
//! ```
//!
//! - The rate is that of the newest minute, shown however few minutes there are. Its time is told as an
//!   age alone: the time in the corner is the present.
//! - Data that is not fresh looks different: the digits are dark, and the age takes the place and
//!   the colour of the zone.
//! - The colour of a line or bar at a height is that of the zone at that height, and means nothing else.
//!   The zone of the rate is also given as a word.
//! - Numbers are in cells of equal width, so that nothing moves when a digit changes.
//! - If there is something else to say, a banner at the bottom says it, and graph and strip move
//!   up.
//!
//! A small panel shows the [`big`](crate::Theme::Big) face under the clock instead.

use embedded_graphics::{prelude::*, primitives::Rectangle};
use jiff::civil::DateTime;
use pulsewing_core::{
    reading::{BATTERY_LOW, Freshness, LONG_AGO},
    trend::Trend,
};

use crate::{
    Ink,
    icon::Icon,
    model::Facts,
    slot::{Letters, Slot},
    state::{Notice, written},
    text::Align,
    words,
};

mod graph;
mod layout;
#[cfg(test)]
mod sketches;
mod strip;

pub use graph::Graph;
pub use layout::Layout;

/// Draws a reading over the whole of a target that begins at the origin, but leaves the layout's
/// banner and the background as they are.
pub(crate) fn draw<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    notice: Option<&Notice<'_>>,
    layout: &Layout,
    target: &mut D,
) -> Result<(), D::Error> {
    draw_head(facts, &layout.head, notice, target)?;
    draw_rate(facts, &layout.hero, target)?;
    draw_beside(facts, &layout.hero, target)?;
    graph::draw(facts, layout, target)?;
    if let Some(statistics) = &layout.statistics {
        draw_statistics(facts, statistics, target)?;
    }
    strip::draw(facts, &layout.strip, target)
}

/// Returns whether the data is current, as far as can be expected.
pub(crate) fn is_fresh(facts: &Facts<'_>) -> bool {
    facts.is_live
        || facts.freshness == Freshness::Fresh && facts.age.is_none_or(|age| !age.is_negative())
}

fn draw_head<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    head: &layout::Head,
    notice: Option<&Notice<'_>>,
    target: &mut D,
) -> Result<(), D::Error> {
    head.clock
        .write(&words::present(facts.clock), Ink::Text, target)?;
    // Without a clock the date is unknown as well.
    if facts.clock.is_some() {
        let date = match facts.is_zone_guessed {
            true => words::guessed_date(facts.today),
            false => words::date(facts.today),
        };
        let wordings = date.each_ref().map(|words| words.as_str());
        head.date.write_one_of(&wordings, Ink::Text, target)?;
    }
    let word = words::freshness(facts);
    let place = &head.freshness;
    match (is_fresh(facts), notice) {
        // That all is well is said only where nothing else is, and nothing is said twice.
        (true, Some(_)) => {}
        (false, Some(notice)) if notice.title == word => {}
        (true, None) => {
            Icon::Check.draw(place.before(word), Ink::Quiet, target)?;
            place.write(word, Ink::Quiet, target)?;
        }
        (false, _) => place.write(word, Ink::Warning, target)?,
    }
    draw_charge(facts, head, target)
}

fn draw_charge<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    head: &layout::Head,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some(percent) = facts.battery_percent else {
        // An empty battery would be misleading.
        let wordings = ["Battery -", "-"];
        return head.charge.write_one_of(&wordings, Ink::Quiet, target);
    };
    draw_battery(percent, head.battery, target)?;
    let text = written::<8>(format_args!("{percent}%"));
    head.percent.write(&text, ink_of_charge(percent), target)
}

const fn ink_of_charge(percent: u8) -> Ink {
    if percent <= BATTERY_LOW {
        Ink::Warning
    } else {
        Ink::Quiet
    }
}

/// Draws a horizontal battery, filled to its charge.
pub(crate) fn draw_battery<D: DrawTarget<Color = Ink>>(
    percent: u8,
    area: Rectangle,
    target: &mut D,
) -> Result<(), D::Error> {
    let ink = ink_of_charge(percent);
    let (columns, rows) = (area.columns(), area.rows());
    let thickness = (area.size.height.cast_signed() / 12).max(1);
    let knob = 2 * thickness;
    let body = columns.start..columns.end - knob;
    let third = (rows.end - rows.start) / 3;
    target.fill_solid(&span(body.clone(), rows.clone()), ink)?;
    target.fill_solid(
        &span(body.end..columns.end, rows.start + third..rows.end - third),
        ink,
    )?;
    let inside = body.start + thickness..body.end - thickness;
    let inner_rows = rows.start + thickness..rows.end - thickness;
    target.fill_solid(&span(inside.clone(), inner_rows), Ink::Ground)?;
    let charge = inside.start + thickness..inside.end - thickness;
    let filled = (charge.end - charge.start) * i32::from(percent).min(100) / 100;
    // A battery that is nearly empty is not drawn empty.
    let filled = filled.max(i32::from(percent > 0));
    target.fill_solid(
        &span(
            charge.start..charge.start + filled,
            rows.start + 2 * thickness..rows.end - 2 * thickness,
        ),
        ink,
    )
}

/// Draws the digits and the unit.
fn draw_rate<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    hero: &layout::Hero,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some((bpm, _)) = facts.rate else {
        return Ok(());
    };
    let cell = hero.digits.digit_width();
    let start = hero.rate.columns().start;
    let baseline = hero.rate.rows().end;
    let ink = if is_fresh(facts) { Ink::Text } else { Ink::Mid };
    let digits = written::<4>(format_args!("{bpm}"));
    let at = Point::new(start, baseline);
    hero.digits.write(&digits, at, Align::Left, ink, target)?;
    let cells = digits.chars().map(|_| 1).sum::<i32>();
    let left = start + cells * cell + hero.unit.ascent() / 2;
    let columns = left..left + hero.unit.width("bpm");
    let unit = Slot::new(
        hero.unit,
        Align::Left,
        columns,
        baseline - hero.unit.ascent(),
    );
    unit.write("bpm", Ink::Quiet, target)
}

/// Draws zone, trend and age; or, if they are not current, age, day and zone.
fn draw_beside<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    hero: &layout::Hero,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some((_, zone)) = facts.rate else {
        return Ok(());
    };
    let ages = words::ages(facts);
    let [ago, _] = &ages;
    if is_fresh(facts) {
        hero.large
            .write(zone.name(), Ink::from_heart_zone(zone), target)?;
        if let Some(trend) = facts.trend {
            draw_trend(trend, &hero.middle, target)?;
        }
        return hero.small.write(ago, Ink::Quiet, target);
    }
    hero.large.write_smaller(ago, Ink::Warning, target)?;
    // The time of an old minute is told with its day, so that it cannot pass for the clock.
    let is_of_today = |at: &DateTime| facts.clock.is_some() && at.date() == facts.today;
    if let Some(newest) = facts.newest.filter(|newest| !is_of_today(newest)) {
        let moment = match facts.clock {
            Some(_) => words::moment(newest, facts.today),
            None => words::dated(newest),
        };
        hero.middle.write(&moment, Ink::Quiet, target)?;
    }
    if facts.age.is_none_or(|age| age < LONG_AGO) && facts.freshness != Freshness::Silent {
        let was = written::<32>(format_args!("was {}", zone.name()));
        hero.small
            .write_one_of(&[&was, zone.name()], Ink::Quiet, target)?;
    }
    Ok(())
}

/// Draws an arrow and a word.
fn draw_trend<D: DrawTarget<Color = Ink>>(
    trend: Trend,
    place: &Slot,
    target: &mut D,
) -> Result<(), D::Error> {
    let icon = match trend {
        Trend::Rising => Icon::Up,
        Trend::Steady => Icon::Level,
        Trend::Falling => Icon::Down,
    };
    icon.draw(place.before(trend.name()), Ink::Quiet, target)?;
    place.write(trend.name(), Ink::Text, target)
}

fn draw_statistics<D: DrawTarget<Color = Ink>>(
    facts: &Facts<'_>,
    places: &layout::Statistics,
    target: &mut D,
) -> Result<(), D::Error> {
    let Some(extent) = facts.window.extent() else {
        return Ok(());
    };
    let values = [
        ("max", extent.max),
        ("mean", extent.mean),
        ("min", extent.min),
    ];
    for ((word, bpm), (word_place, number_place)) in values.into_iter().zip(&places.rows) {
        word_place.write(word, Ink::Quiet, target)?;
        let ink = if is_fresh(facts) {
            Ink::Text
        } else {
            Ink::Quiet
        };
        number_place.write(&written::<4>(format_args!("{bpm}")), ink, target)?;
    }
    let count = match facts.window.samples().len() {
        1 => written::<16>(format_args!("1 minute")),
        count => written(format_args!("{count} minutes")),
    };
    let short = written::<16>(format_args!("{} min", facts.window.samples().len()));
    places
        .count
        .write_one_of(&[&count, &short], Ink::Quiet, target)
}

/// Returns the rectangle of these columns and rows.
fn span(columns: core::ops::Range<i32>, rows: core::ops::Range<i32>) -> Rectangle {
    let size = Size::new(
        (columns.end - columns.start).max(0).cast_unsigned(),
        (rows.end - rows.start).max(0).cast_unsigned(),
    );
    Rectangle::new(Point::new(columns.start, rows.start), size)
}

/// Writes a label centred at `x`, but inside the place.
fn write_centred<D: DrawTarget<Color = Ink>>(
    text: &str,
    x: i32,
    place: &Slot,
    ink: Ink,
    target: &mut D,
) -> Result<(), D::Error> {
    let width = place.letters.width(text);
    let room = place.area.columns();
    let left = (x - width / 2).clamp(room.start, (room.end - width).max(room.start));
    let slot = Slot::new(place.letters, Align::Left, left..left + width, place.top());
    slot.write(text, ink, target)
}

/// Returns the minimum space between the labels of a row.
const fn label_gap(letters: Letters) -> i32 {
    letters.ascent()
}

#[cfg(test)]
mod tests {
    use std::vec;

    use jiff::{SignedDuration, civil::date};
    use pulsewing_core::heart_zone::HeartZone;

    use super::*;
    use crate::Frame;

    fn usual_layouts() -> impl Iterator<Item = Layout> {
        let sizes = [(480, 320), (400, 300), (800, 480), (1_024, 600)];
        sizes.into_iter().flat_map(|(width, height)| {
            [false, true].map(|has_banner| Layout::new(Size::new(width, height), has_banner))
        })
    }

    #[test]
    fn a_battery_is_filled_as_far_as_it_is_charged() {
        let sketch = |percent| {
            let mut frame = Frame::new(Size::new(22, 8), vec![0; 88]).unwrap();
            let area = Rectangle::new(Point::zero(), Size::new(22, 8));
            draw_battery(percent, area, &mut frame).unwrap();
            crate::frame::sketch(&frame)
        };
        assert_eq!(
            sketch(50),
            "++++++++++++++++++++\n\
             +                  +\n\
             + ++++++++         +++\n\
             + ++++++++         +++\n\
             + ++++++++         +++\n\
             + ++++++++         +++\n\
             +                  +\n\
             ++++++++++++++++++++\n"
        );
        // Nearly empty, it is as noticeable as a warning.
        assert!(!sketch(0).contains("W W"));
        assert!(sketch(1).contains("W W  "));
        assert!(sketch(100).contains("+ ++++++++++++++++ +++"));
    }

    #[test]
    fn every_wording_has_room_at_the_usual_sizes() {
        for layout in usual_layouts() {
            let head = &layout.head;
            assert!(head.clock.fits("00:00"), "at {}", layout.size());
            let [_, short, _] = words::date(date(2026, 9, 30));
            assert!(head.date.fits(&short), "{short} at {}", layout.size());
            let guesses = words::guessed_date(date(2026, 9, 30));
            let has_room = guesses.iter().any(|guess| head.date.fits(guess));
            assert!(has_room, "{guesses:?} at {}", layout.size());
            for word in words::OF_FRESHNESS {
                assert!(head.freshness.fits(word), "{word} at {}", layout.size());
            }
            assert!(head.percent.fits("100%"));
            assert!(head.charge.fits("Battery -"), "at {}", layout.size());

            for wording in ["Wed 00:00", "28 Nov 00:00", "falling"] {
                let fits = layout.hero.middle.fits(wording);
                assert!(fits, "{wording} at {}", layout.size());
            }
            for zone in HeartZone::ORDINARY {
                assert!(layout.hero.large.fits(zone.name()));
                let was = written::<32>(format_args!("was {}", zone.name()));
                assert!(layout.hero.small.fits(&was), "{was} at {}", layout.size());
            }
            for minutes in [-1, 0, 59, 599, 1_439, 2_879, 1_439_999, i64::MAX / 60] {
                let age = SignedDuration::from_mins(minutes);
                let (short, long) = (words::age(age), words::age_ago(age));
                assert!(
                    layout.hero.large.fits(&short),
                    "{short} at {}",
                    layout.size()
                );
                assert!(layout.hero.small.fits(&long), "{long} at {}", layout.size());
            }
            let statistics = layout.statistics.as_ref().unwrap();
            assert!(statistics.count.fits("15 minutes") || statistics.count.fits("15 min"));
            for (word, number) in &statistics.rows {
                assert!(word.fits("mean") && number.fits("300"));
            }
        }
    }
}
