//! The places of all parts, computed from the size alone.

use core::ops::Range;

use embedded_graphics::{prelude::*, primitives::Rectangle};
use pulsewing_core::{Bpm, day::Extent};

use crate::{
    banner,
    outline::Outline,
    proportions::Proportions,
    scale::Scale,
    slot::{Family, Letters, Slot},
    text::Align,
    words::OF_FRESHNESS,
};

/// The longest words of some places, which determine the size of others.
const WIDEST_RATE: &str = "000";
pub(super) const WIDEST_CLOCK: &str = "00:00";
const WIDEST_STATISTIC: &str = "mean";

/// The least height of the digits at the design's size, in pixels.
const DIGITS: i32 = 96;

/// The places of the parts of the picture.
#[derive(Debug)]
pub struct Layout {
    size: Size,
    /// The small type of the axes.
    pub(super) label: Letters,
    pub(super) head: Head,
    /// The rate, and the lines beside it.
    pub(super) hero: Hero,
    /// The graph of the window, its axis on the left and its times below.
    plot: Rectangle,
    pub(super) times: Slot,
    /// The highest, mean and lowest rate of the window.
    pub(super) statistics: Option<Statistics>,
    /// The last 24 hours.
    pub(super) strip: StripPlace,
    /// The place of a notice.
    banner: Option<Rectangle>,
    /// Half the thickness of the line, in 256ths of a pixel.
    pub(super) half_stroke: i32,
}

/// The row at the top.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) clock: Slot,
    pub(super) date: Slot,
    pub(super) freshness: Slot,
    pub(super) battery: Rectangle,
    pub(super) percent: Slot,
    /// The place of both, used when the charge is not known.
    pub(super) charge: Slot,
}

/// The rate in large digits, and the lines beside it.
#[derive(Debug)]
pub(super) struct Hero {
    /// The digits of the rate, in a row of cells from the left.
    pub(super) digits: Outline,
    pub(super) rate: Rectangle,
    pub(super) unit: Letters,
    /// The lines, from the top.
    pub(super) large: Slot,
    pub(super) middle: Slot,
    pub(super) small: Slot,
}

/// The numbers beside the graph.
#[derive(Debug)]
pub(super) struct Statistics {
    /// Highest, mean, lowest: the word and the number.
    pub(super) rows: [(Slot, Slot); 3],
    /// The number of minutes that they cover.
    pub(super) count: Slot,
}

/// The strip at the bottom.
#[derive(Debug)]
pub(super) struct StripPlace {
    pub(super) bars: Rectangle,
    pub(super) hours: Slot,
    /// The rates at its top and bottom, if there is room for the numbers.
    pub(super) ends: Option<[Slot; 2]>,
}

