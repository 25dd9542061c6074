//! The reason for a provider's refusal, from the reply's body.

use core::fmt;

use super::walk::{Kind, Place, Reader, Visitor};
use crate::json::{Event, Text};

/// The reason for a provider's refusal. It adds to the status, which takes precedence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorReason {
    /// The Google account has no Google Health profile linked to it.
    AccountNotLinked,
    /// The grant is stale: disconnect the app and consent again (Google).
    ResourcePermissionDenied,
    /// The wearer did not grant the scope that this needs.
    ScopeInsufficient,
    /// The API is not enabled in the client's Google Cloud project.
    ServiceDisabled,
    /// The client's Google Cloud project was deleted, or is suspended.
    ProjectGone,
    /// The app may not read intraday data (Fitbit: its type is not "Personal").
    IntradayNotAllowed,
    /// The access token has expired.
    ExpiredToken,
    /// The access token is not valid, or no longer valid.
    InvalidToken,
    /// Too many requests.
    RateLimited,
    /// Another reason, by the provider's name for it.
    Other(heapless::String<64>),
    /// The body gives no reason.
    #[default]
    Unknown,
    /// The body is not an error report of either provider: a proxy's page, or nothing at all.
    Foreign,
}

impl ErrorReason {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "ACCOUNT_NOT_LINKED" => Self::AccountNotLinked,
            "RESOURCE_PERMISSION_DENIED" => Self::ResourcePermissionDenied,
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            | "MISSING_OAUTH_SCOPE"
            | "insufficient_scope"
            | "insufficientPermissions" => Self::ScopeInsufficient,
            "SERVICE_DISABLED" | "accessNotConfigured" => Self::ServiceDisabled,
            "CONSUMER_INVALID"
            | "CONSUMER_SUSPENDED"
            | "PROJECT_DELETED"
            | "PROJECT_INVALID"
            | "RESOURCE_PROJECT_INVALID"
            | "USER_PROJECT_DENIED" => Self::ProjectGone,
            "insufficient_permissions" => Self::IntradayNotAllowed,
            "ACCESS_TOKEN_EXPIRED" | "expired_token" => Self::ExpiredToken,
            "UNAUTHENTICATED" | "invalid_token" => Self::InvalidToken,
            "RATE_LIMIT_EXCEEDED"
            | "RESOURCE_EXHAUSTED"
            | "rateLimitExceeded"
            | "userRateLimitExceeded"
            | "dailyLimitExceeded"
            | "quotaExceeded" => Self::RateLimited,
            _ => return None,
        })
    }
}

impl fmt::Display for ErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccountNotLinked => "the account is not linked to Google Health",
            Self::ResourcePermissionDenied => "the grant is no longer accepted",
            Self::ScopeInsufficient => "a scope was not granted",
            Self::ServiceDisabled => "the API is not enabled in the client's project",
            Self::ProjectGone => "the client's project is gone",
            Self::IntradayNotAllowed => "the app is not allowed to read intraday data",
            Self::ExpiredToken => "the access token has expired",
            Self::InvalidToken => "the access token is not valid",
            Self::RateLimited => "too many requests",
            Self::Other(word) => word,
            Self::Unknown => "no reason given",
            Self::Foreign => "not an answer from the provider",
        })
    }
}

/// Reads the body of a reply whose status is not a success, in the envelope of either provider.
///
/// It never fails: half a body gives the reason that could be read; HTML and an empty body give
/// [`ErrorReason::Foreign`]. Messages are never kept, because Fitbit's repeat the token.
pub struct ErrorDecoder(Reader<Finding, 128>);

impl Default for ErrorDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl ErrorDecoder {
    /// Returns a decoder at the beginning of a body.
    #[must_use]
    pub const fn new() -> Self {
        Self(Reader::new(Finding {
            weight: Weight::Nothing,
            reason: ErrorReason::Foreign,
        }))
    }

    /// Decodes the next bytes.
    pub fn feed(&mut self, chunk: &[u8]) {
        // After a body that is not JSON there is nothing more to find.
        let _ = self.0.feed(chunk);
    }

    /// Returns the reason that the body gives.
    #[must_use]
    pub fn finish(self) -> ErrorReason {
        self.0.into_visitor().reason
    }
}

/// The best reason so far.
struct Finding {
    weight: Weight,
    reason: ErrorReason,
}

