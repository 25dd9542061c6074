//! Our own wallpaper: ridges, one behind the other, with a heartbeat in the middle of each.

use core::ops::Range;

use embedded_graphics::{Pixel, prelude::*};

use crate::Ink;

/// The number of ridges.
const RIDGES: i32 = 15;

/// The unit of a ridge's heights: a whole is 1,024.
const WHOLE: i32 = 1_024;

/// Draws the ridges over [`Ink::Ground`].
pub(super) fn draw<D: DrawTarget<Color = Ink>>(target: &mut D) -> Result<(), D::Error> {
    let area = target.bounding_box();
    let width = area.size.width.min(1 << 12).cast_signed();
    let height = area.size.height.min(1 << 12).cast_signed();
    let tops = |x: i32| {
        let mut ridge = 0;
        [(); RIDGES as usize].map(|()| {
            let top = foot(ridge, height) - height * rise(ridge, x * WHOLE / width.max(1)) / WHOLE;
            ridge += 1;
            top
        })
    };
    let mut before = tops(0);
    for x in 0..width {
        let here = tops(x);
        // From the nearest ridge on: anything below the highest line so far is hidden behind it.
        let mut horizon = height;
        let lines = before.into_iter().zip(here).zip(0..RIDGES).rev();
        for ((before, here), ridge) in lines {
            let ink = match RIDGES - 1 - ridge {
                0..3 => Ink::Cyan,
                3..7 => Ink::Blue,
                7..11 => Ink::DimCool,
                _ => Ink::Faint,
            };
            // The line continues from the previous column.
            let top = here.min(before);
            let line = top..here.max(before).max(top + 1);
            fill_column(x, line.start..line.end.min(horizon), ink, target)?;
            horizon = horizon.min(line.start);
        }
        before = here;
    }
    Ok(())
}

/// Returns the row of a ridge's foot.
const fn foot(ridge: i32, height: i32) -> i32 {
    height * (ridge + 5) / (RIDGES + 5)
}

fn fill_column<D: DrawTarget<Color = Ink>>(
    x: i32,
    rows: Range<i32>,
    ink: Ink,
    target: &mut D,
) -> Result<(), D::Error> {
    let pixels = rows.map(|y| Pixel(Point::new(x, y), ink));
    target.draw_iter(pixels)
}

/// Returns the height of a ridge at `x`, both as parts of [`WHOLE`].
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

/// Returns a pseudo-random number from 0 to a million.
const fn scattered(n: i32) -> i32 {
    let mut hash = n.cast_unsigned().wrapping_add(1).wrapping_mul(0x9e37_79b9);
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    (hash % 1_000_000).cast_signed()
}
