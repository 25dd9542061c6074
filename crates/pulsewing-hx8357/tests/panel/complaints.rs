//! The complaints of the simulated controller, each provoked once.

use embedded_graphics::{pixelcolor::Rgb565, prelude::*};
use embedded_hal::{
    delay::DelayNs,
    digital::OutputPin,
    spi::{Operation, SpiDevice},
};
use proptest::prelude::*;
use pulsewing_hx8357::{
    Hx8357, Rotation, command,
    sim::{Complaint, Settings, Simulator},
};

fn awake() -> Simulator {
    let panel = Simulator::new(Settings::default());
    Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape)
        .init(&mut panel.delay())
        .unwrap();
    assert_eq!(panel.complaints(), []);
    panel
}

fn send(panel: &Simulator, opcode: u8, data: &[u8]) {
    panel.dc().set_low().unwrap();
    panel.spi().write(&[opcode]).unwrap();
    panel.dc().set_high().unwrap();
    panel.spi().write(data).unwrap();
}

/// Sets a window of 2x2 pixels at the top left.
fn window(panel: &Simulator) {
    send(panel, 0x2a, &[0, 0, 0, 1]);
    send(panel, 0x2b, &[0, 0, 0, 1]);
}

#[test]
fn an_unknown_command_is_ignored_with_its_data() {
    let panel = awake();
    send(&panel, 0xde, &[0xad, 0xbe, 0xef]);
    assert_eq!(panel.complaints(), [Complaint::UnknownCommand(0xde)]);
}

#[test]
fn a_vendors_register_wants_the_key() {
    let panel = awake();
    send(&panel, 0xb9, &[1, 2, 3]);
    panel.delay().delay_ms(150);
    send(&panel, 0xb0, &[0x68]);
    assert_eq!(panel.complaints(), [Complaint::Locked(0xb0)]);
}

#[test]
fn each_wait_has_to_be_kept() {
    for (after, key, needed_ms) in [
        (0x01, &[][..], 100),
        (0x10, &[], 120),
        (0x11, &[], 120),
        (0xb9, &[0xff, 0x83, 0x57], 150),
    ] {
        let panel = awake();
        send(&panel, after, key);
        panel.delay().delay_ms(needed_ms - 1);
        send(&panel, 0x28, &[]);
        let complaints = panel.take_complaints();
        let [
            Complaint::TooSoon {
                after: named,
                opcode: 0x28,
                waited_us,
                needed_us,
            },
        ] = complaints[..]
        else {
            panic!("{after:02x}: {complaints:?}");
        };
        assert_eq!((named, needed_us), (after, u64::from(needed_ms) * 1_000));
        assert!(waited_us < needed_us, "{waited_us}");
        panel.delay().delay_ms(1);
        send(&panel, 0x28, &[]);
        assert_eq!(panel.complaints(), [], "{after:02x}");
    }
}

#[test]
fn a_wait_left_out_of_the_initialisation_is_noticed() {
    let count = command::init(Rotation::Landscape)
        .filter(|c| c.wait_ms > 0)
        .count();
    assert_eq!(count, 3);
    for skipped in 0..count {
        let panel = Simulator::new(Settings::default());
        let mut waits = 0;
        for command in command::init(Rotation::Landscape) {
            send(&panel, command.opcode, command.parameters);
            if command.wait_ms > 0 {
                if waits != skipped {
                    panel.delay().delay_ms(command.wait_ms.into());
                }
                waits += 1;
            }
        }
        assert!(
            matches!(panel.complaints()[..], [Complaint::TooSoon { .. }, ..]),
            "{skipped}"
        );
    }
}

#[test]
fn a_reset_may_come_at_any_time() {
    let panel = awake();
    send(&panel, 0x11, &[]);
    send(&panel, 0x01, &[]);
    assert_eq!(panel.complaints(), []);
}

#[test]
fn parameters_that_are_missing_leave_things_as_they_are() {
    let panel = awake();
    window(&panel);
    send(&panel, 0x2a, &[0, 5, 1]);
    send(&panel, 0x2c, &[0xff; 8]);
    let missing = Complaint::MissingParameters {
        opcode: 0x2a,
        expected: 4,
        got: 3,
    };
    assert_eq!(panel.complaints(), [missing]);
    let seen = panel.visible(Rotation::Landscape).unwrap();
    assert_eq!(seen.pixel(Point::new(1, 1)), Some(Rgb565::WHITE));
}

#[test]
fn parameters_beyond_the_last_are_ignored() {
    let panel = awake();
    send(&panel, 0x36, &[0xa0, 0x00, 0x00]);
    send(&panel, 0x29, &[1, 2]);
    let surplus = |opcode, expected| Complaint::SurplusParameters { opcode, expected };
    assert_eq!(panel.complaints(), [surplus(0x36, 1), surplus(0x29, 0)]);
}

