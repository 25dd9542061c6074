//! Alarms, as they are told: an event that is never kept by the broker, so that none comes twice.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::state::instant;

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmKind {
    /// A heart rate above a limit.
    High,
    /// A heart rate below a limit.
    Low,
    /// No new minute for too long.
    Stale,
    /// The tracker's battery.
    Battery,
    /// The tracker has not synced for too long.
    Sync,
    /// Somebody has to sign in, or will have to soon.
    SignIn,
    /// Pulsewing itself is in trouble.
    Own,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::High,
        Self::Low,
        Self::Stale,
        Self::Battery,
        Self::Sync,
        Self::SignIn,
        Self::Own,
    ];

    /// Returns the name in topics and messages: `high`, `low`, `stale`, `battery`, `sync`, `sign_in` or `self`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::Stale => "stale",
            Self::Battery => "battery",
            Self::Sync => "sync",
            Self::SignIn => "sign_in",
            Self::Own => "self",
        }
    }

    /// Returns the name of its entity.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::High => "High heart rate",
            Self::Low => "Low heart rate",
            Self::Stale => "No new heart rate",
            Self::Battery => "Tracker battery low",
            Self::Sync => "Tracker not synced",
            Self::SignIn => "Sign-in needed",
            Self::Own => "Pulsewing in trouble",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        // The command line and the API write the same name with a hyphen.
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How much an alarm matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmLevel {
    /// Worth knowing.
    Info,
    /// Worth looking at.
    Warning,
    /// Worth being woken for.
    Urgent,
}

impl AlarmLevel {
    /// Returns the name: `info`, `warning` or `urgent`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Urgent => "urgent",
        }
    }
}

/// What happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmNews {
    /// It began, or rose to a higher level.
    Raised,
    /// It lasts.
    Repeated,
    /// Somebody acknowledged it.
    Acknowledged,
    /// It is over.
    Cleared,
    /// It began and ended before anybody could hear of it.
    Past,
}

impl AlarmNews {
    /// Returns the name: `raised`, `repeated`, `acknowledged`, `cleared` or `past`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Repeated => "repeated",
            Self::Acknowledged => "acknowledged",
            Self::Cleared => "cleared",
            Self::Past => "past",
        }
    }
}

/// Something to tell of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmEvent {
    /// What it is about.
    pub kind: AlarmKind,
    /// How much it matters.
    pub level: AlarmLevel,
    /// What happened.
    pub event: AlarmNews,
    /// The whole in one sentence, for a message to people.
    pub sentence: String,
    /// The heart rate in bpm, if it is about one.
    pub bpm: Option<u16>,
    /// The limit in bpm that was passed, if it is about a heart rate.
    pub limit: Option<u16>,
    /// When the minute with that heart rate was measured.
    pub measured_at: Option<Timestamp>,
    /// When the condition began.
    pub since: Timestamp,
    /// When it ended, if it did.
    pub until: Option<Timestamp>,
}

/// The types of events that the entity has: the kinds for what begins or lasts, and three for the rest.
pub(crate) fn event_types() -> Vec<&'static str> {
    let kinds = AlarmKind::ALL.into_iter().map(AlarmKind::name);
    let others = [AlarmNews::Acknowledged, AlarmNews::Cleared, AlarmNews::Past];
    kinds.chain(others.map(AlarmNews::name)).collect()
}

impl AlarmEvent {
    /// Returns the message. `event_type` is the kind while the alarm lasts.
    pub(crate) fn message(&self) -> String {
        let event_type = match self.event {
            AlarmNews::Raised | AlarmNews::Repeated => self.kind.name(),
            other => other.name(),
        };
        let mut message = Map::new();
        let mut put = |name: &str, value: Value| message.insert(name.to_owned(), value);
        put("event_type", json!(event_type));
        put("kind", json!(self.kind.name()));
        put("event", json!(self.event.name()));
        put("level", json!(self.level.name()));
        put("sentence", json!(self.sentence));
        put("bpm", json!(self.bpm));
        put("limit", json!(self.limit));
        put("measured_at", json!(self.measured_at.map(instant)));
        put("since", json!(instant(self.since)));
        put("until", json!(self.until.map(instant)));
        Value::Object(message).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_kind_as_its_type_until_the_alarm_is_over() {
        let mut event = AlarmEvent {
            kind: AlarmKind::High,
            level: AlarmLevel::Urgent,
            event: AlarmNews::Raised,
            sentence: "132 bpm at 13:58, above 120".to_owned(),
            bpm: Some(132),
            limit: Some(120),
            measured_at: Some("2026-11-22T12:58:00Z".parse().unwrap()),
            since: "2026-11-22T12:51:00.5Z".parse().unwrap(),
            until: None,
        };
        let message: Value = serde_json::from_str(&event.message()).unwrap();
        assert_eq!(
            message,
            json!({
                "event_type": "high", "kind": "high", "event": "raised", "level": "urgent",
                "sentence": "132 bpm at 13:58, above 120", "bpm": 132, "limit": 120,
                "measured_at": "2026-11-22T12:58:00Z", "since": "2026-11-22T12:51:00Z", "until": null,
            })
        );
        for (news, event_type) in [
            (AlarmNews::Repeated, "high"),
            (AlarmNews::Acknowledged, "acknowledged"),
            (AlarmNews::Cleared, "cleared"),
            (AlarmNews::Past, "past"),
        ] {
            event.event = news;
            let message: Value = serde_json::from_str(&event.message()).unwrap();
            assert_eq!(message["event_type"], event_type);
            assert!(event_types().contains(&event_type));
        }
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in AlarmKind::ALL {
            assert_eq!(AlarmKind::named(kind.name()), Some(kind));
        }
        assert_eq!(AlarmKind::named("sign-in"), Some(AlarmKind::SignIn));
        assert_eq!(AlarmKind::named("High"), None);
    }
}
