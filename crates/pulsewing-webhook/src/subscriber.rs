//! Subscribers: the endpoints that a project has Google notify (Google Health API,
//! `projects.subscribers`).

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    request::{Method, Request, is_safe},
    secret::Secret,
};

/// The number of a Google Cloud project. Its id, which is a name, is refused by the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectNumber(String);

impl ProjectNumber {
    /// Parses a number such as `100200300400`.
    ///
    /// # Errors
    /// [`SubscriberError::ProjectNumber`] if it is not a number.
    pub fn parse(text: &str) -> Result<Self, SubscriberError> {
        let is_number = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_number
            .then(|| Self(text.to_owned()))
            .ok_or(SubscriberError::ProjectNumber)
    }
}

/// The id of a subscriber, chosen by its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberId(String);

impl SubscriberId {
    /// Parses an id: 4 to 36 lower-case letters, digits and hyphens; a letter first, no hyphen last
    /// (`subscribers.create`, `subscriberId`). Ids that Google made are UUIDs and may begin with a
    /// digit.
    ///
    /// # Errors
    /// [`SubscriberError::Id`] if it is another text.
    pub fn parse(text: &str) -> Result<Self, SubscriberError> {
        let is_id = (4..=36).contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        is_id
            .then(|| Self(text.to_owned()))
            .ok_or(SubscriberError::Id)
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address that Google is to notify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUri(String);

impl EndpointUri {
    /// Parses an address: https, or http to this computer, which only a stand-in accepts.
    ///
    /// # Errors
    /// [`SubscriberError::EndpointUri`] if it is another.
    pub fn parse(text: &str) -> Result<Self, SubscriberError> {
        let is_fine = text.len() <= MAX_URI && !text.contains('#') && is_safe(text);
        is_fine
            .then(|| Self(text.to_owned()))
            .ok_or(SubscriberError::EndpointUri)
    }
}

/// The data types whose changes are notified, for every wearer who has consented
/// (`SubscriptionCreatePolicy.AUTOMATIC`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataTypes(Vec<String>);

impl DataTypes {
    /// Takes names in kebab-case, such as `heart-rate`.
    ///
    /// # Errors
    /// [`SubscriberError::DataTypes`] if there is none, or one is spelt otherwise.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, SubscriberError> {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let is_kebab = |name: &String| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        let are_fine = (1..=MAX_TYPES).contains(&names.len()) && names.iter().all(is_kebab);
        are_fine
            .then_some(Self(names))
            .ok_or(SubscriberError::DataTypes)
    }

    /// Returns those that a heart-rate display needs.
    #[must_use]
    pub fn of_heart() -> Self {
        Self(vec![
            "heart-rate".to_owned(),
            "daily-resting-heart-rate".to_owned(),
        ])
    }
}

/// Why a subscriber cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriberError {
    /// The project's number is none: perhaps it is the project's id.
    #[error("the project must be given by its number, which is on the console's first page")]
    ProjectNumber,
    /// The subscriber's id has the wrong form.
    #[error("a subscriber's id has 4 to 36 lower-case letters, digits and hyphens")]
    Id,
    /// The address is not https, or is no address.
    #[error("the endpoint must be an https address")]
    EndpointUri,
    /// The data types have the wrong form, or are too many.
    #[error("data types are written like heart-rate, and there must be 1 to {MAX_TYPES}")]
    DataTypes,
}

/// What a change of a subscriber changes; the rest stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// Another address, which Google verifies first.
    pub endpoint_uri: Option<&'a EndpointUri>,
    /// Another secret, with which Google verifies the endpoint first. It must accept the old one
    /// until the change has succeeded.
    pub secret: Option<&'a Secret>,
    /// Other data types.
    pub data_types: Option<&'a DataTypes>,
}

/// Returns the request that creates a subscriber. Google verifies the endpoint before it answers,
/// so the endpoint must already be reachable and know the secret.
#[must_use]
pub fn create(
    project: &ProjectNumber,
    id: &SubscriberId,
    endpoint_uri: &EndpointUri,
    secret: &Secret,
    data_types: &DataTypes,
) -> Request {
    let changes = Changes {
        endpoint_uri: Some(endpoint_uri),
        secret: Some(secret),
        data_types: Some(data_types),
    };
    Request {
        method: Method::Post,
        path: collection(project),
        query: vec![("subscriberId", id.0.clone())],
        body: Some(written(changes)),
    }
}

