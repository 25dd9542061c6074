//! The async driver sends what the blocking one sends.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use embedded_graphics::{pixelcolor::Rgb565, prelude::*, primitives::Rectangle};
use pulsewing_hx8357::{
    Error, Hx8357, Hx8357Async, PaletteRows, Refusal, Rotation,
    sim::{Settings, Simulator},
};

use crate::{
    canvas::colours,
    tape::{Event, Tape},
};

/// Polls a future this many times; `None` if it was not ready by then, and it is dropped.
fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

pub(crate) fn finish<F: Future>(future: F) -> F::Output {
    poll_times(future, 100_000).expect("the future ends")
}

const BOX: Rectangle = Rectangle::new(Point::new(11, 22), Size::new(33, 44));

#[test]
fn both_drivers_send_the_same_bytes_and_keep_the_same_waits() {
    let palette = std::array::from_fn(|index| index as u16 * 0x1111);
    let bytes: Vec<u8> = (0..=255).cycle().take(120 * 80).collect();
    let picture = PaletteRows::new(Size::new(239, 80), &bytes, &palette).unwrap();
    let beyond = Rectangle::new(Point::new(300, 0), Size::new(200, 1));

    let blocking = Tape::default();
    let mut panel = Hx8357::new(blocking.spi(), blocking.dc(), [0; 200], Rotation::Landscape)
        .with_backlight(blocking.light());
    let delay = &mut blocking.delay();
    let not_ready = panel.fill(&BOX, Rgb565::RED);
    panel.init(delay).unwrap();
    panel.push(&BOX, colours(1)).unwrap();
    panel.fill(&BOX, Rgb565::RED).unwrap();
    panel
        .push_palette(Point::new(9, 8), &picture, &BOX)
        .unwrap();
    panel.set_rotation(Rotation::Portrait).unwrap();
    let outside = panel.fill(&beyond, Rgb565::RED);
    let short = panel.push(&BOX, colours(1).take(150));
    panel.display_off(delay).unwrap();
    panel.sleep(delay).unwrap();
    let asleep = panel.fill(&BOX, Rgb565::RED);
    panel.wake(delay).unwrap();
    panel.display_on(delay).unwrap();
    panel.init_dark(delay).unwrap();
    let (rotation, size) = (panel.rotation(), panel.size());

    let twin = Tape::default();
    let mut panel = Hx8357Async::new(twin.spi(), twin.dc(), [0; 200], Rotation::Landscape)
        .with_backlight(twin.light());
    let delay = &mut twin.delay();
    finish(async {
        assert_eq!(panel.fill(&BOX, Rgb565::RED).await, not_ready);
        panel.init(delay).await.unwrap();
        panel.push(&BOX, colours(1)).await.unwrap();
        panel.fill(&BOX, Rgb565::RED).await.unwrap();
        panel
            .push_palette(Point::new(9, 8), &picture, &BOX)
            .await
            .unwrap();
        panel.set_rotation(Rotation::Portrait).await.unwrap();
        assert_eq!(panel.fill(&beyond, Rgb565::RED).await, outside);
        assert_eq!(panel.push(&BOX, colours(1).take(150)).await, short);
        panel.display_off(delay).await.unwrap();
        panel.sleep(delay).await.unwrap();
        assert_eq!(panel.fill(&BOX, Rgb565::RED).await, asleep);
        panel.wake(delay).await.unwrap();
        panel.display_on(delay).await.unwrap();
        panel.init_dark(delay).await.unwrap();
        assert_eq!((panel.rotation(), panel.size()), (rotation, size));
    });

    assert_eq!(outside, Err(Error::Refused(Refusal::Outside)));
    assert_eq!(short, Err(Error::Refused(Refusal::TooFewPixels)));
    assert_eq!(asleep, Err(Error::Refused(Refusal::Asleep)));
    assert_eq!(not_ready, Err(Error::Refused(Refusal::NotReady)));
    let (sent, twin_sent) = (blocking.take(), twin.take());
    assert!(sent.len() > 100, "{} events", sent.len());
    assert!(sent == twin_sent);
}

#[test]
fn drawing_that_is_dropped_half_way_spoils_no_more_than_its_rectangle() {
    let tape = Tape::default();
    let mut panel = Hx8357Async::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape);
    finish(panel.init(&mut tape.delay())).unwrap();
    finish(panel.fill(&BOX, Rgb565::RED)).unwrap();
    let sent = tape.take();
    let whole = &sent[sent.len() - 51..];
    assert_eq!(whole[0], Event::Command(0x2a));
    // The same result every time, from CASET to the last pixel.
    for polls in 1..51 {
        assert_eq!(poll_times(panel.fill(&BOX, Rgb565::RED), polls), None);
        tape.take();
        finish(panel.fill(&BOX, Rgb565::RED)).unwrap();
        assert!(tape.take() == whole, "after {polls} polls");
    }
}

#[test]
fn a_change_that_is_dropped_half_way_asks_for_a_new_initialisation() {
    let tape = Tape::default();
    let mut panel = Hx8357Async::new(tape.spi(), tape.dc(), [0; 64], Rotation::Landscape);
    let delay = &mut tape.delay();
    let not_ready = Err(Error::Refused(Refusal::NotReady));
    finish(panel.init(delay)).unwrap();

    assert_eq!(poll_times(panel.sleep(delay), 2), None);
    assert_eq!(finish(panel.wake(delay)), not_ready);
    assert_eq!(finish(panel.fill(&BOX, Rgb565::RED)), not_ready);
    assert_eq!(poll_times(panel.init(delay), 5), None);
    assert_eq!(finish(panel.fill(&BOX, Rgb565::RED)), not_ready);
    finish(panel.init(delay)).unwrap();
    assert_eq!(poll_times(panel.set_rotation(Rotation::Portrait), 1), None);
    assert_eq!(panel.rotation(), Rotation::Landscape);
    assert_eq!(finish(panel.fill(&BOX, Rgb565::RED)), not_ready);
    finish(panel.init(delay)).unwrap();
    finish(panel.fill(&BOX, Rgb565::RED)).unwrap();
}

#[test]
fn the_simulator_takes_the_async_driver() {
    let panel = Simulator::new(Settings::default());
    let mut driver = Hx8357Async::new(panel.spi(), panel.dc(), [0; 64], Rotation::Landscape);
    finish(async {
        driver.init(&mut panel.delay()).await.unwrap();
        driver.fill(&BOX, Rgb565::RED).await.unwrap();
    });
    let seen = panel.visible(Rotation::Landscape).unwrap();
    assert!(BOX.points().all(|at| seen.pixel(at) == Some(Rgb565::RED)));
    assert_eq!(panel.complaints(), []);
}
