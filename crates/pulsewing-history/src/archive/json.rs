//! JSON with samples, decoded as its bytes arrive: the lists of an export, and the output of
//! `pulsewing export --format json`.
//!
//! Samples: `[{"dateTime":"01/25/23 13:00:07","value":{"bpm":54,"confidence":2}}, ...]`; a sample
//! with confidence 0 does not count. Resting heart rate: `[{"dateTime":"03/01/24 00:00:00",
//! "value":{"date":"03/01/24","value":53.0,"error":6.8}}, ...]`; for a day without one, the date is
//! null and the value 0. Our own: `{"time":"2024-10-27T02:00:00+02:00","bpm":60,
//! "zone":"Europe/Berlin"}`, one object per line, or a list of them.

use jiff::civil::Date;
use pulsewing_core::json::{Event, Flow, Handler, Number};

use super::{
    Failure, FileError,
    instant::{Written, fitbit, fitbit_date, iso, leading_date},
};

/// The maximum length of a zone's name.
const MAX_ZONE: usize = 64;

/// An element of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The time, in seconds after the beginning of 1970 on the export's clock.
    pub(crate) time: Option<i64>,
    /// The time, in an element of our own.
    pub(crate) written: Option<Written>,
    /// The day of a resting heart rate: in an export, or in an element of our own.
    pub(crate) date: Option<Date>,
    /// Beats per minute, if the value is a rate.
    pub(crate) rate: Option<u16>,
    /// The day's resting heart rate, in an element of our own.
    pub(crate) resting: Option<u16>,
    /// The tracker's confidence, 0 to 3.
    pub(crate) confidence: Option<u64>,
    /// Whether it is an element of our own, and whether it names a zone.
    pub(crate) is_own: bool,
    pub(crate) has_zone: bool,
}

/// Extracts the elements from a list, each with the zone that it names.
#[derive(Debug)]
pub(crate) struct ListReader<F> {
    each: F,
    place: Place,
    key: Key,
    element: Element,
    zone: String,
    /// Whether the document is a list.
    is_list: bool,
    failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Outside,
    List,
    Element,
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Time,
    Value,
    Rate,
    Confidence,
    Date,
    OwnTime,
    OwnRate,
    OwnResting,
    Zone,
}

impl<F: FnMut(Element, &str) -> Result<(), Failure>> ListReader<F> {
    pub(crate) fn new(each: F) -> Self {
        Self {
            each,
            place: Place::Outside,
            key: Key::Time,
            element: Element::default(),
            zone: String::new(),
            is_list: false,
            failure: None,
        }
    }

    /// Builds a reader for documents that are elements themselves.
    pub(crate) fn of_elements(each: F) -> Self {
        Self {
            place: Place::List,
            is_list: true,
            ..Self::new(each)
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`FileError::OtherJson`] when it is no list, and the first error of the receiver, which got
    /// no element after that.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.failure {
            _ if !self.is_list => Err(FileError::OtherJson.into()),
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    fn hand_over(&mut self) {
        if self.failure.is_none() {
            self.failure = (self.each)(self.element, &self.zone).err();
        }
    }

    fn begin_element(&mut self) {
        self.element = Element::default();
        self.zone.clear();
    }

    fn key(&mut self, name: Option<&[u8]>) -> Flow {
        self.key = match (self.place, name) {
            (Place::Element, Some(b"dateTime")) => Key::Time,
            (Place::Element, Some(b"value")) => Key::Value,
            (Place::Value, Some(b"bpm" | b"value")) => Key::Rate,
            (Place::Value, Some(b"confidence")) => Key::Confidence,
            (Place::Value, Some(b"date")) => Key::Date,
            (Place::Element, Some(b"time")) => Key::OwnTime,
            (Place::Element, Some(b"bpm")) => Key::OwnRate,
            (Place::Element, Some(b"resting_bpm")) => Key::OwnResting,
            (Place::Element, Some(b"zone")) => Key::Zone,
            _ => return Flow::Skip,
        };
        Flow::Continue
    }

    fn number(&mut self, number: Number<'_>) {
        let rate = || {
            let rate = number.round_half_up();
            rate.and_then(|rate| u16::try_from(rate).ok())
        };
        match (self.place, self.key) {
            (Place::Value, Key::Rate) => self.element.rate = rate(),
            (Place::Value, Key::Confidence) => self.element.confidence = number.as_u64(),
            (Place::Element, Key::OwnRate) => self.element.rate = rate(),
            (Place::Element, Key::OwnResting) => self.element.resting = rate(),
            _ => {}
        }
    }

    fn text(&mut self, text: Option<&[u8]>) {
        match (self.place, self.key) {
            (Place::Element, Key::Time) => {
                self.element.time = text.and_then(fitbit);
            }
            (Place::Value, Key::Date) => self.element.date = text.and_then(fitbit_date),
            (Place::Element, Key::OwnTime) => {
                self.element.is_own = true;
                self.element.written = text.and_then(iso);
                self.element.date = text.and_then(leading_date);
            }
            (Place::Element, Key::Zone) => {
                self.element.has_zone = true;
                self.zone.clear();
                let name = text.filter(|text| text.len() <= MAX_ZONE);
                let name = name.and_then(|text| str::from_utf8(text).ok());
                self.zone.push_str(name.unwrap_or_default());
            }
            // An element that is not an object counts as an empty one.
            (Place::List, _) => {
                self.begin_element();
                self.hand_over();
            }
            _ => {}
        }
    }
}

impl<F: FnMut(Element, &str) -> Result<(), Failure>> Handler for ListReader<F> {
    #[inline]
    fn event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::Key(key) => return self.key(key.as_bytes()),
            Event::String(text) => self.text(text.as_bytes()),
            Event::Number(number) => self.number(number),
            Event::BeginObject => match (self.place, self.key) {
                (Place::List, _) => {
                    self.place = Place::Element;
                    self.begin_element();
                }
                (Place::Element, Key::Value) => self.place = Place::Value,
                _ => return Flow::Skip,
            },
            Event::EndObject => match self.place {
                Place::Value => self.place = Place::Element,
                _ => {
                    self.place = Place::List;
                    self.hand_over();
                }
            },
            Event::BeginArray if self.place == Place::Outside => {
                self.place = Place::List;
                self.is_list = true;
            }
            Event::BeginArray => return Flow::Skip,
            Event::EndArray | Event::Bool(_) | Event::Null => {}
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulsewing_core::json::Decoder;

