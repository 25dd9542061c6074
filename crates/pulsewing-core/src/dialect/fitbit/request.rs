//! Fitbit's data calls as values.

use core::fmt::Write as _;

use jiff::civil::Date;

use crate::{
    AccessToken,
    request::{BufferFull, Request, Writer},
};

/// The day that [`heart`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartDay {
    /// The wearer's today; the reply has its date.
    Today,
    /// A date.
    Date(Date),
}

/// Asks for a day's heart rate, minute by minute (Fitbit Web API, Get Heart Rate Intraday by Date).
/// `user` is `-` for the owner of the token. [`HeartDecoder`](super::HeartDecoder) reads the reply.
///
/// # Errors
/// [`BufferFull`] if the buffer is smaller than
/// [`REQUEST_BUFFER`](crate::request::REQUEST_BUFFER) and the request does not fit.
pub fn heart(
    buffer: &mut [u8],
    access: &AccessToken,
    user: &str,
    day: HeartDay,
) -> Result<Request, BufferFull> {
    let mut writer = of_user(buffer, user)?;
    writer.push("/activities/heart/date/")?;
    match day {
        HeartDay::Today => writer.push("today")?,
        HeartDay::Date(date) => write!(writer, "{date}")?,
    }
    writer.push("/1d/1min.json")?;
    writer.into_get(access)
}

/// Asks for the wearer's devices (Fitbit Web API, Get Devices).
/// [`DevicesDecoder`](super::DevicesDecoder) reads the reply.
///
/// # Errors
/// As [`heart`].
pub fn devices(buffer: &mut [u8], access: &AccessToken, user: &str) -> Result<Request, BufferFull> {
    let mut writer = of_user(buffer, user)?;
    writer.push("/devices.json")?;
    writer.into_get(access)
}

/// Asks for the wearer's profile, which has the time zone (Fitbit Web API, Get Profile).
/// [`ProfileDecoder`](super::ProfileDecoder) reads the reply.
///
/// # Errors
/// As [`heart`].
pub fn profile(buffer: &mut [u8], access: &AccessToken, user: &str) -> Result<Request, BufferFull> {
    let mut writer = of_user(buffer, user)?;
    writer.push("/profile.json")?;
    writer.into_get(access)
}

/// Writes the beginning of a path, with the user percent-encoded.
fn of_user<'b>(buffer: &'b mut [u8], user: &str) -> Result<Writer<'b>, BufferFull> {
    let mut writer = Writer::new(buffer);
    writer.push("/1/user/")?;
    writer.push_encoded(user)?;
    Ok(writer)
}