impl Layout {
    /// Computes the layout of a picture of this size, with or without a banner. On a small panel,
    /// parts of it lie outside: the [`big`](crate::Theme::Big) face is for those.
    #[must_use]
    pub fn new(size: Size, has_banner: bool) -> Self {
        let picture = Proportions::new(size);
        let label = Letters::of(picture.scaled(11, 8));
        let margin = picture.scaled(12, 3);
        let columns = margin..picture.width - margin;

        let head = Head::new(&picture, &columns, picture.scaled(13, 3));
        let top = head.clock.baseline() + picture.scaled(13, 6);
        // A picture that is higher than wide has room for larger digits.
        let tallest = if picture.width < picture.height {
            DIGITS * 4 / 3
        } else {
            DIGITS
        };
        let hero = Hero::new(&picture, &columns, top, tallest);

        let banner = has_banner.then(|| banner::area(size, Family::Barlow));
        let floor = match banner {
            Some(banner) => banner.rows().start - picture.scaled(5, 2),
            None => picture.height - margin.min(7),
        };
        let gap = if has_banner { 6 } else { 8 };
        let (gap, under) = (picture.scaled(gap, 4), picture.scaled(6, 3));
        let gutter = label.width(WIDEST_RATE) + picture.scaled(6, 3);

        let has_statistics = picture.percent >= 60;
        let number = Letters::of(picture.scaled(18, 8));
        let statistics_width =
            label.width(WIDEST_STATISTIC) + number.width(WIDEST_RATE) + picture.scaled(8, 4);
        let plot_right = match has_statistics {
            true => columns.end - statistics_width - picture.scaled(16, 6),
            false => columns.end,
        };
        let plot_left = columns.start + gutter;
        let plot_top = hero.bottom() + gap;
        // Of what is below the digits the graph has a third, and the strip has the rest, which is a third
        // of the picture; with a banner both have half of what is left. The graph is
        // never steep: a few beats more in a minute must not look like a cliff.
        let labels = 2 * (label.ascent() + under) + gap;
        let room = floor - plot_top - labels;
        let (part, of) = if has_banner { (1, 2) } else { (1, 3) };
        let plot_height = (room * part / of)
            .min((plot_right - plot_left) * 2 / 5)
            .max(1);
        let plot = Rectangle::new(
            Point::new(plot_left, plot_top),
            Size::new(
                (plot_right - plot_left).max(1).cast_unsigned(),
                plot_height.cast_unsigned(),
            ),
        );
        let times_top = plot.rows().end + under;
        let times_right = (plot_right + picture.scaled(6, 2)).min(columns.end);
        let times = Slot::new(label, Align::Centre, columns.start..times_right, times_top);
        let statistics = has_statistics.then(|| {
            let columns = columns.end - statistics_width..columns.end;
            Statistics::new(
                label,
                picture.scaled(18, 8),
                columns,
                plot.rows(),
                times_top,
            )
        });
        let strip_top = times.baseline() + gap;
        let strip = StripPlace::new(label, &columns, gutter, strip_top..floor, under);

        Self {
            size,
            label,
            head,
            hero,
            plot,
            times,
            statistics: statistics.flatten(),
            strip,
            banner,
            half_stroke: picture.scaled(320, 260).min(600),
        }
    }

    /// Returns the size of the picture.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Returns the area that readings are drawn in.
    #[must_use]
    pub const fn plot(&self) -> Rectangle {
        self.plot
    }

    /// Returns the area that the last 24 hours are drawn in.
    #[must_use]
    pub const fn strip(&self) -> Rectangle {
        self.strip.bars
    }

    /// Returns the area of the banner, if there is one.
    #[must_use]
    pub const fn banner(&self) -> Option<Rectangle> {
        self.banner
    }

    /// Returns the height of the rate's digits, in pixels.
    #[must_use]
    pub const fn digit_height(&self) -> i32 {
        self.hero.digits.ascent()
    }

    /// Returns the places of text whose size does not depend on the text, each with a name. The
    /// times below the graph share one place, and so do those below the strip.
    pub fn text_areas(&self) -> impl Iterator<Item = (&'static str, Rectangle)> {
        let fixed = [
            ("clock", self.head.clock.area),
            ("date", self.head.date.area),
            ("freshness", self.head.freshness.area),
            ("battery", self.head.charge.area),
            ("rate", self.hero.rate_area()),
            ("large", self.hero.large.area),
            ("middle", self.hero.middle.area),
            ("small", self.hero.small.area),
            ("times", self.times.area),
            ("hours", self.strip.hours.area),
        ];
        let statistics = self.statistics.iter().flat_map(|statistics| {
            let rows = statistics.rows.iter();
            rows.flat_map(|(word, number)| [("word", word.area), ("number", number.area)])
                .chain([("count", statistics.count.area)])
        });
        let banner = self.banner.iter().map(|banner| ("banner", *banner));
        fixed.into_iter().chain(statistics).chain(banner)
    }

    /// Returns the vertical scale of the graph for a window's rates.
    #[must_use]
    pub fn scale(&self, extent: Extent) -> Scale {
        let pitch = self.label.ascent() * 3 / 2;
        let most_labels = self.plot.size.height.cast_signed() / pitch.max(1) + 1;
        let most_labels = u16::try_from(most_labels.clamp(2, 5)).unwrap_or(2);
        Scale::steady(extent.min, extent.max, most_labels)
    }

