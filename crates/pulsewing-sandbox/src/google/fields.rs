//! Partial replies: the query parameter `fields`, which every Google API has
//! (Google Health API, discovery document, parameter `fields`).
//!
//! ```text
//! fields = path { "," path }
//! path   = name { ( "/" | "." ) name } [ "(" fields ")" ]
//! name   = a member | "*"
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema::Schema;

/// Members of a reply, with their own members. A member without any stands for everything below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mask(BTreeMap<String, Self>);

/// Why a selection is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FieldsError {
    /// It cannot be parsed.
    Syntax,
    /// It names a member that the reply cannot have; the value is the member's path.
    Unknown(String),
}

impl Mask {
    /// Parses a selection of members of a reply.
    pub(super) fn parse(text: &str, schema: &Schema) -> Result<Self, FieldsError> {
        let mut mask = Self::default();
        let mut reader = Reader { rest: text.trim() };
        reader.fields(&mut mask, 0)?;
        if !reader.rest.is_empty() {
            return Err(FieldsError::Syntax);
        }
        mask.check(schema, "")?;
        Ok(mask)
    }

    /// Removes everything that is not selected from a reply.
    pub(super) fn select(&self, value: &mut Value) {
        if self.0.is_empty() {
            return;
        }
        match value {
            Value::Object(members) => {
                members.retain(|name, member| {
                    // A member that one path selects is kept even if another path selects less of
                    // it.
                    let mask = match (self.0.get(name), self.0.get(ANY)) {
                        (Some(own), Some(any)) => own.or(any),
                        (Some(mask), None) | (None, Some(mask)) => mask.clone(),
                        (None, None) => return false,
                    };
                    mask.select(member);
                    mask.0.is_empty() || !is_empty(member)
                });
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.select(item)),
            _ => {}
        }
    }

    /// Returns the union of two masks.
    fn or(&self, other: &Self) -> Self {
        if self.0.is_empty() || other.0.is_empty() {
            return Self::default();
        }
        let mut both = self.clone();
        for (name, mask) in &other.0 {
            let joined = both
                .0
                .get(name)
                .map_or_else(|| mask.clone(), |own| own.or(mask));
            both.0.insert(name.clone(), joined);
        }
        both
    }

    fn check(&self, schema: &Schema, path: &str) -> Result<(), FieldsError> {
        for (name, mask) in &self.0 {
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            if name == ANY {
                // `*` may stand for several members, of which only some have the members that
                // follow.
                let members = schema.members();
                let mut checked = members.map(|(_, below)| mask.check(below, &path));
                let is_anything = matches!(schema, Schema::Anything);
                if !is_anything && !checked.any(|checked| checked.is_ok()) {
                    return Err(FieldsError::Unknown(path));
                }
                continue;
            }
            match schema.member(name) {
                Some(below) => mask.check(below, &path)?,
                None => return Err(FieldsError::Unknown(path)),
            }
        }
        Ok(())
    }
}

/// Parses a selection from its start.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn fields(&mut self, mask: &mut Mask, depth: usize) -> Result<(), FieldsError> {
        loop {
            self.path(mask, depth)?;
            if !self.take(',') {
                return Ok(());
            }
        }
    }

    fn path(&mut self, mask: &mut Mask, depth: usize) -> Result<(), FieldsError> {
        if depth > DEEPEST {
            return Err(FieldsError::Syntax);
        }
        let name = self.name()?;
        let is_known = mask.0.contains_key(&name);
        let below = mask.0.entry(name).or_default();
        let was_whole = is_known && below.0.is_empty();
        if self.take('/') || self.take('.') {
            self.path(below, depth + 1)?;
        } else if self.take('(') {
            self.fields(below, depth + 1)?;
            if !self.take(')') {
                return Err(FieldsError::Syntax);
            }
        } else {
            below.0.clear();
        }
        if was_whole {
            below.0.clear();
        }
        Ok(())
    }

    fn name(&mut self) -> Result<String, FieldsError> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '*');
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let is_odd = name.contains('*') && name != ANY;
        if name.is_empty() || is_odd {
            return Err(FieldsError::Syntax);
        }
        self.rest = rest.trim_start();
        Ok(camel(name))
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }
}

/// Returns a member's name in JSON; Google also accepts the name in the proto file.
pub(super) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// Returns whether a member contains nothing of the selection.
fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

