//! The filter of `list` and `reconcile`: a small part of AIP-160
//! (Google Health API, dataPoints.list, `filter`).
//!
//! ```text
//! filter      = restriction { "AND" restriction }
//! restriction = member ( ">=" | "<" ) '"' literal '"'
//! member      = SAMPLE.sample_time.physical_time      RFC 3339
//!             | SAMPLE.sample_time.civil_time         YYYY-MM-DD[THH:mm:ss]
//!             | DAILY.date                            YYYY-MM-DD
//!             | INTERVAL.interval.start_time          RFC 3339
//!             | INTERVAL.interval.civil_start_time    YYYY-MM-DD[THH:mm:ss]
//!             | SESSION.interval.civil_start_time
//!             | sleep.interval.end_time               RFC 3339; here OR joins as well
//!             | sleep.interval.civil_end_time         YYYY-MM-DD[THH:mm:ss]
//!             | electrocardiogram.interval.start_time RFC 3339, and only >=
//! ```

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};

use super::data_type::{DataType, Kind};

/// The range that a filter selects, closed-open; a missing bound is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) physical: Bounds<Timestamp>,
    pub(super) civil: Bounds<DateTime>,
}

/// A closed-open range with optional bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds<T> {
    pub(super) start: Option<T>,
    pub(super) end: Option<T>,
}

/// Why a filter is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilterError {
    pub(super) reason: &'static str,
    pub(super) message: &'static str,
}

impl Range {
    /// Parses a filter for the points of one data type. An empty filter selects everything.
    ///
    /// A filter with OR selects everything: only sleep allows OR, and there is no sleep data.
    pub(super) fn parse(filter: &str, data_type: &DataType) -> Result<Self, FilterError> {
        let mut range = Self::default();
        let tokens = tokenize(filter)?;
        let mut rest = tokens.as_slice();
        if rest.is_empty() {
            return Ok(range);
        }
        let mut has_alternatives = false;
        loop {
            rest = range.restrict(rest, data_type)?;
            match rest {
                [] => break,
                [Token::Word("AND"), after @ ..] => rest = after,
                [Token::Word("OR"), after @ ..] if data_type.kind == Kind::Sleep => {
                    has_alternatives = true;
                    rest = after;
                }
                _ => return Err(STRUCTURE),
            }
        }
        if has_alternatives {
            return Ok(Self::default());
        }
        range.check()?;
        Ok(range)
    }

    /// Writes the filter that selects this range.
    #[cfg(any(test, feature = "_fuzzing"))]
    pub(super) fn written(&self, data_type: &DataType) -> String {
        let (physical, civil) = match data_type.kind {
            Kind::Sample => ("sample_time.physical_time", "sample_time.civil_time"),
            Kind::Interval => ("interval.start_time", "interval.civil_start_time"),
            Kind::Session => ("", "interval.civil_start_time"),
            Kind::Sleep => ("interval.end_time", "interval.civil_end_time"),
            Kind::Electrocardiogram => ("interval.start_time", ""),
            Kind::Daily => ("", "date"),
            Kind::Food => ("", ""),
        };
        let name = data_type.filter_name();
        let instant = |at: Timestamp| at.to_string();
        let civil_literal = |at: DateTime| match data_type.kind {
            Kind::Daily => at.date().to_string(),
            _ => at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        };
        let bounds = [
            (physical, ">=", self.physical.start.map(instant)),
            (physical, "<", self.physical.end.map(instant)),
            (civil, ">=", self.civil.start.map(civil_literal)),
            (civil, "<", self.civil.end.map(civil_literal)),
        ];
        let restriction = |(member, operator, literal): (&str, &str, Option<String>)| {
            literal.map(|literal| format!("{name}.{member} {operator} \"{literal}\""))
        };
        let restrictions: Vec<String> = bounds.into_iter().filter_map(restriction).collect();
        restrictions.join(" AND ")
    }

