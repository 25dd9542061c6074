//! Samples as InfluxDB's line protocol.
//!
//! `measurement[,tag=value...] field=value[,field=value...] [time]`, separated by single spaces. A
//! backslash escapes a comma, a space, an equals sign or a quotation mark; a field's text is quoted. Lines
//! that begin with `#`, and empty ones, are left out. (InfluxDB OSS v2, "Line protocol".)

use jiff::Timestamp;

use super::decode::{Judge, Malformed, Precision, Reason};

/// The fields that may have the rate, the preferred one first.
const FIELDS: [&[u8]; 4] = [b"bpm", b"heart_rate", b"hr", b"value"];

pub(super) fn decode(
    body: &[u8],
    precision: Precision,
    judge: &mut Judge,
) -> Result<(), Malformed> {
    for (number, line) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        judge.next()?;
        let wrong = |what| Malformed::Line { line: number, what };
        let (fields, time) = parts(line).map_err(wrong)?;
        let at = match time {
            None => Some(judge.now()),
            Some(digits) => instant(digits, precision).map_err(wrong)?,
        };
        match rate(fields).map_err(wrong)? {
            Some(rate) => judge.sample(at, rate),
            None => judge.refuse(Reason::NoRate),
        }
    }
    Ok(())
}

/// Splits a line into its fields and its time; checks that there is a measurement.
fn parts(line: &[u8]) -> Result<(&[u8], Option<&[u8]>), &'static str> {
    let (measurement, rest) = split(line, b' ', Quotes::AreLetters);
    if measurement.is_empty() || measurement.starts_with(b",") {
        return Err("it has no measurement");
    }
    let rest = rest.ok_or("it has no fields")?;
    let (fields, time) = split(rest, b' ', Quotes::Enclose);
    if fields.is_empty() {
        return Err("it has no fields");
    }
    match time {
        Some(time) if time.contains(&b' ') => Err("something follows the time"),
        time => Ok((fields, time)),
    }
}

/// Reads a time.
fn instant(digits: &[u8], precision: Precision) -> Result<Option<Timestamp>, &'static str> {
    let number: i128 = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse::<i64>().ok())
        .ok_or("its time is not a whole number of 64 bits")?
        .into();
    let nanoseconds = match precision {
        Precision::Nanoseconds => 1,
        Precision::Microseconds => 1_000,
        Precision::Milliseconds => 1_000_000,
        Precision::Seconds => 1_000_000_000,
    };
    Ok(Timestamp::from_nanosecond(number * nanoseconds).ok())
}

/// Finds the rate among the fields.
fn rate(fields: &[u8]) -> Result<Option<f64>, &'static str> {
    let mut found: [Option<f64>; FIELDS.len()] = [None; FIELDS.len()];
    let mut rest = Some(fields);
    while let Some(fields) = rest {
        let (field, others) = split(fields, b',', Quotes::Enclose);
        rest = others;
        let (name, value) = split(field, b'=', Quotes::AreLetters);
        let value = value.ok_or("a field has no value")?;
        if name.is_empty() || value.is_empty() {
            return Err("a field has no name or no value");
        }
        if let Some((_, slot)) = FIELDS
            .iter()
            .zip(&mut found)
            .find(|(known, _)| **known == name)
        {
            *slot = number(value);
        }
    }
    Ok(found.into_iter().flatten().next())
}

/// Reads a field's number: a float, or an integer that ends with `i` or `u`.
fn number(value: &[u8]) -> Option<f64> {
    let digits = match value {
        [digits @ .., b'i' | b'u'] => digits,
        float => float,
    };
    let number = std::str::from_utf8(digits).ok()?.parse::<f64>().ok()?;
    number.is_finite().then_some(number)
}

/// What quotation marks mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// They enclose text, in which separators are letters.
    Enclose,
    /// Nothing.
    AreLetters,
}