/// The significance of a word, ascending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Nothing,
    /// Google's canonical status, or OAuth's error code alone.
    Status,
    /// `ErrorInfo.reason`, or Fitbit's `errorType`.
    Reason,
    /// Google's detail about a refused filter.
    Detail,
    /// A reason with a remedy of its own.
    Known,
}

impl Finding {
    fn note(&mut self, weight: Weight, text: Text<'_>) {
        let Some(word) = text.as_str().and_then(first_word) else {
            return;
        };
        let known = ErrorReason::of(word);
        let weight = if known.is_some() && weight > Weight::Status {
            Weight::Known
        } else {
            weight
        };
        if weight <= self.weight {
            return;
        }
        let other = || {
            heapless::String::try_from(word)
                .ok()
                .map(ErrorReason::Other)
        };
        if let Some(reason) = known.or_else(other) {
            self.weight = weight;
            self.reason = reason;
        }
    }
}

/// Returns the first of the words that a text lists; none for prose.
fn first_word(text: &str) -> Option<&str> {
    let is_separator = |c: char| matches!(c, ',' | ';' | '[' | ']');
    let word = text
        .split(is_separator)
        .map(str::trim)
        .find(|word| !word.is_empty())?;
    word.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        .then_some(word)
}

#[derive(Clone, Copy)]
enum At {
    Body,
    /// The `error` member: an object from Google, a string in OAuth.
    Error,
    Status,
    Details,
    Detail,
    Reason,
    Metadata,
    DetailedReasons,
    /// Fitbit's `errors`.
    Errors,
    FitbitError,
    ErrorType,
    Message,
    /// Google's message, the only place that mentions a deleted project.
    GoogleMessage,
    /// The list in `error` of Google's older APIs.
    OlderErrors,
    OlderError,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body
            | Self::Error
            | Self::Detail
            | Self::Metadata
            | Self::FitbitError
            | Self::OlderError => Kind::Object,
            Self::Details => Kind::Array(Self::Detail),
            Self::Errors => Kind::Array(Self::FitbitError),
            Self::OlderErrors => Kind::Array(Self::OlderError),
            Self::Status
            | Self::Reason
            | Self::DetailedReasons
            | Self::ErrorType
            | Self::Message
            | Self::GoogleMessage => Kind::Scalar,
        }
    }
}

impl Visitor for Finding {
    type Place = At;

    fn member(&mut self, object: At, key: &[u8]) -> Option<At> {
        let is_report =
            matches!(object, At::Body) && matches!(key, b"error" | b"errors" | b"errorType");
        if is_report && self.reason == ErrorReason::Foreign {
            self.reason = ErrorReason::Unknown;
        }
        Some(match (object, key) {
            (At::Body, b"error") => At::Error,
            (At::Body, b"errors") => At::Errors,
            (At::Body | At::FitbitError, b"errorType") => At::ErrorType,
            (At::FitbitError, b"message") => At::Message,
            (At::Error, b"status") => At::Status,
            (At::Error, b"details") => At::Details,
            (At::Error, b"message") => At::GoogleMessage,
            (At::Error, b"errors") => At::OlderErrors,
            (At::Detail | At::OlderError, b"reason") => At::Reason,
            (At::Detail, b"metadata") => At::Metadata,
            (At::Metadata, b"detailedReasons") => At::DetailedReasons,
            _ => return None,
        })
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        let Event::String(text) = event else {
            return;
        };
        match place {
            At::Error | At::Status => self.note(Weight::Status, text),
            At::Reason | At::ErrorType => self.note(Weight::Reason, text),
            At::DetailedReasons => self.note(Weight::Detail, text),
            // Its `errorType` is "system" (Fitbit Web API, Rate Limits).
            At::Message if text == "Too Many Requests" => {
                self.weight = Weight::Known;
                self.reason = ErrorReason::RateLimited;
            }
            At::GoogleMessage if text.as_str().is_some_and(says_project_is_gone) => {
                self.weight = Weight::Known;
                self.reason = ErrorReason::ProjectGone;
            }
            _ => {}
        }
    }
}

/// Returns whether a message is about a deleted project: Google's is `Project #123 has been deleted.`,
/// and the only reason that it gives is that permission is denied.
fn says_project_is_gone(message: &str) -> bool {
    message.starts_with("Project ") && message.contains("has been deleted")
}
