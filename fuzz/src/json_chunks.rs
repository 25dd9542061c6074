//! Any bytes, split anywhere, give the same events and the same result, and never a panic.
//!
//! The first byte of the input seeds the positions of the splits; the rest is the document.

use pulsewing_core::json::{Decoder, Error, Event, Flow};

/// Small, so that the fuzzer reaches the limit with short documents.
const TOKEN: usize = 16;

/// Decodes the document whole, byte by byte, and in two pieces.
pub fn run(input: &[u8]) {
    let Some((seed, document)) = input.split_first() else {
        return;
    };
    let whole = decode([document]);
    let bytewise = decode(document.chunks(1));
    assert_eq!(whole, bytewise);
    let (head, tail) = document.split_at(usize::from(*seed).min(document.len()));
    assert_eq!(whole, decode([head, tail]));
}

/// Returns the events that a handler saw, and the result of the document.
fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Result<(), Error>) {
    let mut seen = Vec::new();
    let mut handler = |event: Event<'_>| {
        // Debug hides contents, so they are written out.
        let (line, flow) = match event {
            Event::Key(key) if key == "skip" => ("skip".to_owned(), Flow::Skip),
            Event::Key(key) => (format!("key {:?}", key.as_bytes()), Flow::Continue),
            Event::String(text) => (format!("string {:?}", text.as_bytes()), Flow::Continue),
            Event::Number(number) => {
                let rounded = number.round_half_up();
                (
                    format!("number {:?} {rounded:?}", number.as_str()),
                    Flow::Continue,
                )
            }
            other => (format!("{other:?}"), Flow::Continue),
        };
        seen.push(line);
        flow
    };
    let mut decoder: Decoder<TOKEN> = Decoder::new();
    let verdict = chunks
        .into_iter()
        .try_for_each(|chunk| decoder.feed(chunk, &mut handler))
        .and_then(|()| decoder.finish(&mut handler));
    (seen, verdict)
}
