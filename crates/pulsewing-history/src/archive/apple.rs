//! Apple Health's `export.xml`, read as its bytes arrive.
//!
//! It is one long list of elements such as `<Record type="HKQuantityTypeIdentifierHeartRate"
//! sourceName="Ada's Watch" unit="count/min" startDate="2024-10-27 02:00:04 +0200" value="72"/>`.
//! This module finds those and skips everything else, so it is a scanner for that list and not a
//! general XML parser: it keeps no tag that is longer than a record's, and resolves no references
//! to other files.

use std::io::Read;

use super::{Failure, FileError, text::each_chunk};

/// The maximum length of a tag, in bytes. A record's has several hundred.
const MAX_TAG: usize = 16 * 1_024;

/// The maximum length of a device's name, in bytes.
const MAX_DEVICE: usize = 1_024;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A heart rate.
    Heart,
    /// A day's resting heart rate.
    Resting,
}

/// A record of a heart rate, with its values as written in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) kind: Kind,
    /// The watch or app.
    pub(crate) device: String,
    /// The time at which it begins.
    pub(crate) time: &'a [u8],
    /// Beats per minute; empty in another unit.
    pub(crate) rate: &'a [u8],
}

/// Hands over the records of heart rates. Reads chunks of this buffer's size.
pub(crate) fn read(
    content: &mut dyn Read,
    buffer: &mut [u8],
    mut each: impl FnMut(Record<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut scanner = Scanner::default();
    each_chunk(content, buffer, |chunk| scanner.feed(chunk, &mut each))?;
    Ok(scanner.finish()?)
}

#[derive(Default)]
struct Scanner {
    /// The unfinished tag, from its `<` on.
    tag: Vec<u8>,
    is_in_tag: bool,
    is_in_quotes: bool,
    is_health: bool,
    is_closed: bool,
}

impl Scanner {
    fn feed(
        &mut self,
        mut chunk: &[u8],
        each: &mut impl FnMut(Record<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        loop {
            if !self.is_in_tag {
                let Some(start) = memchr::memchr(b'<', chunk) else {
                    return Ok(());
                };
                chunk = chunk.get(start..).unwrap_or_default();
                self.is_in_tag = true;
            }
            let Some(end) = self.end(chunk) else {
                self.tag.extend_from_slice(chunk);
                return check_length(&self.tag);
            };
            let (last, rest) = chunk.split_at_checked(end).unwrap_or((chunk, &[]));
            chunk = rest;
            self.is_in_tag = false;
            if self.tag.is_empty() {
                check_length(last)?;
                self.take(last, each)?;
            } else {
                self.tag.extend_from_slice(last);
                check_length(&self.tag)?;
                let tag = std::mem::take(&mut self.tag);
                self.take(&tag, each)?;
                self.tag = tag;
                self.tag.clear();
            }
        }
    }

    /// Returns the end of the tag in this chunk; `None` if it continues.
    fn end(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut from = 0;
        loop {
            let at = from + memchr::memchr2(b'>', b'"', chunk.get(from..)?)?;
            from = at + 1;
            let byte = chunk.get(at);
            // Declarations and comments may contain a single quote character.
            let begins_with = |start: &[u8]| {
                let mut bytes = self.tag.iter().chain(chunk);
                start.iter().all(|byte| bytes.next() == Some(byte))
            };
            if begins_with(b"<!") {
                let mut before = self.tag.iter().chain(chunk.get(..at).unwrap_or_default());
                let is_end = !begins_with(b"<!--")
                    || (self.tag.len() + at >= 6
                        && before.next_back() == Some(&b'-')
                        && before.next_back() == Some(&b'-'));
                if byte == Some(&b'>') && is_end {
                    return Some(from);
                }
            } else if byte == Some(&b'"') {
                self.is_in_quotes = !self.is_in_quotes;
            } else if !self.is_in_quotes {
                return Some(from);
            }
        }
    }

    fn take(
        &mut self,
        tag: &[u8],
        each: &mut impl FnMut(Record<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if tag.starts_with(b"<Record ") {
            if let Some(record) = record(tag) {
                each(record)?;
            }
        } else if tag.starts_with(b"<HealthData") {
            self.is_health = true;
        } else if tag.starts_with(b"</HealthData") {
            self.is_closed = true;
        } else if !self.is_health && !tag.starts_with(b"<!") && !tag.starts_with(b"<?") {
            // The first element belongs to another kind of document.
            return Err(FileError::OtherXml.into());
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), FileError> {
        if !self.is_health {
            return Err(FileError::OtherXml);
        }
        if !self.is_closed {
            return Err(FileError::Xml("it ends too early"));
        }
        Ok(())
    }
}

fn check_length(tag: &[u8]) -> Result<(), Failure> {
    if tag.len() > MAX_TAG {
        return Err(FileError::Xml("a tag is longer than any in an Apple Health export").into());
    }
    Ok(())
}

fn record(tag: &[u8]) -> Option<Record<'_>> {
    let kind = match attribute(tag, b"type")? {
        b"HKQuantityTypeIdentifierHeartRate" => Kind::Heart,
        b"HKQuantityTypeIdentifierRestingHeartRate" => Kind::Resting,
        _ => return None,
    };
    let is_per_minute = attribute(tag, b"unit") == Some(b"count/min");
    let value = attribute(tag, b"value").filter(|_| is_per_minute);
    Some(Record {
        kind,
        device: unescaped(attribute(tag, b"sourceName").unwrap_or_default()),
        time: attribute(tag, b"startDate").unwrap_or_default(),
        rate: value.unwrap_or_default(),
    })
}

/// Returns the value of an attribute, as written in the file.
fn attribute<'a>(tag: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = tag;
    loop {
        let open = memchr::memchr(b'"', rest)?;
        let (before, behind) = rest.split_at_checked(open)?;
        let behind = behind.get(1..)?;
        let (value, behind) = behind.split_at_checked(memchr::memchr(b'"', behind)?)?;
        let before = before.strip_suffix(b"=").unwrap_or(before);
        let is_it = before
            .strip_suffix(name)
            .is_some_and(|before| before.last().is_some_and(u8::is_ascii_whitespace));
        if is_it {
            return Some(value);
        }
        rest = behind.get(1..)?;
    }
}

/// Returns an attribute's text, with its escapes decoded.
fn unescaped(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..MAX_DEVICE).unwrap_or(text));
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some((before, behind)) = rest.split_once('&') {
        plain.push_str(before);
        let named = behind.split_once(';').and_then(|(name, behind)| {
            let character = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let number = name.strip_prefix('#')?;
                    let number = match number.strip_prefix('x') {
                        Some(digits) => u32::from_str_radix(digits, 16),
                        None => number.parse(),
                    };
                    char::from_u32(number.ok()?)?
                }
            };
            Some((character, behind))
        });
        let (character, behind) = named.unwrap_or(('&', behind));
        plain.push(character);
        rest = behind;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!-- it's \"so > it -->\n<!ELEMENT HealthData (ExportDate,Me,(Record)*)>\n]>\n<HealthData locale=\"de_DE\">\n";

    fn records(text: &str, chunk: usize) -> Result<Vec<(Kind, String, String, String)>, FileError> {
        let mut found = Vec::new();
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let each = |record: Record<'_>| {
            let (time, rate) = (text_of(record.time), text_of(record.rate));
            found.push((record.kind, record.device, time, rate));
            Ok(())
        };
        match read(&mut text.as_bytes(), &mut vec![0; chunk], each) {
            Ok(()) => Ok(found),
            Err(Failure::File(error)) => Err(error),
            Err(Failure::History(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn records_of_heart_rate_are_found_in_any_chunks() {
        let text = format!(
            "{START} <ExportDate value=\"2024-11-01 10:00:00 +0100\"/>
            <!-- <Record type=\"HKQuantityTypeIdentifierHeartRate\" value=\"1\"/> -->
            <Record type=\"HKQuantityTypeIdentifierStepCount\" unit=\"count\" startDate=\"x\" value=\"9\"/>
            <Record type=\"HKQuantityTypeIdentifierHeartRate\" sourceName=\"Ada&apos;s &#87;atch > 3\" device=\"&lt;&lt;value=&quot;\" unit=\"count/min\" creationDate=\"2024-10-27 02:10:00 +0200\" startDate=\"2024-10-27 02:00:04 +0200\" value=\"72.5\">
              <MetadataEntry key=\"x\" value=\"0\"/>
            </Record>
            <Record type=\"HKQuantityTypeIdentifierRestingHeartRate\" sourceName=\"W\" unit=\"count/s\" startDate=\"2024-10-27 00:00:00 +0200\" value=\"1\"/>
            </HealthData>"
        );
        let own = |kind, device: &str, time: &str, rate: &str| {
            (kind, device.to_owned(), time.to_owned(), rate.to_owned())
        };
        for chunk in [1, 7, 100, 65_536] {
            assert_eq!(
                records(&text, chunk).unwrap(),
                [
                    own(
                        Kind::Heart,
                        "Ada's Watch > 3",
                        "2024-10-27 02:00:04 +0200",
                        "72.5"
                    ),
                    own(Kind::Resting, "W", "2024-10-27 00:00:00 +0200", ""),
                ]
            );
        }
    }

    #[test]
    fn another_document_and_half_of_one_are_refused() {
        let none = format!("{START}</HealthData>");
        assert_eq!(records(&none, 9).unwrap(), []);
        for text in [
            "",
            "no XML",
            "<gpx><trk/></gpx>",
            "<?xml?><ClinicalDocument>",
        ] {
            assert!(
                matches!(records(text, 9), Err(FileError::OtherXml)),
                "{text}"
            );
        }
        for text in [
            START.to_owned(),
            format!("{START}<Record "),
            format!("{START}<{}", "x".repeat(20_000)),
        ] {
            assert!(matches!(records(&text, 999), Err(FileError::Xml(_))));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<|>|\"|=|&|;|#|!|-|/|<Record |type=\"HKQuantityTypeIdentifierHeartRate\"| value=\"|<HealthData>|é){0,60}", chunk in 1_usize..9) {
            let whole = records(&text, 999).map_err(|error| error.to_string());
            prop_assert_eq!(records(&text, chunk).map_err(|error| error.to_string()), whole);
        }
    }
}
