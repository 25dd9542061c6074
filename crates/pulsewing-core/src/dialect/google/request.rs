//! Google's data calls as values.

use core::{fmt::Write as _, ops::Range};

use jiff::{Timestamp, civil::Date};

use super::super::PageToken;
use crate::{
    AccessToken,
    request::{BufferFull, Request, Writer},
};

/// The number of windows on a page: more than the minutes of a 25-hour day, so that a day fits on one
/// page.
const WINDOWS_ON_A_PAGE: u16 = 2_000;

/// The sources of the requested measurements (Google Health API, `dataSourceFamily`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFamily {
    /// Only Fitbit trackers and Pixel Watches.
    Wearables,
    /// Everything that the wearer shares with Google Health.
    All,
}

impl SourceFamily {
    const fn resource(self) -> &'static str {
        match self {
            Self::Wearables => "users/me/dataSourceFamilies/google-wearables",
            Self::All => "users/me/dataSourceFamilies/all-sources",
        }
    }
}

/// The parameters of [`roll_up`].
#[derive(Clone, Copy, Debug)]
pub struct RollUp<'p> {
    /// The sources of the measurements.
    pub family: SourceFamily,
    /// The first minute; seconds are dropped, because minutes are counted from here.
    pub start: Timestamp,
    /// The end, exclusive; at least a minute later, at most 14 days.
    pub end: Timestamp,
    /// The page, if it is not the first; everything else has to stay the same.
    pub page: Option<&'p PageToken>,
}

/// Asks for the mean heart rate of every minute of a range (Google Health API,
/// `dataPoints.rollUp`). [`HeartDecoder`](super::HeartDecoder) reads the reply, newest minute first.
///
/// # Errors
/// [`BufferFull`] if the buffer is smaller than
/// [`REQUEST_BUFFER`](crate::request::REQUEST_BUFFER) and the request does not fit.
pub fn roll_up(
    buffer: &mut [u8],
    access: &AccessToken,
    asked: RollUp<'_>,
) -> Result<Request, BufferFull> {
    let mut writer = Writer::new(buffer);
    write!(
        writer,
        concat!(
            r#"{{"range":{{"startTime":"{:.0}","endTime":"{:.0}"}},"#,
            r#""windowSize":"60s","pageSize":{},"dataSourceFamily":"{}""#,
        ),
        whole_minute(asked.start),
        asked.end,
        WINDOWS_ON_A_PAGE,
        asked.family.resource(),
    )?;
    if let Some(page) = asked.page {
        writer.push(r#","pageToken":""#)?;
        push_json_escaped(&mut writer, page.as_str())?;
        writer.push("\"")?;
    }
    writer.push("}")?;
    let target = "/v4/users/me/dataTypes/heart-rate/dataPoints:rollUp";
    writer.into_query(target, access)
}

/// Asks for the wearer's devices (Google Health API, `pairedDevices.list`).
/// [`DevicesDecoder`](super::DevicesDecoder) reads the reply.
///
/// # Errors
/// As [`roll_up`].
pub fn paired_devices(
    buffer: &mut [u8],
    access: &AccessToken,
    page: Option<&PageToken>,
) -> Result<Request, BufferFull> {
    let mut writer = Writer::new(buffer);
    writer.push("/v4/users/me/pairedDevices?pageSize=100")?;
    push_page(&mut writer, page)?;
    writer.into_get(access)
}

/// Asks who signed in (Google Health API, `getIdentity`).
/// [`IdentityDecoder`](super::IdentityDecoder) reads the reply.
///
/// # Errors
/// As [`roll_up`].
pub fn identity(buffer: &mut [u8], access: &AccessToken) -> Result<Request, BufferFull> {
    let mut writer = Writer::new(buffer);
    writer.push("/v4/users/me/identity")?;
    writer.into_get(access)
}

/// Asks for the wearer's settings, including the time zone (Google Health API, `getSettings`).
/// [`SettingsDecoder`](super::SettingsDecoder) reads the reply.
///
/// # Errors
/// As [`roll_up`].
pub fn settings(buffer: &mut [u8], access: &AccessToken) -> Result<Request, BufferFull> {
    let mut writer = Writer::new(buffer);
    writer.push("/v4/users/me/settings")?;
    writer.into_get(access)
}

/// Asks for the resting heart rates of the days from `from` up to but not including `until`
/// (Google Health API, `dataPoints.list` of `daily-resting-heart-rate`).
/// [`RestingDecoder`](super::RestingDecoder) reads the reply.
///
/// # Errors
/// As [`roll_up`].
pub fn resting(
    buffer: &mut [u8],
    access: &AccessToken,
    from: Date,
    until: Date,
    page: Option<&PageToken>,
) -> Result<Request, BufferFull> {
    list_days(buffer, access, &RESTING, from..until, page)
}

/// Asks for the heart-rate zones of the days from `from` up to but not including `until`
/// (Google Health API, `dataPoints.list` of `daily-heart-rate-zones`).
/// [`ZonesDecoder`](super::ZonesDecoder) reads the reply.
///
/// # Errors
/// As [`roll_up`].
pub fn zones(
    buffer: &mut [u8],
    access: &AccessToken,
    from: Date,
    until: Date,
    page: Option<&PageToken>,
) -> Result<Request, BufferFull> {
    list_days(buffer, access, &ZONES, from..until, page)
}

/// A data type with one data point a day: its name in a path, and in a filter.
struct Daily {
    path: &'static str,
    filter: &'static str,
}

const RESTING: Daily = Daily {
    path: "daily-resting-heart-rate",
    filter: "daily_resting_heart_rate",
};

const ZONES: Daily = Daily {
    path: "daily-heart-rate-zones",
    filter: "daily_heart_rate_zones",
};

fn list_days(
    buffer: &mut [u8],
    access: &AccessToken,
    daily: &Daily,
    days: Range<Date>,
    page: Option<&PageToken>,
) -> Result<Request, BufferFull> {
    let mut writer = Writer::new(buffer);
    let Daily { path, filter } = daily;
    let Range { start, end } = days;
    // The filter with its blanks, quotes and signs percent-encoded.
    write!(
        writer,
        concat!(
            "/v4/users/me/dataTypes/{}/dataPoints?pageSize=100&filter=",
            "{}.date%20%3E%3D%20%22{}%22%20AND%20{}.date%20%3C%20%22{}%22",
        ),
        path, filter, start, filter, end,
    )?;
    push_page(&mut writer, page)?;
    writer.into_get(access)
}

fn whole_minute(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at)
}

fn push_page(writer: &mut Writer<'_>, page: Option<&PageToken>) -> Result<(), BufferFull> {
    match page {
        Some(page) => writer.push_pair("pageToken", page.as_str()),
        None => Ok(()),
    }
}

/// Appends a text escaped for a JSON string, without the quotes.
fn push_json_escaped(writer: &mut Writer<'_>, text: &str) -> Result<(), BufferFull> {
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(writer, "\\{character}")?,
            '\0'..' ' => write!(writer, "\\u{:04x}", u32::from(character))?,
            _ => writer.write_char(character)?,
        }
    }
    Ok(())
}