/// Returns the request that changes a subscriber.
#[must_use]
pub fn patch(project: &ProjectNumber, id: &SubscriberId, changes: Changes<'_>) -> Request {
    let changed = [
        changes.endpoint_uri.map(|_| "endpointUri"),
        changes.data_types.map(|_| "subscriberConfigs"),
        changes.secret.map(|_| "endpointAuthorization"),
    ];
    let mask: Vec<&str> = changed.into_iter().flatten().collect();
    Request {
        method: Method::Patch,
        path: resource(project, id),
        query: vec![("updateMask", mask.join(","))],
        body: Some(written(changes)),
    }
}

/// Returns the request for a page of the project's subscribers: the first, or the one of a token.
#[must_use]
pub fn list(project: &ProjectNumber, page_token: Option<&str>) -> Request {
    let mut query = vec![("pageSize", PAGE_SIZE.to_owned())];
    query.extend(page_token.map(|token| ("pageToken", token.to_owned())));
    Request {
        method: Method::Get,
        path: collection(project),
        query,
        body: None,
    }
}

/// Returns the request that deletes a subscriber, with `force` also one that has subscriptions of
/// single wearers.
#[must_use]
pub fn delete(project: &ProjectNumber, id: &SubscriberId, force: bool) -> Request {
    let query = force.then(|| ("force", "true".to_owned()));
    Request {
        method: Method::Delete,
        path: resource(project, id),
        query: query.into_iter().collect(),
        body: None,
    }
}

fn collection(project: &ProjectNumber) -> String {
    format!("/v4/projects/{}/subscribers", project.0)
}

fn resource(project: &ProjectNumber, id: &SubscriberId) -> String {
    format!("{}/{id}", collection(project))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_authorization: Option<WrittenSecret<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriber_configs: Option<[WrittenConfig<'a>; 1]>,
}

#[derive(Serialize)]
struct WrittenSecret<'a> {
    secret: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenConfig<'a> {
    data_types: &'a [String],
    subscription_create_policy: &'static str,
}

fn written(changes: Changes<'_>) -> Zeroizing<String> {
    let written = Written {
        endpoint_uri: changes.endpoint_uri.map(|uri| uri.0.as_str()),
        endpoint_authorization: changes.secret.map(|secret| WrittenSecret {
            secret: secret.expose(),
        }),
        subscriber_configs: changes.data_types.map(|types| {
            [WrittenConfig {
                data_types: &types.0,
                subscription_create_policy: "AUTOMATIC",
            }]
        }),
    };
    // With room for everything, the secret is not left behind where a shorter buffer was.
    let mut json = Zeroizing::new(Vec::with_capacity(MAX_WRITTEN));
    // Texts are written to memory: that cannot fail.
    let _ = serde_json::to_writer(&mut *json, &written);
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *json)).unwrap_or_default())
}

/// The most that the service returns at a time.
const PAGE_SIZE: &str = "1000";

/// What browsers and servers agree on.
const MAX_URI: usize = 2048;

/// The API has some forty data types.
const MAX_TYPES: usize = 100;

