//! Bodies in chunks, whole and damaged, for the tests of every decoder.

use proptest::{collection::vec, prelude::*};

/// Feeds a decoder the chunks of a body; what it returns meanwhile is left aside.
pub fn fed<D, R>(mut decoder: D, chunks: &[&[u8]], feed: impl Fn(&mut D, &[u8]) -> R) -> D {
    for chunk in chunks {
        let _ = feed(&mut decoder, chunk);
    }
    decoder
}

/// Cuts a body at the given offsets, modulo its length.
#[must_use]
pub fn cut<'b>(body: &'b [u8], places: &[usize]) -> Vec<&'b [u8]> {
    let mut places: Vec<_> = places
        .iter()
        .map(|place| place % (body.len() + 1))
        .collect();
    places.sort_unstable();
    let mut chunks = Vec::new();
    let mut from = 0;
    for place in places {
        chunks.push(&body[from..place]);
        from = place;
    }
    chunks.push(&body[from..]);
    chunks
}

/// Generates one of `bodies`, unchanged or with some bytes changed or its end cut off, and the places
/// to cut it.
pub fn damaged_and_cut(
    bodies: &'static [&'static str],
) -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    let damage = vec(
        (
            any::<usize>(),
            prop_oneof![
                any::<u8>(),
                proptest::sample::select(b"{}[]\":,0159-.eE\\ntf ".as_slice()),
            ],
        ),
        0..4,
    );
    let whole = (
        proptest::sample::select(bodies),
        damage,
        proptest::option::weighted(0.2, any::<usize>()),
    );
    let body = whole.prop_map(|(body, damage, end)| {
        let mut body = body.as_bytes().to_vec();
        for (place, byte) in damage {
            let place = place % body.len();
            body[place] = byte;
        }
        if let Some(end) = end {
            body.truncate(end % body.len());
        }
        body
    });
    (body, vec(any::<usize>(), 0..12))
}
