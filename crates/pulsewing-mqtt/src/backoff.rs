//! The pauses between tries to reach a broker.

use std::time::Duration;

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// A connection that held for this long was a good one: the pauses begin anew.
pub(crate) const STEADY: Duration = Duration::from_secs(30);

/// Returns the pause after so many failed tries in a row: 1, 2, 4 and so on up to 60 seconds, of which the second
/// half depends on a random byte, so that many clients do not come back at once.
pub(crate) fn pause(failures: u32, random: u8) -> Duration {
    let seconds = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
    let whole = Duration::from_secs(seconds).min(LONGEST);
    whole / 2 + whole / 2 * u32::from(random) / u32::from(u8::MAX)
}

/// Returns a random byte; where there is no randomness the same one.
pub(crate) fn random() -> u8 {
    let mut byte = [u8::MAX];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_differ() {
        let seconds = |failures, random| pause(failures, random).as_secs_f64();
        for (failures, longest) in [
            (0, 1.0),
            (1, 2.0),
            (5, 32.0),
            (6, 60.0),
            (63, 60.0),
            (64, 60.0),
        ] {
            assert!(
                (seconds(failures, 255) - longest).abs() < 0.01,
                "{failures}"
            );
            assert!(
                (seconds(failures, 0) - longest / 2.0).abs() < 0.01,
                "{failures}"
            );
        }
        assert!(seconds(3, 100) < seconds(3, 101));
    }
}