    /// Returns the row of a rate in the graph.
    #[must_use]
    pub fn row(&self, scale: &Scale, rate: Bpm) -> i32 {
        let rows = self.plot.rows();
        scale.row(rate.get(), rows.start, rows.end - 1)
    }

    /// Returns the column of an instant in the graph, whose window is `seconds` long, if the
    /// instant lies `after` seconds after the window's beginning.
    #[must_use]
    pub fn column(&self, after: i64, seconds: i64) -> i32 {
        // The line's ends are inside.
        let inset = self.half_stroke / 256 + 1;
        let columns = self.plot.columns();
        let room = i64::from(columns.end - 1 - columns.start - 2 * inset).max(0);
        let seconds = seconds.max(1);
        let along = (2 * after.clamp(0, seconds) * room + seconds) / (2 * seconds);
        columns.start + inset + i32::try_from(along).unwrap_or(0)
    }
}

impl Head {
    fn new(picture: &Proportions, columns: &Range<i32>, top: i32) -> Self {
        let (left, right) = (columns.start, columns.end);
        let letters = Letters::of(picture.scaled(14, 8));
        // On the design's panel the clock's minutes are in whole tiles here, which matters to a board: they
        // change most often. So do those of the age, with the margin above.
        let large = Letters::of(picture.scaled(22, 11));
        let left = left - picture.scaled(5, 1);
        let clock = Slot::new(
            large,
            Align::Left,
            left..left + large.width(WIDEST_CLOCK) + 1,
            top,
        );
        // The rest stands on the clock's baseline.
        let top = clock.baseline() - letters.ascent();
        let percent_width = letters.width("100%");
        let ascent = letters.ascent();
        let battery_width = ascent * 2;
        let gap = ascent / 2;
        let percent = right - percent_width;
        let battery = percent - gap - battery_width;
        let widths = OF_FRESHNESS.map(|word| letters.width(word));
        // With an icon before it.
        let widest = widths.into_iter().max().unwrap_or(0) + ascent * 3 / 2;
        let freshness = battery - gap - widest;
        let slot = |align, columns| Slot::new(letters, align, columns, top);
        let date = clock.area.columns().end + gap * 2;
        Self {
            clock,
            date: slot(Align::Left, date..freshness - gap),
            freshness: slot(Align::Right, freshness..battery - gap),
            battery: Rectangle::new(
                Point::new(battery, top),
                Size::new(battery_width.cast_unsigned(), ascent.cast_unsigned()),
            ),
            percent: slot(Align::Right, percent..right),
            charge: slot(Align::Right, battery..right),
        }
    }
}

impl Hero {
    /// Computes the places below a row; the digits are as high as there is room, and at most
    /// `tallest` pixels at the design's size.
    fn new(picture: &Proportions, columns: &Range<i32>, top: i32, tallest: i32) -> Self {
        let digits = Outline::exactly(digit_height(picture.scaled(tallest, 20), picture.width));
        let rate = Rectangle::new(
            // The ink of the digits is aligned with the clock above.
            Point::new(columns.start - digits.digit_bearing(), top),
            Size::new(
                (3 * digits.digit_width()).cast_unsigned(),
                digits.ascent().cast_unsigned(),
            ),
        );
        let unit = Letters::of(picture.scaled(16, 8));
        let beside = rate.columns().end + unit.width("bpm") + picture.scaled(16, 5)..columns.end;
        let letters = |cap_height| Letters::of(picture.scaled(cap_height, 8));
        let line = |letters, top| Slot::new(letters, Align::Right, beside.clone(), top);

        let large = line(letters(25), top);
        let lower = letters(18);
        let below_large = large.bottom() + lower.overshoot();
        let bottom = rate.rows().end - lower.ascent();
        let centre = i32::midpoint(large.baseline(), bottom);
        let middle = line(lower, (centre - lower.ascent() / 2).max(below_large));
        let small = line(lower, bottom.max(middle.bottom() + lower.overshoot()));
        Self {
            digits,
            rate,
            unit,
            large,
            middle,
            small,
        }
    }

