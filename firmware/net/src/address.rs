//! A server address as users write it: a host, with or without a port.

/// Splits `host[:port]`; the port defaults to `default_port`.
///
/// `None` if there is no host, the port is invalid, or the host is an IPv6 address: boards use only
/// IPv4.
///
/// ```
/// assert_eq!(pulsewing_net::address::split("pool.ntp.org", 123), Some(("pool.ntp.org", 123)));
/// assert_eq!(pulsewing_net::address::split("10.0.2.2:1123", 123), Some(("10.0.2.2", 1123)));
/// assert_eq!(pulsewing_net::address::split("[::1]:123", 123), None);
/// ```
#[must_use]
pub fn split(server: &str, default_port: u16) -> Option<(&str, u16)> {
    let (host, port) = match server.split_once(':') {
        None => (server, default_port),
        Some((host, port)) => {
            let is_number = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            (host, port.parse().ok().filter(|_| is_number)?)
        }
    };
    (is_host(host) && port != 0).then_some((host, port))
}

/// Returns whether this can be a host: valid for a DNS query, and valid in a header.
#[must_use]
pub fn is_host(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_a_port_has_the_default_one() {
        assert_eq!(
            split("time.google.com", 123),
            Some(("time.google.com", 123))
        );
        assert_eq!(split("10.0.2.2:65535", 123), Some(("10.0.2.2", 65_535)));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for server in [
            "",
            ":123",
            "host:",
            "host:0",
            "host:65536",
            "host:+1",
            "host:1:2",
            "a b",
            "[::1]",
            "::1",
            "host\r\nX: y",
        ] {
            assert_eq!(split(server, 123), None, "{server:?}");
        }
    }
}