    fn restrict<'a>(
        &mut self,
        tokens: &'a [Token<'a>],
        data_type: &DataType,
    ) -> Result<&'a [Token<'a>], FilterError> {
        let (member, operator, literal, rest) = match tokens {
            [Token::Word(word), ..] if matches!(*word, "AND" | "OR" | "NOT") => {
                return Err(STRUCTURE);
            }
            [Token::Paren, ..] => return Err(STRUCTURE),
            [
                Token::Word(member),
                Token::Operator(operator),
                Token::Literal(literal),
                rest @ ..,
            ] => (*member, *operator, *literal, rest),
            [Token::Word(_), Token::Operator(_), Token::Word(_), ..] => return Err(SYNTAX),
            [] | [Token::Word(_)] | [Token::Word(_), Token::Operator(_)] => {
                return Err(MISSING_TOKEN);
            }
            _ => return Err(SYNTAX),
        };
        let is_start = match operator {
            ">=" => true,
            "<" => false,
            _ => return Err(COMPARATOR),
        };
        let (prefix, field) = member.split_once('.').unwrap_or((member, ""));
        if prefix != data_type.filter_name() {
            let is_known = DataType::in_filter(prefix).is_some();
            return Err(if is_known { COLLECTION } else { DATA_TYPE });
        }
        match (data_type.kind, field) {
            (Kind::Electrocardiogram, "interval.start_time") if !is_start => {
                return Err(COMPARATOR);
            }
            (Kind::Sample, "sample_time.physical_time")
            | (Kind::Interval | Kind::Electrocardiogram, "interval.start_time")
            | (Kind::Sleep, "interval.end_time") => {
                self.physical
                    .narrow(is_start, literal.parse().map_err(|_| TIMESTAMP)?);
            }
            (Kind::Sample, "sample_time.civil_time")
            | (Kind::Interval | Kind::Session, "interval.civil_start_time")
            | (Kind::Sleep, "interval.civil_end_time") => {
                self.civil.narrow(is_start, civil(literal).ok_or(CIVIL)?);
            }
            (Kind::Daily, "date") => {
                self.civil.narrow(is_start, day(literal).ok_or(CIVIL)?);
            }
            _ => return Err(MEMBER),
        }
        Ok(rest)
    }

    fn check(&self) -> Result<(), FilterError> {
        if self.physical != Bounds::default() && self.civil != Bounds::default() {
            return Err(MIXED);
        }
        if self.physical.is_empty() || self.civil.is_empty() {
            return Err(TIME_RANGE);
        }
        Ok(())
    }
}

impl<T: Copy + Ord> Bounds<T> {
    pub(super) fn contains(&self, value: T) -> bool {
        self.start.is_none_or(|start| start <= value) && self.end.is_none_or(|end| value < end)
    }

    fn narrow(&mut self, is_start: bool, value: T) {
        if is_start {
            self.start = Some(self.start.map_or(value, |start| start.max(value)));
        } else {
            self.end = Some(self.end.map_or(value, |end| end.min(value)));
        }
    }

    fn is_empty(&self) -> bool {
        matches!((self.start, self.end), (Some(start), Some(end)) if end <= start)
    }
}

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Self {
            start: None,
            end: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Operator(&'a str),
    /// The text between double quotes.
    Literal(&'a str),
    Paren,
}

fn tokenize(text: &str) -> Result<Vec<Token<'_>>, FilterError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                let inner = rest.get(1..).unwrap_or_default();
                let end = inner.find('"').ok_or(SYNTAX)?;
                tokens.push(Token::Literal(inner.get(..end).unwrap_or_default()));
                end + 2
            }
            '(' | ')' => {
                tokens.push(Token::Paren);
                1
            }
            '<' | '>' | '=' | '!' | ':' => {
                let end = rest
                    .find(|c| !matches!(c, '<' | '>' | '=' | '!' | ':'))
                    .unwrap_or(rest.len());
                tokens.push(Token::Operator(rest.get(..end).unwrap_or_default()));
                end
            }
            c if is_word(c) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..end).unwrap_or_default()));
                end
            }
            _ => return Err(SYNTAX),
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Parses `YYYY-MM-DD` or `YYYY-MM-DDTHH:mm:ss`, and nothing else.
fn civil(literal: &str) -> Option<DateTime> {
    match literal.len() {
        10 => day(literal),
        19 if literal.as_bytes().get(10) == Some(&b'T') => literal.parse().ok(),
        _ => None,
    }
}

fn day(literal: &str) -> Option<DateTime> {
    let date: Date = literal.parse().ok().filter(|_| literal.len() == 10)?;
    Some(date.to_datetime(jiff::civil::Time::midnight()))
}

const fn error(reason: &'static str, message: &'static str) -> FilterError {
    FilterError { reason, message }
}

