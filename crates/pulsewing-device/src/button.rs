//! The button.
//!
//! | press | while an alarm is loud | else |
//! |---|---|---|
//! | short, on a dark screen | lights it | lights it |
//! | short | the alarm is quiet for half an hour | a screenshot |
//! | twice, or held for a second | it is quiet until it is over | two screenshots, or nothing |
//! | held for five seconds | erases everything | erases everything |
//!
//! A press that only lights the screen silences nothing: what nobody has seen stays loud. Any other short
//! press means that somebody has looked at what is over.

use core::time::Duration;

use embassy_futures::select::{Either, select};

use crate::{
    alarms::{self, Word},
    deadlines::Part,
    ports::{Board, Button, Clock, System},
    screenshot,
    shared::Shared,
};

/// A shorter press takes a screenshot, or silences an alarm; from here on the countdown is shown.
const SHORT: Duration = Duration::from_secs(1);

/// While an alarm is loud, a press up to here is an answer to it; the countdown begins only then, so
/// that nobody who is frightened by it says something to the alarm by letting go.
const ANSWER: Duration = Duration::from_secs(2);

/// How long it must be held until everything is erased.
const LONG: Duration = Duration::from_secs(5);

/// How soon after a short press a second one belongs to it.
const TWICE_WITHIN: Duration = Duration::from_millis(400);

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
        // Whoever presses has heard it.
        shared.sound.stop();
        let is_loud = shared.watch.is_loud();
        shared.redraw.signal(());
        let countdown_from = if is_loud { ANSWER } else { SHORT };
        let mut is_second = false;
        let held = loop {
            let held = held_for(shared, button, countdown_from).await;
            if is_second || held >= SHORT || was_dark || !is_loud {
                break held;
            }
            let late = shared.clock.sleep_until(shared.after(TWICE_WITHIN));
            match select(button.pressed(), late).await {
                Either::First(()) => is_second = true,
                Either::Second(()) => break held,
            }
        };
        match held {
            held if held >= LONG => factory_reset(shared).await,
            // Somebody who cannot see the screen wants to see it.
            held if held < SHORT && was_dark => {}
            held if held < ANSWER && is_loud => {
                let is_acknowledged = is_second || held >= SHORT;
                alarms::say(
                    shared,
                    match is_acknowledged {
                        true => Word::Acknowledge,
                        false => Word::Snooze,
                    },
                );
            }
            held if held < SHORT => {
                save_screenshot(shared).await;
                alarms::looked(shared);
            }
            _ => {}
        }
    }
}

async fn save_screenshot<B: Board>(shared: &Shared<'_, B>) {
    match screenshot::to_card(shared).await {
        Ok(name) => shared
            .serial_queue
            .log(format_args!("saved the picture to the card: {name}")),
        Err(error) => shared
            .serial_queue
            .log(format_args!("no picture was saved to the card: {error}")),
    }
}

/// Waits until it is released or has been held long enough, with a countdown on the screen from
/// `countdown_from` on.
async fn held_for<B: Board>(
    shared: &Shared<'_, B>,
    button: &mut B::Button,
    countdown_from: Duration,
) -> Duration {
    let start = shared.clock.up();
    let mut released = core::pin::pin!(button.released());
    let held = loop {
        let held = shared.clock.up().saturating_sub(start);
        if held >= LONG {
            break held;
        }
        if held >= countdown_from {
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
