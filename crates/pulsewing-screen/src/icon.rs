//! Icons: a drawing of strokes for each circumstance, for those who read pictures faster than words.

use embedded_graphics::{prelude::*, primitives::Rectangle};

use crate::{
    Ink,
    coverage::{Dot, Edges, PIXEL, Ramp},
    stroke,
};

/// A small drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Just switched on.
    Power,
    /// Settings are missing.
    Sliders,
    /// The wireless network.
    Wifi,
    /// The time, or a time that passed.
    Clock,
    /// A sign-in.
    Key,
    /// A tracker off the wrist.
    Watch,
    /// A heart rate, or none.
    Pulse,
    /// The cloud cannot be reached.
    CloudOff,
    /// Nothing is asked for a while.
    Pause,
    /// A service has ended.
    Ended,
    /// Something is wrong.
    Triangle,
    /// Something is to be written.
    Save,
    /// Everything is about to be erased.
    Bin,
    /// An empty battery.
    Battery,
    /// A sync.
    Sync,
    /// A place, and so a time zone.
    Pin,
    /// All is well.
    Check,
    /// A rising heart rate.
    Up,
    /// A steady one.
    Level,
    /// A falling one.
    Down,
}

/// The side of the field that the strokes are in.
const SIDE: i32 = 24;

/// The most points of a line.
const MOST_POINTS: usize = 16;

/// Points in tenths of the field's units, right and down.
type Line = &'static [(i32, i32)];

