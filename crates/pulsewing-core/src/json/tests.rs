//! The decoder's results for whole documents, for every way of cutting them.

extern crate std;

mod properties;

use core::mem::size_of;
use std::{
    assert_eq, format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use serde_json::{Map, Value};

use super::{Decoder, Error, ErrorKind, Event, Flow, Handler, MAX_DEPTH};

/// An owned event; `None` stands for a token that was too long.
#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Begin(char),
    End(char),
    Key(Option<String>),
    String(Option<String>),
    Number(Option<String>),
    Bool(bool),
    Null,
}

/// Records every event, and skips after those whose bit is set.
#[derive(Default)]
struct Recorder {
    events: Vec<Owned>,
    skips: u64,
}

impl Handler for Recorder {
    fn event(&mut self, event: Event<'_>) -> Flow {
        let skip = self.skips.rotate_right(self.events.len() as u32) & 1 == 1;
        let text = |text: Option<&str>| text.map(ToString::to_string);
        self.events.push(match event {
            Event::BeginObject => Owned::Begin('{'),
            Event::EndObject => Owned::End('}'),
            Event::BeginArray => Owned::Begin('['),
            Event::EndArray => Owned::End(']'),
            Event::Key(key) => Owned::Key(text(key.as_str())),
            Event::String(string) => Owned::String(text(string.as_str())),
            Event::Number(number) => Owned::Number(text(number.as_str())),
            Event::Bool(value) => Owned::Bool(value),
            Event::Null => Owned::Null,
        });
        if skip { Flow::Skip } else { Flow::Continue }
    }
}

type Outcome = (Vec<Owned>, Result<(), Error>);

/// Decodes a document cut into chunks of these lengths, repeated as needed; 0 is an empty chunk.
fn decode_cut<const TOKEN: usize>(document: &[u8], lengths: &[usize], skips: u64) -> Outcome {
    let mut recorder = Recorder {
        skips,
        ..Recorder::default()
    };
    let mut decoder = Decoder::<TOKEN>::new();
    let mut rest = document;
    let mut lengths = lengths.iter().cycle();
    let verdict = loop {
        if rest.is_empty() {
            break decoder.finish(&mut recorder);
        }
        let (chunk, behind) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        if let Err(error) = decoder.feed(chunk, &mut recorder) {
            break Err(error);
        }
        rest = behind;
    };
    (recorder.events, verdict)
}

fn decode<const TOKEN: usize>(document: &[u8]) -> Outcome {
    decode_cut::<TOKEN>(document, &[usize::MAX], 0)
}

fn refusal(document: &[u8]) -> Option<(ErrorKind, u64)> {
    let error = decode::<16>(document).1.err()?;
    Some((error.kind, error.offset))
}

/// Returns the value that a document's events describe.
fn build(events: &[Owned]) -> Value {
    fn value(events: &mut core::slice::Iter<'_, Owned>) -> Value {
        match events.next().unwrap() {
            Owned::Begin('{') => {
                let mut members = Map::new();
                loop {
                    match events.next().unwrap() {
                        Owned::Key(key) => members.insert(key.clone().unwrap(), value(events)),
                        Owned::End('}') => return Value::Object(members),
                        other => panic!("{other:?} for a key"),
                    };
                }
            }
            Owned::Begin('[') => {
                let mut elements = Vec::new();
                while events.as_slice().first() != Some(&Owned::End(']')) {
                    elements.push(value(events));
                }
                events.next();
                Value::Array(elements)
            }
            Owned::String(text) => Value::String(text.clone().unwrap()),
            Owned::Number(text) => serde_json::from_str(text.as_ref().unwrap()).unwrap(),
            Owned::Bool(value) => Value::Bool(*value),
            Owned::Null => Value::Null,
            other => panic!("{other:?} for a value"),
        }
    }
    let mut events = events.iter();
    let value = value(&mut events);
    assert_eq!(events.next(), None);
    value
}

#[test]
fn a_document_becomes_its_events_in_order() {
    let document = br#" {"a" : [1, -2.5e3, "x", true, false, null, {}, []], "b":"" } "#;
    let number = |text: &str| Owned::Number(Some(text.to_string()));
    let string = |text: &str| Owned::String(Some(text.to_string()));
    let key = |text: &str| Owned::Key(Some(text.to_string()));
    let expected = vec![
        Owned::Begin('{'),
        key("a"),
        Owned::Begin('['),
        number("1"),
        number("-2.5e3"),
        string("x"),
        Owned::Bool(true),
        Owned::Bool(false),
        Owned::Null,
        Owned::Begin('{'),
        Owned::End('}'),
        Owned::Begin('['),
        Owned::End(']'),
        Owned::End(']'),
        key("b"),
        string(""),
        Owned::End('}'),
    ];
    assert_eq!(decode::<16>(document), (expected, Ok(())));
}

