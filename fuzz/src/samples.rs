//! Any body that a program pushes is decoded or refused, and what is decoded is averaged.
//!
//! The first byte of the input picks the form: `j` for JSON, `s` for line protocol in seconds, and anything
//! else for line protocol in nanoseconds.

use jiff::Timestamp;
use pulsewing_intake::{AHEAD, Averages, Format, MOST_SAMPLES, OLDEST, Precision, decode};

const NOW: Timestamp = Timestamp::constant(1_795_356_450, 0);

/// Decodes and averages.
pub fn run(input: &[u8]) {
    let [pick, body @ ..] = input else {
        return;
    };
    let format = match pick {
        b'j' => Format::Json,
        b's' => Format::LineProtocol(Precision::Seconds),
        _ => Format::LineProtocol(Precision::Nanoseconds),
    };
    let Ok(decoded) = decode(body, format, NOW) else {
        return;
    };
    assert!(decoded.samples.len() + decoded.refused.total() <= MOST_SAMPLES);
    let mut averages = Averages::default();
    for sample in &decoded.samples {
        assert!(sample.at.duration_since(NOW) <= AHEAD);
        assert!(NOW.duration_since(sample.at) <= OLDEST);
        averages.add(*sample);
    }
    let rates = || decoded.samples.iter().map(|sample| sample.bpm);
    let later = Timestamp::constant(1_795_356_450 + 3_600, 0);
    let minutes = averages.closed(later);
    assert_eq!(minutes.is_empty(), decoded.samples.is_empty());
    for minute in &minutes {
        assert!(rates().any(|bpm| bpm <= minute.bpm) && rates().any(|bpm| bpm >= minute.bpm));
    }
    averages.taken(&minutes);
    assert!(averages.closed(later).is_empty());
}