    use super::*;

    fn elements(text: &str, cut: usize) -> Option<Vec<Element>> {
        let mut found = Vec::new();
        let mut reader = ListReader::new(|element, _: &str| {
            found.push(element);
            Ok(())
        });
        let mut decoder: Decoder = Decoder::new();
        for chunk in text.as_bytes().chunks(cut) {
            decoder.feed(chunk, &mut reader).ok()?;
        }
        decoder.finish(&mut reader).ok()?;
        reader.finish().ok()?;
        Some(found)
    }

    #[test]
    fn both_lists_are_read_in_any_chunks() {
        let text = r#"[{"dateTime":"01/25/23 13:00:07","value":{"bpm":54,"confidence":2}},
            {"value":{"confidence":0,"bpm":70.5,"x":[{"bpm":1}]},"dateTime":"01/25/23 13:00:12"},
            {"dateTime":"03/01/24 00:00:00","value":{"date":"03/01/24","value":53.0,"error":6.8}},
            {"dateTime":"03/02/24 00:00:00","value":{"date":null,"value":0.0,"error":0.0}}]"#;
        for cut in [1, 7, 4_096] {
            let found = elements(text, cut).unwrap();
            assert_eq!(found.len(), 4);
            assert_eq!((found[0].rate, found[0].confidence), (Some(54), Some(2)));
            assert_eq!(found[0].time, Some(1_674_651_607));
            assert_eq!((found[1].rate, found[1].confidence), (Some(71), Some(0)));
            assert_eq!(found[1].time, Some(1_674_651_612));
            assert_eq!(found[2].date, Some(jiff::civil::date(2024, 3, 1)));
            assert_eq!((found[2].rate, found[3].rate), (Some(53), Some(0)));
            assert_eq!(found[3].date, None);
        }
    }

    #[test]
    fn our_own_elements_say_when_and_where() {
        let text = r#"{"time":"2024-10-27T02:00:00+02:00","bpm":60,"zone":"Europe/Berlin","resting_bpm":55}"#;
        let mut found = None;
        let mut reader = ListReader::of_elements(|element, zone: &str| {
            found = Some((element, zone.to_owned()));
            Ok(())
        });
        let mut decoder: Decoder = Decoder::new();
        decoder.feed(text.as_bytes(), &mut reader).unwrap();
        decoder.finish(&mut reader).unwrap();
        let (element, zone) = found.unwrap();
        assert_eq!(element.written.and_then(Written::at), Some(1_729_987_200));
        assert_eq!((element.rate, element.resting), (Some(60), Some(55)));
        assert_eq!(element.date, Some(jiff::civil::date(2024, 10, 27)));
        assert_eq!((element.is_own, zone.as_str()), (true, "Europe/Berlin"));
        // The same in a list.
        assert_eq!(
            elements(&format!("[{text},{text}]"), 7).unwrap(),
            [element; 2]
        );
    }

    #[test]
    fn what_has_another_shape_says_nothing() {
        for text in [
            r#"[{"dateTime":7,"value":{"bpm":"54"}}]"#,
            r#"[{"dateTime":"x","value":[54]}]"#,
            r#"[{"value":{"bpm":1e999}},"bpm"]"#,
            r#"[{"dateTime":{"value":{"bpm":54}}}]"#,
            r#"[[{"value":{"bpm":54}}],{"value":{"bpm":{"bpm":54}}}]"#,
        ] {
            let found = elements(text, 5).unwrap();
            assert!(
                found.iter().all(|element| element.rate.is_none()
                    || element.time.is_none() && element.written.is_none()),
                "{text}"
            );
        }
        assert_eq!(elements(r#"{"bpm":54}"#, 5), None);
        assert_eq!(elements("[]", 5), Some(Vec::new()));
        assert_eq!(elements(r#"[{"dateTime":"01/25/23 "#, 5), None);
    }

    proptest! {
        #[test]
        fn no_document_confuses_it(text in r#"[\[\]{}",:a0 ]{0,80}|(\[|\]|\{|\}|"value":|"bpm":|"dateTime":|1|,|null){0,60}"#) {
            elements(&text, 3);
        }
    }
}
