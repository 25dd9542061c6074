//! From a model to the glass: drawn, compared, pushed by a driver, and visible as it was drawn.

use std::convert::Infallible;

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use proptest::prelude::*;
use pulsewing_hx8357::{
    BATCH_BYTES, Hx8357, Hx8357Async, PaletteRows, Rotation,
    sim::{Settings, SimDc, SimSpi, Simulator},
};
use pulsewing_screen::{
    Band, Colours, Frame, Ink, Tiles,
    changes::{self, Cost},
    draw,
};
use pulsewing_testkit::pictures::blank;

use crate::{async_twin::finish, models::Moment};

/// The contents that a screen should show.
struct Picture<'p> {
    moment: &'p Moment,
    spots: &'p [(Rectangle, Ink)],
    frame: Frame<Vec<u8>>,
    colours: Colours,
}

impl<'p> Picture<'p> {
    /// Creates a model's picture, with some ink spilt over it.
    fn new(moment: &'p Moment, spots: &'p [(Rectangle, Ink)], size: Size) -> Self {
        let picture = Self {
            moment,
            spots,
            frame: blank(size),
            colours: moment
                .with_model(|model| pulsewing_screen::colours(model, size, moment.palette)),
        };
        let mut frame = blank(size);
        picture.draw(&mut frame);
        Self { frame, ..picture }
    }

    fn draw<D: DrawTarget<Color = Ink, Error = Infallible>>(&self, target: &mut D) {
        self.moment.with_model(|model| draw(model, target).unwrap());
        for (area, ink) in self.spots {
            target.fill_solid(area, *ink).unwrap();
        }
    }

    fn seen(&self) -> Vec<Rgb565> {
        let colours = self.colours.rgb565();
        let pixels = self.frame.pixels();
        pixels
            .map(|ink| colours[usize::from(ink.index())])
            .collect()
    }
}

fn storage(colours: &Colours) -> [u16; 16] {
    colours.rgb565().map(IntoStorage::into_storage)
}

/// A board with a panel, and its way to find out what changed.
trait Board {
    fn panel(&self) -> &Simulator;

    fn show(&mut self, picture: &Picture<'_>);
}

/// Two frames in memory, and the blocking driver.
struct TwoFrames {
    panel: Simulator,
    driver: Hx8357<SimSpi, SimDc, [u8; BATCH_BYTES]>,
    shown: Option<(Frame<Vec<u8>>, Colours)>,
}

/// Tile hashes, and the async driver.
struct Hashes {
    panel: Simulator,
    driver: Hx8357Async<SimSpi, SimDc, [u8; BATCH_BYTES]>,
    tiles: Tiles,
    colours: Option<Colours>,
}

/// Tile hashes and bands, each drawn in turn, and the blocking driver.
struct Bands {
    panel: Simulator,
    driver: Hx8357<SimSpi, SimDc, [u8; BATCH_BYTES]>,
    tiles: Tiles,
    colours: Option<Colours>,
    rows: u32,
}

fn panel() -> Simulator {
    Simulator::new(Settings::default())
}

impl TwoFrames {
    fn new(rotation: Rotation) -> Self {
        let panel = panel();
        let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; BATCH_BYTES], rotation);
        driver.init(&mut panel.delay()).unwrap();
        Self {
            panel,
            driver,
            shown: None,
        }
    }
}

impl Board for TwoFrames {
    fn panel(&self) -> &Simulator {
        &self.panel
    }

    fn show(&mut self, picture: &Picture<'_>) {
        let Picture { frame, colours, .. } = picture;
        let palette = storage(colours);
        let rows = PaletteRows::new(frame.size(), frame.bytes(), &palette).unwrap();
        let known = self.shown.take().filter(|(_, known)| known == colours);
        let areas: Vec<Rectangle> = match known {
            Some((old, _)) => changes::between(&old, frame, Cost::SPI)
                .iter()
                .copied()
                .collect(),
            None => vec![frame.bounding_box()],
        };
        for area in areas {
            self.driver
                .push_palette(area.top_left, &rows, &area)
                .unwrap();
        }
        self.shown = Some((frame.clone(), *colours));
    }
}

impl Hashes {
    fn new(rotation: Rotation) -> Self {
        let panel = panel();
        let mut driver = Hx8357Async::new(panel.spi(), panel.dc(), [0; BATCH_BYTES], rotation);
        finish(driver.init(&mut panel.delay())).unwrap();
        Self {
            panel,
            driver,
            tiles: Tiles::new(),
            colours: None,
        }
    }
}

impl Board for Hashes {
    fn panel(&self) -> &Simulator {
        &self.panel
    }