const ANY: &str = "*";

/// The maximum depth of nested members.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::google::schema::LISTED;

    fn reply() -> Value {
        json!({
            "dataPoints": [
                {
                    "dataSource": { "platform": "FITBIT", "device": { "displayName": "Charge 6" } },
                    "heartRate": {
                        "beatsPerMinute": "63",
                        "sampleTime": { "physicalTime": "2026-11-22T07:01:05Z", "utcOffset": "3600s" },
                    },
                },
                { "dataSource": { "platform": "HEALTH_CONNECT" } },
            ],
            "nextPageToken": "t",
        })
    }

    fn selected(fields: &str) -> Value {
        let mut reply = reply();
        Mask::parse(fields, &LISTED).unwrap().select(&mut reply);
        reply
    }

    #[test]
    fn only_what_is_selected_stays() {
        assert_eq!(selected("nextPageToken"), json!({ "nextPageToken": "t" }));
        let bpm = json!({ "dataPoints": [{ "heartRate": { "beatsPerMinute": "63" } }, {}] });
        for same in [
            "dataPoints(heartRate(beatsPerMinute))",
            "dataPoints/heartRate/beatsPerMinute",
            "dataPoints.heartRate.beatsPerMinute",
            "data_points.heart_rate.beats_per_minute",
            " dataPoints ( heartRate / beatsPerMinute ) ",
            "dataPoints/*/beatsPerMinute",
        ] {
            assert_eq!(selected(same), bpm, "{same}");
        }
        assert_eq!(
            selected(
                "dataPoints(dataSource/platform,heartRate/sampleTime/utcOffset),nextPageToken"
            ),
            json!({
                "dataPoints": [
                    {
                        "dataSource": { "platform": "FITBIT" },
                        "heartRate": { "sampleTime": { "utcOffset": "3600s" } },
                    },
                    { "dataSource": { "platform": "HEALTH_CONNECT" } },
                ],
                "nextPageToken": "t",
            })
        );
    }

    #[test]
    fn a_member_that_is_selected_whole_stays_whole() {
        let whole = selected("*");
        assert_eq!(whole["nextPageToken"], "t");
        for same in [
            "dataPoints,nextPageToken",
            "dataPoints,nextPageToken,dataPoints/dataSource",
            "dataPoints/dataSource,dataPoints,nextPageToken",
            "*,dataPoints/dataSource",
            "dataPoints(*),nextPageToken",
        ] {
            assert_eq!(selected(same), whole, "{same}");
        }
    }

    proptest! {
        #[test]
        fn selecting_twice_selects_no_more_and_no_less(fields in "[a-zA-Z*/.,() ]{0,20}|(dataPoints|\\*)[/.(](heartRate|\\*|dataSource)\\)?(,nextPageToken|,dataPoints|,\\*)?") {
            let Ok(mask) = Mask::parse(&fields, &LISTED) else {
                return Ok(());
            };
            let mut once = reply();
            mask.select(&mut once);
            let mut twice = once.clone();
            mask.select(&mut twice);
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn what_cannot_be_selected_is_refused() {
        let refused = |text: &str| Mask::parse(text, &LISTED).unwrap_err();
        for wrong in [
            "",
            ",",
            "a,",
            "dataPoints(",
            "dataPoints)",
            "dataPoints()",
            "/dataPoints",
            "data-points",
            "dataPoints(heartRate",
            "data*",
            "dataPoints//heartRate",
            "dataPoints heartRate",
        ] {
            assert_eq!(refused(wrong), FieldsError::Syntax, "{wrong}");
        }
        for (wrong, path) in [
            ("bpm", "bpm"),
            ("dataPoints(heartRate/bpm)", "dataPoints.heartRate.bpm"),
            ("nextPageToken/x", "nextPageToken.x"),
            ("dataPoints/*/bpm", "dataPoints.*"),
        ] {
            assert_eq!(
                refused(wrong),
                FieldsError::Unknown(path.to_owned()),
                "{wrong}"
            );
        }
        let deep = format!("{}*{}", "*(".repeat(5000), ")".repeat(5000));
        assert_eq!(refused(&deep), FieldsError::Syntax);
        let long = vec!["*"; 5000].join("/");
        assert!(Mask::parse(&long, &LISTED).is_err());
    }
}
