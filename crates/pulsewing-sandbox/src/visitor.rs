//! Access to the control calls and the page: for people and programs on this computer, but not for
//! the web pages that they visit.
//!
//! A page from elsewhere can reach a loopback address in two ways. It can send a form there, which
//! the browser marks with the page's origin; and it can have its own name resolve to the address
//! (DNS rebinding), which leaves that name in the `Host` header.

use std::net::IpAddr;

use crate::message::Request;

/// Returns why a request is rejected, or `None` if it is allowed.
///
/// `names` are the names in the sandbox's certificate.
pub(crate) fn refusal(request: &Request, peer: IpAddr, names: &[String]) -> Option<&'static str> {
    if !peer.to_canonical().is_loopback() {
        return Some("only loopback clients may use this");
    }
    let host = request.header("host").unwrap_or_default();
    if !host.is_empty() && !is_own_name(host, names) {
        return Some("the Host header names another server");
    }
    let same_origin = |origin: &str| origin.split_once("://").is_some_and(|(_, at)| at == host);
    if request
        .header("origin")
        .is_some_and(|origin| !same_origin(origin))
    {
        return Some("pages from another origin may not use this");
    }
    None
}

/// Returns whether a `Host` header names this server. An address always does: rebinding needs a
/// name.
fn is_own_name(host: &str, names: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn is_welcome(peer: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = hyper::Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let names = ["pulse.example".to_owned()];
        refusal(
            &Request::new(parts, Bytes::new()),
            peer.parse().unwrap(),
            &names,
        )
        .is_none()
    }

    #[test]
    fn only_loopback_peers_are_welcome() {
        for loopback in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(is_welcome(loopback, &[]), "{loopback}");
        }
        for other in ["192.168.1.20", "::ffff:10.0.0.1", "fe80::1", "0.0.0.0"] {
            assert!(!is_welcome(other, &[]), "{other}");
        }
    }

    #[test]
    fn a_name_that_was_rebound_is_turned_away() {
        for own in [
            "127.0.0.1:7000",
            "[::1]:7000",
            "localhost",
            "LOCALHOST:1",
            "pulse.example:443",
            "192.168.1.20:80",
        ] {
            assert!(is_welcome("127.0.0.1", &[("Host", own)]), "{own}");
        }
        for other in [
            "evil.example",
            "evil.example:7000",
            "localhost.evil.example",
        ] {
            assert!(!is_welcome("127.0.0.1", &[("Host", other)]), "{other}");
        }
    }

    #[test]
    fn a_form_of_another_page_is_turned_away() {
        let from = |origin| is_welcome("::1", &[("Host", "localhost:7000"), ("Origin", origin)]);
        assert!(from("http://localhost:7000") && from("https://localhost:7000"));
        for other in ["https://evil.example", "http://localhost:7001", "null", ""] {
            assert!(!from(other), "{other}");
        }
    }
}
