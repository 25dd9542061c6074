//! Any body is either read as a Google reply or refused, no matter where it is split.
//!
//! The first byte of the input picks the reply, the second seeds the positions of the splits; the rest
//! is the body.

use jiff::civil::Date;
use pulsewing_core::dialect::google;

/// Decodes the body whole and in two pieces.
pub fn run(input: &[u8]) {
    let [pick, seed, body @ ..] = input else {
        return;
    };
    let (head, tail) = body.split_at(usize::from(*seed).min(body.len()));
    let read = match pick % 5 {
        0 => heart,
        1 => devices,
        2 => settings_and_identity,
        3 => resting,
        _ => zones,
    };
    assert_eq!(read(&[body]), read(&[head, tail]));
}

fn heart(chunks: &[&[u8]]) -> String {
    let mut points = Vec::new();
    let mut decoder = google::HeartDecoder::new();
    let fed = chunks
        .iter()
        .try_for_each(|chunk| decoder.feed(chunk, &mut |point| points.push(format!("{point:?}"))));
    let page = fed.and_then(|()| decoder.finish());
    // The points of a refused body are not reliable, so they are not compared.
    let points = page.is_ok().then_some(points);
    format!("{page:?} {points:?}")
}

fn devices(chunks: &[&[u8]]) -> String {
    let mut decoder = google::DevicesDecoder::new();
    let fed = chunks.iter().try_for_each(|chunk| decoder.feed(chunk));
    format!("{:?}", fed.and_then(|()| decoder.finish()))
}

fn settings_and_identity(chunks: &[&[u8]]) -> String {
    let mut settings = google::SettingsDecoder::new();
    let fed = chunks.iter().try_for_each(|chunk| settings.feed(chunk));
    let settings = fed.and_then(|()| settings.finish());
    let mut identity = google::IdentityDecoder::new();
    let fed = chunks.iter().try_for_each(|chunk| identity.feed(chunk));
    let identity = fed.and_then(|()| identity.finish());
    format!("{settings:?} {identity:?}")
}

fn resting(chunks: &[&[u8]]) -> String {
    let mut decoder = google::RestingDecoder::new(Date::MAX);
    let fed = chunks.iter().try_for_each(|chunk| decoder.feed(chunk));
    format!("{:?}", fed.and_then(|()| decoder.finish()))
}

fn zones(chunks: &[&[u8]]) -> String {
    let mut decoder = google::ZonesDecoder::new(Date::MAX);
    let fed = chunks.iter().try_for_each(|chunk| decoder.feed(chunk));
    format!("{:?}", fed.and_then(|()| decoder.finish()))
}
