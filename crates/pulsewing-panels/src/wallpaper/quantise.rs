//! Reduces a picture to sixteen colours.
//!
//! Seven of the sixteen are reserved for the notice. The other nine are found by median cut over
//! the picture's colours, then improved, with the seven in place, by Lloyd's iteration. Errors are
//! spread to the neighbours (Floyd and Steinberg), so that areas keep their brightness.

use embedded_graphics::{Pixel, geometry::Point, prelude::*};
use pulsewing_screen::{
    Frame, Ink,
    wallpaper::{OWN_INKS, colours_of},
};

use super::decode::Pixels;

/// The colours that a wallpaper can choose.
type Own = [[u8; 3]; OWN_INKS.len()];

/// The number of iterations that move the colours.
const ROUNDS: usize = 8;

/// A colour of the picture, and its number of pixels.
#[derive(Clone, Copy)]
struct Shade {
    rgb: [u8; 3],
    count: u64,
}

/// Chooses colours and draws the picture with them; returns `None` when it has no pixels.
pub(super) fn quantise(picture: &Pixels) -> Option<(Frame<Vec<u8>>, Own)> {
    let shades = shades(&picture.rgb);
    if shades.is_empty() {
        return None;
    }
    let mut own = median_cut(shades.clone());
    for _ in 0..ROUNDS {
        own = moved(&own, &shades);
    }
    Some((dithered(picture, &own)?, own))
}

/// Returns the picture's colours, grouped by the upper five bits of each channel.
fn shades(rgb: &[[u8; 3]]) -> Vec<Shade> {
    let mut sums = vec![([0_u64; 3], 0_u64); 1 << 15];
    for pixel in rgb {
        let [red, green, blue] = pixel.map(|channel| usize::from(channel >> 3));
        if let Some((sum, count)) = sums.get_mut(red << 10 | green << 5 | blue) {
            for (sum, channel) in sum.iter_mut().zip(pixel) {
                *sum += u64::from(*channel);
            }
            *count += 1;
        }
    }
    let shades = sums.into_iter().filter(|(_, count)| *count > 0);
    shades
        .map(|(sum, count)| Shade {
            rgb: sum.map(|sum| share(sum, count)),
            count,
        })
        .collect()
}

fn share(sum: u64, count: u64) -> u8 {
    u8::try_from((sum + count / 2) / count.max(1)).unwrap_or(u8::MAX)
}

fn mean(shades: &[Shade]) -> [u8; 3] {
    let mut sums = [0; 3];
    let mut count = 0;
    for shade in shades {
        for (sum, channel) in sums.iter_mut().zip(shade.rgb) {
            *sum += u64::from(channel) * shade.count;
        }
        count += shade.count;
    }
    sums.map(|sum| share(sum, count))
}

/// Cuts the colours into as many groups as there are inks; returns the means of the groups.
fn median_cut(shades: Vec<Shade>) -> Own {
    let mut groups = vec![shades];
    while groups.len() < OWN_INKS.len() {
        // The group that is the widest, weighted by its number of pixels.
        let widest = groups
            .iter()
            .enumerate()
            .map(|(place, group)| {
                let (channel, width) = widest_channel(group);
                let count: u64 = group.iter().map(|shade| shade.count).sum();
                (u64::from(width) * count, place, channel, width)
            })
            .max();
        let Some((_, place, channel, 1..)) = widest else {
            break;
        };
        let mut low = groups.swap_remove(place);
        low.sort_by_key(|shade| shade.rgb.get(channel).copied());
        let half = low.iter().map(|shade| shade.count).sum::<u64>() / 2;
        let mut before = 0;
        let cut = low
            .iter()
            .position(|shade| {
                before += shade.count;
                before > half
            })
            .unwrap_or_default();
        let high = low.split_off(cut.clamp(1, low.len() - 1));
        groups.extend([low, high]);
    }
    let mut own = Own::default();
    for (own, group) in own.iter_mut().zip(&groups) {
        *own = mean(group);
    }
    own
}

/// Returns the channel in which some colours differ most, and the difference.
fn widest_channel(shades: &[Shade]) -> (usize, u8) {
    (0..3)
        .map(|channel| {
            let values = || shades.iter().filter_map(|shade| shade.rgb.get(channel));
            let low = values().min().copied().unwrap_or_default();
            let high = values().max().copied().unwrap_or_default();
            (channel, high - low)
        })
        .max_by_key(|(_, width)| *width)
        .unwrap_or_default()
}

/// Returns the same colours, each moved to the mean of the shades that it is nearest to.
fn moved(own: &Own, shades: &[Shade]) -> Own {
    let colours = colours_of(own);
    let mut groups: [Vec<Shade>; OWN_INKS.len()] = Default::default();
    // The shade with the worst match, for an ink that is not the nearest to any shade.
    let mut worst = None;
    for shade in shades {
        let ink = colours.nearest(shade.rgb);
        if let Some(place) = OWN_INKS.iter().position(|own| *own == ink)
            && let Some(group) = groups.get_mut(place)
        {
            group.push(*shade);
        }
        let channels = colours.rgb(ink).into_iter().zip(shade.rgb);
        let far: u64 = channels.map(|(a, b)| u64::from(a.abs_diff(b)).pow(2)).sum();
        worst = worst.max(Some((far * shade.count, shade.rgb)));
    }
    let mut moved = *own;
    for (own, group) in moved.iter_mut().zip(&groups) {
        if !group.is_empty() {
            *own = mean(group);
        } else if let Some((_, rgb)) = worst.take() {
            *own = rgb;
        }
    }
    moved
}

fn dithered(picture: &Pixels, own: &Own) -> Option<Frame<Vec<u8>>> {
    let size = picture.size;
    let colours = colours_of(own);
    let mut frame = Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)])?;
    let width = size.width as usize;
    // The errors still to be added to each pixel of this row and the next, in sixteenths; with one
    // more at either end.
    let mut owed = vec![[0_i32; 3]; width + 2];
    let rows = picture.rgb.chunks(width.max(1));
    for (y, row) in (0..).zip(rows) {
        let mut next = vec![[0_i32; 3]; width + 2];
        for (x, rgb) in row.iter().enumerate() {
            let debt = owed.get(x + 1).copied().unwrap_or_default();
            let mut wanted = [0_u8; 3];
            for ((wanted, have), debt) in wanted.iter_mut().zip(rgb).zip(debt) {
                let sum = i32::from(*have) + debt / 16;
                *wanted = u8::try_from(sum.clamp(0, 255)).unwrap_or(u8::MAX);
            }
            let ink: Ink = colours.nearest(wanted);
            let at = Point::new(i32::try_from(x).unwrap_or(i32::MAX), y);
            let Ok(()) = frame.draw_iter([Pixel(at, ink)]);
            let got = colours.rgb(ink);
            let mut error = [0; 3];
            for ((error, wanted), got) in error.iter_mut().zip(wanted).zip(got) {
                *error = i32::from(wanted) - i32::from(got);
            }
            // To the right; then to the row below, from left to right.
            owe(&mut owed, x + 2, error, 7);
            owe(&mut next, x, error, 3);
            owe(&mut next, x + 1, error, 5);
            owe(&mut next, x + 2, error, 1);
        }
        owed = next;
    }
    Some(frame)
}

fn owe(row: &mut [[i32; 3]], place: usize, error: [i32; 3], sixteenths: i32) {
    if let Some(debts) = row.get_mut(place) {
        for (debt, error) in debts.iter_mut().zip(error) {
            *debt += error * sixteenths;
        }
    }
}
