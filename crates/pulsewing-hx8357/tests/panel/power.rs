//! Initialisation, sleep, display and backlight: bytes and waits.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use pulsewing_hx8357::{
    Error, Hx8357, Refusal, Rotation, command,
    sim::{Settings, Simulator},
};

use crate::tape::{Event, Tape};

const DOT: Rectangle = Rectangle::new(Point::new(5, 5), Size::new(1, 1));

/// Returns the initialisation, written out again byte for byte as in the driver for CircuitPython,
/// with the Linux driver's waits.
fn init_up_to_sleep_out() -> Vec<Event> {
    let gamma = [
        0x02, 0x0a, 0x11, 0x1d, 0x23, 0x35, 0x41, 0x4b, 0x4b, 0x42, 0x3a, 0x27, 0x1b, 0x08, 0x09,
        0x03,
    ];
    let gamma = [&gamma[..], &gamma, &[0x00, 0x01]].concat();
    vec![
        Event::Command(0x01),
        Event::WaitMs(100),
        Event::Command(0xb9),
        Event::Data(vec![0xff, 0x83, 0x57]),
        Event::WaitMs(150),
        Event::Command(0xb3),
        Event::Data(vec![0x80, 0x00, 0x06, 0x06]),
        Event::Command(0xb6),
        Event::Data(vec![0x25]),
        Event::Command(0xb0),
        Event::Data(vec![0x66]),
        Event::Command(0xcc),
        Event::Data(vec![0x05]),
        Event::Command(0xb1),
        Event::Data(vec![0x00, 0x15, 0x1c, 0x1c, 0x83, 0xaa]),
        Event::Command(0xc0),
        Event::Data(vec![0x50, 0x50, 0x01, 0x3c, 0x1e, 0x08]),
        Event::Command(0xb4),
        Event::Data(vec![0x02, 0x40, 0x00, 0x2a, 0x2a, 0x0d, 0x78]),
        Event::Command(0xe0),
        Event::Data(gamma),
        Event::Command(0x3a),
        Event::Data(vec![0x55]),
        Event::Command(0x35),
        Event::Data(vec![0x00]),
        Event::Command(0x44),
        Event::Data(vec![0x00, 0x02]),
        Event::Command(0x11),
        Event::WaitMs(150),
    ]
}

#[test]
fn initialisation_sends_these_bytes_and_keeps_these_waits() {
    for (rotation, madctl) in [
        (Rotation::Portrait, 0xc0),
        (Rotation::Landscape, 0xa0),
        (Rotation::PortraitFlipped, 0x00),
        (Rotation::LandscapeFlipped, 0x60),
    ] {
        let tape = Tape::default();
        let mut panel = Hx8357::new(tape.spi(), tape.dc(), [0; 64], rotation);
        panel.init(&mut tape.delay()).unwrap();
        let mut expected = init_up_to_sleep_out();
        expected.extend([
            Event::Command(0x36),
            Event::Data(vec![madctl]),
            Event::Command(0x29),
            Event::WaitMs(50),
        ]);
        assert_eq!(tape.take(), expected, "{rotation:?}");
    }
}

#[test]
fn the_table_of_commands_is_what_a_dark_initialisation_sends() {
    let tape = Tape::default();
    let mut panel = Hx8357::new(tape.spi(), tape.dc(), [0; 64], Rotation::Portrait);
    panel.init_dark(&mut tape.delay()).unwrap();
    let mut listed = Vec::new();
    for command in command::init(Rotation::Portrait) {
        listed.push(Event::Command(command.opcode));
        if !command.parameters.is_empty() {
            listed.push(Event::Data(command.parameters.to_vec()));
        }
        if command.wait_ms > 0 {
            listed.push(Event::WaitMs(command.wait_ms.into()));
        }
    }
    assert_eq!(tape.take(), listed);
}

#[test]
fn initialisation_takes_450_ms_and_pleases_the_controller() {
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape);
    driver.init(&mut panel.delay()).unwrap();
    assert_eq!(panel.elapsed().as_millis(), 450);
    assert!(panel.visible(Rotation::Landscape).is_some());
    assert_eq!(panel.complaints(), []);
}

#[test]
fn a_picture_drawn_in_the_dark_is_the_first_that_is_seen() {
    let panel = Simulator::new(Settings {
        may_draw_unseen: true,
        ..Settings::default()
    });
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 4096], Rotation::Landscape);
    let delay = &mut panel.delay();
    driver.init_dark(delay).unwrap();
    let all = Rectangle::new(Point::zero(), driver.size());
    driver.fill(&all, Rgb565::BLUE).unwrap();
    assert!(panel.visible(Rotation::Landscape).is_none());
    driver.display_on(delay).unwrap();
    let picture = panel.visible(Rotation::Landscape).unwrap();
    assert!(picture.pixels().iter().all(|c| *c == Rgb565::BLUE));
    assert_eq!(panel.complaints(), []);
}

