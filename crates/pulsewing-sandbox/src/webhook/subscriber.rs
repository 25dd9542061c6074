//! Subscribers: endpoints that are notified (Google Health API, `projects.subscribers`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PROJECT_NUMBER;
use crate::message::with;

/// The project's subscribers, in the order of their creation.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Vec<Subscriber>);

/// An endpoint that is notified.
#[derive(Clone)]
pub(crate) struct Subscriber {
    pub(crate) id: String,
    pub(crate) endpoint_uri: String,
    /// The whole value of the `Authorization` header.
    pub(crate) secret: String,
    pub(crate) configs: Vec<Config>,
    pub(crate) state: State,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Data types, and how wearers are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) data_types: Vec<String>,
    /// Everyone who has consented; otherwise only those with a subscription, which do not exist
    /// here.
    pub(crate) is_automatic: bool,
}

/// Whether a subscriber is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum State {
    Active,
    Inactive,
}

impl Subscribers {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Subscriber> {
        self.0.iter()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Subscriber> {
        self.0.iter().find(|known| known.id == id)
    }

    pub(crate) fn find_mut(&mut self, id: &str) -> Option<&mut Subscriber> {
        self.0.iter_mut().find(|known| known.id == id)
    }

    pub(super) fn add(&mut self, subscriber: Subscriber) {
        self.0.push(subscriber);
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.0.retain(|known| known.id != id);
    }
}

impl Subscriber {
    /// Returns the subscriber as the API shows it, without its secret.
    pub(crate) fn describe(&self) -> Value {
        let body = json!({
            "name": self.name(),
            "endpointUri": self.endpoint_uri,
            "endpointAuthorization": { "secretSet": true },
            "state": self.state,
            "createTime": self.created_at.to_string(),
            "updateTime": self.updated_at.to_string(),
        });
        let configs: Vec<Value> = self.configs.iter().map(Config::describe).collect();
        if configs.is_empty() {
            body
        } else {
            with(body, "subscriberConfigs", configs)
        }
    }

    /// Returns the resource's name.
    pub(crate) fn name(&self) -> String {
        format!("projects/{PROJECT_NUMBER}/subscribers/{}", self.id)
    }

    /// Returns whether it is notified of a data type of every wearer.
    pub(super) fn wants(&self, data_type: &str) -> bool {
        let mut automatic = self.configs.iter().filter(|config| config.is_automatic);
        self.state == State::Active
            && automatic.any(|config| config.data_types.iter().any(|known| known == data_type))
    }
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Subscriber({} at {})", self.id, self.endpoint_uri)
    }
}

impl Config {
    fn describe(&self) -> Value {
        let policy = if self.is_automatic {
            "AUTOMATIC"
        } else {
            "MANUAL"
        };
        json!({ "dataTypes": self.data_types, "subscriptionCreatePolicy": policy })
    }
}
