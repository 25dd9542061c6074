//! Any body is either read as a Fitbit reply or refused, no matter where it is split.
//!
//! The first byte of the input picks the reply, the second seeds the positions of the splits; the rest
//! is the body.

use pulsewing_core::{
    civil::Offsets,
    day::Day,
    dialect::{ErrorDecoder, fitbit},
};

/// Decodes the body whole and in two pieces.
pub fn run(input: &[u8]) {
    let [pick, seed, body @ ..] = input else {
        return;
    };
    let (head, tail) = body.split_at(usize::from(*seed).min(body.len()));
    let read = match pick % 4 {
        0 => heart,
        1 => devices,
        2 => profile,
        _ => error,
    };
    assert_eq!(read(&[body]), read(&[head, tail]));
}

/// Returns the offsets of Central Europe around the day with a repeated hour, when the clocks went back.
fn offsets() -> Offsets {
    let hour = jiff::tz::Offset::constant;
    let mut offsets = Offsets::fixed(hour(2));
    let change = "2026-10-25T01:00:00Z".parse().unwrap();
    offsets.push_change(change, hour(1)).unwrap();
    offsets
}

fn heart(chunks: &[&[u8]]) -> String {
    let offsets = offsets();
    let mut day = Day::new(offsets.day(jiff::civil::date(2026, 10, 25)));
    let mut decoder = fitbit::HeartDecoder::new(&offsets);
    let fed = chunks
        .iter()
        .try_for_each(|chunk| decoder.feed(chunk, &mut day));
    let facts = fed.and_then(|()| decoder.finish(&mut day));
    // The minutes of a refused body are not reliable, so they are not compared.
    let minutes: Option<Vec<_>> = facts.is_ok().then(|| day.iter().collect());
    format!("{facts:?} {minutes:?}")
}

fn devices(chunks: &[&[u8]]) -> String {
    let mut decoder = fitbit::DevicesDecoder::new(&offsets());
    let fed = chunks.iter().try_for_each(|chunk| decoder.feed(chunk));
    format!("{:?}", fed.and_then(|()| decoder.finish()))
}

fn profile(chunks: &[&[u8]]) -> String {
    let mut decoder = fitbit::ProfileDecoder::new();
    let fed = chunks.iter().try_for_each(|chunk| decoder.feed(chunk));
    format!("{:?}", fed.and_then(|()| decoder.finish()))
}

fn error(chunks: &[&[u8]]) -> String {
    let mut decoder = ErrorDecoder::new();
    chunks.iter().for_each(|chunk| decoder.feed(chunk));
    format!("{:?}", decoder.finish())
}
