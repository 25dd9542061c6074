//! What is known of a wearer, as one message.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{AlarmKind, WearerId};

/// What is known of a wearer at present. Times are those of what happened, not of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The wearer.
    pub wearer: WearerId,
    /// The name that is shown.
    pub name: String,
    /// The heart rate of the newest minute in bpm. `None` as soon as it says nothing about the present any
    /// more: an old number must not look new.
    pub bpm: Option<u16>,
    /// The heart rate's zone, one of [`Product::zones`](crate::Product::zones).
    pub zone: Option<String>,
    /// When the newest minute was measured; it stays when the heart rate goes.
    pub measured_at: Option<Timestamp>,
    /// The resting heart rate in bpm.
    pub resting: Option<u16>,
    /// The tracker's battery in percent.
    pub battery: Option<u8>,
    /// When the tracker last synced.
    pub synced_at: Option<Timestamp>,
    /// Whether the newest minute is as new as can be expected.
    pub is_fresh: bool,
    /// What is wrong, in one sentence; `None` if all is well.
    pub problem: Option<String>,
    /// The alarms that are on, and whether each is active. An alarm that is off has no entity.
    pub alarms: Vec<(AlarmKind, bool)>,
}

impl State {
    /// Returns the message. `zones` are those that Home Assistant was told of: it would log an error for another.
    pub(crate) fn message(&self, zones: &[String]) -> String {
        let zone = self.zone.as_ref().filter(|zone| zones.contains(zone));
        let alarms: Map<String, Value> = self
            .alarms
            .iter()
            .map(|(kind, is_active)| (kind.name().to_owned(), json!(switch(*is_active))))
            .collect();
        json!({
            "bpm": self.bpm,
            "zone": zone,
            "measured_at": self.measured_at.map(instant),
            "resting": self.resting,
            "battery": self.battery,
            "synced_at": self.synced_at.map(instant),
            "fresh": switch(self.is_fresh),
            "problem": switch(self.problem.is_some()),
            "problem_text": self.problem,
            "alarms": alarms,
        })
        .to_string()
    }
}

/// Returns the words of a binary sensor.
const fn switch(is_on: bool) -> &'static str {
    match is_on {
        true => "ON",
        false => "OFF",
    }
}

/// Formats an instant as RFC 3339 in UTC, to the second.
pub(crate) fn instant(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn anna() -> State {
        State {
            wearer: "anna".parse().unwrap(),
            name: "Anna".to_owned(),
            bpm: Some(72),
            zone: Some("easy".to_owned()),
            measured_at: Some("2026-11-22T12:58:00Z".parse().unwrap()),
            resting: Some(58),
            battery: Some(64),
            synced_at: Some("2026-11-22T13:01:30.25Z".parse().unwrap()),
            is_fresh: true,
            problem: None,
            alarms: Vec::new(),
        }
    }

    #[test]
    fn what_is_not_known_is_null_and_what_is_known_stays() {
        let zones = ["easy".to_owned()];
        let message =
            |state: &State| serde_json::from_str::<Value>(&state.message(&zones)).unwrap();
        let mut state = anna();
        assert_eq!(
            message(&state),
            json!({
                "bpm": 72, "zone": "easy", "measured_at": "2026-11-22T12:58:00Z", "resting": 58,
                "battery": 64, "synced_at": "2026-11-22T13:01:30Z", "fresh": "ON", "problem": "OFF",
                "problem_text": null, "alarms": {},
            })
        );
        state.bpm = None;
        state.zone = None;
        state.is_fresh = false;
        state.problem = Some("No network".to_owned());
        state.alarms = vec![(AlarmKind::High, false), (AlarmKind::Stale, true)];
        let old = message(&state);
        assert_eq!(old["bpm"], Value::Null);
        assert_eq!(old["zone"], Value::Null);
        assert_eq!(old["measured_at"], "2026-11-22T12:58:00Z");
        assert_eq!(
            (&old["fresh"], &old["problem"]),
            (&json!("OFF"), &json!("ON"))
        );
        assert_eq!(old["alarms"], json!({"high": "OFF", "stale": "ON"}));
        // Home Assistant would log an error.
        state.zone = Some("unheard of".to_owned());
        assert_eq!(message(&state)["zone"], Value::Null);
    }
}
