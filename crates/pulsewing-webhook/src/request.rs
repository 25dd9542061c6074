//! Requests to Google as values, and the addresses that they may go to.

use std::{fmt, net::IpAddr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// A verb of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Returns its name in a request.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request to the Google Health API, at [`API_ORIGIN`](crate::API_ORIGIN): to be sent with a
/// [`CloudToken`](crate::CloudToken) and, if it has a body, as `application/json`.
///
/// Its body may have a secret in it: it is wiped, and `Debug` shows neither body nor query.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Zeroizing<String>>,
}

impl Request {
    /// Returns the verb.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Returns the path, which begins with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query, percent-encoded and without its question mark; empty if there is none.
    #[must_use]
    pub fn query(&self) -> String {
        let pairs = self.query.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        pairs.join("&")
    }

    /// Returns the path with the query.
    #[must_use]
    pub fn target(&self) -> String {
        match self.query().as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// Returns the body, which is JSON.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_ref().map(|body| body.as_str())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method.name(), self.path)
    }
}

/// Encodes a value of a query or a form.
pub(crate) fn encoded(value: &str) -> impl fmt::Display {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(value, ENCODED)
}

/// Returns whether secrets may be sent to an address: by https, or to this computer.
pub(crate) fn is_safe(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A name before an @ would be a user's, not the host's.
    if !is_plain || authority.is_empty() || authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(ip) => ip.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_loopback = host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback());
    !host.is_empty() && (scheme == "https" || (scheme == "http" && is_loopback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_and_not_shown() {
        let request = Request {
            method: Method::Get,
            path: "/v4/projects/1/subscribers".to_owned(),
            query: vec![
                ("pageSize", "50".to_owned()),
                ("pageToken", "a+b=&é".to_owned()),
            ],
            body: None,
        };
        assert_eq!(
            request.target(),
            "/v4/projects/1/subscribers?pageSize=50&pageToken=a%2Bb%3D%26%C3%A9"
        );
        assert_eq!(
            format!("{request:?}"),
            "Request(GET /v4/projects/1/subscribers)"
        );
    }

    #[test]
    fn secrets_leave_this_computer_only_encrypted() {
        for safe in [
            "https://pulse.example/hook",
            "https://pulse.example:8443",
            "http://127.0.0.1:7373/hook",
            "http://localhost/",
            "http://[::1]:80/x?y",
        ] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_one in [
            "",
            "pulse.example",
            "http://pulse.example/hook",
            "http://127.0.0.1.evil.example/",
            "http://localhost@evil.example/",
            "http://evil.example/127.0.0.1",
            "https://",
            "https:///hook",
            "https://pulse.example/a b",
            "ftp://localhost/",
        ] {
            assert!(!is_safe(unsafe_one), "{unsafe_one}");
        }
    }
}
