//! How a wearer is announced to Home Assistant: one device with all its entities, in one retained message.
//!
//! The keys are Home Assistant's own abbreviations. Device-based discovery is known to Home Assistant 2024.12
//! and later. There is no `expire_after`: it starts anew when the broker repeats a retained state, so it would
//! make an old number look new. There is no `object_id`, which Home Assistant 2026.4 removed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    AlarmKind, Product, State, alarm,
    topics::{Topics, Verb},
};

/// What a button sends.
pub(crate) const PRESS: &str = "PRESS";

/// The most components that are read of a retained announcement, and the longest name of one.
const MOST: usize = 64;

/// The components of a device: the platform of each by its id.
pub(crate) type Components = BTreeMap<String, String>;

/// A wearer's announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// The message.
    pub(crate) message: String,
    /// What it announces.
    pub(crate) components: Components,
}

impl Announcement {
    /// Announces a wearer.
    pub(crate) fn new(topics: &Topics, product: &Product, state: &State) -> Self {
        let entities = entities(topics, product, state);
        let components = entities
            .iter()
            .map(|(id, entity)| {
                let platform = entity.get("p").and_then(Value::as_str);
                (id.clone(), platform.unwrap_or_default().to_owned())
            })
            .collect();
        Self {
            message: message(topics, product, state, entities),
            components,
        }
    }

    /// Returns the components that were announced before and no longer are.
    pub(crate) fn gone(&self, before: &Components) -> Components {
        let gone = before
            .iter()
            .filter(|(id, _)| !self.components.contains_key(*id));
        gone.map(|(id, platform)| (id.clone(), platform.clone()))
            .collect()
    }

    /// Returns the message that removes components: each is named with nothing but its platform.
    pub(crate) fn without(
        &self,
        topics: &Topics,
        product: &Product,
        state: &State,
        gone: &Components,
    ) -> String {
        let mut entities = entities(topics, product, state);
        for (id, platform) in gone {
            entities.insert(id.clone(), json!({ "p": platform }));
        }
        message(topics, product, state, entities)
    }
}

