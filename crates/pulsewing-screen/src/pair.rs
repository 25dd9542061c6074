//! Two wearers in one picture, each in half of it under their name.
//!
//! ```text
//!  Anna                 |  Ben                      a wide picture: side by side
//!  ---------------------+--------------------
//!   72  bpm  Light      |   64  bpm  Light
//!   ...                 |   ...
//! ```
//!
//! A high picture has one half above the other.

use embedded_graphics::{
    prelude::*,
    primitives::{PrimitiveStyle, Rectangle},
};

use crate::{
    Ink, Model,
    outline::Outline,
    scene::Scene,
    slot::{Letters, Slot},
    text::Align,
};

/// The least size of a half without its name; below it, parts of a picture lie outside.
const LEAST: Size = Size::new(160, 80);

/// The height of a name's capitals, in pixels.
const NAME: i32 = 11;

/// The space around a name, in pixels; above it is room for accents.
const MARGIN: i32 = 4;
const ABOVE: i32 = 5;

/// One of two wearers.
#[derive(Clone, Debug)]
pub struct Half<'m> {
    /// The name to show. Characters that are not Latin ones, such as emoji, are left out.
    pub name: &'m str,
    /// The contents of the half. A wallpaper is not shown.
    pub model: Model<'m>,
}

/// The places of one half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    name: Rectangle,
    picture: Rectangle,
}

/// Returns whether a picture of this size has room for two wearers.
#[must_use]
pub fn has_room(size: Size) -> bool {
    places(size).is_some()
}

/// Returns whether a name has letters or digits, and all of them can be drawn.
#[must_use]
pub fn can_write(name: &str) -> bool {
    let mut letters = name.chars().filter(|letter| letter.is_alphanumeric());
    let has = |letter| type_of_names().has(letter);
    letters.next().is_some_and(has) && letters.all(has)
}

/// Draws two wearers over the whole of a target, as far as [it has room](has_room) for them;
/// otherwise the first one alone.
///
/// # Errors
/// Those of the target.
pub fn draw<D: DrawTarget<Color = Ink>>(
    halves: &[Half<'_>; 2],
    target: &mut D,
) -> Result<(), D::Error> {
    let Some(places) = places(target.bounding_box().size) else {
        let [first, _] = halves;
        return crate::draw(&first.model, target);
    };
    target.clear(Ink::Faint)?;
    for (half, place) in halves.iter().zip(places) {
        draw_name(half.name, place.name, target)?;
        let target = &mut target.cropped(&place.picture);
        Scene::new(&half.model).draw(None, false, target)?;
    }
    Ok(())
}

/// Returns the type of a name.
fn type_of_names() -> Outline {
    Outline::exactly(NAME).with_names()
}

fn letters() -> Letters {
    Letters::Polygons(type_of_names())
}

fn draw_name<D: DrawTarget<Color = Ink>>(
    name: &str,
    place: Rectangle,
    target: &mut D,
) -> Result<(), D::Error> {
    place
        .into_styled(PrimitiveStyle::with_fill(Ink::Ground))
        .draw(target)?;
    let columns = place.columns();
    let columns = columns.start + MARGIN..columns.end - MARGIN;
    let letters = letters();
    let name = letters.cut(name, columns.end - columns.start);
    let top = place.top_left.y + ABOVE;
    Slot::new(letters, Align::Left, columns, top).write(name, Ink::Text, target)
}

/// Returns the places of both halves, with a line of one pixel between them.
fn places(size: Size) -> Option<[Place; 2]> {
    let is_wide = size.width >= size.height;
    let (first, second) = if is_wide {
        let width = size.width.saturating_sub(1) / 2;
        let half = Size::new(width, size.height);
        let rest = Size::new(size.width.saturating_sub(width + 1), size.height);
        let right = Point::new(size.width.saturating_sub(rest.width).cast_signed(), 0);
        (
            Rectangle::new(Point::zero(), half),
            Rectangle::new(right, rest),
        )
    } else {
        let height = size.height.saturating_sub(1) / 2;
        let half = Size::new(size.width, height);
        let rest = Size::new(size.width, size.height.saturating_sub(height + 1));
        let below = Point::new(0, size.height.saturating_sub(rest.height).cast_signed());
        (
            Rectangle::new(Point::zero(), half),
            Rectangle::new(below, rest),
        )
    };
    Some([place(first)?, place(second)?])
}

fn place(half: Rectangle) -> Option<Place> {
    let high = (ABOVE + letters().height() + MARGIN).cast_unsigned();
    let name = Size::new(half.size.width, high);
    // A line of one pixel between the name and the picture.
    let below = high + 1;
    let picture = Size::new(half.size.width, half.size.height.checked_sub(below)?);
    let has_room = picture.width >= LEAST.width && picture.height >= LEAST.height;
    has_room.then(|| Place {
        name: Rectangle::new(half.top_left, name),
        picture: Rectangle::new(half.top_left + Point::new(0, below.cast_signed()), picture),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_lie_beside_or_above_each_other_and_never_overlap() {
        for (width, height) in [(480, 320), (321, 161), (240, 320), (170, 320), (800, 480)] {
            let size = Size::new(width, height);
            let [first, second] = places(size).unwrap();
            let whole = Rectangle::new(Point::zero(), size);
            let all = [first.name, first.picture, second.name, second.picture];
            for (n, part) in all.iter().enumerate() {
                assert_eq!(part.intersection(&whole), *part, "{size:?}");
                for other in all.iter().skip(n + 1) {
                    assert!(part.intersection(other).is_zero_sized(), "{size:?}");
                }
            }
        }
    }

    #[test]
    fn names_are_written_in_latin_letters() {
        for name in [
            "Anna",
            "J\u{f6}rg \u{1f493}",
            "\u{141}ucja",
            "Ren\u{e9}e-7",
            "Strau\u{df}",
        ] {
            assert!(can_write(name), "{name}");
        }
        for name in [
            "",
            "\u{1f493}",
            "\u{4f60}\u{597d}",
            "Anna \u{418}",
            "\u{3b1}",
        ] {
            assert!(!can_write(name), "{name}");
        }
    }

    #[test]
    fn a_small_picture_has_no_room_for_two() {
        for (width, height) in [(160, 80), (240, 135), (320, 100), (128, 296), (0, 0)] {
            assert!(!has_room(Size::new(width, height)), "{width}x{height}");
        }
        // The least that docs/wearers.md names.
        for (width, height) in [(321, 105), (160, 211)] {
            assert!(has_room(Size::new(width, height)), "{width}x{height}");
            assert!(!has_room(Size::new(width - 1, height)), "{width}x{height}");
            assert!(!has_room(Size::new(width, height - 1)), "{width}x{height}");
        }
    }
}