#[test]
fn pixels_want_ramwr_before_them() {
    let panel = Simulator::new(Settings::default());
    panel.dc().set_high().unwrap();
    panel.spi().write(&[1, 2, 3, 4]).unwrap();
    assert_eq!(panel.complaints(), [Complaint::PixelsBeforeRamwr]);

    let panel = awake();
    let before = panel.memory(Rotation::Landscape);
    window(&panel);
    panel.spi().write(&[0xff; 8]).unwrap();
    assert_eq!(panel.complaints(), [Complaint::PixelsBeforeRamwr]);
    assert_eq!(panel.memory(Rotation::Landscape), before);
}

#[test]
fn pixels_in_another_format_are_noticed_and_come_out_wrong() {
    // The format after a reset, and one that was set.
    let panel = awake();
    send(&panel, 0x3a, &[0x66]);
    window(&panel);
    let red = [0xf8, 0x00];
    send(&panel, 0x2c, &red.repeat(4));
    assert_eq!(
        panel.complaints(),
        [Complaint::WrongPixelFormat { colmod: 0x66 }]
    );
    let seen = panel.visible(Rotation::Landscape).unwrap();
    assert_ne!(seen.pixel(Point::zero()), Some(Rgb565::RED));
    assert_eq!(
        seen.pixel(Point::zero()),
        Some(Rgb565::new(31, 0, 31)),
        "three bytes a pixel"
    );

    let panel = awake();
    send(&panel, 0x01, &[]);
    panel.delay().delay_ms(100);
    send(&panel, 0x11, &[]);
    panel.delay().delay_ms(120);
    send(&panel, 0x29, &[]);
    send(&panel, 0x2c, &[]);
    assert_eq!(
        panel.complaints(),
        [Complaint::WrongPixelFormat { colmod: 0x77 }]
    );
}

#[test]
fn half_a_pixel_is_noticed_but_one_in_two_transactions_is_none() {
    let panel = awake();
    window(&panel);
    send(&panel, 0x2c, &[0xf8]);
    panel.spi().write(&[0x00]).unwrap();
    send(&panel, 0x00, &[]);
    assert_eq!(panel.complaints(), []);
    let seen = panel.visible(Rotation::Landscape).unwrap();
    assert_eq!(seen.pixel(Point::zero()), Some(Rgb565::RED));

    send(&panel, 0x2c, &[0x07, 0xe0, 0xf8]);
    send(&panel, 0x00, &[]);
    assert_eq!(panel.complaints(), [Complaint::HalfPixel]);
}

#[test]
fn a_window_that_ends_before_it_starts_is_ignored() {
    let panel = awake();
    window(&panel);
    send(&panel, 0x2b, &[0, 9, 0, 8]);
    send(&panel, 0x2c, &[0xff; 8]);
    let reversed = Complaint::WindowReversed {
        opcode: 0x2b,
        first: 9,
        last: 8,
    };
    assert_eq!(panel.complaints(), [reversed]);
}

#[test]
fn a_window_beyond_the_panel_is_noticed_as_the_panel_is_turned() {
    let panel = awake();
    send(&panel, 0x2a, &[0, 0, 0x01, 0xdf]);
    send(&panel, 0x2b, &[0, 0, 0, 1]);
    send(&panel, 0x2c, &[]);
    assert_eq!(panel.complaints(), []);
    send(&panel, 0x36, &[0xc0]);
    send(&panel, 0x2c, &[]);
    let outside = Complaint::WindowOutsidePanel {
        column: 479,
        row: 1,
    };
    assert_eq!(panel.take_complaints(), [outside]);

    send(&panel, 0x36, &[0xa0]);
    send(&panel, 0x2b, &[0x01, 0x3f, 0x01, 0x40]);
    let before = panel.memory(Rotation::Landscape);
    send(&panel, 0x2c, &[]);
    panel.spi().write(&[0xff; 480 * 2]).unwrap();
    let last_row = panel.memory(Rotation::Landscape);
    assert_ne!(last_row, before);
    panel.spi().write(&[0xff; 480 * 2]).unwrap();
    assert_eq!(
        panel.memory(Rotation::Landscape),
        last_row,
        "what lies beyond is lost"
    );
    let outside = Complaint::WindowOutsidePanel {
        column: 479,
        row: 320,
    };
    assert_eq!(panel.complaints(), [outside]);
}

#[test]
fn pixels_beyond_the_window_start_again_at_its_top_left() {
    let panel = awake();
    window(&panel);
    send(&panel, 0x2c, &[0xff; 8]);
    assert_eq!(panel.complaints(), []);
    panel.spi().write(&[0xf8, 0x00, 0xf8, 0x00]).unwrap();
    assert_eq!(panel.complaints(), [Complaint::PixelsBeyondWindow]);
    let seen = panel.visible(Rotation::Landscape).unwrap();
    let row = [0, 1].map(|y| seen.pixel(Point::new(1, y)).unwrap());
    assert_eq!(row, [Rgb565::RED, Rgb565::WHITE]);
}

