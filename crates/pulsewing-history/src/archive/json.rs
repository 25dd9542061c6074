//! JSON with samples, decoded as its bytes arrive: the lists of an export, the output of
//! `pulsewing export --format json`, and Google Fit's data points.
//!
//! Samples: `[{"dateTime":"01/25/23 13:00:07","value":{"bpm":54,"confidence":2}}, ...]`; a sample
//! with confidence 0 does not count. Resting heart rate: `[{"dateTime":"03/01/24 00:00:00",
//! "value":{"date":"03/01/24","value":53.0,"error":6.8}}, ...]`; for a day without one, the date is
//! null and the value 0. Our own: `{"time":"2024-10-27T02:00:00+02:00","bpm":60,
//! "zone":"Europe/Berlin"}`, one object per line, or a list of them. Google Fit:
//!
//! ```text
//! {"Data Source": "...", "Data Points": [{"fitValue": [{"value": {"fpVal": 72.0}}],
//!   "startTimeNanos": 1511000000000000000, "endTimeNanos": ...,
//!   "originDataSourceId": "raw:com.google.heart_rate.bpm:com.example.app:Maker:Model:..."}, ...]}
//! ```

use jiff::civil::Date;
use pulsewing_core::json::{Event, Flow, Handler};

use super::{
    Failure, FileError,
    columns::rate,
    instant::{Written, fitbit, fitbit_date, is_credible, iso, leading_date},
};

/// The maximum length of a zone's name.
const MAX_ZONE: usize = 64;

/// An element of a list. Rates are in thousandths of a beat per minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The time, in seconds after the beginning of 1970 on the export's clock.
    pub(crate) time: Option<i64>,
    /// The time, in an element of our own.
    pub(crate) written: Option<Written>,
    /// The day of a resting heart rate: in an export, or in an element of our own.
    pub(crate) date: Option<Date>,
    /// The heart rate.
    pub(crate) rate: Option<u32>,
    /// The day's resting heart rate, in an element of our own.
    pub(crate) resting: Option<u32>,
    /// The tracker's confidence, 0 to 3.
    pub(crate) confidence: Option<u64>,
    /// Whether it is an element of our own, and whether it names a zone.
    pub(crate) is_own: bool,
    pub(crate) has_zone: bool,
}

/// Extracts the elements from a document, each with the name of its zone or app.
#[derive(Debug)]
pub(crate) struct ElementReader<F> {
    each: F,
    /// The open objects and arrays, outermost first, and the place of the next value.
    open: Vec<Place>,
    next: Place,
    element: Element,
    name: String,
    /// Whether the document has such elements, or none where they could be.
    is_known: bool,
    failure: Option<Failure>,
}

/// A position in a document of a known shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    List,
    Element,
    Time,
    Value,
    Rate,
    Confidence,
    Date,
    OwnTime,
    OwnRate,
    OwnResting,
    Zone,
    Fit,
    FitPoints,
    FitPoint,
    FitTime,
    FitOrigin,
    FitValues,
    FitMeasure,
    FitValue,
    FitRate,
}

impl Place {
    /// Returns the place of an object's member; `None` if it does not matter.
    #[inline]
    const fn member(self, name: &[u8]) -> Option<Self> {
        Some(match (self, name) {
            (Self::Element, b"dateTime") => Self::Time,
            (Self::Element, b"value") => Self::Value,
            (Self::Value, b"bpm" | b"value") => Self::Rate,
            (Self::Value, b"confidence") => Self::Confidence,
            (Self::Value, b"date") => Self::Date,
            (Self::Element, b"time") => Self::OwnTime,
            (Self::Element, b"bpm") => Self::OwnRate,
            (Self::Element, b"resting_bpm") => Self::OwnResting,
            (Self::Element, b"zone") => Self::Zone,
            (Self::Fit, b"Data Points") => Self::FitPoints,
            (Self::FitPoint, b"startTimeNanos") => Self::FitTime,
            (Self::FitPoint, b"originDataSourceId") => Self::FitOrigin,
            (Self::FitPoint, b"fitValue") => Self::FitValues,
            (Self::FitMeasure, b"value") => Self::FitValue,
            (Self::FitValue, b"fpVal" | b"intVal") => Self::FitRate,
            _ => return None,
        })
    }

    /// Returns the place of an array's elements; `None` for what is no array.
    const fn elements(self) -> Option<Self> {
        match self {
            Self::List => Some(Self::Element),
            Self::FitPoints => Some(Self::FitPoint),
            Self::FitValues => Some(Self::FitMeasure),
            _ => None,
        }
    }

    const fn is_object(self) -> bool {
        matches!(
            self,
            Self::Element
                | Self::Value
                | Self::Fit
                | Self::FitPoint
                | Self::FitMeasure
                | Self::FitValue
        )
    }
}

