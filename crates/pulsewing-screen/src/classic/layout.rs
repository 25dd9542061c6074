//! The places of all parts, computed from the size alone.

use embedded_graphics::{prelude::*, primitives::Rectangle};
use pulsewing_core::{Bpm, day::WINDOW_LEN};

use crate::{
    scale::Scale,
    text::{FACE_8, FACE_10, FACE_12, FACE_14, FACE_18, FACE_24, Face},
};

/// The longest words of each place in the head, which determine its columns.
pub(super) const WIDEST_ZONE: &str = "Dangerously Low";
pub(super) const WIDEST_AGE: &str = "23 h 58 min ago";
pub(super) const WIDEST_STATUS: &str = "no data in 24 h";
pub(super) const WIDEST_CLOCK: &str = "00:00";

/// The size for which the proportions were designed, in pixels.
const DESIGNED_FOR: Size = Size::new(480, 320);

/// The places of the parts of the picture.
#[derive(Debug)]
pub struct Layout {
    size: Size,
    pub(super) margin: i32,
    pub(super) face: &'static Face,
    pub(super) small: &'static Face,
    /// The baselines of the head: date and battery; time and age; zone, unless it shares the
    /// second.
    pub(super) first_row: i32,
    pub(super) second_row: i32,
    pub(super) zone_row: i32,
    pub(super) age_row: i32,
    pub(super) status_row: i32,
    pub(super) is_zone_centred: bool,
    /// The thickness of the axes, the length of a labelled tick, and the side of the dot of a
    /// single reading.
    pub(super) axis: i32,
    pub(super) tick: i32,
    pub(super) dot: u32,
    /// The area between the axes, which lie outside it.
    plot: Rectangle,
    /// The columns that stay free at either side of the plot.
    inset: i32,
}

impl Layout {
    /// Computes the layout of a picture of this size. Below 160x80 parts of it lie outside.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let width = size.width.min(1 << 13).cast_signed();
        let height = size.height.min(1 << 13).cast_signed();
        // The scale of the parts, in hundredths of the design's.
        let percent = (100 * width / DESIGNED_FOR.width.cast_signed())
            .min(100 * height / DESIGNED_FOR.height.cast_signed());
        let scaled = |pixels: i32, least: i32| ((pixels * percent + 50) / 100).max(least);
        let (face, small) = match percent {
            ..50 => (&FACE_8, &FACE_8),
            50..80 => (&FACE_12, &FACE_8),
            80..130 => (&FACE_18, &FACE_10),
            130.. => (&FACE_24, &FACE_14),
        };
        let margin = scaled(6, 2).min(12);
        let axis = scaled(4, 2).min(8);
        let tick = scaled(6, 3).min(10);

        let pitch = face.ascent() + face.descent() + scaled(2, 1);
        let small_pitch = small.ascent() + small.descent() + scaled(2, 1);
        let first_row = margin + face.ascent();
        let second_row = first_row + pitch;
        let beside_zone = [
            (small, WIDEST_AGE),
            (small, WIDEST_STATUS),
            (face, WIDEST_CLOCK),
        ]
        .into_iter()
        .fold(0, |widest, (face, text)| face.width(text).max(widest));
        let is_zone_centred = face.width(WIDEST_ZONE) / 2 + beside_zone + 2 * margin <= width / 2;
        let zone_row = if is_zone_centred {
            second_row
        } else {
            second_row + pitch
        };
        // Two small lines are below the battery, or one in each of the lower rows.
        let age_row = (first_row + face.descent() + scaled(4, 1) + small.ascent()).min(second_row);
        let status_row = if is_zone_centred {
            age_row + small_pitch
        } else {
            zone_row
        };
        let head = (zone_row + face.descent()).max(status_row + small.descent());

        let label = small.ascent();
        let left = margin + small.width("000") + tick + margin / 2 + axis;
        let top = head + label / 2 + margin;
        let right = width - margin;
        let bottom = height - (axis + tick + margin / 2 + label + margin.min(4));
        let plot = Rectangle::with_corners(
            Point::new(left, top.min(bottom)),
            Point::new(right.max(left), bottom),
        );
        Self {
            size,
            margin,
            face,
            small,
            first_row,
            second_row,
            zone_row,
            age_row,
            status_row,
            is_zone_centred,
            axis,
            tick,
            dot: scaled(5, 3).cast_unsigned() | 1,
            plot,
            inset: small.width(WIDEST_CLOCK) / 2 + 2,
        }
    }

    /// Returns the size of the picture.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Returns the area that readings are drawn in. The axes run along its left and lower side,
    /// outside.
    #[must_use]
    pub const fn plot(&self) -> Rectangle {
        self.plot
    }

    /// Returns the column of the reading at `index`, 0 being the oldest.
    #[must_use]
    pub fn column(&self, index: usize) -> i32 {
        let last = WINDOW_LEN.cast_signed() as i64 - 1;
        let index = i64::try_from(index).unwrap_or(last).min(last);
        let plot = self.plot.columns();
        let room = i64::from(plot.end - 1 - plot.start - 2 * self.inset).max(0);
        let along = (2 * index * room + last).div_euclid(2 * last);
        plot.start + self.inset + i32::try_from(along).unwrap_or(0)
    }

    /// Returns the row of a rate.
    #[must_use]
    pub fn row(&self, scale: &Scale, rate: u16) -> i32 {
        let rows = self.plot.rows();
        scale.row(rate, rows.start, rows.end - 1)
    }

    /// Returns the vertical scale for readings from `min` to `max`.
    #[must_use]
    pub fn scale(&self, min: Bpm, max: Bpm) -> Scale {
        let pitch = self.small.ascent() * 2;
        let most_labels = self.plot.size.height.cast_signed() / pitch + 1;
        Scale::covering(
            min,
            max,
            u16::try_from(most_labels.clamp(2, 10)).unwrap_or(2),
        )
    }

    /// Returns the ticks without a label; none if they would run together.
    pub(super) fn minor_ticks(&self, scale: &Scale) -> impl Iterator<Item = u16> + use<> {
        let span = i32::from(scale.high() - scale.low()).max(1);
        let apart = self.plot.size.height.cast_signed() * i32::from(scale.minor_step()) / span;
        scale.minor_ticks().filter(move |_| apart >= 4)
    }

    /// Returns the number of readings between two labelled times, counted back from the newest.
    ///
    /// It divides fourteen, so that both the oldest and the newest reading have a label.
    pub(super) fn label_step(&self) -> usize {
        let slot = self.column(1) - self.column(0);
        let needed = self.small.width(WIDEST_CLOCK) + self.small.ascent() / 2;
        if 2 * slot >= needed {
            2
        } else if 7 * slot >= needed {
            7
        } else {
            14
        }
    }
}