/// Reads the components of a retained announcement. One that cannot be read has none.
pub(crate) fn components_of(message: &[u8]) -> Components {
    let Ok(message) = serde_json::from_slice::<Value>(message) else {
        return Components::new();
    };
    let is_name = |text: &str| {
        (1..=MOST).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let entities = message.get("cmps").and_then(Value::as_object);
    let entities = entities.into_iter().flatten().take(MOST);
    entities
        .filter_map(|(id, entity)| {
            let platform = entity.get("p")?.as_str()?;
            (is_name(id) && is_name(platform)).then(|| (id.clone(), platform.to_owned()))
        })
        .collect()
}

fn message(
    topics: &Topics,
    product: &Product,
    state: &State,
    entities: Map<String, Value>,
) -> String {
    let mut device = json!({
        "ids": [topics.device(&state.wearer)],
        "name": state.name,
        "mf": "Pulsewing",
        "mdl": "Heart-rate display",
        "sw": product.version,
    });
    if let (Some(page), Some(device)) = (&product.page, device.as_object_mut()) {
        device.insert("cu".to_owned(), json!(page));
    }
    json!({
        "dev": device,
        "o": { "name": "Pulsewing", "sw": product.version, "url": product.url },
        "avty": [{ "t": topics.availability() }],
        "stat_t": topics.state(&state.wearer),
        "qos": 1,
        "cmps": entities,
    })
    .to_string()
}

/// Returns the entities by their ids.
fn entities(topics: &Topics, product: &Product, state: &State) -> Map<String, Value> {
    let device = topics.device(&state.wearer);
    let mut entities = Map::new();
    let mut add = |id: &str, mut entity: Value| {
        if let Some(entity) = entity.as_object_mut() {
            entity.insert("uniq_id".to_owned(), json!(format!("{device}_{id}")));
        }
        entities.insert(id.to_owned(), entity);
    };
    add(
        "heart_rate",
        json!({
            "p": "sensor", "name": "Heart rate", "unit_of_meas": "bpm", "stat_cla": "measurement",
            "ic": "mdi:heart-pulse", "val_tpl": "{{ value_json.bpm }}",
        }),
    );
    add(
        "zone",
        json!({
            "p": "sensor", "name": "Zone", "dev_cla": "enum", "ops": product.zones,
            "ic": "mdi:run", "val_tpl": "{{ value_json.zone }}",
        }),
    );
    add(
        "measured",
        json!({
            "p": "sensor", "name": "Measured", "dev_cla": "timestamp",
            "val_tpl": "{{ value_json.measured_at }}",
        }),
    );
    add(
        "resting",
        json!({
            "p": "sensor", "name": "Resting heart rate", "unit_of_meas": "bpm",
            "stat_cla": "measurement", "ic": "mdi:heart", "val_tpl": "{{ value_json.resting }}",
        }),
    );
    add(
        "battery",
        json!({
            "p": "sensor", "dev_cla": "battery", "unit_of_meas": "%", "stat_cla": "measurement",
            "ent_cat": "diagnostic", "val_tpl": "{{ value_json.battery }}",
        }),
    );
    add(
        "sync",
        json!({
            "p": "sensor", "name": "Last sync", "dev_cla": "timestamp", "ent_cat": "diagnostic",
            "val_tpl": "{{ value_json.synced_at }}",
        }),
    );
    add(
        "fresh",
        json!({
            "p": "binary_sensor", "name": "Up to date", "ent_cat": "diagnostic",
            "val_tpl": "{{ value_json.fresh }}",
        }),
    );
    add(
        "problem",
        json!({
            "p": "binary_sensor", "name": "Problem", "dev_cla": "problem",
            "val_tpl": "{{ value_json.problem }}",
            "json_attr_t": topics.state(&state.wearer),
            "json_attr_tpl": "{{ {'message': value_json.problem_text} | tojson }}",
        }),
    );
    let button = |name: &str, icon: &str, verb: Verb| {
        json!({
            "p": "button", "name": name, "ic": icon, "pl_prs": PRESS,
            "cmd_t": topics.command(&state.wearer, verb),
        })
    };
    add("update", button("Update now", "mdi:refresh", Verb::Update));
    if state.alarms.is_empty() {
        return entities;
    }
    add(
        "alarm",
        json!({
            "p": "event", "name": "Alarm", "ic": "mdi:bell-ring", "evt_typ": alarm::event_types(),
            "stat_t": topics.alarm(&state.wearer),
        }),
    );
    let mut kinds: Vec<AlarmKind> = state.alarms.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    for kind in kinds {
        let name = kind.name();
        add(
            &format!("alarm_{name}"),
            json!({
                "p": "binary_sensor", "name": kind.title(), "dev_cla": "problem",
                // A state without it may come a moment before its removal.
                "val_tpl": format!("{{{{ value_json.alarms.{name} | default('None') }}}}"),
            }),
        );
    }
    add(
        "snooze",
        button("Silence alarms for 30 min", "mdi:bell-sleep", Verb::Snooze),
    );
    add(
        "acknowledge",
        button("Acknowledge alarms", "mdi:bell-check", Verb::Acknowledge),
    );
    entities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::anna;

    fn announce(state: &State) -> (Announcement, Value) {
        let topics = Topics::new("ab12".parse().unwrap(), "homeassistant".parse().unwrap());
        let announcement = Announcement::new(&topics, &product(), state);
        let message = serde_json::from_str(&announcement.message).unwrap();
        (announcement, message)
    }

    fn product() -> Product {
        Product {
            version: "1.2.3".to_owned(),
            url: "https://example.org/pulsewing".to_owned(),
            page: Some("http://192.168.1.20:7373/".to_owned()),
            zones: vec!["easy".to_owned(), "peak".to_owned()],
        }
    }

    #[test]
    fn a_device_has_what_home_assistant_requires() {
        let (announcement, message) = announce(&anna());
        assert_eq!(message["dev"]["ids"], json!(["pulsewing_ab12_anna"]));
        assert_eq!(message["dev"]["name"], "Anna");
        assert_eq!(message["dev"]["cu"], "http://192.168.1.20:7373/");
        assert_eq!(message["o"]["name"], "Pulsewing");
        assert_eq!(
            message["avty"],
            json!([{"t": "pulsewing/ab12/availability"}])
        );
        assert_eq!(message["stat_t"], "pulsewing/ab12/anna/state");
        let entities = message["cmps"].as_object().unwrap();
        assert_eq!(entities.len(), announcement.components.len());
        for (id, entity) in entities {
            assert_eq!(entity["uniq_id"], format!("pulsewing_ab12_anna_{id}"));
            assert!(entity["p"].is_string());
        }
        for key in ["expire_after", "exp_aft", "object_id", "obj_id"] {
            assert!(!announcement.message.contains(key), "{key}");
        }
    }

    #[test]
    fn only_alarms_that_are_on_have_entities() {
        let mut state = anna();
        let (without, _) = announce(&state);
        assert!(!without.components.contains_key("snooze"));
        state.alarms = vec![(AlarmKind::Stale, false), (AlarmKind::High, true)];
        let (with, message) = announce(&state);
        assert_eq!(
            message["cmps"]["alarm_high"]["val_tpl"],
            "{{ value_json.alarms.high | default('None') }}"
        );
        let more: Vec<&str> = with
            .components
            .keys()
            .filter(|id| !without.components.contains_key(*id))
            .map(String::as_str)
            .collect();
        assert_eq!(
            more,
            [
                "acknowledge",
                "alarm",
                "alarm_high",
                "alarm_stale",
                "snooze"
            ]
        );
        // Whether one is active is in the state.
        state.alarms = vec![(AlarmKind::High, false), (AlarmKind::Stale, true)];
        assert_eq!(announce(&state).0, with);
    }

    #[test]
    fn a_component_is_removed_by_naming_its_platform_alone() {
        let mut state = anna();
        state.alarms = vec![(AlarmKind::High, true)];
        let (before, _) = announce(&state);
        state.alarms.clear();
        let (after, _) = announce(&state);
        let gone = after.gone(&components_of(before.message.as_bytes()));
        assert_eq!(gone.len(), 4);
        let topics = Topics::new("ab12".parse().unwrap(), "homeassistant".parse().unwrap());
        let removal = after.without(&topics, &product(), &state, &gone);
        let removal: Value = serde_json::from_str(&removal).unwrap();
        assert_eq!(removal["cmps"]["alarm"], json!({"p": "event"}));
        assert_eq!(removal["cmps"]["alarm_high"], json!({"p": "binary_sensor"}));
        assert_eq!(removal["cmps"]["heart_rate"]["name"], "Heart rate");
        assert!(before.gone(&after.components).is_empty());
    }

    #[test]
    fn a_message_of_somebody_else_has_no_components_for_us() {
        for message in ["", "[]", "{\"cmps\":3}", "{\"cmps\":{\"a\":{}}}", "\u{0}"] {
            assert!(components_of(message.as_bytes()).is_empty(), "{message}");
        }
        let odd =
            json!({"cmps": {"a b": {"p": "sensor"}, "c": {"p": "x/y"}, "d": {"p": "sensor"}}});
        let found = components_of(odd.to_string().as_bytes());
        assert_eq!(found.into_keys().collect::<Vec<_>>(), ["d"]);
        let many: Map<String, Value> = (0..1_000)
            .map(|number| (format!("c{number}"), json!({"p": "sensor"})))
            .collect();
        let many = json!({ "cmps": many }).to_string();
        assert_eq!(components_of(many.as_bytes()).len(), MOST);
    }
}
