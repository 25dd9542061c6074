//! A bus or a pin that fails.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use pulsewing_hx8357::{Error, Hx8357, Refusal, Rotation};

use crate::tape::{Broken, Tape};

const BOX: Rectangle = Rectangle::new(Point::new(11, 22), Size::new(33, 44));

#[test]
fn a_fault_anywhere_in_a_change_is_reported_and_asks_for_a_new_initialisation() {
    let tape = Tape::default();
    let mut panel = Hx8357::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape)
        .with_backlight(tape.light());
    let delay = &mut tape.delay();
    let mut faults = Vec::new();
    for operations in 0.. {
        tape.break_after(operations);
        let result = panel.init(delay);
        if tape.mend() {
            assert_eq!(result, Ok(()));
            break;
        }
        let fault = result.unwrap_err();
        let not_ready = Err(Error::Refused(Refusal::NotReady));
        assert_eq!(panel.fill(&BOX, Rgb565::RED), not_ready);
        assert_eq!(panel.sleep(delay), not_ready);
        if faults.last() != Some(&fault) {
            faults.push(fault);
        }
    }
    assert!(faults.contains(&Error::Spi(Broken)));
    assert!(faults.contains(&Error::Dc(Broken)));
    assert_eq!(faults.first(), Some(&Error::Backlight(Broken)));
    assert_eq!(faults.last(), Some(&Error::Backlight(Broken)));
    panel.fill(&BOX, Rgb565::RED).unwrap();
}

#[test]
fn a_fault_anywhere_while_drawing_is_reported_and_drawing_again_mends_it() {
    let tape = Tape::default();
    let mut panel = Hx8357::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape);
    panel.init(&mut tape.delay()).unwrap();
    tape.take();
    panel.fill(&BOX, Rgb565::RED).unwrap();
    let whole = tape.take();
    for operations in 0.. {
        tape.break_after(operations);
        let result = panel.fill(&BOX, Rgb565::RED);
        if tape.mend() {
            assert_eq!(result, Ok(()));
            // Ten for the window, one for D/C, and each of the batches.
            assert_eq!(operations, 11 + (33 * 44 * 2_usize).div_ceil(64));
            break;
        }
        assert!(
            matches!(result, Err(Error::Spi(Broken) | Error::Dc(Broken))),
            "{result:?}"
        );
        tape.take();
        panel.fill(&BOX, Rgb565::RED).unwrap();
        assert_eq!(tape.take(), whole);
    }
}

#[test]
fn errors_say_what_failed_or_what_to_do() {
    type Failure = Error<Broken, Broken, Broken>;
    let said = |error: Failure| error.to_string();
    assert_eq!(
        said(Error::Spi(Broken)),
        "the panel's SPI device failed: Broken"
    );
    assert_eq!(
        said(Refusal::NotReady.into()),
        "the panel is not initialised; call init"
    );
}
