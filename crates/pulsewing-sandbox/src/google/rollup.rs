//! `rollUp` and `dailyRollUp` (Google Health API, dataPoints.rollUp and dataPoints.dailyRollUp).

use hyper::StatusCode;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
};
use serde_json::{Value, json};

use super::{
    Family,
    body::Body,
    data_type::{Data, DataType},
    error, page,
    points::civil_time,
    zones,
};
use crate::{
    cloud::Call,
    message::Reply,
    wearer::{Bucket, Sample, Synced, Wearer, buckets},
};

/// Answers `rollUp`: windows counted from the start of the range, newest first, empty ones left out.
pub(super) fn roll_up(data_type: &DataType, call: &Call<'_>) -> Result<Reply, Box<Reply>> {
    let body = Body::read(
        call.request,
        &[
            "range",
            "windowSize",
            "pageSize",
            "pageToken",
            "dataSourceFamily",
        ],
    )?;
    let range = body.object("range")?;
    range.only(&["startTime", "endTime"])?;
    let (start, end) = (range.timestamp("startTime")?, range.timestamp("endTime")?);
    let window = body.window()?;
    in_order(start, end)?;
    let (family_name, family) = body.family(call.wearer.who)?;
    let size = page::size(body.integer("pageSize")?, 1440, 10_000)?;
    let spanned = window.as_nanos() * i128::try_from(size).unwrap_or(i128::MAX);
    let most = SignedDuration::from_hours(data_type.most_days() * 24);
    if end.duration_since(start) > most || spanned > most.as_nanos() {
        return Err(too_long(data_type));
    }
    let tokens = page::Tokens::bound_to(
        call.wearer.who,
        &[
            "rollUp",
            data_type.name,
            &start.to_string(),
            &end.to_string(),
            &window.as_nanos().to_string(),
            &size.to_string(),
            family_name,
        ],
    );
    let before = tokens.position(body.text("pageToken")?, i64::MAX)?;
    if call.empty_page {
        return Ok(tokens.empty_page(before));
    }
    let samples = samples(data_type.data, call.wearer, family, start, end);
    let mut windows: Vec<Bucket> = buckets(&samples, start, window)
        .into_iter()
        .rev()
        .filter(|bucket| bucket.index < before)
        .collect();
    let more = windows.len() > size;
    windows.truncate(size);
    let point = |bucket: &Bucket| {
        let offset = i128::from(bucket.index) * window.as_nanos();
        let from = Timestamp::from_nanosecond(start.as_nanosecond() + offset).unwrap_or(end);
        let to = from.checked_add(window).unwrap_or(end).min(end);
        let value = value(data_type.data, bucket, &samples, from, to);
        json!({ "startTime": from.to_string(), "endTime": to.to_string(), data_type.member_name(): value })
    };
    let last = windows.last().filter(|_| more);
    let next = last.map(|last| tokens.seal(&last.index.to_string()));
    Ok(page::reply(
        POINTS,
        windows.iter().map(point).collect(),
        next,
    ))
}

