//! JSON bodies of requests, with errors that name the member.

use serde_json::{Map, Value};

use super::{error, fields::camel};
use crate::message::{Reply, Request};

/// A JSON object in a request, with its path for error messages.
pub(super) struct Body {
    place: String,
    pub(super) members: Map<String, Value>,
}

impl Body {
    pub(super) fn read(request: &Request, allowed: &[&str]) -> Result<Self, Box<Reply>> {
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(members)) => {
                let body = Self {
                    place: String::new(),
                    members: in_camel_case(members),
                };
                body.only(allowed)?;
                Ok(body)
            }
            Ok(_) => Err(Box::new(error::invalid_json(None))),
            Err(problem) => Err(Box::new(error::invalid_json(Some(&problem)))),
        }
    }

    pub(super) fn only(&self, allowed: &[&str]) -> Result<(), Box<Reply>> {
        let mut names = self.members.keys();
        match names.find(|name| !allowed.contains(&name.as_str())) {
            Some(unknown) => {
                let place = self.place.trim_end_matches('.');
                Err(Box::new(error::unknown_field(unknown, place)))
            }
            None => Ok(()),
        }
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, Box<Reply>> {
        match self.members.get(name) {
            Some(Value::Object(members)) => Ok(Self {
                place: format!("{}{name}.", self.place),
                members: in_camel_case(members.clone()),
            }),
            _ => Err(self.wrong(name, "Required.")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Box<Reply>> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "Not a string.")),
        }
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Box<Reply>> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
                number
                    .map(Some)
                    .ok_or_else(|| self.wrong(name, "Not an integer."))
            }
        }
    }

    pub(super) fn wrong(&self, name: &str, description: &str) -> Box<Reply> {
        Box::new(error::malformed(
            &format!("{}{name}", self.place),
            description,
        ))
    }
}

/// Returns the members under their names in JSON; Google also accepts those of the proto file.
fn in_camel_case(members: Map<String, Value>) -> Map<String, Value> {
    let renamed = members.into_iter();
    renamed.map(|(name, value)| (camel(&name), value)).collect()
}
