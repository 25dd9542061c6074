//! Samples as JSON.

use std::{borrow::Cow, fmt};

use pulsewing_core::instant::rfc3339;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, SeqAccess, Visitor},
};

use super::decode::{Judge, Malformed, Reason};

/// A sample as it is sent.
#[derive(Deserialize)]
struct Sent<'b> {
    #[serde(borrow)]
    at: Cow<'b, str>,
    bpm: f64,
    #[serde(default)]
    contact: Option<bool>,
}

pub(super) fn decode(body: &[u8], judge: &mut Judge) -> Result<(), Malformed> {
    let mut is_too_many = false;
    let mut decoder = serde_json::Deserializer::from_slice(body);
    let list = List {
        judge,
        is_too_many: &mut is_too_many,
    };
    let read = list.deserialize(&mut decoder);
    let read = read.and_then(|()| decoder.end());
    read.map_err(|error| match is_too_many {
        true => Malformed::TooMany,
        false => Malformed::Json(error.to_string()),
    })
}

/// Judges samples as they are read, so that a long list takes no memory.
struct List<'j> {
    judge: &'j mut Judge,
    is_too_many: &'j mut bool,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(sent) = list.next_element::<Sent<'_>>()? {
            if self.judge.next().is_err() {
                *self.is_too_many = true;
                return Err(A::Error::custom("too many samples"));
            }
            match sent.contact {
                Some(false) => self.judge.refuse(Reason::NoContact),
                _ => self.judge.sample(rfc3339(sent.at.as_bytes()), sent.bpm),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::tests::{json, reasons};
    use super::*;

    #[test]
    fn each_sample_is_judged_for_itself() {
        let decoded = json(
            r#"[
              {"at":"2026-11-22T14:07:01Z","bpm":72,"contact":true,"more":[{"x":1}]},
              {"bpm":73,"at":"2026-11-22T14:07:02Z","contact":false},
              {"at":"2026-11-22T15:07:02Z","bpm":74},
              {"at":"2026-11-22T16:07:02Z","bpm":74},
              {"at":"2026-11-22T14:07:02Z","bpm":0},
              {"at":"2026-11-22T14:07:03\u005a","bpm":75.2,"contact":null}
            ]"#,
        )
        .unwrap();
        let rates: Vec<u16> = decoded.samples.iter().map(|it| it.bpm.get()).collect();
        assert_eq!(rates, [72, 75]);
        let expected = [("future", 2, 3), ("rate", 1, 5), ("no-contact", 1, 2)];
        assert_eq!(reasons(&decoded), expected);
    }

    #[test]
    fn what_is_no_list_of_samples_is_refused_with_its_place() {
        for (body, words) in [
            ("", "line 1 column 0"),
            ("[", "EOF"),
            ("{}", "expected a list of samples"),
            ("null", "expected a list of samples"),
            ("[1]", "line 1 column 2"),
            ("[{\"bpm\":72}]", "missing field `at`"),
            ("[{\"at\":\"2026-11-22T14:07:01Z\"}]", "missing field `bpm`"),
            (
                "[{\"at\":\"2026-11-22T14:07:01Z\",\"bpm\":\"72\"}]",
                "invalid type: string \"72\"",
            ),
            ("[]]", "trailing characters"),
            ("[{\"at\":1,\"bpm\":72}]", "line 1 column"),
        ] {
            let error = json(body).unwrap_err();
            assert!(matches!(error, Malformed::Json(_)), "{body}: {error:?}");
            assert!(error.to_string().contains(words), "{body}: {error}");
        }
        assert!(json("[]").unwrap().samples.is_empty());
    }
}