impl<F: FnMut(Element, &str) -> Result<(), Failure>> ElementReader<F> {
    fn new(next: Place, each: F) -> Self {
        Self {
            each,
            open: Vec::new(),
            next,
            element: Element::default(),
            name: String::new(),
            is_known: next == Place::Element,
            failure: None,
        }
    }

    /// Builds a reader for a list.
    pub(crate) fn of_list(each: F) -> Self {
        Self::new(Place::List, each)
    }

    /// Builds a reader for documents that are elements themselves.
    pub(crate) fn of_lines(each: F) -> Self {
        Self::new(Place::Element, each)
    }

    /// Builds a reader for Google Fit's data points.
    pub(crate) fn of_google_fit(each: F) -> Self {
        Self::new(Place::Fit, each)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`FileError::OtherJson`] when it has another shape, and the first error of the receiver,
    /// which got no element after that.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.failure {
            _ if !self.is_known => Err(FileError::OtherJson.into()),
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    fn begin_element(&mut self) {
        self.element = Element::default();
        self.name.clear();
    }

    fn hand_over(&mut self) {
        if self.failure.is_none() {
            self.failure = (self.each)(self.element, &self.name).err();
        }
    }

    fn scalar(&mut self, event: Event<'_>) {
        let element = &mut self.element;
        match (self.next, event) {
            (Place::Time, Event::String(text)) => {
                element.time = text.as_bytes().and_then(fitbit);
            }
            (Place::Rate | Place::OwnRate, Event::Number(number)) => {
                element.rate = whole(number.round_half_up());
            }
            (Place::Confidence, Event::Number(number)) => element.confidence = number.as_u64(),
            (Place::Date, Event::String(text)) => {
                element.date = text.as_bytes().and_then(fitbit_date);
            }
            (Place::OwnTime, Event::String(text)) => {
                element.is_own = true;
                element.written = text.as_bytes().and_then(iso);
                element.date = text.as_bytes().and_then(leading_date);
            }
            (Place::OwnResting, Event::Number(number)) => {
                element.resting = whole(number.round_half_up());
            }
            (Place::Zone, Event::String(text)) => {
                element.has_zone = true;
                self.name.clear();
                let name = text.as_str().filter(|name| name.len() <= MAX_ZONE);
                self.name.push_str(name.unwrap_or_default());
            }
            (Place::FitTime, Event::Number(number)) => {
                let at = number.as_u64().map(|nanos| nanos / 1_000_000_000);
                element.time = at.and_then(|at| i64::try_from(at).ok()).filter(is_credible);
            }
            (Place::FitOrigin, Event::String(text)) => {
                // The id consists of type, kind of data, app, maker, model and more.
                let app = text.as_str().and_then(|text| text.split(':').nth(2));
                // A key that is repeated must not make it ever longer.
                self.name.clear();
                self.name.push_str(app.unwrap_or_default());
            }
            (Place::FitRate, Event::Number(number)) => {
                let exact = number.as_str().and_then(|text| rate(text.as_bytes()));
                element.rate = exact.or_else(|| whole(number.round_half_up()));
            }
            // A string in place of an object counts as an empty one.
            (Place::Element, Event::String(_)) => {
                self.begin_element();
                self.hand_over();
            }
            _ => {}
        }
    }
}

/// Returns whole beats per minute in thousandths.
fn whole(bpm: Option<i64>) -> Option<u32> {
    Some(u32::from(u16::try_from(bpm?).ok()?) * 1_000)
}

impl<F: FnMut(Element, &str) -> Result<(), Failure>> Handler for ElementReader<F> {
    #[inline]
    fn event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::Key(key) => {
                let place = self.open.last().zip(key.as_bytes());
                match place.and_then(|(object, name)| object.member(name)) {
                    Some(member) => self.next = member,
                    None => return Flow::Skip,
                }
            }
            Event::BeginObject if self.next.is_object() => {
                self.open.push(self.next);
                if matches!(self.next, Place::Element | Place::FitPoint) {
                    self.begin_element();
                }
            }
            Event::BeginArray if self.next.elements().is_some() => {
                self.open.push(self.next);
                self.is_known |= matches!(self.next, Place::List | Place::FitPoints);
                self.next = self.next.elements().unwrap_or(self.next);
            }
            Event::BeginObject | Event::BeginArray => return Flow::Skip,
            Event::EndObject | Event::EndArray => {
                // The next element of an array has the same place.
                self.next = self.open.pop().unwrap_or(self.next);
                if matches!(self.next, Place::Element | Place::FitPoint) {
                    self.hand_over();
                }
            }
            Event::String(_) | Event::Number(_) | Event::Bool(_) | Event::Null => {
                self.scalar(event);
            }
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulsewing_core::json::Decoder;

    use super::*;

