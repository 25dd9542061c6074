//! The sound: plays a melody on the piezo, next to everything else.

use core::{num::NonZeroU16, time::Duration};

use embassy_futures::select::{Either, select};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, signal::Signal};
use pulsewing_core::alarm::Note;

use crate::{
    ports::{Board, Clock, Sounder},
    shared::Shared,
};

/// A melody; an empty one is silence.
type Melody = &'static [Note];

/// What is to be heard next.
pub(crate) struct Sound {
    wanted: Signal<NoopRawMutex, Melody>,
}

impl Sound {
    pub(crate) const fn new() -> Self {
        Self {
            wanted: Signal::new(),
        }
    }

    /// Plays a melody, in place of one that is being played.
    pub(crate) fn play(&self, melody: Melody) {
        self.wanted.signal(melody);
    }

    /// Ends the melody that is being played, if there is one.
    pub(crate) fn stop(&self) {
        self.wanted.signal(&[]);
    }
}

/// Plays what is wanted, forever.
pub(crate) async fn run<B: Board>(shared: &Shared<'_, B>, sounder: &mut B::Sounder) -> ! {
    let wanted = &shared.sound.wanted;
    let mut melody: Melody = &[];
    loop {
        if melody.is_empty() {
            melody = wanted.wait().await;
            if !melody.is_empty() {
                let notes = melody.len();
                shared
                    .serial_queue
                    .log(format_args!("sound: {notes} notes and rests"));
            }
        }
        let Some((note, rest)) = melody.split_first() else {
            continue;
        };
        sounder.sound(NonZeroU16::new(note.hertz));
        let until = shared.after(Duration::from_millis(note.ms.into()));
        melody = match select(wanted.wait(), shared.clock.sleep_until(until)).await {
            Either::First(other) => other,
            Either::Second(()) => rest,
        };
        if melody.is_empty() {
            sounder.sound(None);
        }
    }
}
