//! Error messages for failed exchanges, with the names of proxies and the targets of redirects.

use std::{error::Error, io};

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use pulsewing_core::oauth::NoAnswer;
use reqwest::{
    StatusCode, Url,
    header::{HeaderMap, LOCATION},
};

use super::Unanswered;

/// Translates an error of a request. `proxied` is its address, if it may go through a proxy.
pub(super) fn unanswered(error: &reqwest::Error, proxied: Option<&Url>) -> Unanswered {
    let (cause, detail) = if error.is_connect() {
        (NoAnswer::NeverLeft, Some(no_connection(error, proxied)))
    } else if error.is_timeout() {
        (NoAnswer::TimedOut, None)
    } else {
        (NoAnswer::Disconnected, None)
    };
    Unanswered { cause, detail }
}

/// Explains why there is no connection. Names the proxy, because the user may have forgotten that
/// it is set.
pub(crate) fn no_connection(error: &reqwest::Error, proxied: Option<&Url>) -> String {
    let why = last_cause(error);
    match proxied.and_then(proxy_of) {
        None => why,
        Some(proxy) if is_without_a_line(&why) => format!("the proxy {proxy} cannot be reached"),
        Some(proxy) if is_proxys_word(error) => {
            format!("the proxy {proxy} refuses the connection ({why})")
        }
        Some(proxy) => format!("through the proxy {proxy}: {why}"),
    }
}

/// Returns whether a proxy was reached but refused.
pub(crate) fn is_proxys_word(error: &reqwest::Error) -> bool {
    error.is_connect()
        && !error.is_timeout()
        && !is_about_tls(error)
        && !has_io_error(error)
        && !is_without_a_line(&last_cause(error))
}

/// Returns whether a proxy could not even be reached. For a SOCKS proxy the library gives only this
/// text.
fn is_without_a_line(why: &str) -> bool {
    why.contains("failed to create underlying connection")
}

/// Returns the proxy for a request to this address, without its password.
fn proxy_of(url: &Url) -> Option<String> {
    let uri: Uri = url.as_str().parse().ok()?;
    let proxy = Matcher::from_system().intercept(&uri)?;
    let uri = proxy.uri();
    let (scheme, host) = (uri.scheme_str().unwrap_or("http"), uri.host()?);
    let port = uri.port_u16().map(|port| format!(":{port}"));
    Some(format!("{scheme}://{host}{}", port.unwrap_or_default()))
}

/// Returns the origin that a redirect leads to.
pub(crate) fn target_of(status: StatusCode, from: &Url, headers: &HeaderMap) -> Option<String> {
    if !status.is_redirection() {
        return None;
    }
    let target = headers.get(LOCATION)?.to_str().ok()?;
    let origin = from.join(target).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// Returns the innermost cause of an error.
pub(crate) fn last_cause(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// Returns whether a connection failed only in the TLS handshake. The library reports that as a
/// failure to connect, too.
pub(crate) fn is_about_tls(error: &(dyn Error + 'static)) -> bool {
    // `source` of an I/O error skips the error inside it.
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    error.is::<rustls::Error>()
        || inner.is_some_and(|inner| is_about_tls(inner))
        || error.source().is_some_and(is_about_tls)
}

fn has_io_error(error: &(dyn Error + 'static)) -> bool {
    error.is::<io::Error>() || error.source().is_some_and(has_io_error)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn of_a_redirects_target_the_origin_alone_is_told() {
        let from: Url = "https://api.example/token?x=hush".parse().unwrap();
        let leads = |status: u16, target: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_static(target));
            target_of(StatusCode::from_u16(status).unwrap(), &from, &headers)
        };
        for (target, expected) in [
            (
                "https://u:p@new.example:8443/a?t=hush#x",
                "https://new.example:8443",
            ),
            ("/elsewhere", "https://api.example"),
            ("//portal.example/", "https://portal.example"),
        ] {
            assert_eq!(leads(308, target).as_deref(), Some(expected));
        }
        assert_eq!(leads(308, "mailto:a@example.com"), None);
        assert_eq!(leads(200, "https://new.example"), None);
    }
}
