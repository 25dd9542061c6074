//! The letters that wait for one channel: a bounded number of them.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::letter::Letter;

/// The most letters that wait. Each channel may send 20 an hour.
pub(crate) const MOST: usize = 64;

/// The letters that wait for one channel, oldest first. Many may put letters in; one task takes them out.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    letters: VecDeque<Letter>,
    is_closed: bool,
}

impl Queue {
    /// Puts a letter at the end. If the queue is full, the oldest of the least loud ones is taken out and
    /// returned, which may be the new one; if it is closed, the new one is.
    pub(crate) fn push(&self, letter: Letter) -> Option<Letter> {
        let mut state = self.lock();
        if state.is_closed {
            return Some(letter);
        }
        state.letters.push_back(letter);
        let dropped = match state.letters.len() {
            ..=MOST => None,
            _ => drop_one(&mut state.letters),
        };
        drop(state);
        self.changed.notify_one();
        dropped
    }

    /// Takes the oldest letter out, once there is one. `None` if there are none and never will be.
    ///
    /// # Cancellation safety
    /// No letter is lost if it is cancelled.
    pub(crate) async fn next(&self) -> Option<Letter> {
        loop {
            let (letter, is_closed) = {
                let mut state = self.lock();
                (state.letters.pop_front(), state.is_closed)
            };
            if letter.is_some() || is_closed {
                return letter;
            }
            self.changed.notified().await;
        }
    }

    /// Takes no more letters.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Returns how many letters wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().letters.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_one(letters: &mut VecDeque<Letter>) -> Option<Letter> {
    // Of several the first is found.
    let least = letters
        .iter()
        .enumerate()
        .min_by_key(|(_, letter)| letter.loudness());
    let (place, _) = least?;
    letters.remove(place)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pulsewing_core::alarm::{Event, Level};

    use super::*;
    use crate::notice::{Notice, tests::high};

    fn letter(level: Level, name: usize) -> Letter {
        let notice = Notice {
            level,
            wearer: name.to_string(),
            ..high(Event::Raised)
        };
        Letter::news([Arc::new(notice)])
    }

    fn name(letter: &Letter) -> usize {
        letter.first().unwrap().wearer.parse().unwrap()
    }

    #[tokio::test]
    async fn a_full_queue_loses_the_oldest_of_the_least_loud() {
        let queue = Queue::default();
        for place in 0..MOST {
            let level = match place {
                5 | 9 => Level::Warning,
                _ => Level::Urgent,
            };
            assert!(queue.push(letter(level, place)).is_none());
        }
        let lost = |level| name(&queue.push(letter(level, 100)).unwrap());
        assert_eq!(lost(Level::Info), 100);
        assert_eq!(lost(Level::Urgent), 5);
        assert_eq!(lost(Level::Urgent), 9);
        assert_eq!(lost(Level::Urgent), 0);
        assert_eq!(queue.len(), MOST);
        assert_eq!(name(&queue.next().await.unwrap()), 1);
    }

    #[tokio::test]
    async fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let queue = Queue::default();
        assert!(queue.push(letter(Level::Info, 1)).is_none());
        queue.close();
        assert_eq!(name(&queue.push(letter(Level::Urgent, 2)).unwrap()), 2);
        assert_eq!(name(&queue.next().await.unwrap()), 1);
        assert!(queue.next().await.is_none());
    }
}