#[test]
fn pixels_in_the_dark_are_noticed_but_arrive() {
    let panel = awake();
    send(&panel, 0x28, &[]);
    window(&panel);
    send(&panel, 0x2c, &[0xff; 8]);
    assert_eq!(panel.take_complaints(), [Complaint::DrawnUnseen]);
    send(&panel, 0x10, &[]);
    panel.delay().delay_ms(120);
    send(&panel, 0x2c, &[0xff; 8]);
    assert_eq!(panel.complaints(), [Complaint::DrawnAsleep]);
    let seen = panel.memory(Rotation::Landscape);
    assert_eq!(seen.pixel(Point::new(1, 1)), Some(Rgb565::WHITE));
}

#[test]
fn reads_are_answered_with_zeros_and_a_complaint() {
    let panel = awake();
    let mut answer = [0xff; 2];
    panel.spi().read(&mut answer).unwrap();
    assert_eq!(answer, [0, 0]);
    let mut answer = [0xff; 2];
    panel.dc().set_low().unwrap();
    panel.spi().transfer(&mut answer, &[0x00]).unwrap();
    assert_eq!(answer, [0, 0]);
    let mut both = [0x00];
    panel.spi().transfer_in_place(&mut both).unwrap();
    assert_eq!(panel.complaints(), [Complaint::Read; 3]);
}

#[test]
fn a_delay_inside_a_transaction_passes_in_the_panels_time() {
    let panel = awake();
    let before = panel.elapsed();
    let cost = Settings::default().transaction_ns;
    panel
        .spi()
        .transaction(&mut [Operation::DelayNs(3_000)])
        .unwrap();
    let passed = (panel.elapsed() - before).as_nanos();
    assert_eq!(passed, u128::from(cost) + 3_000);
}

#[test]
fn a_backlight_that_is_off_hides_everything() {
    let panel = awake();
    panel.backlight().set_low().unwrap();
    assert_eq!(panel.visible(Rotation::Landscape), None);
    panel.backlight().set_high().unwrap();
    assert!(panel.visible(Rotation::Landscape).is_some());
}

#[test]
fn red_and_blue_are_exchanged_when_the_order_is_set_twice_or_never() {
    let shown_red = |panel: &Simulator| {
        window(panel);
        send(panel, 0x2c, &[0xf8, 0x00].repeat(4));
        panel
            .visible(Rotation::Landscape)
            .unwrap()
            .pixel(Point::zero())
    };
    let panel = awake();
    assert_eq!(shown_red(&panel), Some(Rgb565::RED));
    send(&panel, 0x36, &[0xa8]);
    assert_eq!(shown_red(&panel), Some(Rgb565::BLUE));
    send(&panel, 0xcc, &[0x04]);
    assert_eq!(shown_red(&panel), Some(Rgb565::RED));
    send(&panel, 0x36, &[0xa0]);
    assert_eq!(shown_red(&panel), Some(Rgb565::BLUE));
    send(&panel, 0x21, &[]);
    assert_eq!(shown_red(&panel), Some(Rgb565::YELLOW));
    assert_eq!(panel.complaints(), []);
}

#[test]
fn the_picture_survives_a_reset_and_everything_else_does_not() {
    let panel = awake();
    window(&panel);
    send(&panel, 0x2c, &[0xff; 8]);
    let before = panel.memory(Rotation::Landscape);
    send(&panel, 0x01, &[]);
    panel.delay().delay_ms(100);
    assert_eq!(panel.visible(Rotation::Landscape), None);
    send(&panel, 0xb0, &[0x66]);
    assert_eq!(panel.take_complaints(), [Complaint::Locked(0xb0)]);
    let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape);
    driver.init(&mut panel.delay()).unwrap();
    assert_eq!(panel.visible(Rotation::Landscape), Some(before));
}

#[test]
fn complaints_are_told_in_words() {
    let said = |complaint: Complaint| complaint.to_string();
    assert_eq!(said(Complaint::UnknownCommand(0xde)), "unknown command DEh");
    let early = Complaint::TooSoon {
        after: 0x11,
        opcode: 0x29,
        waited_us: 5,
        needed_us: 120_000,
    };
    assert_eq!(
        said(early),
        "command 29h 5 us after 11h, which wants 120000"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_or_grow_without_bound(
        writes in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(any::<u8>(), 0..60), 0_u32..200), 0..60,
        ),
    ) {
        let panel = awake();
        for (is_data, bytes, wait_ms) in writes {
            panel.dc().set_state(is_data.into()).unwrap();
            panel.spi().write(&bytes).unwrap();
            panel.delay().delay_ms(wait_ms);
        }
        let _ = panel.visible(Rotation::Landscape);
        prop_assert!(panel.complaints().len() <= 1_000);
        // And a proper start restores it.
        let _ = panel.take_complaints();
        let mut driver = Hx8357::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape);
        driver.init(&mut panel.delay()).unwrap();
        prop_assert!(panel.visible(Rotation::Landscape).is_some());
        let complaints = panel.complaints();
        let of_the_cut = |c: &Complaint| {
            matches!(c, Complaint::HalfPixel | Complaint::MissingParameters { .. })
        };
        prop_assert!(complaints.len() <= 1 && complaints.iter().all(of_the_cut), "{complaints:?}");
    }
}