/// Answers `dailyRollUp`: windows of whole civil days, newest first, empty ones left out.
pub(super) fn daily_roll_up(data_type: &DataType, call: &Call<'_>) -> Result<Reply, Box<Reply>> {
    let body = Body::read(
        call.request,
        &[
            "range",
            "windowSizeDays",
            "pageSize",
            "pageToken",
            "dataSourceFamily",
        ],
    )?;
    let range = body.object("range")?;
    range.only(&["start", "end"])?;
    let (start, end) = (range.civil("start")?, range.civil("end")?);
    if start.time() != Time::midnight() {
        return Err(range.wrong("start", "Not aligned with the aggregation window."));
    }
    let days = body.integer("windowSizeDays")?.unwrap_or(0).max(1);
    let asked = body.integer("pageSize")?;
    in_order(start, end)?;
    let most = data_type.most_days();
    let spanned = end.duration_since(start);
    if spanned > SignedDuration::from_hours(most * 24) || asked.is_some_and(|size| size > most) {
        return Err(too_long(data_type));
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let size = page::size(asked, most, most)?;
    let (family_name, family) = body.family(call.wearer.who)?;
    let tokens = page::Tokens::bound_to(
        call.wearer.who,
        &[
            "dailyRollUp",
            data_type.name,
            &start.to_string(),
            &end.to_string(),
            &days.to_string(),
            &size.to_string(),
            family_name,
        ],
    );
    let token = body.text("pageToken")?;
    tokens.page(token, size, POINTS, call.empty_page, || {
        daily_points(data_type, call.wearer, family, (start, end), days)
    })
}

/// Returns the points of windows of `days` each, newest first.
fn daily_points(
    data_type: &DataType,
    wearer: &Synced<'_>,
    family: Family,
    (start, end): (DateTime, DateTime),
    days: i64,
) -> Vec<Value> {
    let instant = |civil: DateTime| {
        let zoned = civil.to_zoned(wearer.time_zone().clone()).ok()?;
        Some(zoned.timestamp())
    };
    let mut points = Vec::new();
    let mut first = start;
    while first < end {
        // The last window may be shorter, and may even end in the middle of a day.
        let next = first.checked_add(jiff::Span::new().days(days));
        let next = next.unwrap_or(end).min(end);
        let Some((from, to)) = instant(first).zip(instant(next)) else {
            break;
        };
        let samples = samples(data_type.data, wearer, family, from, to);
        if let Some(bucket) = buckets(&samples, from, SignedDuration::MAX).first() {
            points.push(json!({
                "civilStartTime": civil_time(first),
                "civilEndTime": civil_time(next),
                data_type.member_name(): value(data_type.data, bucket, &samples, from, to),
            }));
        }
        first = next;
    }
    points.reverse();
    points
}

/// The member of a reply with the windows.
const POINTS: &str = "rollupDataPoints";

fn in_order<T: PartialOrd>(start: T, end: T) -> Result<(), Box<Reply>> {
    if end > start {
        return Ok(());
    }
    error::refuse(
        "INVALID_TIME_RANGE",
        "The end of the range must be after its start.",
    )
}

fn too_long(data_type: &DataType) -> Box<Reply> {
    let most = data_type.most_days();
    Box::new(error::reply(
        StatusCode::BAD_REQUEST,
        Some("INVALID_ROLLUP_QUERY_DURATION"),
        &format!("The query spans more than {most} days."),
        &json!({ "maxDurationDays": most.to_string() }),
    ))
}

fn samples(
    data: Option<Data>,
    wearer: &Synced<'_>,
    family: Family,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Sample> {
    // Data derived from the samples is derived only from a tracker's.
    let has_it = match data {
        Some(Data::HeartRate) => true,
        Some(_) => wearer.is_wearable(),
        None => false,
    };
    if has_it && family.has_main(wearer) {
        wearer.samples(from, to)
    } else {
        Vec::new()
    }
}

/// Returns the rolled-up value of one window, which has at least one sample.
fn value(
    data: Option<Data>,
    bucket: &Bucket,
    samples: &[Sample],
    from: Timestamp,
    to: Timestamp,
) -> Value {
    if data == Some(Data::HeartRate) {
        return heart_rate(bucket);
    }
    let start = samples.partition_point(|sample| sample.at < from);
    let end = samples.partition_point(|sample| sample.at < to);
    let inside = samples.get(start..end).unwrap_or_default();
    zones::time_in(inside, from, to.duration_since(from))
}

fn heart_rate(bucket: &Bucket) -> Value {
    json!({
        "beatsPerMinuteAvg": double(bucket.mean()),
        "beatsPerMinuteMax": bucket.max,
        "beatsPerMinuteMin": bucket.min,
    })
}

/// Returns a double in the JSON form of proto3: whole numbers without a fraction.
fn double(value: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a mean of bpm is at most 300"
    )]
    let whole = value.trunc() as i64;
    if value.fract() == 0.0 {
        whole.into()
    } else {
        value.into()
    }
}