    fn show(&mut self, picture: &Picture<'_>) {
        let Picture { frame, colours, .. } = picture;
        if self.colours.replace(*colours) != Some(*colours) {
            self.tiles.forget();
        }
        let palette = storage(colours);
        let rows = PaletteRows::new(frame.size(), frame.bytes(), &palette).unwrap();
        for area in &self.tiles.update(frame, Cost::SPI) {
            finish(self.driver.push_palette(area.top_left, &rows, area)).unwrap();
        }
    }
}

impl Bands {
    fn new(rotation: Rotation, rows: u32) -> Self {
        let panel = panel();
        let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; BATCH_BYTES], rotation);
        driver.init(&mut panel.delay()).unwrap();
        Self {
            panel,
            driver,
            tiles: Tiles::new(),
            colours: None,
            rows,
        }
    }
}

impl Board for Bands {
    fn panel(&self) -> &Simulator {
        &self.panel
    }

    fn show(&mut self, picture: &Picture<'_>) {
        let Picture { frame, colours, .. } = picture;
        if self.colours.replace(*colours) != Some(*colours) {
            self.tiles.forget();
        }
        let (size, palette) = (frame.size(), storage(colours));
        let mut buffer = vec![0; Frame::<Vec<u8>>::bytes_for(Size::new(size.width, self.rows))];
        for first in (0..size.height).step_by(self.rows as usize) {
            let mut band = Band::new(size, first, &mut buffer[..]).unwrap();
            picture.draw(&mut band);
            let rows = band.rows();
            let rows = PaletteRows::new(rows.size(), rows.bytes(), &palette).unwrap();
            let up = Point::new(0, first.cast_signed());
            for area in &self.tiles.update_band(&band, Cost::SPI) {
                let part = area.translate(-up);
                self.driver
                    .push_palette(area.top_left, &rows, &part)
                    .unwrap();
            }
        }
    }
}

#[track_caller]
fn assert_shows(board: &impl Board, rotation: Rotation, picture: &Picture<'_>) {
    let seen = board.panel().visible(rotation).unwrap();
    assert_eq!(seen.size(), picture.frame.size());
    assert!(seen.pixels() == picture.seen(), "{rotation:?}");
    assert_eq!(board.panel().complaints(), []);
}

/// Ink in a few places, even beyond the edges.
fn spots() -> impl Strategy<Value = Vec<(Rectangle, Ink)>> {
    let area = (-20_i32..500, -20_i32..500, 0_u32..90, 0_u32..60)
        .prop_map(|(x, y, w, h)| Rectangle::new(Point::new(x, y), Size::new(w, h)));
    prop::collection::vec((area, prop::sample::select(Ink::ALL.to_vec())), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_drawn_in_whatever_order_is_seen(
        rotation in prop::sample::select(Rotation::ALL.to_vec()),
        steps in prop::collection::vec((Moment::any(), spots()), 1..5),
        rows in prop_oneof![Just(64_u32), 40_u32..100],
    ) {
        let (mut frames, mut hashes) = (TwoFrames::new(rotation), Hashes::new(rotation));
        let mut bands = Bands::new(rotation, rows);
        for (moment, spots) in &steps {
            let picture = Picture::new(moment, spots, rotation.size());
            frames.show(&picture);
            hashes.show(&picture);
            bands.show(&picture);
            assert_shows(&frames, rotation, &picture);
            assert_shows(&hashes, rotation, &picture);
            assert_shows(&bands, rotation, &picture);
        }
    }
}

/// Sends some hours of polls, and returns how many bytes each took.
fn hours(board: &mut impl Board, rotation: Rotation) -> Vec<u64> {
    let mut bytes = Vec::new();
    for poll in 0..5 {
        let moment = Moment::poll(840 + poll * 15);
        let picture = Picture::new(&moment, &[], rotation.size());
        board.show(&picture);
        assert_shows(board, rotation, &picture);
        bytes.push(board.panel().take_traffic().bytes);
    }
    bytes
}

#[test]
fn hours_of_polls_are_seen_in_every_rotation_at_a_fraction_of_the_bytes() {
    for rotation in Rotation::ALL {
        let [frames, hashes, bands] = [
            hours(&mut TwoFrames::new(rotation), rotation),
            hours(&mut Hashes::new(rotation), rotation),
            hours(&mut Bands::new(rotation, 64), rotation),
        ];
        for (name, bytes) in [("frames", frames), ("hashes", hashes), ("bands", bands)] {
            println!("{rotation:?}, {name}: {bytes:?}");
            assert!(bytes[0] >= 307_211, "the first frame is whole");
            let updates = &bytes[1..];
            let mean = updates.iter().sum::<u64>() / updates.len() as u64;
            assert!((1..307_211 / 2).contains(&mean), "{name}: {mean}");
        }
    }
}
