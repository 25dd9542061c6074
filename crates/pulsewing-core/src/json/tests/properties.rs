//! Properties that hold for every document, intact or damaged.

use proptest::prelude::*;

use super::*;

/// Returns the text of a document: every construct of the grammar, white space anywhere, tokens on both
/// sides of the limit that the properties decode with.
fn document() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just("true".to_string()),
        Just("false".to_string()),
        Just("null".to_string()),
        number(),
        string(),
    ];
    let space = "[ \t\r\n]{0,3}|[ ]{7,20}";
    let value = leaf.prop_recursive(5, 40, 5, move |value| {
        let element = (space, value.clone(), space).prop_map(|(a, b, c)| a + &b + &c);
        let member = (space, string(), space, element.clone())
            .prop_map(|(a, b, c, d)| format!("{a}{b}{c}:{d}"));
        let elements = prop::collection::vec(element, 0..5);
        let members = prop::collection::vec(member, 0..5);
        prop_oneof![
            elements.prop_map(|parts| format!("[{}]", parts.join(","))),
            members.prop_map(|parts| format!("{{{}}}", parts.join(","))),
        ]
    });
    (space, value, space).prop_map(|(a, b, c)| (a + &b + &c).into_bytes())
}

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,10})?([eE][+-]?[0-9]{1,2})?"
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ !#-\\[\\]-~]{0,12}",
        1 => "[\u{7f}-\u{d7ff}\u{e000}-\u{10ffff}]{1,3}",
        1 => "\\\\[\"\\\\/bfnrt]",
        1 => "\\\\u[0-9a-cA-C][0-9a-fA-F]{3}",
        1 => "\\\\u[dD][89abAB][0-9a-f]{2}\\\\u[dD][c-fC-F][0-9a-f]{2}",
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// Returns a document with a few bytes changed, taken out, put in or cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        prop::sample::select(b"\"\\{}[],:0-+.eEtu \n\x1f\x80\xc3\xe2\xed\xf0".to_vec()),
        any::<u8>(),
    ];
    let change = (any::<prop::sample::Index>(), 0..4_u8, byte);
    (document(), prop::collection::vec(change, 1..4)).prop_map(|(mut document, changes)| {
        for (place, change, byte) in changes {
            let place = place.index(document.len().max(1));
            match change {
                0 if place < document.len() => document[place] = byte,
                1 if place < document.len() => drop(document.remove(place)),
                2 if place <= document.len() => document.insert(place, byte),
                _ => document.truncate(place),
            }
        }
        document
    })
}

/// Returns documents with any degree of damage, down to random bytes.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        document(),
        damaged(),
        prop::collection::vec(any::<u8>(), 0..64),
        prop::collection::vec(
            prop::sample::select(b"\"\\{}[],:01-.etrunfalsd8 \n\x1f\xc3\xa9".to_vec()),
            0..64
        ),
    ]
}

fn chunk_lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![1..4_usize, 0..40_usize];
    prop::collection::vec(length, 1..6).prop_filter("gets on", |all| all.iter().any(|&n| n > 0))
}

/// Returns the verdict of `serde_json`; `None` if the only problem is a number too large for a float,
/// which we keep as text.
fn serde_verdict(document: &[u8]) -> Option<Result<Value, serde_json::Error>> {
    match serde_json::from_slice::<Value>(document) {
        Err(error) if error.to_string().contains("number out of range") => None,
        verdict => Some(verdict),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn chunking_changes_nothing(
        document in anything(),
        lengths in chunk_lengths(),
        skips in prop_oneof![Just(0), any::<u64>(), any::<u64>().prop_map(|bits| bits & bits >> 7)],
    ) {
        let whole = decode_cut::<16>(&document, &[usize::MAX], skips);
        prop_assert_eq!(decode_cut::<16>(&document, &lengths, skips), whole);
    }

    #[test]
    fn skipping_does_not_change_the_verdict(document in anything(), skips in any::<u64>()) {
        let (_, verdict) = decode::<16>(&document);
        prop_assert_eq!(decode_cut::<16>(&document, &[usize::MAX], skips).1, verdict);
    }

    #[test]
    fn a_generated_document_means_what_serde_json_makes_of_it(document in document()) {
        if let Some(verdict) = serde_verdict(&document) {
            let (events, ours) = decode::<4096>(&document);
            prop_assert_eq!(ours, Ok(()));
            prop_assert_eq!(build(&events), verdict.unwrap());
        }
    }

    #[test]
    fn what_serde_json_refuses_is_refused_and_nothing_else(document in anything()) {
        let (events, ours) = decode::<4096>(&document);
        match serde_verdict(&document) {
            Some(Ok(value)) => {
                prop_assert_eq!(ours, Ok(()));
                prop_assert_eq!(build(&events), value);
            }
            Some(Err(error)) => prop_assert!(ours.is_err(), "{}", error),
            None => {}
        }
    }

    #[test]
    fn the_limit_is_all_that_a_small_decoder_loses(document in document()) {
        let shortened: Vec<_> = decode::<4096>(&document).0.into_iter().map(|event| {
            let fits = |text: Option<String>| text.filter(|text| text.len() <= 16);
            match event {
                Owned::Key(text) => Owned::Key(fits(text)),
                Owned::String(text) => Owned::String(fits(text)),
                Owned::Number(text) => Owned::Number(fits(text)),
                event => event,
            }
        }).collect();
        prop_assert_eq!(decode::<16>(&document).0, shortened);
    }
}