    /// Returns the row below all of them.
    fn bottom(&self) -> i32 {
        self.rate.rows().end.max(self.small.bottom())
    }

    /// Returns the area of the digits and their unit.
    fn rate_area(&self) -> Rectangle {
        let top_left = self.rate.top_left - Point::new(0, self.digits.overshoot());
        let right = self.large.area.columns().start - 1;
        let bottom = self.rate.rows().end + self.unit.descent().max(1) - 1;
        Rectangle::with_corners(top_left, Point::new(right, bottom))
    }
}

impl Statistics {
    fn new(
        word: Letters,
        cap_height: i32,
        columns: Range<i32>,
        rows: Range<i32>,
        count_top: i32,
    ) -> Option<Self> {
        let count = Slot::new(word, Align::Right, columns.clone(), count_top);
        let rows = rows.start..rows.end.min(count.area.rows().start);
        // The largest numbers of which three rows fit.
        let heights = (8..=cap_height).rev();
        let mut fitting = heights.filter_map(|cap_height| {
            let word = Letters::of(cap_height.min(word.ascent()));
            Self::rows_of(word, Letters::of(cap_height), &columns, &rows)
        });
        fitting.next().map(|rows| Self { rows, count })
    }

    /// Returns three rows, the last of which ends where `rows` do; `None` if they do not fit.
    fn rows_of(
        word: Letters,
        number: Letters,
        columns: &Range<i32>,
        rows: &Range<i32>,
    ) -> Option<[(Slot, Slot); 3]> {
        let middle = columns.end - number.width(WIDEST_RATE);
        let row = |top: i32| {
            let word_top = top + number.ascent() - word.ascent();
            (
                Slot::flat(word, Align::Left, columns.start..middle, word_top),
                Slot::flat(number, Align::Right, middle..columns.end, top),
            )
        };
        let ends = |(word, number): &(Slot, Slot)| word.bottom().max(number.bottom());
        let begins =
            |(word, number): &(Slot, Slot)| word.area.rows().start.min(number.area.rows().start);
        let pitch = (rows.end - ends(&row(rows.start))) / 2;
        let places = [0, 1, 2].map(|place| row(rows.start + place * pitch));
        let [first, second, _] = &places;
        // Larger numbers have more air between them.
        let air = number.ascent() / 6;
        (ends(first) + air <= begins(second)).then_some(places)
    }
}

impl StripPlace {
    fn new(
        label: Letters,
        columns: &Range<i32>,
        gutter: i32,
        rows: Range<i32>,
        under: i32,
    ) -> Self {
        let left = columns.start;
        let columns = left + gutter..columns.end.max(left + gutter + 1);
        let hours_top = rows.end - label.ascent();
        let top = rows.start;
        let bottom = (hours_top - under).max(top + 1);
        let bars = Rectangle::with_corners(
            Point::new(columns.start, top),
            Point::new(columns.end - 1, bottom - 1),
        );
        let gap = label.ascent() / 2;
        let names = 0..columns.start - gap;
        let end = |top| Slot::new(label, Align::Right, names.clone(), top);
        let has_room = bottom - top >= 2 * label.ascent() + 4;
        Self {
            bars,
            hours: Slot::new(label, Align::Left, left..columns.end, hours_top),
            ends: has_room.then(|| [end(top), end(bottom - label.ascent())]),
        }
    }
}

/// Returns the height of three digits that are at most `height` pixels high and leave half of the
/// width free.
fn digit_height(height: i32, width: i32) -> i32 {
    let room = width * 48 / 100;
    (1..=height)
        .rev()
        .find(|height| 3 * Outline::exactly(*height).digit_width() <= room)
        .unwrap_or(1)
}
