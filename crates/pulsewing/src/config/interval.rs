//! A duration, as the configuration has it.

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

/// A duration: whole seconds, or text such as "15m" or "1h 30m".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "IntervalText")]
pub(crate) struct Interval(pub Duration);

#[derive(Deserialize)]
#[serde(untagged)]
enum IntervalText {
    Seconds(u32),
    Text(String),
}

impl TryFrom<IntervalText> for Interval {
    type Error = String;

    fn try_from(text: IntervalText) -> Result<Self, Self::Error> {
        match text {
            IntervalText::Seconds(seconds) => Ok(Self(Duration::from_secs(seconds.into()))),
            IntervalText::Text(text) => text
                .parse::<SignedDuration>()
                .ok()
                .and_then(|duration| Duration::try_from(duration).ok())
                .map(Self)
                .ok_or_else(|| {
                    format!("\"{text}\" is not a length of time; write it like \"15m\"")
                }),
        }
    }
}
