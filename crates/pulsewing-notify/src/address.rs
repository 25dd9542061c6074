//! Addresses to send to.

use std::fmt;

use reqwest::Url;
use serde::Deserialize;

/// An address as it is written in the settings. Those of webhooks and pings are secrets, so that it is
/// never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Written(pub(crate) String);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written(..)")
    }
}

/// Why an address cannot be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It cannot be read.
    #[error("is not an address like https://push.example")]
    NoAddress,
    /// It is of another protocol.
    #[error("is neither https:// nor http://")]
    Scheme,
    /// What is sent would cross a network in the clear.
    #[error(
        "uses http:// to another machine, so that anybody on the way can read it; use https://, or set \
         `allow_http = true` beside it if you are sure"
    )]
    Plain,
    /// Credentials in an address end up in logs.
    #[error("must not hold a user name or password; a token belongs into a file")]
    User,
    /// The server's root is enough.
    #[error("must be the address of the server alone, such as https://push.example")]
    Path,
    /// A query is not sent, or ends up in logs.
    #[error("must not have a part after `?` or `#`")]
    Query,
}

/// Which addresses are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A server's root.
    Root,
    /// A directory, below which an API is.
    Directory,
    /// Any address.
    Any,
}

/// Reads an address.
pub(crate) fn parse(text: &str, shape: Shape, allow_http: bool) -> Result<Url, AddressError> {
    let url = Url::parse(text).map_err(|_| AddressError::NoAddress)?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http || is_loopback(&url) => {}
        "http" => return Err(AddressError::Plain),
        _ => return Err(AddressError::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::User);
    }
    if url.fragment().is_some() || (shape != Shape::Any && url.query().is_some()) {
        return Err(AddressError::Query);
    }
    if shape == Shape::Root && url.path() != "/" {
        return Err(AddressError::Path);
    }
    Ok(url)
}

/// Returns the address with more path at its end. The query stays.
pub(crate) fn below(url: &Url, path: &str) -> Url {
    let mut longer = url.clone();
    longer.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
    longer
}

/// Returns the part of an address that may be shown: that before its path.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Returns whether an address always stays on this machine.
fn is_loopback(url: &Url) -> bool {
    let is_local = |host: &str| {
        let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    };
    url.host_str().is_some_and(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_sent_to_safely_is_an_address() {
        let wrong = |text: &str, shape| parse(text, shape, false).unwrap_err();
        assert_eq!(wrong("push.example", Shape::Root), AddressError::NoAddress);
        assert_eq!(
            wrong("ftp://push.example", Shape::Any),
            AddressError::Scheme
        );
        assert_eq!(wrong("http://192.168.1.9", Shape::Any), AddressError::Plain);
        assert_eq!(
            wrong("https://me:hush@push.example", Shape::Any),
            AddressError::User
        );
        assert_eq!(
            wrong("https://ntfy.sh/mytopic", Shape::Root),
            AddressError::Path
        );
        assert_eq!(
            wrong("https://push.example/message?token=hush", Shape::Directory),
            AddressError::Query
        );
        for text in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost"] {
            parse(text, Shape::Root, false).unwrap();
        }
        parse("http://gotify.lan", Shape::Root, true).unwrap();
        parse("https://hooks.example/a?b=c", Shape::Any, false).unwrap();
    }

    #[test]
    fn a_path_goes_before_the_query_and_below_a_directory() {
        let at = |text: &str| below(&Url::parse(text).unwrap(), "/fail").to_string();
        assert_eq!(
            at("https://hc.example/key/slug?create=1"),
            "https://hc.example/key/slug/fail?create=1"
        );
        assert_eq!(at("https://push.example"), "https://push.example/fail");
        assert_eq!(
            at("https://push.example/gotify/"),
            "https://push.example/gotify/fail"
        );
    }
}
