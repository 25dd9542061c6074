//! Four ways to hold the panel, compared with the mipidsi model.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use mipidsi::{
    Builder,
    interface::SpiInterface,
    options::{Orientation, Rotation as Turn},
};
use pulsewing_hx8357::{
    Hx8357, Hx8357Rgb565, Rotation,
    sim::{Picture, Settings, Simulator},
};

/// A sign that looks different in every other rotation or mirroring, one letter a pixel.
const SIGN: [&str; 4] = ["RRRRG", "R....", "RRR..", "B...."];

fn colour(letter: char) -> Rgb565 {
    match letter {
        'R' => Rgb565::RED,
        'G' => Rgb565::GREEN,
        'B' => Rgb565::BLUE,
        _ => Rgb565::WHITE,
    }
}

fn sign() -> impl Iterator<Item = Rgb565> {
    SIGN.iter().flat_map(|row| row.chars()).map(colour)
}

/// Reads the sign at a place of a picture, in letters.
fn read(picture: &Picture, at: Point) -> Vec<String> {
    let letter = |at| {
        ['R', 'G', 'B', '.']
            .into_iter()
            .find(|letter| picture.pixel(at) == Some(colour(*letter)))
            .unwrap_or('?')
    };
    (0..4)
        .map(|y| (0..5).map(|x| letter(at + Point::new(x, y))).collect())
        .collect()
}

fn corners(size: Size) -> [Point; 4] {
    let (right, bottom) = (size.width as i32 - 5, size.height as i32 - 4);
    [
        Point::zero(),
        Point::new(right, 0),
        Point::new(0, bottom),
        Point::new(right, bottom),
    ]
}

#[test]
fn a_picture_is_upright_in_all_four_rotations() {
    for rotation in Rotation::ALL {
        let panel = Simulator::new(Settings::default());
        let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], rotation);
        driver.init(&mut panel.delay()).unwrap();
        assert_eq!(driver.size(), rotation.size());
        for at in corners(rotation.size()) {
            let area = Rectangle::new(at, Size::new(5, 4));
            driver.push(&area, sign()).unwrap();
            let seen = panel.visible(rotation).unwrap();
            assert_eq!(read(&seen, at), SIGN, "{rotation:?} at {at}");
        }
        assert_eq!(panel.complaints(), []);
    }
}

/// Independent of the simulator's own idea of a view: uses the positions of the corners of the
/// glass.
#[test]
fn a_quarter_turn_moves_the_top_left_to_the_next_corner() {
    // As seen by a person who still holds the panel upright.
    for (rotation, corner) in [
        (Rotation::Portrait, Point::new(0, 0)),
        (Rotation::Landscape, Point::new(319, 0)),
        (Rotation::PortraitFlipped, Point::new(319, 479)),
        (Rotation::LandscapeFlipped, Point::new(0, 479)),
    ] {
        let panel = Simulator::new(Settings::default());
        let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 4096], rotation);
        driver.init(&mut panel.delay()).unwrap();
        let all = Rectangle::new(Point::zero(), rotation.size());
        driver.fill(&all, Rgb565::BLACK).unwrap();
        let dot = Rectangle::new(Point::zero(), Size::new(1, 1));
        driver.fill(&dot, Rgb565::WHITE).unwrap();
        let upright = panel.visible(Rotation::Portrait).unwrap();
        assert_eq!(upright.pixel(corner), Some(Rgb565::WHITE), "{rotation:?}");
    }
}

#[test]
fn turning_sends_one_command_and_turns_what_comes_after_it() {
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Portrait);
    driver.init(&mut panel.delay()).unwrap();
    let before = panel.memory(Rotation::Portrait);
    for rotation in Rotation::ALL {
        let _ = panel.take_traffic();
        driver.set_rotation(rotation).unwrap();
        assert_eq!(panel.take_traffic().bytes, 2);
        assert_eq!(panel.memory(Rotation::Portrait), before);
    }
    let at = Point::new(475, 316);
    let area = Rectangle::new(at, Size::new(5, 4));
    driver.push(&area, sign()).unwrap();
    let seen = panel.visible(Rotation::LandscapeFlipped).unwrap();
    assert_eq!(read(&seen, at), SIGN);
    assert_eq!(panel.complaints(), []);
}

#[test]
fn the_mipidsi_model_shows_the_same_in_the_orientations_that_its_page_names() {
    for (turn, rotation) in [
        (Turn::Deg0, Rotation::PortraitFlipped),
        (Turn::Deg90, Rotation::LandscapeFlipped),
        (Turn::Deg180, Rotation::Portrait),
        (Turn::Deg270, Rotation::Landscape),
    ] {
        let panel = Simulator::new(Settings::default());
        let mut buffer = [0; 64];
        let interface = SpiInterface::new(panel.spi(), panel.dc(), &mut buffer);
        let mut display = Builder::new(Hx8357Rgb565, interface)
            .orientation(Orientation::new().rotate(turn))
            .init(&mut panel.delay())
            .unwrap();
        assert_eq!(display.size(), rotation.size());
        let at = Point::new(7, 9);
        let area = Rectangle::new(at, Size::new(5, 4));
        display.fill_contiguous(&area, sign()).unwrap();
        let seen = panel.visible(rotation).unwrap();
        assert_eq!(read(&seen, at), SIGN, "{turn:?}");
        assert_eq!(panel.complaints(), []);
    }
}
