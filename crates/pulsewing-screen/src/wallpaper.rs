//! Wallpapers: our own, drawn, and the user's, converted beforehand.

use embedded_graphics::{Pixel, prelude::*, primitives::Rectangle};

use crate::{Frame, Ink, Palette};

/// How many ridges our own has, from the farthest to the nearest.
const RIDGES: i32 = 15;

/// What a ridge's heights are worked out in: a whole is 1,024.
const WHOLE: i32 = 1_024;

/// The ink that a user's picture has at a point: the nearest of those near the colour, by an ordered
/// dither, so that areas keep their brightness.
///
/// A picture is converted once, where there is room for it, into the bytes of a [`Frame`].
#[must_use]
pub fn dithered(rgb: [u8; 3], at: Point) -> Ink {
    const ORDER: [[i32; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];
    let place = |n: i32| usize::try_from(n.rem_euclid(4)).unwrap_or(0);
    let order = ORDER
        .get(place(at.y))
        .and_then(|row| row.get(place(at.x)))
        .copied()
        .unwrap_or(0);
    // From -56 to 56: about the distance between neighbouring inks.
    let shift = (2 * order - 15) * 56 / 15;
    nearest(rgb.map(|channel| (i32::from(channel) + shift).clamp(0, 255)))
}

/// The ink whose colour by day is nearest.
fn nearest(rgb: [i32; 3]) -> Ink {
    let far = |ink: &Ink| -> i32 {
        let difference = Palette::Day.rgb(*ink).into_iter().zip(rgb);
        // Eyes tell greens apart better than reds, and reds better than blues.
        difference
            .zip([3, 6, 1])
            .map(|((a, b), weight)| weight * (i32::from(a) - b) * (i32::from(a) - b))
            .sum()
    };
    Ink::ALL.into_iter().min_by_key(far).unwrap_or(Ink::Ground)
}

/// Draws a picture with its middle in the target's; what has no room is left out.
pub(crate) fn draw_picture<D: DrawTarget<Color = Ink>>(
    picture: &Frame<&[u8]>,
    target: &mut D,
) -> Result<(), D::Error> {
    let area = target.bounding_box();
    let (room, size) = (area.size, picture.size());
    let shift = |room: u32, size: u32| (i64::from(room) - i64::from(size)).div_euclid(2);
    let corner = Point::new(
        i32::try_from(shift(room.width, size.width)).unwrap_or(0),
        i32::try_from(shift(room.height, size.height)).unwrap_or(0),
    );
    let seen = Rectangle::new(corner, size).intersection(&area);
    let pixels = seen
        .points()
        .map(|at| Pixel(at, picture.pixel(at - corner).unwrap_or(Ink::Ground)));
    target.draw_iter(pixels)
}

/// Draws our own wallpaper: ridges, one behind the other, with a heartbeat in their middle.
pub(crate) fn draw_default<D: DrawTarget<Color = Ink>>(target: &mut D) -> Result<(), D::Error> {
    let area = target.bounding_box();
    let width = area.size.width.min(1 << 12).cast_signed();
    let height = area.size.height.min(1 << 12).cast_signed();
    for ridge in 0..RIDGES {
        let ink = match RIDGES - 1 - ridge {
            0..3 => Ink::Cyan,
            3..7 => Ink::Blue,
            7..11 => Ink::DimCool,
            _ => Ink::Faint,
        };
        let foot = height * (ridge + 5) / (RIDGES + 5);
        let top = |x: i32| foot - height * rise(ridge, x * WHOLE / width.max(1)) / WHOLE;
        let mut before = top(0);
        for x in 0..width {
            let here = top(x);
            // The line goes on from the column before, and hides what is behind it.
            let line = here.min(before)..here.max(before).max(here.min(before) + 1);
            fill_column(x, line.clone(), ink, target)?;
            fill_column(x, line.end..foot + 1, Ink::Ground, target)?;
            before = here;
        }
    }
    Ok(())
}

fn fill_column<D: DrawTarget<Color = Ink>>(
    x: i32,
    rows: core::ops::Range<i32>,
    ink: Ink,
    target: &mut D,
) -> Result<(), D::Error> {
    let length = (rows.end - rows.start).max(0).cast_unsigned();
    let column = Rectangle::new(Point::new(x, rows.start), Size::new(1, length));
    target.fill_solid(&column, ink)
}

/// How high a ridge is at `x`, both as parts of [`WHOLE`].
fn rise(ridge: i32, x: i32) -> i32 {
    // Hills: wide ones and narrow ones, lower towards the edges of the picture.
    let mut rise = 4;
    for hill in 0..7 {
        let draw = scattered(ridge * 7 + hill);
        let middle = WHOLE / 4 + draw % (WHOLE / 2);
        let half = 40 + draw / WHOLE % 90;
        rise += bump(x - middle, half) * (20 + draw / 7 % 60) / WHOLE;
    }
    // The heartbeat: a small wave, a spike between two dips, and a wave.
    let beat = WHOLE / 2 + (scattered(ridge + 500) % 60 - 30);
    let strength = 60 + 12 * ridge;
    let wave = [
        (-95, 30, 10),
        (-22, 12, -14),
        (0, 15, 100),
        (24, 14, -26),
        (110, 44, 20),
    ];
    for (place, half, share) in wave {
        rise += bump(x - beat - place, half) * share * strength / 100 / WHOLE;
    }
    rise
}

/// A smooth hill of height [`WHOLE`] that ends `half` away from its middle.
fn bump(from_middle: i32, half: i32) -> i32 {
    let t = from_middle * WHOLE / half;
    if t.abs() >= WHOLE {
        return 0;
    }
    let rest = WHOLE - t * t / WHOLE;
    rest * rest / WHOLE
}

/// A number from 0 to a million that shows no pattern.
const fn scattered(n: i32) -> i32 {
    let mut hash = n.cast_unsigned().wrapping_add(1).wrapping_mul(0x9e37_79b9);
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    (hash % 1_000_000).cast_signed()
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn an_inks_own_colour_stays_itself_where_the_dither_shifts_least() {
        for ink in [Ink::Ground, Ink::Text, Ink::Blue, Ink::Orange] {
            let mut same = 0;
            for at in Rectangle::new(Point::zero(), Size::new_equal(4)).points() {
                same += i32::from(dithered(ink.rgb(), at) == ink);
            }
            assert!(same >= 8, "{ink:?}: {same}");
        }
    }

    #[test]
    fn a_grey_between_two_inks_becomes_a_mixture_of_about_its_brightness() {
        let area = Rectangle::new(Point::zero(), Size::new_equal(16));
        let sum: i32 = area
            .points()
            .map(|at| i32::from(dithered([128; 3], at).rgb()[1]))
            .sum();
        assert!((sum / 256 - 128).abs() < 24, "{}", sum / 256);
    }

    #[test]
    fn a_picture_of_another_size_is_centred() {
        let one = [0x10];
        let picture = Frame::new(Size::new(1, 1), &one[..]).unwrap();
        let mut frame = Frame::new(Size::new(5, 3), vec![0; 9]).unwrap();
        draw_picture(&picture, &mut frame).unwrap();
        assert_eq!(frame.pixel(Point::new(2, 1)), Some(Ink::Text));
        let large = [0x12; 12];
        let picture = Frame::new(Size::new(8, 3), &large[..]).unwrap();
        let mut frame = Frame::new(Size::new(4, 1), vec![0; 2]).unwrap();
        draw_picture(&picture, &mut frame).unwrap();
        assert_eq!(frame.bytes(), [0x12, 0x12]);
    }
}