/// Splits text at the first separator that is neither escaped nor quoted.
fn split(text: &[u8], separator: u8, quotes: Quotes) -> (&[u8], Option<&[u8]>) {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' if quotes == Quotes::Enclose => is_quoted = !is_quoted,
            byte if *byte == separator && !is_quoted => {
                let (before, from) = text.split_at_checked(at).unwrap_or((text, &[]));
                return (before, from.get(1..));
            }
            _ => {}
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use pulsewing_testkit::at;

    use super::super::decode::{Decoded, Format, decode, tests::NOW, tests::reasons};
    use super::*;

    fn read(body: &str, precision: &str) -> Result<Decoded, Malformed> {
        let format = Format::LineProtocol(precision.parse().unwrap());
        decode(body.as_bytes(), format, at(NOW))
    }

    #[test]
    fn lines_are_read_as_influxdb_reads_them() {
        let body = "# from a strap\n\
            heart_rate bpm=72i 1795356420\n\
            \n\
            heart_rate,device=Polar\\ H10,place=a\\,b bpm=73 1795356421\r\n\
            hr,who=anna note=\"on, the = \\\"bike\\\" now\",hr=74.4 1795356422\n\
            bpm,entity_id=strap friendly_name_str=\"Strap\",value=75u 1795356423\n\
            heart_rate value=1i,bpm=76i 1795356424\n\
            heart_rate bpm=77i\n";
        let decoded = read(body, "s").unwrap();
        let told: Vec<(i64, u16)> = decoded
            .samples
            .iter()
            .map(|it| (it.at.as_second(), it.bpm.get()))
            .collect();
        let expected = [
            (1_795_356_420, 72),
            (1_795_356_421, 73),
            (1_795_356_422, 74),
            (1_795_356_423, 75),
            (1_795_356_424, 76),
            (at(NOW).as_second(), 77),
        ];
        assert_eq!(told, expected);
        assert_eq!(decoded.refused.total(), 0);
    }

    #[test]
    fn the_unit_of_times_is_the_parameters() {
        for (precision, time) in [
            ("s", "1795356420"),
            ("ms", "1795356420000"),
            ("us", "1795356420000000"),
            ("ns", "1795356420000000000"),
        ] {
            let decoded = read(&format!("h bpm=72i {time}"), precision).unwrap();
            assert_eq!(decoded.samples[0].at.as_second(), 1_795_356_420);
        }
        // The wrong unit is the year 1970, or none that there is.
        let decoded = read("h bpm=72i 1795356420\nh bpm=72i 9223372036854775807", "ns").unwrap();
        assert_eq!(reasons(&decoded), [("too-old", 1, 1), ("future", 1, 2)]);
        let decoded = read("h bpm=72i 9223372036854775807", "s").unwrap();
        assert_eq!(reasons(&decoded), [("time", 1, 1)]);
    }

    #[test]
    fn lines_without_a_rate_are_counted_and_others_are_refused_with_their_number() {
        let decoded = read(
            "h steps=4i\nh bpm=\"72\"\nh bpm=NaN\nh bpm=t\nh bpm=400i",
            "s",
        );
        assert_eq!(
            reasons(&decoded.unwrap()),
            [("rate", 1, 5), ("no-rate", 4, 1)]
        );
        for (line, what) in [
            ("heart_rate", "no fields"),
            (",a=b bpm=1", "no measurement"),
            ("h bpm", "no value"),
            ("h bpm= 1", "no value"),
            ("h =1 1", "no name"),
            ("h bpm=72i 12x", "whole number"),
            ("h bpm=72i 1.5", "whole number"),
            ("h bpm=72i 1 2", "follows the time"),
            ("h  bpm=72i 1", "no fields"),
        ] {
            let error = read(&format!("h bpm=72i 1795356420\n{line}"), "s").unwrap_err();
            let words = error.to_string();
            assert!(words.starts_with("line 2 "), "{line}: {words}");
            assert!(words.contains(what), "{line}: {words}");
        }
    }
}