/// Room for the longest address, the longest secret with every character escaped, and the types.
const MAX_WRITTEN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parts() -> (ProjectNumber, SubscriberId, EndpointUri, Secret) {
        (
            ProjectNumber::parse("100200300400").unwrap(),
            SubscriberId::parse("pulsewing").unwrap(),
            EndpointUri::parse("https://pulse.example/hook").unwrap(),
            Secret::new("Bearer \"0123456789abcdef".to_owned()).unwrap(),
        )
    }

    fn body(request: &Request) -> Value {
        serde_json::from_str(request.body().unwrap()).unwrap()
    }

    #[test]
    fn a_subscriber_is_created_with_everything() {
        let (project, id, uri, secret) = parts();
        let request = create(&project, &id, &uri, &secret, &DataTypes::of_heart());
        assert_eq!(request.method(), Method::Post);
        assert_eq!(
            request.target(),
            "/v4/projects/100200300400/subscribers?subscriberId=pulsewing"
        );
        assert_eq!(
            body(&request),
            json!({
                "endpointUri": "https://pulse.example/hook",
                "endpointAuthorization": { "secret": "Bearer \"0123456789abcdef" },
                "subscriberConfigs": [{
                    "dataTypes": ["heart-rate", "daily-resting-heart-rate"],
                    "subscriptionCreatePolicy": "AUTOMATIC",
                }],
            })
        );
        assert!(!format!("{request:?}").contains("0123"));
    }

    #[test]
    fn a_change_names_what_it_changes() {
        let (project, id, uri, secret) = parts();
        let types = DataTypes::new(["heart-rate"]).unwrap();
        let all = Changes {
            endpoint_uri: Some(&uri),
            secret: Some(&secret),
            data_types: Some(&types),
        };
        let request = patch(&project, &id, all);
        assert_eq!(request.method(), Method::Patch);
        assert_eq!(
            request.target(),
            "/v4/projects/100200300400/subscribers/pulsewing\
             ?updateMask=endpointUri%2CsubscriberConfigs%2CendpointAuthorization"
        );
        let only_secret = Changes {
            secret: Some(&secret),
            ..Changes::default()
        };
        let request = patch(&project, &id, only_secret);
        assert_eq!(request.query(), "updateMask=endpointAuthorization");
        assert_eq!(
            body(&request),
            json!({ "endpointAuthorization": { "secret": secret.expose() } })
        );
    }

    #[test]
    fn subscribers_are_listed_and_deleted() {
        let (project, id, ..) = parts();
        let base = "/v4/projects/100200300400/subscribers";
        assert_eq!(
            list(&project, None).target(),
            format!("{base}?pageSize=1000")
        );
        assert_eq!(
            list(&project, Some("a=")).target(),
            format!("{base}?pageSize=1000&pageToken=a%3D")
        );
        let request = delete(&project, &id, false);
        assert_eq!(request.target(), format!("{base}/pulsewing"));
        assert_eq!((request.method(), request.body()), (Method::Delete, None));
        assert_eq!(
            delete(&project, &id, true).target(),
            format!("{base}/pulsewing?force=true")
        );
    }

    #[test]
    fn the_longest_body_has_room() {
        let uri = format!("https://pulse.example/{}", "\"".repeat(MAX_URI - 22));
        let uri = EndpointUri::parse(&uri).unwrap();
        let secret = Secret::new(format!("B {}", "\"".repeat(1022))).unwrap();
        let names = vec!["daily-sleep-temperature-derivations-and-more"; MAX_TYPES];
        let changes = Changes {
            endpoint_uri: Some(&uri),
            secret: Some(&secret),
            data_types: Some(&DataTypes::new(names).unwrap()),
        };
        let length = written(changes).len();
        assert!((10_000..MAX_WRITTEN).contains(&length), "{length}");
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_here() {
        for number in ["", "pulsewing-app", "1002x", "-1", "123456789012345678901"] {
            assert!(ProjectNumber::parse(number).is_err(), "{number}");
        }
        for id in [
            "",
            "abc",
            "-abc",
            "abc-",
            "Abcd",
            "ab_cd",
            &"a".repeat(37),
            "ab/cd",
        ] {
            assert!(SubscriberId::parse(id).is_err(), "{id}");
        }
        assert!(SubscriberId::parse("a1b2c3d4-e5f6-7890-1234-567890abcdef").is_ok());
        let long = format!("https://pulse.example/{}", "a".repeat(MAX_URI));
        for uri in [
            "http://pulse.example/hook",
            "https://pulse.example/#a",
            &long,
        ] {
            assert!(EndpointUri::parse(uri).is_err(), "{uri}");
        }
        assert!(DataTypes::new([]).is_err());
        assert!(DataTypes::new(["heartRate"]).is_err());
        assert!(DataTypes::new([""]).is_err());
    }
}
