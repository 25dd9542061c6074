//! Reasons for not getting tokens: a decision by the server, or no answer at all.

use core::fmt;

/// An OAuth error code (RFC 6749, section 5.2), or one that Google adds (Google Identity, OAuth 2.0
/// for desktop apps, Errors). It is the server's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.name())]
pub enum OAuthError {
    /// The refresh token or code is spent, revoked, expired or another client's.
    InvalidGrant,
    /// The client's id or secret is wrong.
    InvalidClient,
    /// The client may not do this.
    UnauthorizedClient,
    /// The request lacks something.
    InvalidRequest,
    /// The redirect differs from the one that was registered, or that the sign-in began with.
    RedirectUriMismatch,
    /// The server does not know this kind of grant.
    UnsupportedGrantType,
    /// A scope is unknown, or more than was granted.
    InvalidScope,
    /// The client was deleted.
    DeletedClient,
    /// The client was disabled.
    DisabledClient,
    /// The account's own protection does not allow this app.
    PolicyEnforced,
    /// The administrator of the account's organisation does not allow this app.
    AdminPolicyEnforced,
    /// The client is limited to the accounts of one organisation.
    OrgInternal,
    /// Access was denied, by the wearer or by the provider.
    AccessDenied,
}

impl OAuthError {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::InvalidGrant,
        Self::InvalidClient,
        Self::UnauthorizedClient,
        Self::InvalidRequest,
        Self::RedirectUriMismatch,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::DeletedClient,
        Self::DisabledClient,
        Self::PolicyEnforced,
        Self::AdminPolicyEnforced,
        Self::OrgInternal,
        Self::AccessDenied,
    ];

    /// Returns the name in the reply.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::InvalidRequest => "invalid_request",
            Self::RedirectUriMismatch => "redirect_uri_mismatch",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::DeletedClient => "deleted_client",
            Self::DisabledClient => "disabled_client",
            Self::PolicyEnforced => "policy_enforced",
            Self::AdminPolicyEnforced => "admin_policy_enforced",
            Self::OrgInternal => "org_internal",
            Self::AccessDenied => "access_denied",
        }
    }

    /// Returns the error with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Returns whether asking again is useless until a person has done something about it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::DeletedClient | Self::DisabledClient) || self.is_about_account()
    }

    /// Returns whether the error is about the account that signed in, so that another account might
    /// work.
    #[must_use]
    pub const fn is_about_account(self) -> bool {
        matches!(
            self,
            Self::PolicyEnforced
                | Self::AdminPolicyEnforced
                | Self::OrgInternal
                | Self::AccessDenied
        )
    }
}

/// The name of an unknown error, as the server gave it.
///
/// It is shown and logged, so it has to look like a name: up to 32 letters, underscores and hyphens.
/// No token looks like that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ErrorName {
    bytes: [u8; Self::MAX],
    length: u8,
}

impl ErrorName {
    /// The maximum length of a name, in bytes.
    pub const MAX: usize = 32;

    /// Accepts a text that looks like a name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
        if name.is_empty() || !name.bytes().all(fits) {
            return None;
        }
        let mut bytes = [0; Self::MAX];
        bytes
            .get_mut(..name.len())?
            .copy_from_slice(name.as_bytes());
        Some(Self {
            bytes,
            length: u8::try_from(name.len()).ok()?,
        })
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length));
        core::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }
}

impl fmt::Debug for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Nothing came in time.
    #[error("there was no answer in time")]
    TimedOut,
    /// The connection ended before the reply did.
    #[error("the connection closed before the answer was complete")]
    Disconnected,
    /// The request certainly never left: no address, no connection, no TLS.
    #[error("the server could not be reached")]
    NeverLeft,
    /// A status that does not answer the question.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// A status with an error whose name is unknown.
    #[error("the server answered \"{error}\" (status {status})")]
    Named {
        /// The HTTP status.
        status: u16,
        /// The error's name.
        error: ErrorName,
    },
    /// A reply that does not come from the provider: the page of a proxy, or of a network that wants
    /// a sign-in of its own.
    #[error("something on the way answered instead of the service (status {0})")]
    Foreign(u16),
    /// A redirect. We follow none: it would carry a token along.
    #[error(
        "the address redirects elsewhere (status {0}), and Pulsewing does not follow redirects"
    )]
    Redirected(u16),
    /// The reply does not follow the protocol.
    #[error("the answer could not be understood")]
    Malformed,
    /// The reply is compressed in a way that we did not ask for.
    #[error("the answer is compressed, although it should not be")]
    Compressed,
    /// The reply is longer than we read.
    #[error("the answer is too long")]
    TooLong,
    /// The reply has an access token but no refresh token, from a provider that rotates.
    #[error("the answer contains no new refresh token")]
    NoRefreshToken,
    /// The reply has a refresh token that cannot be kept: it has more than 512 bytes, or characters
    /// that no token has.
    #[error("the answer contains a refresh token that cannot be stored")]
    UnfitToken,
}

impl NoAnswer {
    /// Returns whether it looks like the login page of a network, such as a hotel's (RFC 6585, section
    /// 6): a page instead of data, or a redirect to one.
    #[must_use]
    pub const fn is_login_page(self) -> bool {
        matches!(
            self,
            Self::Foreign(200..300 | 511) | Self::Redirected(302 | 303 | 307)
        )
    }

    /// Returns whether the address has moved permanently, so that waiting does not help.
    #[must_use]
    pub const fn has_moved(self) -> bool {
        matches!(self, Self::Redirected(301 | 308))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, string::ToString};

    use super::*;

    #[test]
    fn a_name_is_short_and_of_letters() {
        let longest = "a".repeat(ErrorName::MAX);
        for name in ["temporarily_unavailable", "slow-down", "X", &longest] {
            let error = ErrorName::new(name).unwrap();
            assert_eq!((error.as_str(), error.to_string().as_str()), (name, name));
        }
        let too_long = format!("{longest}a");
        for no_name in ["", "two words", "4/0Ab", "0123abcd", "a\nb", "ä", &too_long] {
            assert_eq!(ErrorName::new(no_name), None, "{no_name:?}");
        }
    }

    #[test]
    fn every_error_is_known_by_the_name_that_it_prints() {
        for error in OAuthError::ALL {
            assert_eq!(OAuthError::named(&error.to_string()), Some(error));
        }
        assert_eq!(OAuthError::named("invalid"), None);
    }
}
