//! Converts TrueType files to polygons, on stdout: one file to the characters of `src/outline/barlow.rs`,
//! two to the letters of `src/outline/names.rs`, which the first file has or else the second.
//!
//! ```text
//! cargo run -p pulsewing-screen --example outline -- LATIN.ttf > crates/pulsewing-screen/src/outline/barlow.rs
//! cargo run -p pulsewing-screen --example outline -- LATIN.ttf EXT.ttf > crates/pulsewing-screen/src/outline/names.rs
//! ```
//!
//! Curves become chords here, once, so that a board only has lines to fill. FONTS.md names the font
//! files.
#![expect(
    clippy::print_stdout,
    reason = "the generated file goes where the caller sends it"
)]

use std::{env, error::Error, fmt::Write as _, fs, ops::RangeInclusive};

use ttf_parser::{Face, OutlineBuilder};

/// The characters of every picture: printable ASCII, because the name of a network may have any of it.
const EVERY_PICTURE: RangeInclusive<char> = ' '..='~';

/// More letters, for people's names in the languages that are written in Latin ones.
const NAMES: [RangeInclusive<char>; 2] = ['\u{c0}'..='\u{17f}', '\u{218}'..='\u{21b}'];

/// The resolution: coordinates are in quarters of the font's own units, so that rounding is not
/// visible.
const FINENESS: f32 = 4.0;

/// The maximum distance of a chord from its curve, in the font's own units (1,000 per em): digits
/// are drawn 200 pixels high, letters hardly ever 50.
const TOLERANCE_OF_DIGITS: f32 = 0.6;
const TOLERANCE: f32 = 1.6;

type Point = (f32, f32);

struct Polygons {
    tolerance: f32,
    contours: Vec<Vec<Point>>,
}

impl Polygons {
    fn pen(&self) -> Point {
        let contour = self.contours.last();
        contour
            .and_then(|points| points.last())
            .copied()
            .unwrap_or_default()
    }

    /// Adds chords along a curve; `at` gives its point for 0..=1, and `bend` its bend in units.
    fn curve(&mut self, bend: f32, at: impl Fn(f32) -> Point) {
        // Halving a chord quarters its distance from the curve.
        let chords = (bend / self.tolerance).sqrt().ceil().max(1.0);
        let mut step = 1.0;
        while step <= chords {
            let point = at(step / chords);
            self.line_to(point.0, point.1);
            step += 1.0;
        }
    }
}

impl OutlineBuilder for Polygons {
    fn move_to(&mut self, x: f32, y: f32) {
        self.contours.push(vec![(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        if let Some(contour) = self.contours.last_mut() {
            contour.push((x, y));
        }
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (x0, y0) = self.pen();
        // The curve's middle is half as far from the chord's middle as the control point is.
        let bend = ((x0 + x) / 2.0 - x1).hypot((y0 + y) / 2.0 - y1) / 2.0;
        self.curve(bend, |t| {
            let (a, b, c) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
            (a * x0 + b * x1 + c * x, a * y0 + b * y1 + c * y)
        });
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (x0, y0) = self.pen();
        let bend = (x0 - 2.0 * x1 + x2)
            .hypot(y0 - 2.0 * y1 + y2)
            .max((x1 - 2.0 * x2 + x).hypot(y1 - 2.0 * y2 + y))
            * 0.75;
        self.curve(bend, |t| {
            let s = 1.0 - t;
            let (a, b, c, d) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
            (
                a * x0 + b * x1 + c * x2 + d * x,
                a * y0 + b * y1 + c * y2 + d * y,
            )
        });
    }

    fn close(&mut self) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let files = env::args().skip(1).map(fs::read);
    let files: Vec<Vec<u8>> = files.collect::<Result<_, _>>()?;
    let faces = files.iter().map(|bytes| Face::parse(bytes, 0));
    let faces: Vec<Face<'_>> = faces.collect::<Result<_, _>>()?;
    let face = faces.first().ok_or("which TrueType file?")?;
    let cap_height = face
        .capital_height()
        .ok_or("the font does not say how high capitals are")?;
    let characters: Vec<char> = match faces.len() {
        1 => EVERY_PICTURE.collect(),
        _ => NAMES.into_iter().flatten().collect(),
    };

    let mut glyphs = String::new();
    let mut count = 0;
    for character in characters {
        let found = faces
            .iter()
            .find_map(|face| Some((face, face.glyph_index(character)?)));
        // Multiplication and division signs are no letters, and neither face has every letter.
        let Some((face, glyph)) =
            found.filter(|_| character.is_ascii() || character.is_alphabetic())
        else {
            continue;
        };
        count += 1;
        let mut polygons = Polygons {
            tolerance: if character.is_ascii_digit() {
                TOLERANCE_OF_DIGITS
            } else {
                TOLERANCE
            },
            contours: Vec::new(),
        };
        face.outline_glyph(glyph, &mut polygons);
        let advance = f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * FINENESS;
        let columns = polygons
            .contours
            .iter()
            .flatten()
            .map(|(x, _)| x * FINENESS);
        let left = columns.clone().reduce(f32::min).unwrap_or(0.0);
        let right = columns.reduce(f32::max).unwrap_or(0.0);
        writeln!(
            glyphs,
            "    Glyph {{ character: {character:?}, advance: {}, inked: ({}, {}), contours: &[",
            advance.round(),
            left.round(),
            right.round(),
        )?;
        for contour in &polygons.contours {
            write_contour(&mut glyphs, contour)?;
        }
        glyphs.push_str("    ] },\n");
    }
    let (table, cap_height) = match faces.len() {
        1 => (
            "GLYPHS",
            format!(
                "/// How high capitals and digits are, in units of the coordinates below.\n\
                 pub(super) const CAP_HEIGHT: i32 = {};\n\n",
                f32::from(cap_height) * FINENESS
            ),
        ),
        _ => ("LETTERS", String::new()),
    };
    println!(
        "//! Barlow Semi Condensed Medium as polygons: see FONTS.md. Generated by `examples/outline.rs`.\n\n\
         use super::Glyph;\n\n\
         {cap_height}\
         /// In the order of their characters. A point is (right, up) of the pen on the baseline.\n\
         #[rustfmt::skip]\n\
         pub(super) static {table}: [Glyph; {count}] = [\n{glyphs}];",
    );
    Ok(())
}

fn write_contour(out: &mut String, contour: &[Point]) -> std::fmt::Result {
    let mut points: Vec<(f32, f32)> = contour
        .iter()
        .map(|(x, y)| ((x * FINENESS).round(), (y * FINENESS).round()))
        .collect();
    points.dedup();
    if points.first() == points.last() {
        points.pop();
    }
    out.push_str("        &[");
    let mut column = 10;
    for (x, y) in points {
        let point = format!("({x},{y}),");
        if column + point.len() > 118 {
            out.push_str("\n          ");
            column = 10;
        }
        column += point.len();
        out.push_str(&point);
    }
    out.push_str("],\n");
    Ok(())
}