const SYNTAX: FilterError = error(
    "INVALID_DATA_POINT_FILTER_SYNTAX",
    "The filter is not a valid expression.",
);
const MISSING_TOKEN: FilterError = error(
    "INVALID_DATA_POINT_FILTER_MISSING_TOKEN",
    "The filter ends before the restriction is complete.",
);
const STRUCTURE: FilterError = error(
    "INVALID_DATA_POINT_FILTER_EXPRESSION_STRUCTURE",
    "Restrictions can only be joined by AND.",
);
const COMPARATOR: FilterError = error(
    "INVALID_DATA_POINT_FILTER_RESTRICTION_COMPARATOR",
    "Only the comparators >= and < are supported.",
);
const MIXED: FilterError = error(
    "INVALID_DATA_POINT_FILTER_MIXED_TIME_RESTRICTIONS",
    "Physical and civil time cannot be mixed.",
);
const COLLECTION: FilterError = error(
    "INVALID_DATA_POINT_FILTER_COLLECTION_MISMATCH",
    "The filter's data type is not the one in the parent.",
);
const DATA_TYPE: FilterError = error(
    "INVALID_DATA_POINT_FILTER_DATA_TYPE_RESTRICTION",
    "The filter does not begin with a known data type.",
);
const MEMBER: FilterError = error(
    "INVALID_DATA_POINT_FILTER_DATA_TYPE_MEMBER",
    "The data type cannot be filtered by this member.",
);
const CIVIL: FilterError = error(
    "INVALID_DATA_POINT_FILTER_CIVIL_DATE_TIME_FORMAT",
    "The literal is not a civil date or date and time.",
);
const TIMESTAMP: FilterError = error(
    "INVALID_FILTER_FORMAT",
    "The literal is not an RFC 3339 timestamp.",
);
const TIME_RANGE: FilterError = error(
    "INVALID_TIME_RANGE",
    "The end of the range must be after its start.",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(filter: &str, name: &str) -> Result<Range, &'static str> {
        Range::parse(filter, DataType::find(name).unwrap()).map_err(|error| error.reason)
    }

    fn heart(filter: &str) -> Result<Range, &'static str> {
        parsed(filter, "heart-rate")
    }

    #[test]
    fn both_kinds_of_time_are_read() {
        let range = heart(
            "heart_rate.sample_time.physical_time >= \"2026-11-21T23:00:00Z\" AND \
             heart_rate.sample_time.physical_time<\"2026-11-22T23:00:00+00:00\"",
        )
        .unwrap();
        assert_eq!(range.physical.start, "2026-11-21T23:00:00Z".parse().ok());
        assert_eq!(range.physical.end, "2026-11-22T23:00:00Z".parse().ok());
        let range = heart("heart_rate.sample_time.civil_time >= \"2026-11-22\"").unwrap();
        assert_eq!(range.civil.start, "2026-11-22T00:00:00".parse().ok());
        assert_eq!(range.civil.end, None);
        assert_eq!(heart("  "), Ok(Range::default()));
    }

    #[test]
    fn every_mistake_has_its_reason() {
        let physical = |rest: &str| format!("heart_rate.sample_time.physical_time {rest}");
        let time = "\"2026-11-22T00:00:00Z\"";
        let (from, until) = (
            physical(&format!(">= {time}")),
            physical(&format!("< {time}")),
        );
        let civil = "heart_rate.sample_time.civil_time";
        for (filter, reason) in [
            (physical(&format!("> {time}")), "RESTRICTION_COMPARATOR"),
            (physical(&format!("= {time}")), "RESTRICTION_COMPARATOR"),
            (format!("{from} OR {until}"), "EXPRESSION_STRUCTURE"),
            (format!("({from})"), "EXPRESSION_STRUCTURE"),
            (
                format!("{from} AND {civil} < \"2026-11-23\""),
                "MIXED_TIME_RESTRICTIONS",
            ),
            (
                format!("steps.interval.start_time >= {time}"),
                "COLLECTION_MISMATCH",
            ),
            (from.replace("_rate", "Rate"), "DATA_TYPE_RESTRICTION"),
            (
                format!("heart_rate.interval.start_time >= {time}"),
                "DATA_TYPE_MEMBER",
            ),
            (
                format!("{civil} >= \"2026-11-22 00:00\""),
                "CIVIL_DATE_TIME_FORMAT",
            ),
            (physical(">= 2026-11-22"), "SYNTAX"),
            (physical(">= \"2026"), "SYNTAX"),
            (physical(">="), "MISSING_TOKEN"),
            (format!("{from} AND"), "MISSING_TOKEN"),
        ] {
            let reason = format!("INVALID_DATA_POINT_FILTER_{reason}");
            assert_eq!(heart(&filter), Err(reason.as_str()), "{filter}");
        }
        assert_eq!(
            heart(&physical(">= \"yesterday\"")),
            Err("INVALID_FILTER_FORMAT")
        );
        assert_eq!(
            heart(&format!("{from} AND {until}")),
            Err("INVALID_TIME_RANGE")
        );
    }

    #[test]
    fn days_are_filtered_by_date_alone() {
        let parse = |filter| parsed(filter, "daily-resting-heart-rate");
        let range = parse("daily_resting_heart_rate.date >= \"2026-11-20\"").unwrap();
        assert_eq!(range.civil.start, "2026-11-20T00:00:00".parse().ok());
        assert_eq!(
            parse("daily_resting_heart_rate.date >= \"2026-11-20T00:00:00\""),
            Err("INVALID_DATA_POINT_FILTER_CIVIL_DATE_TIME_FORMAT")
        );
        assert_eq!(
            parse("heart_rate.sample_time.civil_time >= \"2026-11-20\""),
            Err("INVALID_DATA_POINT_FILTER_COLLECTION_MISMATCH")
        );
    }

    #[test]
    fn intervals_are_filtered_by_their_start() {
        let parse = |filter: &str| parsed(filter, "time-in-heart-rate-zone");
        let start = "time_in_heart_rate_zone.interval";
        let range = parse(&format!("{start}.start_time >= \"2026-11-20T00:00:00Z\"")).unwrap();
        assert_eq!(range.physical.start, "2026-11-20T00:00:00Z".parse().ok());
        let range = parse(&format!("{start}.civil_start_time < \"2026-11-20\"")).unwrap();
        assert_eq!(range.civil.end, "2026-11-20T00:00:00".parse().ok());
        assert_eq!(
            parse(&format!("{start}.end_time < \"2026-11-20T00:00:00Z\"")),
            Err("INVALID_DATA_POINT_FILTER_DATA_TYPE_MEMBER")
        );
    }

    #[test]
    fn sessions_are_filtered_as_their_kind_allows() {
        let at = "\"2026-11-20T00:00:00Z\"";
        let member = Some("INVALID_DATA_POINT_FILTER_DATA_TYPE_MEMBER");
        let comparator = Some("INVALID_DATA_POINT_FILTER_RESTRICTION_COMPARATOR");
        for (name, filter, verdict) in [
            (
                "exercise",
                "exercise.interval.civil_start_time >= \"2026-11-20\"",
                None,
            ),
            ("exercise", "exercise.interval.start_time >= AT", member),
            (
                "sleep",
                "sleep.interval.end_time < AT OR sleep.interval.end_time >= AT",
                None,
            ),
            (
                "sleep",
                "sleep.interval.civil_end_time >= \"2026-11-20\"",
                None,
            ),
            ("sleep", "sleep.interval.start_time >= AT", member),
            (
                "electrocardiogram",
                "electrocardiogram.interval.start_time >= AT",
                None,
            ),
            (
                "electrocardiogram",
                "electrocardiogram.interval.start_time < AT",
                comparator,
            ),
            ("food", "food.interval.start_time >= AT", member),
        ] {
            let filter = filter.replace("AT", at);
            assert_eq!(parsed(&filter, name).err(), verdict, "{filter}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(filter in "(heart_rate|AND|OR| |>=|<|\"|\\.|sample_time|civil_time|2026-11-22|[^a-z])*") {
            let _ = heart(&filter);
        }

        #[test]
        fn what_is_written_is_read_back(
            start in 0i64..4_000_000_000, length in 1i64..1_000_000, ends in 0u8..4, civil: bool,
        ) {
            let at = |second: i64| Timestamp::from_second(second).unwrap();
            let (from, to) = (at(start), at(start + length));
            let (from, to) = ((ends & 1 > 0).then_some(from), (ends & 2 > 0).then_some(to));
            let mut range = Range::default();
            if civil {
                let civil = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
                range.civil = Bounds { start: from.map(civil), end: to.map(civil) };
            } else {
                range.physical = Bounds { start: from, end: to };
            }
            for name in ["heart-rate", "time-in-heart-rate-zone", "sleep"] {
                let data_type = DataType::find(name).unwrap();
                proptest::prop_assert_eq!(Range::parse(&range.written(data_type), data_type), Ok(range));
            }
        }
    }
}