    /// Reads a document in pieces of `cut` bytes; returns its elements, and the name that each has.
    fn read(text: &str, cut: usize, is_fit: bool) -> Option<Vec<(Element, String)>> {
        let mut found = Vec::new();
        let each = |element, name: &str| {
            found.push((element, name.to_owned()));
            Ok(())
        };
        let mut reader = match is_fit {
            true => ElementReader::of_google_fit(each),
            false => ElementReader::of_list(each),
        };
        let mut decoder: Decoder = Decoder::new();
        for chunk in text.as_bytes().chunks(cut) {
            decoder.feed(chunk, &mut reader).ok()?;
        }
        decoder.finish(&mut reader).ok()?;
        reader.finish().ok()?;
        Some(found)
    }

    fn elements(text: &str, cut: usize) -> Option<Vec<Element>> {
        let found = read(text, cut, false)?.into_iter();
        Some(found.map(|(element, _)| element).collect())
    }

    fn points(text: &str, cut: usize) -> Option<Vec<(Element, String)>> {
        read(text, cut, true)
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
            assert_eq!(
                (found[0].rate, found[0].confidence),
                (Some(54_000), Some(2))
            );
            assert_eq!(found[0].time, Some(1_674_651_607));
            assert_eq!(
                (found[1].rate, found[1].confidence),
                (Some(71_000), Some(0))
            );
            assert_eq!(found[1].time, Some(1_674_651_612));
            assert_eq!(found[2].date, Some(jiff::civil::date(2024, 3, 1)));
            assert_eq!((found[2].rate, found[3].rate), (Some(53_000), Some(0)));
            assert_eq!(found[3].date, None);
        }
    }

    #[test]
    fn our_own_elements_say_when_and_where() {
        let text = r#"{"time":"2024-10-27T02:00:00+02:00","bpm":60,"zone":"Europe/Berlin","resting_bpm":55}"#;
        let mut found = None;
        let mut reader = ElementReader::of_lines(|element, zone: &str| {
            found = Some((element, zone.to_owned()));
            Ok(())
        });
        let mut decoder: Decoder = Decoder::new();
        decoder.feed(text.as_bytes(), &mut reader).unwrap();
        decoder.finish(&mut reader).unwrap();
        let (element, zone) = found.unwrap();
        assert_eq!(element.written.and_then(Written::at), Some(1_729_987_200));
        assert_eq!(
            (element.rate, element.resting),
            (Some(60_000), Some(55_000))
        );
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

    #[test]
    fn points_are_read_in_any_chunks() {
        let text = r#"{"Data Source": "derived:com.google.heart_rate.bpm:x", "Data Points": [
            {"fitValue": [{"value": {"fpVal": 72.5}}], "originDataSourceId": "raw:com.google.heart_rate.bpm:com.example.app:Maker:Model",
             "endTimeNanos": 1730000005000000000, "startTimeNanos": 1730000000999000000, "rawTimestampNanos": 0, "x": [{"value": {"fpVal": 1}}]},
            {"fitValue": [], "startTimeNanos": -1}, {"fitValue": {"value": {"fpVal": 9}}}]}"#;
        for cut in [1, 7, 4_096] {
            let found = points(text, cut).unwrap();
            let first = Element {
                time: Some(1_730_000_000),
                rate: Some(72_500),
                ..Element::default()
            };
            assert_eq!(found[0], (first, "com.example.app".to_owned()));
            assert_eq!(
                found[1..],
                [
                    (Element::default(), String::new()),
                    (Element::default(), String::new())
                ]
            );
        }
        assert_eq!(points(r#"{"activities-heart": []}"#, 5), None);
        assert_eq!(points("[]", 5), None);
    }

    #[test]
    fn a_repeated_origin_does_not_add_up() {
        let origin = r#""originDataSourceId":"raw:bpm:com.example.app:Maker:Model","#;
        let text = format!(r#"{{"Data Points":[{{{}"x":1}}]}}"#, origin.repeat(3));
        assert_eq!(points(&text, 5).unwrap()[0].1, "com.example.app");
    }

    #[test]
    fn a_point_before_2000_has_no_time() {
        for (nanos, time) in [
            ("946684799000000000", None),
            ("946684800000000000", Some(946_684_800)),
        ] {
            let text = format!(r#"{{"Data Points":[{{"startTimeNanos":{nanos}}}]}}"#);
            assert_eq!(points(&text, 5).unwrap()[0].0.time, time, "{nanos}");
        }
    }

    proptest! {
        #[test]
        fn no_document_confuses_it(text in r#"[\[\]{}",:a0 ]{0,80}|(\[|\]|\{|\}|"value":|"bpm":|"dateTime":|1|,|null){0,60}"#) {
            elements(&text, 3);
        }

        #[test]
        fn no_document_of_points_confuses_it(text in r#"(\[|\]|\{|\}|"Data Points":|"fitValue":|"value":|"fpVal":|"startTimeNanos":|1|,|null){0,60}"#) {
            points(&text, 3);
        }
    }
}
