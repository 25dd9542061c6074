//! Google Fit's JSON, decoded as its bytes arrive.
//!
//! ```text
//! {"Data Source": "...", "Data Points": [{"fitValue": [{"value": {"fpVal": 72.0}}],
//!   "startTimeNanos": 1511000000000000000, "endTimeNanos": ...,
//!   "originDataSourceId": "raw:com.google.heart_rate.bpm:com.example.app:Maker:Model:..."}, ...]}
//! ```

use pulsewing_core::json::{Event, Flow, Handler, Number};

use super::{Failure, FileError, columns::rate};

/// A data point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Point {
    /// Seconds since 1970.
    pub(crate) at: Option<i64>,
    /// Thousandths of a beat per minute.
    pub(crate) rate: Option<u32>,
}

/// Extracts the points from a document, each with the app that it came from.
pub(crate) struct PointReader<F> {
    each: F,
    place: Place,
    key: Key,
    point: Point,
    app: String,
    /// Whether the document has data points.
    has_points: bool,
    failure: Option<Failure>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Document,
    Points,
    Point,
    Values,
    Measure,
    Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Points,
    Values,
    Measure,
    Rate,
    Time,
    Origin,
}

impl<F: FnMut(Point, &str) -> Result<(), Failure>> PointReader<F> {
    pub(crate) fn new(each: F) -> Self {
        Self {
            each,
            place: Place::Outside,
            key: Key::Points,
            point: Point::default(),
            app: String::new(),
            has_points: false,
            failure: None,
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`FileError::OtherJson`] when it has no data points, and the first error of the receiver,
    /// which got no point after that.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.failure {
            _ if !self.has_points => Err(FileError::OtherJson.into()),
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    fn key(&mut self, name: Option<&[u8]>) -> Flow {
        self.key = match (self.place, name) {
            (Place::Document, Some(b"Data Points")) => Key::Points,
            (Place::Point, Some(b"fitValue")) => Key::Values,
            (Place::Point, Some(b"startTimeNanos")) => Key::Time,
            (Place::Point, Some(b"originDataSourceId")) => Key::Origin,
            (Place::Measure, Some(b"value")) => Key::Measure,
            (Place::Value, Some(b"fpVal" | b"intVal")) => Key::Rate,
            _ => return Flow::Skip,
        };
        Flow::Continue
    }

    fn number(&mut self, number: Number<'_>) {
        match (self.place, self.key) {
            (Place::Value, Key::Rate) => {
                let exact = number.as_str().and_then(|text| rate(text.as_bytes()));
                let rounded = || {
                    u32::try_from(number.round_half_up()?)
                        .ok()?
                        .checked_mul(1_000)
                };
                self.point.rate = exact.or_else(rounded);
            }
            (Place::Point, Key::Time) => {
                let at = number.as_u64().map(|nanos| nanos / 1_000_000_000);
                self.point.at = at.and_then(|at| i64::try_from(at).ok());
            }
            _ => {}
        }
    }
}

impl<F: FnMut(Point, &str) -> Result<(), Failure>> Handler for PointReader<F> {
    fn event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::Key(key) => return self.key(key.as_bytes()),
            Event::Number(number) => self.number(number),
            Event::String(text) if (self.place, self.key) == (Place::Point, Key::Origin) => {
                // The id consists of type, kind of data, app, maker, model and more.
                let app = text.as_str().and_then(|text| text.split(':').nth(2));
                self.app.push_str(app.unwrap_or_default());
            }
            Event::BeginObject => {
                self.place = match (self.place, self.key) {
                    (Place::Outside, _) => Place::Document,
                    (Place::Points, _) => {
                        self.point = Point::default();
                        self.app.clear();
                        Place::Point
                    }
                    (Place::Values, _) => Place::Measure,
                    (Place::Measure, Key::Measure) => Place::Value,
                    _ => return Flow::Skip,
                };
            }
            Event::BeginArray => {
                self.place = match (self.place, self.key) {
                    (Place::Document, Key::Points) => {
                        self.has_points = true;
                        Place::Points
                    }
                    (Place::Point, Key::Values) => Place::Values,
                    _ => return Flow::Skip,
                };
            }
            Event::EndObject => {
                self.place = match self.place {
                    Place::Point => {
                        if self.failure.is_none() {
                            self.failure = (self.each)(self.point, &self.app).err();
                        }
                        Place::Points
                    }
                    Place::Measure => Place::Values,
                    Place::Value => Place::Measure,
                    _ => Place::Outside,
                };
            }
            Event::EndArray => {
                self.place = match self.place {
                    Place::Values => Place::Point,
                    Place::Points => Place::Document,
                    place => place,
                };
            }
            Event::String(_) | Event::Bool(_) | Event::Null => {}
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulsewing_core::json::Decoder;

    use super::*;

    fn points(text: &str, cut: usize) -> Option<Vec<(Point, String)>> {
        let mut found = Vec::new();
        let mut reader = PointReader::new(|point, app: &str| {
            found.push((point, app.to_owned()));
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
    fn points_are_read_in_any_chunks() {
        let text = r#"{"Data Source": "derived:com.google.heart_rate.bpm:x", "Data Points": [
            {"fitValue": [{"value": {"fpVal": 72.5}}], "originDataSourceId": "raw:com.google.heart_rate.bpm:com.example.app:Maker:Model",
             "endTimeNanos": 1730000005000000000, "startTimeNanos": 1730000000999000000, "rawTimestampNanos": 0, "x": [{"value": {"fpVal": 1}}]},
            {"fitValue": [], "startTimeNanos": -1}, {"fitValue": {"value": {"fpVal": 9}}}]}"#;
        for cut in [1, 7, 4_096] {
            let found = points(text, cut).unwrap();
            let first = Point {
                at: Some(1_730_000_000),
                rate: Some(72_500),
            };
            assert_eq!(found[0], (first, "com.example.app".to_owned()));
            assert_eq!(
                found[1..],
                [
                    (Point::default(), String::new()),
                    (Point::default(), String::new())
                ]
            );
        }
        assert_eq!(points(r#"{"activities-heart": []}"#, 5), None);
        assert_eq!(points("[]", 5), None);
    }

    proptest! {
        #[test]
        fn no_document_confuses_it(text in r#"(\[|\]|\{|\}|"Data Points":|"fitValue":|"value":|"fpVal":|"startTimeNanos":|1|,|null){0,60}"#) {
            points(&text, 3);
        }
    }
}