impl Icon {
    /// Returns its strokes: lines through points, and dots.
    #[rustfmt::skip]
    const fn lines(self) -> &'static [Line] {
        match self {
            Self::Power => &[
                &[(80, 55), (45, 90), (40, 140), (70, 190), (120, 210), (170, 190), (200, 140), (195, 90), (160, 55)],
                &[(120, 30), (120, 110)],
            ],
            Self::Sliders => &[
                &[(30, 60), (210, 60)],
                &[(150, 30), (150, 90)],
                &[(30, 120), (210, 120)],
                &[(80, 90), (80, 150)],
                &[(30, 180), (210, 180)],
                &[(150, 150), (150, 210)],
            ],
            Self::Wifi => &[
                &[(20, 95), (70, 60), (120, 50), (170, 60), (220, 95)],
                &[(60, 140), (90, 120), (120, 115), (150, 120), (180, 140)],
                &[(120, 185)],
            ],
            Self::Clock => &[
                &[(120, 30), (165, 42), (198, 75), (210, 120), (198, 165), (165, 198), (120, 210), (75, 198), (42, 165), (30, 120), (42, 75), (75, 42), (120, 30)],
                &[(120, 75), (120, 120), (155, 140)],
            ],
            Self::Key => &[
                &[(75, 110), (105, 125), (115, 155), (100, 190), (70, 200), (40, 185), (30, 155), (45, 120), (75, 110)],
                &[(105, 125), (205, 30)],
                &[(165, 68), (195, 98)],
            ],
            Self::Watch => &[
                &[(65, 70), (175, 70), (175, 170), (65, 170), (65, 70)],
                &[(85, 70), (95, 20), (145, 20), (155, 70)],
                &[(85, 170), (95, 220), (145, 220), (155, 170)],
            ],
            Self::Pulse => &[&[(15, 130), (65, 130), (95, 50), (135, 200), (170, 130), (225, 130)]],
            Self::CloudOff => &[
                &[(70, 190), (35, 170), (30, 130), (65, 105), (85, 65), (125, 55), (165, 75), (175, 105), (210, 125), (210, 165), (185, 190), (70, 190)],
                &[(35, 25), (205, 220)],
            ],
            Self::Pause => &[&[(85, 50), (85, 190)], &[(155, 50), (155, 190)]],
            Self::Ended => &[
                &[(120, 30), (183, 57), (210, 120), (183, 183), (120, 210), (57, 183), (30, 120), (57, 57), (120, 30)],
                &[(88, 88), (152, 152)],
                &[(152, 88), (88, 152)],
            ],
            Self::Triangle => &[
                &[(120, 35), (220, 205), (20, 205), (120, 35)],
                &[(120, 100), (120, 140)],
                &[(120, 172)],
            ],
            Self::Save => &[
                &[(120, 30), (120, 145)],
                &[(75, 100), (120, 145), (165, 100)],
                &[(35, 150), (35, 205), (205, 205), (205, 150)],
            ],
            Self::Bin => &[
                &[(35, 65), (205, 65)],
                &[(60, 65), (72, 210), (168, 210), (180, 65)],
                &[(95, 65), (95, 30), (145, 30), (145, 65)],
            ],
            Self::Battery => &[
                &[(20, 75), (195, 75), (195, 175), (20, 175), (20, 75)],
                &[(222, 110), (222, 140)],
                &[(52, 108), (52, 142)],
            ],
            Self::Sync => &[
                &[(40, 100), (70, 60), (120, 42), (170, 60), (205, 100)],
                &[(205, 45), (205, 100), (150, 100)],
                &[(200, 140), (170, 180), (120, 198), (70, 180), (35, 140)],
                &[(35, 195), (35, 140), (90, 140)],
            ],
            Self::Pin => &[
                &[(120, 220), (65, 140), (50, 95), (72, 48), (120, 28), (168, 48), (190, 95), (175, 140), (120, 220)],
                &[(120, 95)],
            ],
            Self::Check => &[&[(35, 130), (95, 190), (205, 60)]],
            Self::Up => &[&[(55, 185), (185, 55)], &[(90, 55), (185, 55), (185, 150)]],
            Self::Level => &[&[(30, 120), (210, 120)], &[(145, 55), (210, 120), (145, 185)]],
            Self::Down => &[&[(55, 55), (185, 185)], &[(185, 90), (185, 185), (90, 185)]],
        }
    }

    /// Draws it into a square.
    pub(crate) fn draw<D: DrawTarget<Color = Ink>>(
        self,
        square: Rectangle,
        ink: Ink,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let side = square
            .size
            .width
            .min(square.size.height)
            .min(512)
            .cast_signed();
        let at = |(x, y): (i32, i32)| Dot {
            x: square.top_left.x * PIXEL + x * side * PIXEL / (10 * SIDE),
            y: square.top_left.y * PIXEL + y * side * PIXEL / (10 * SIDE),
        };
        if side <= 0 {
            return Ok(());
        }
        // A twelfth of the side is as thick as the letters beside it.
        let half = (side * PIXEL / 23).max(PIXEL / 2);
        for line in self.lines() {
            // Lines one by one: where they cross, both are opaque.
            let mut edges = Edges::new();
            match line {
                [point] => edges.extend(stroke::disc(at(*point), half * 5 / 4)),
                _ => {
                    let points: heapless::Vec<Dot, MOST_POINTS> =
                        line.iter().map(|point| at(*point)).collect();
                    stroke::line(&points, half, &mut edges);
                }
            }
            stroke::fill(&edges, |_| Ramp::to(ink), target)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::Frame;

    const ALL: [Icon; 20] = [
        Icon::Power,
        Icon::Sliders,
        Icon::Wifi,
        Icon::Clock,
        Icon::Key,
        Icon::Watch,
        Icon::Pulse,
        Icon::CloudOff,
        Icon::Pause,
        Icon::Ended,
        Icon::Triangle,
        Icon::Save,
        Icon::Bin,
        Icon::Battery,
        Icon::Sync,
        Icon::Pin,
        Icon::Check,
        Icon::Up,
        Icon::Level,
        Icon::Down,
    ];

    #[test]
    fn icons_stay_in_their_squares_and_differ() {
        for side in [11, 18, 24, 40] {
            let mut seen = vec![];
            for icon in ALL {
                let mut frame = Frame::new(Size::new(60, 60), vec![0; 30 * 60]).unwrap();
                let square = Rectangle::new(Point::new(8, 8), Size::new_equal(side));
                icon.draw(square, Ink::Text, &mut frame).unwrap();
                for (at, ink) in frame.bounding_box().points().zip(frame.pixels()) {
                    assert!(
                        ink == Ink::Ground || square.contains(at),
                        "{icon:?} at {at}"
                    );
                }
                assert!(
                    !seen.contains(&frame.bytes().to_vec()),
                    "{icon:?} at {side}"
                );
                seen.push(frame.bytes().to_vec());
            }
        }
    }

    #[test]
    fn every_line_is_filled_whole() {
        for line in ALL.iter().flat_map(|icon| icon.lines()) {
            assert!(line.len() <= MOST_POINTS);
        }
    }
}