#[test]
fn a_lone_value_of_any_kind_is_a_document() {
    for document in [
        "0",
        "-0",
        "12",
        "1.5",
        "1e9",
        "1E-9",
        "0.0e+0",
        "\"\"",
        "true",
        "false",
        "null",
        "{}",
        "[]",
        " \t\r\n7 \t\r\n",
        "[ ]",
        "{ }",
    ] {
        let (events, verdict) = decode::<16>(document.as_bytes());
        assert_eq!(verdict, Ok(()), "{document}");
        assert_eq!(
            build(&events),
            serde_json::from_str::<Value>(document).unwrap()
        );
    }
}

#[test]
fn strings_are_decoded() {
    for (document, expected) in [
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u0041\u00e9\u20AC""#, "A\u{e9}\u{20ac}"),
        (r#""\uD834\uDD1E\udbff\udfff""#, "\u{1d11e}\u{10ffff}"),
        (r#""\u0000|\ud7ff|\ue000""#, "\0|\u{d7ff}|\u{e000}"),
        (
            "\"\u{7f}\u{80}\u{7ff}\u{800}\"",
            "\u{7f}\u{80}\u{7ff}\u{800}",
        ),
        (
            "\"\u{ffff}\u{10000}\u{10ffff}\"",
            "\u{ffff}\u{10000}\u{10ffff}",
        ),
        ("\"a quote \\\"\"", "a quote \""),
    ] {
        let (events, verdict) = decode::<64>(document.as_bytes());
        assert_eq!(verdict, Ok(()), "{document}");
        assert_eq!(events, [Owned::String(Some(expected.to_string()))]);
    }
}

/// Documents that break the grammar, how, and the offset at which they do.
const BROKEN: &[(&[u8], ErrorKind, u64)] = {
    use ErrorKind::*;
    &[
        (b"", UnexpectedEnd, 0),
        (b" \n ", UnexpectedEnd, 3),
        (b"{", UnexpectedEnd, 1),
        (b"[1", UnexpectedEnd, 2),
        (b"[1,", UnexpectedEnd, 3),
        (b"{\"a\"", UnexpectedEnd, 4),
        (b"{\"a\":", UnexpectedEnd, 5),
        (b"\"abc", UnexpectedEnd, 4),
        (b"\"\\", UnexpectedEnd, 2),
        (b"tru", UnexpectedEnd, 3),
        (b"-", UnexpectedEnd, 1),
        (b"1.", UnexpectedEnd, 2),
        (b"1e+", UnexpectedEnd, 3),
        (b"\xef\xbb\xbf{}", UnexpectedByte, 0),
        (b"[1,]", UnexpectedByte, 3),
        (b"[,1]", UnexpectedByte, 1),
        (b"[1 2]", UnexpectedByte, 3),
        (b"[1}", UnexpectedByte, 2),
        (b"{\"a\":1]", UnexpectedByte, 6),
        (b"{\"a\" 1}", UnexpectedByte, 5),
        (b"{\"a\":1,}", UnexpectedByte, 7),
        (b"{,}", UnexpectedByte, 1),
        (b"{1:2}", UnexpectedByte, 1),
        (b"{\"a\":}", UnexpectedByte, 5),
        (b"{\"a\"::1}", UnexpectedByte, 5),
        (b"]", UnexpectedByte, 0),
        (b"[1]]", TrailingBytes, 3),
        (b"{} {}", TrailingBytes, 3),
        (b"1 2", TrailingBytes, 2),
        (b"null\0", TrailingBytes, 4),
        (b"nul ", UnexpectedByte, 3),
        (b"True", UnexpectedByte, 0),
        (b"falsy", UnexpectedByte, 4),
        (b"NaN", UnexpectedByte, 0),
        (b"'a'", UnexpectedByte, 0),
        (b"/**/1", UnexpectedByte, 0),
        (b"\x0b1", UnexpectedByte, 0),
        (b"+1", UnexpectedByte, 0),
        (b".5", UnexpectedByte, 0),
        (b"[-]", InvalidNumber, 2),
        (b"[-a]", InvalidNumber, 2),
        (b"[1.]", InvalidNumber, 3),
        (b"[1.e1]", InvalidNumber, 3),
        (b"[1e]", InvalidNumber, 3),
        (b"[1e+]", InvalidNumber, 4),
        (b"[01]", UnexpectedByte, 2),
        (b"[-01]", UnexpectedByte, 3),
        (b"[1.5.2]", UnexpectedByte, 4),
        (b"[1-2]", UnexpectedByte, 2),
        (b"[0x1]", UnexpectedByte, 2),
        (b"01", TrailingBytes, 1),
        (b"\"\n\"", ControlCharacter, 1),
        (b"\"abcdefgh\x1f\"", ControlCharacter, 9),
        (b"\"\0\"", ControlCharacter, 1),
        (b"\"\\x\"", InvalidEscape, 2),
        (b"\"\\U0041\"", InvalidEscape, 2),
        (b"\"\\u00g0\"", InvalidEscape, 5),
        (b"\"\\ud800\"", InvalidEscape, 7),
        (b"\"\\ud800x\"", InvalidEscape, 7),
        (b"\"\\ud800\\n\"", InvalidEscape, 8),
        (b"\"\\ud800\\u0041\"", InvalidEscape, 12),
        (b"\"\\ud800\\ud800\"", InvalidEscape, 12),
        (b"\"\\udc00\"", InvalidEscape, 6),
        (b"\"\x80\"", InvalidUtf8, 1),
        (b"\"\xc0\xaf\"", InvalidUtf8, 1),
        (b"\"\xc1\xbf\"", InvalidUtf8, 1),
        (b"\"\xc3\"", InvalidUtf8, 2),
        (b"\"\xe0\x9f\xbf\"", InvalidUtf8, 2),
        (b"\"\xed\xa0\x80\"", InvalidUtf8, 2),
        (b"\"\xf0\x8f\xbf\xbf\"", InvalidUtf8, 2),
        (b"\"\xf4\x90\x80\x80\"", InvalidUtf8, 2),
        (b"\"\xf5\x80\x80\x80\"", InvalidUtf8, 1),
        (b"\"\xe2\x82\\n\"", InvalidUtf8, 3),
        (b"\"\xff\"", InvalidUtf8, 1),
    ]
};

#[test]
fn what_breaks_the_grammar_is_refused_where_it_does() {
    for &(document, kind, offset) in BROKEN {
        let shown = document.escape_ascii();
        assert_eq!(refusal(document), Some((kind, offset)), "{shown}");
        let byte_wise = decode_cut::<16>(document, &[1], 0);
        assert_eq!(byte_wise, decode::<16>(document), "{shown}");
    }
}

#[test]
fn a_failed_decoder_stays_failed() {
    let mut recorder = Recorder::default();
    let mut decoder: Decoder = Decoder::new();
    let error = decoder.feed(b"[1,,", &mut recorder).unwrap_err();
    assert_eq!(error.to_string(), "unexpected byte at byte 3");
    assert_eq!(decoder.feed(b"2]", &mut recorder), Err(error));
    assert_eq!(decoder.finish(&mut recorder), Err(error));
    assert_eq!(recorder.events.len(), 2);
}

#[test]
fn a_finished_document_takes_only_white_space() {
    let mut recorder = Recorder::default();
    let mut decoder: Decoder = Decoder::new();
    decoder.feed(b"12", &mut recorder).unwrap();
    assert_eq!(recorder.events, []);
    decoder.finish(&mut recorder).unwrap();
    assert_eq!(recorder.events, [Owned::Number(Some("12".to_string()))]);
    decoder.feed(b"\n", &mut recorder).unwrap();
    decoder.finish(&mut recorder).unwrap();
    let error = decoder.feed(b"3", &mut recorder).unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::TrailingBytes, 3));
    assert_eq!(recorder.events.len(), 1);
}

