//! Maps paths and verbs to endpoints.

use hyper::Method;

/// A Google endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    /// The signed-in user, with the claims of OpenID Connect or the older ones.
    UserInfo {
        open_id: bool,
    },
    Token,
    Revoke,
    /// A call on a data type, as named in the path.
    Points {
        user: String,
        data_type: String,
        call: Call,
    },
    Devices {
        user: String,
    },
    Device {
        user: String,
        id: String,
    },
    Settings {
        user: String,
    },
    Identity {
        user: String,
    },
    Profile {
        user: String,
    },
    /// A call on a project's subscribers.
    Subscribers {
        project: String,
        call: SubscriberCall,
    },
    /// The public keys that sign notifications.
    Keyset,
    Unknown,
}

/// A call on subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SubscriberCall {
    Create,
    List,
    /// With the subscriber's id.
    Patch(String),
    Delete(String),
}

/// A call on a data type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    List,
    Reconcile,
    RollUp,
    DailyRollUp,
}

impl Endpoint {
    /// Finds the endpoint; `None` if the path does not belong to Google.
    pub(crate) fn find(method: &Method, path: &str) -> Option<Self> {
        let is_page = method == Method::GET || method == Method::POST;
        let known = match path {
            // Client files of Google's console contain the first of the two.
            "/o/oauth2/auth" | "/o/oauth2/v2/auth" if is_page => Some(Self::Authorize),
            "/oauth2/v3/userinfo" | "/v1/userinfo" if is_page => {
                Some(Self::UserInfo { open_id: true })
            }
            "/oauth2/v1/userinfo" | "/oauth2/v2/userinfo" if method == Method::GET => {
                Some(Self::UserInfo { open_id: false })
            }
            "/token" | "/o/oauth2/token" | "/oauth2/v4/token" if method == Method::POST => {
                Some(Self::Token)
            }
            "/revoke" | "/o/oauth2/revoke" if method == Method::POST => Some(Self::Revoke),
            KEYSET if method == Method::GET => Some(Self::Keyset),
            _ => path
                .strip_prefix("/v4/users/")
                .and_then(|rest| Self::resource(method, rest))
                .or_else(|| Self::subscribers(method, path.strip_prefix("/v4/projects/")?)),
        };
        let is_googles = path == "/token"
            || path == "/revoke"
            || ["/o/", "/oauth2/v", "/v4/", "/v4beta/"]
                .iter()
                .any(|start| path.starts_with(start));
        known.or_else(|| is_googles.then_some(Self::Unknown))
    }

