//! Waiting for another process that writes.

use super::error::HistoryError;
use crate::console::Console;

/// How often it is tried. Each try waits for two seconds, so that this is ten minutes.
const TRIES: u32 = 300;

/// Tries something until no other process is in the way, and tells once that it waits.
pub(super) fn wait_for_others<T>(
    console: Console,
    mut try_it: impl FnMut() -> Result<T, HistoryError>,
) -> Result<T, HistoryError> {
    for tried in 1..TRIES {
        match try_it() {
            Err(HistoryError::Busy) if tried == 1 => {
                console.warn("another process is writing the history; this one waits for its turn, ten minutes at the most");
            }
            Err(HistoryError::Busy) => {}
            result => return result,
        }
    }
    try_it()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Colour;

    #[test]
    fn it_goes_on_when_the_others_have_finished_and_gives_up_in_the_end() {
        let console = Console::new(false, Colour::Never);
        let mut tries = 0;
        let result = wait_for_others(console, || {
            tries += 1;
            match tries {
                ..100 => Err(HistoryError::Busy),
                _ => Ok(tries),
            }
        });
        assert_eq!(result.unwrap(), 100);
        let mut tries = 0;
        let result = wait_for_others::<()>(console, || {
            tries += 1;
            Err(HistoryError::Busy)
        });
        assert!(matches!(result, Err(HistoryError::Busy)));
        assert_eq!(tries, TRIES);
    }
}
