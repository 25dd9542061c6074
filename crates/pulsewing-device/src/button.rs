//! The button: a short press lights a dark screen, or else writes a screenshot to the card; a long press
//! erases everything.

use core::time::Duration;

use embassy_futures::select::{Either, select};

use crate::{
    deadlines::Part,
    ports::{Board, Button, Clock, System},
    screenshot,
    shared::Shared,
};

/// A shorter press takes a screenshot; from here on the countdown is shown.
const SHORT: Duration = Duration::from_secs(1);

/// How long it must be held until everything is erased.
const LONG: Duration = Duration::from_secs(5);

/// A press has had its effect within this time.
const DONE_WITHIN: Duration = Duration::from_secs(180);

/// Waits for presses, forever.
pub(crate) async fn run<B: Board>(shared: &Shared<'_, B>, button: &mut B::Button) -> ! {
    loop {
        shared.deadlines.rest(Part::Button);
        button.pressed().await;
        shared
            .deadlines
            .promise(Part::Button, shared.after(DONE_WITHIN));
        let was_dark = shared.light.press(shared.clock.up());
        shared.redraw.signal(());
        match held_for(shared, button).await {
            // Somebody who cannot see the screen wants to see it.
            held if held < SHORT && was_dark => {}
            held if held < SHORT => match screenshot::to_card(shared).await {
                Ok(name) => shared
                    .serial_queue
                    .log(format_args!("saved the picture to the card: {name}")),
                Err(error) => shared
                    .serial_queue
                    .log(format_args!("no picture was saved to the card: {error}")),
            },
            held if held < LONG => {}
            _ => factory_reset(shared).await,
        }
    }
}

/// Waits until it is released or has been held long enough, with a countdown on the screen.
async fn held_for<B: Board>(shared: &Shared<'_, B>, button: &mut B::Button) -> Duration {
    let start = shared.clock.up();
    let mut released = core::pin::pin!(button.released());
    let held = loop {
        let held = shared.clock.up().saturating_sub(start);
        if held >= LONG {
            break held;
        }
        if held >= SHORT {
            let left = LONG.saturating_sub(held).as_millis().div_ceil(1_000);
            let left = u64::try_from(left).unwrap_or(u64::MAX);
            shared.note(|facts| facts.erasing_in = Some(left));
        }
        let next = Duration::from_secs(held.as_secs().saturating_add(1));
        let tick = shared.clock.sleep_until(start.saturating_add(next));
        if let Either::First(()) = select(released.as_mut(), tick).await {
            break shared.clock.up().saturating_sub(start);
        }
    };
    if held < LONG {
        shared.note(|facts| facts.erasing_in = None);
    }
    held
}

/// Erases all stored data and restarts the board.
pub(crate) async fn factory_reset<B: Board>(shared: &Shared<'_, B>) {
    shared.note(|facts| facts.erasing_in = Some(0));
    shared
        .serial_queue
        .log(format_args!("factory reset: erasing everything"));
    // Held until the restart, so that nothing writes to the erased store.
    let mut store = shared.store.lock().await;
    // Whether or not it worked, the next start continues it.
    let _ = store.factory_reset().await;
    let _ = shared.serial_queue.flush(&shared.clock).await;
    shared.system.restart()
}