impl Body {
    fn timestamp(&self, name: &str) -> Result<Timestamp, Box<Reply>> {
        let text = self
            .text(name)?
            .ok_or_else(|| self.wrong(name, "Required."))?;
        text.parse()
            .map_err(|_| self.wrong(name, "Not an RFC 3339 timestamp."))
    }

    fn window(&self) -> Result<SignedDuration, Box<Reply>> {
        let window = duration(self.text("windowSize")?.unwrap_or_default());
        match window.filter(|window| *window >= SignedDuration::from_secs(1)) {
            Some(window) => Ok(window),
            None => error::refuse("INVALID_ROLLUP_WINDOW", "The window must be at least 1 s."),
        }
    }

    /// Returns the family of sources, by its name and parsed.
    fn family(&self, wearer: Wearer) -> Result<(&str, Family), Box<Reply>> {
        let name = self.text("dataSourceFamily")?.unwrap_or_default();
        Ok((name, Family::parse(name, wearer)?))
    }

    /// Reads a `CivilDateTime`; without a time it means midnight.
    fn civil(&self, name: &str) -> Result<DateTime, Box<Reply>> {
        let civil = self.object(name)?;
        civil.only(&["date", "time"])?;
        let date = civil.object("date")?;
        let (year, month, day) = (date.part("year")?, date.part("month")?, date.part("day")?);
        let date = civil_date(year, month, day).ok_or_else(|| self.wrong(name, "Not a date."))?;
        let time = match civil.members.get("time") {
            None | Some(Value::Null) => Time::midnight(),
            Some(_) => {
                let time = civil.object("time")?;
                time.only(&["hours", "minutes", "seconds", "nanos"])?;
                let (hours, minutes) = (time.part("hours")?, time.part("minutes")?);
                let (seconds, nanos) = (time.part("seconds")?, time.part("nanos")?);
                civil_clock(hours, minutes, seconds, nanos)
                    .ok_or_else(|| self.wrong(name, "Not a time of day."))?
            }
        };
        Ok(date.to_datetime(time))
    }

    fn part(&self, name: &str) -> Result<i64, Box<Reply>> {
        Ok(self.integer(name)?.unwrap_or(0))
    }
}

fn civil_date(year: i64, month: i64, day: i64) -> Option<Date> {
    let (month, day) = (month.try_into().ok()?, day.try_into().ok()?);
    Date::new(year.try_into().ok()?, month, day).ok()
}

fn civil_clock(hours: i64, minutes: i64, seconds: i64, nanos: i64) -> Option<Time> {
    let (hours, minutes) = (hours.try_into().ok()?, minutes.try_into().ok()?);
    Time::new(
        hours,
        minutes,
        seconds.try_into().ok()?,
        nanos.try_into().ok()?,
    )
    .ok()
}

/// Parses a duration such as `60s` or `1.5s`.
fn duration(text: &str) -> Option<SignedDuration> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: i64 = whole.parse().ok().filter(|seconds| *seconds < 1 << 40)?;
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Some(SignedDuration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_or_fractional_seconds() {
        assert_eq!(duration("60s"), Some(SignedDuration::from_secs(60)));
        assert_eq!(duration("1.5s"), Some(SignedDuration::from_millis(1500)));
        for wrong in [
            "60",
            "s",
            "-1s",
            "1m",
            "1.0000000001s",
            "+1s",
            "99999999999999999s",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn whole_doubles_have_no_fraction() {
        assert_eq!(double(71.0).to_string(), "71");
        assert_eq!(double(71.4).to_string(), "71.4");
        assert_eq!(double(211.0 / 3.0).to_string(), "70.33333333333333");
    }
}