#[test]
fn nesting_is_bounded() {
    let depth = MAX_DEPTH as usize;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deepest = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(decode::<16>(deepest.as_bytes()).1, Ok(()));
        let deeper = format!("{}0{}", open.repeat(depth + 1), close.repeat(depth + 1));
        let offset = (open.len() * depth) as u64;
        assert_eq!(
            refusal(deeper.as_bytes()),
            Some((ErrorKind::TooDeep, offset))
        );
        // Skipping it does not make it acceptable.
        let skipped = decode_cut::<16>(deeper.as_bytes(), &[7], 1);
        assert_eq!(skipped.0.len(), 1);
        assert_eq!(
            skipped.1.map_err(|error| error.kind),
            Err(ErrorKind::TooDeep)
        );
    }
    let empty = [b"[".repeat(depth), b"]".repeat(depth)].concat();
    assert_eq!(decode::<16>(&empty).1, Ok(()));
    assert_eq!(
        refusal(&b"[".repeat(1_000_000)).unwrap().0,
        ErrorKind::TooDeep
    );
}

#[test]
fn tokens_beyond_the_limit_lose_their_contents_and_the_document_goes_on() {
    for length in 14..=40 {
        let long = "x".repeat(length);
        let digits = "7".repeat(length);
        // An escape is longer in the document than decoded; the decoded length counts.
        let escaped = format!("\\u0078{}", "x".repeat(length - 1));
        let wide = format!("\u{20ac}{}", "x".repeat(length - 3));
        let document =
            format!(r#"{{"{long}":["{long}","{escaped}","{wide}",{digits},-{digits}],"k":1}}"#);
        let fits = |text: &str| (text.len() <= 16).then(|| text.to_string());
        let expected = vec![
            Owned::Begin('{'),
            Owned::Key(fits(&long)),
            Owned::Begin('['),
            Owned::String(fits(&long)),
            Owned::String(fits(&long)),
            Owned::String(fits(&wide)),
            Owned::Number(fits(&digits)),
            Owned::Number(fits(&format!("-{digits}"))),
            Owned::End(']'),
            Owned::Key(Some("k".to_string())),
            Owned::Number(Some("1".to_string())),
            Owned::End('}'),
        ];
        for chunk in [1, 2, 3, 5, 8, 13, 21, usize::MAX] {
            let (events, verdict) = decode_cut::<16>(document.as_bytes(), &[chunk], 0);
            assert_eq!((&events, verdict), (&expected, Ok(())), "{document}");
        }
    }
}

#[test]
fn a_token_that_lost_its_contents_equals_nothing() {
    let mut seen = 0;
    let mut handler = |event: Event<'_>| {
        match event {
            Event::Key(text) | Event::String(text) => {
                assert!(text.is_too_long() && text != "" && text.as_bytes().is_none());
                seen += 1;
            }
            Event::Number(number) => {
                assert!(number.is_too_long());
                assert_eq!((number.as_u64(), number.as_i64()), (None, None));
                assert_eq!(number.round_half_up(), None);
                seen += 1;
            }
            _ => {}
        }
        Flow::Continue
    };
    let mut decoder = Decoder::<2>::new();
    decoder
        .feed(br#"{"abc":["abc",123]}"#, &mut handler)
        .unwrap();
    decoder.finish(&mut handler).unwrap();
    assert_eq!(seen, 3);
}

#[test]
fn skipping_passes_over_one_value() {
    let document = br#"{"a":{"b":[1,{"c":2}]},"d":3,"e":[[4],[5,[6]],7]}"#;
    let mut seen = Vec::new();
    let mut handler = |event: Event<'_>| {
        match event {
            Event::Key(key) if key == "a" => return Flow::Skip,
            Event::Key(key) => seen.push(key.as_str().unwrap().to_string()),
            Event::Number(number) => seen.push(number.as_str().unwrap().to_string()),
            Event::EndArray => seen.push("]".to_string()),
            // The first array is the one after "e"; those within it are not wanted.
            Event::BeginArray if seen.last().unwrap() == "e" => seen.push("[".to_string()),
            Event::BeginArray => return Flow::Skip,
            // No effect after anything else.
            _ => return Flow::Continue,
        }
        Flow::Continue
    };
    let mut decoder: Decoder = Decoder::new();
    decoder.feed(document, &mut handler).unwrap();
    decoder.finish(&mut handler).unwrap();
    assert_eq!(seen, ["d", "3", "e", "[", "7", "]"]);
}

#[test]
fn skip_has_no_effect_where_there_is_nothing_to_skip() {
    let document = br#"["a",1,true,null,[]]"#;
    let mut count = 0;
    let mut handler = |event: Event<'_>| {
        count += 1;
        match event {
            Event::BeginArray => Flow::Continue,
            _ => Flow::Skip,
        }
    };
    let mut decoder: Decoder = Decoder::new();
    decoder.feed(document, &mut handler).unwrap();
    decoder.finish(&mut handler).unwrap();
    assert_eq!(count, 8);
}

#[test]
fn the_state_is_small() {
    assert!(size_of::<Decoder<256>>() <= 384);
    assert!(size_of::<Decoder<0>>() <= 128);
}

#[test]
fn debug_output_shows_no_contents() {
    let mut shown = String::new();
    let mut decoder: Decoder = Decoder::new();
    let mut handler = |event: Event<'_>| {
        shown += &format!("{event:?}");
        Flow::Continue
    };
    decoder.feed(br#"["secret","secr"#, &mut handler).unwrap();
    shown += &format!("{decoder:?}");
    assert!(shown.contains("Text(6 bytes)"), "{shown}");
    assert!(!shown.contains("secr"), "{shown}");
    assert!(!shown.contains("115"), "{shown}");
}