#[test]
fn sleep_and_wake_keep_their_waits_and_the_picture() {
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape);
    let delay = &mut panel.delay();
    driver.init(delay).unwrap();
    driver.fill(&DOT, Rgb565::RED).unwrap();
    let before = panel.visible(Rotation::Landscape);
    driver.sleep(delay).unwrap();
    assert_eq!(panel.visible(Rotation::Landscape), None);
    driver.wake(delay).unwrap();
    assert_eq!(panel.visible(Rotation::Landscape), before);
    assert_eq!(panel.complaints(), []);

    let tape = Tape::default();
    let mut driver = Hx8357::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape);
    driver.init(&mut tape.delay()).unwrap();
    tape.take();
    driver.sleep(&mut tape.delay()).unwrap();
    assert_eq!(tape.take(), [Event::Command(0x10), Event::WaitMs(120)]);
    driver.sleep(&mut tape.delay()).unwrap();
    assert_eq!(tape.take(), [], "it sleeps already");
    driver.wake(&mut tape.delay()).unwrap();
    assert_eq!(tape.take(), [Event::Command(0x11), Event::WaitMs(150)]);
    driver.wake(&mut tape.delay()).unwrap();
    assert_eq!(tape.take(), [], "it is awake already");
}

#[test]
fn a_sleeping_panel_is_only_woken_or_initialised() {
    let tape = Tape::default();
    let mut driver = Hx8357::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape);
    let delay = &mut tape.delay();
    driver.init(delay).unwrap();
    driver.sleep(delay).unwrap();
    tape.take();
    let asleep = Err(Error::Refused(Refusal::Asleep));
    assert_eq!(driver.fill(&DOT, Rgb565::RED), asleep);
    assert_eq!(driver.display_on(delay), asleep);
    assert_eq!(driver.display_off(delay), asleep);
    assert_eq!(driver.set_rotation(Rotation::Portrait), asleep);
    assert_eq!(tape.take(), []);
    driver.init(delay).unwrap();
    driver.fill(&DOT, Rgb565::RED).unwrap();
}

#[test]
fn nothing_is_sent_to_a_panel_that_was_not_initialised() {
    let tape = Tape::default();
    let mut driver = Hx8357::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape);
    let delay = &mut tape.delay();
    let not_ready = Err(Error::Refused(Refusal::NotReady));
    assert_eq!(driver.fill(&DOT, Rgb565::RED), not_ready);
    assert_eq!(driver.sleep(delay), not_ready);
    assert_eq!(driver.wake(delay), not_ready);
    assert_eq!(driver.display_on(delay), not_ready);
    assert_eq!(driver.set_rotation(Rotation::Portrait), not_ready);
    assert_eq!(tape.take(), []);
}

#[test]
fn the_display_stays_off_through_sleep() {
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape)
        .with_backlight(panel.backlight());
    let delay = &mut panel.delay();
    driver.init(delay).unwrap();
    driver.display_off(delay).unwrap();
    driver.sleep(delay).unwrap();
    driver.wake(delay).unwrap();
    assert_eq!(panel.visible(Rotation::Landscape), None);
    driver.display_on(delay).unwrap();
    assert!(panel.visible(Rotation::Landscape).is_some());
    assert_eq!(panel.complaints(), []);
}

#[test]
fn the_backlight_is_lit_exactly_while_there_is_something_to_see() {
    let tape = Tape::default();
    let mut driver = Hx8357::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape)
        .with_backlight(tape.light());
    let delay = &mut tape.delay();

    driver.init_dark(delay).unwrap();
    let events = tape.take();
    assert_eq!(events.first(), Some(&Event::Light(false)));
    assert!(!events.contains(&Event::Light(true)));

    driver.display_on(delay).unwrap();
    let on = [Event::Command(0x29), Event::WaitMs(50), Event::Light(true)];
    assert_eq!(tape.take(), on);

    driver.sleep(delay).unwrap();
    let asleep = [
        Event::Light(false),
        Event::Command(0x10),
        Event::WaitMs(120),
    ];
    assert_eq!(tape.take(), asleep);

    driver.wake(delay).unwrap();
    let awake = [Event::Command(0x11), Event::WaitMs(150), Event::Light(true)];
    assert_eq!(tape.take(), awake);

    driver.display_off(delay).unwrap();
    assert_eq!(tape.take(), [Event::Light(false), Event::Command(0x28)]);
}