    /// Returns the name of the route in the request log and the fault list.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Authorize => "google.authorize",
            Self::UserInfo { .. } => "google.userinfo",
            Self::Token => "google.token",
            Self::Revoke => "google.revoke",
            Self::Points {
                data_type, call, ..
            } => match (data_type.as_str(), call) {
                ("daily-heart-rate-zones" | "time-in-heart-rate-zone", _) => "google.zones",
                (_, Call::RollUp) => "google.rollup",
                (_, Call::DailyRollUp) => "google.daily_rollup",
                ("daily-resting-heart-rate", _) => "google.resting",
                (_, Call::Reconcile) => "google.reconcile",
                (_, Call::List) => "google.list",
            },
            Self::Devices { .. } | Self::Device { .. } => "google.devices",
            Self::Settings { .. } => "google.settings",
            Self::Identity { .. } => "google.identity",
            Self::Profile { .. } => "google.profile",
            Self::Subscribers { .. } => "google.subscribers",
            Self::Keyset => "google.keyset",
            Self::Unknown => "google.unknown",
        }
    }

    fn resource(method: &Method, rest: &str) -> Option<Self> {
        let parts: Vec<&str> = rest.split('/').collect();
        let is_get = method == Method::GET;
        match parts.as_slice() {
            [user, "dataTypes", data_type, action] => {
                let call = match *action {
                    "dataPoints" if is_get => Call::List,
                    "dataPoints:reconcile" if is_get => Call::Reconcile,
                    "dataPoints:rollUp" if method == Method::POST => Call::RollUp,
                    "dataPoints:dailyRollUp" if method == Method::POST => Call::DailyRollUp,
                    _ => return None,
                };
                Some(Self::Points {
                    user: (*user).to_owned(),
                    data_type: (*data_type).to_owned(),
                    call,
                })
            }
            [user, "pairedDevices", id] if is_get => Some(Self::Device {
                user: (*user).to_owned(),
                id: (*id).to_owned(),
            }),
            [user, resource] if is_get => {
                let user = (*user).to_owned();
                match *resource {
                    "pairedDevices" => Some(Self::Devices { user }),
                    "settings" => Some(Self::Settings { user }),
                    "identity" => Some(Self::Identity { user }),
                    "profile" => Some(Self::Profile { user }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn subscribers(method: &Method, rest: &str) -> Option<Self> {
        let parts: Vec<&str> = rest.split('/').collect();
        let (project, call) = match (method, parts.as_slice()) {
            (&Method::POST, [project, "subscribers"]) => (project, SubscriberCall::Create),
            (&Method::GET, [project, "subscribers"]) => (project, SubscriberCall::List),
            (&Method::PATCH, [project, "subscribers", id]) => {
                (project, SubscriberCall::Patch((*id).to_owned()))
            }
            (&Method::DELETE, [project, "subscribers", id]) => {
                (project, SubscriberCall::Delete((*id).to_owned()))
            }
            _ => return None,
        };
        Some(Self::Subscribers {
            project: (*project).to_owned(),
            call,
        })
    }

    /// Returns the method's name in the API, for error details.
    pub(super) fn method_name(&self) -> &'static str {
        match self {
            Self::Points { call, .. } => match call {
                Call::List => "DataPointsService.ListDataPoints",
                Call::Reconcile => "DataPointsService.ReconcileDataPoints",
                Call::RollUp => "DataPointsService.RollUpDataPoints",
                Call::DailyRollUp => "DataPointsService.DailyRollUpDataPoints",
            },
            Self::Devices { .. } => "HealthProfileService.ListPairedDevices",
            Self::Device { .. } => "HealthProfileService.GetPairedDevice",
            Self::Settings { .. } => "HealthProfileService.GetSettings",
            Self::Profile { .. } => "HealthProfileService.GetProfile",
            Self::Subscribers { call, .. } => match call {
                SubscriberCall::Create => "DataSubscriptionService.CreateSubscriber",
                SubscriberCall::List => "DataSubscriptionService.ListSubscribers",
                SubscriberCall::Patch(_) => "DataSubscriptionService.UpdateSubscriber",
                SubscriberCall::Delete(_) => "DataSubscriptionService.DeleteSubscriber",
            },
            _ => "HealthProfileService.GetIdentity",
        }
    }
}

/// The path of the keyset, whose host is gstatic.com (Google Health API, Webhooks).
const KEYSET: &str = "/googlehealthapi/webhooks/webhooks_public_keyset.json";

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Method, path: &str) -> Option<&'static str> {
        Endpoint::find(&method, path).map(|endpoint| endpoint.name())
    }

    #[test]
    fn paths_and_verbs_lead_to_routes() {
        let data = "/v4/users/me/dataTypes";
        let heart = format!("{data}/heart-rate/dataPoints");
        for (method, paths, name) in [
            (Method::GET, heart.as_str(), "google.list"),
            (
                Method::GET,
                &format!("{data}/daily-resting-heart-rate/dataPoints"),
                "google.resting",
            ),
            (
                Method::GET,
                &format!("{heart}:reconcile"),
                "google.reconcile",
            ),
            (Method::POST, &format!("{heart}:rollUp"), "google.rollup"),
            (
                Method::POST,
                &format!("{heart}:dailyRollUp"),
                "google.daily_rollup",
            ),
            (Method::GET, &format!("{heart}:rollUp"), "google.unknown"),
            (Method::GET, "/v4/users/me/pairedDevices", "google.devices"),
            (Method::GET, "/v4/users/me/settings", "google.settings"),
            (Method::GET, "/v4/users/me/identity", "google.identity"),
            (
                Method::POST,
                "/token /o/oauth2/token /oauth2/v4/token",
                "google.token",
            ),
            (Method::POST, "/revoke /o/oauth2/revoke", "google.revoke"),
            (
                Method::GET,
                "/o/oauth2/auth /o/oauth2/v2/auth",
                "google.authorize",
            ),
            (Method::GET, "/oauth2/v3/userinfo", "google.userinfo"),
            (
                Method::POST,
                "/v4/projects/1/subscribers",
                "google.subscribers",
            ),
            (
                Method::DELETE,
                "/v4/projects/1/subscribers/pulsewing",
                "google.subscribers",
            ),
            (
                Method::GET,
                "/v4/projects/1/subscribers/pulsewing /v4/projects/1/operations/2",
                "google.unknown",
            ),
            (Method::GET, KEYSET, "google.keyset"),
            (
                Method::GET,
                "/v4/users/me/devices /token /oauth2/v3/token",
                "google.unknown",
            ),
        ] {
            for path in paths.split(' ') {
                assert_eq!(route(method.clone(), path), Some(name), "{path}");
            }
        }
        assert_eq!(route(Method::GET, "/favicon.ico"), None);
    }
}
