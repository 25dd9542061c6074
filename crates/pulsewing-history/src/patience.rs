//! Waits for another process that writes.

use super::error::HistoryError;
use crate::{Listener, Notice};

/// The number of tries. Each waits for two seconds, which makes ten minutes in all.
const TRIES: u32 = 300;

/// Retries an operation until no other process blocks it, and reports once that it waits.
pub(super) fn wait_for_others<T>(
    listener: &Listener,
    mut try_it: impl FnMut() -> Result<T, HistoryError>,
) -> Result<T, HistoryError> {
    for tried in 1..TRIES {
        match try_it() {
            Err(HistoryError::Busy) if tried == 1 => {
                listener.hear(&Notice::Waiting);
            }
            Err(HistoryError::Busy) => {}
            result => return result,
        }
    }
    try_it()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[test]
    fn it_goes_on_when_the_others_have_finished_and_gives_up_in_the_end() {
        let heard = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&heard);
        let listener = Listener::new(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let mut tries = 0;
        let result = wait_for_others(&listener, || {
            tries += 1;
            match tries {
                ..100 => Err(HistoryError::Busy),
                _ => Ok(tries),
            }
        });
        assert_eq!(result.unwrap(), 100);
        let mut tries = 0;
        let result = wait_for_others::<()>(&listener, || {
            tries += 1;
            Err(HistoryError::Busy)
        });
        assert!(matches!(result, Err(HistoryError::Busy)));
        assert_eq!(tries, TRIES);
        assert_eq!(heard.load(Ordering::Relaxed), 2);
    }
}
