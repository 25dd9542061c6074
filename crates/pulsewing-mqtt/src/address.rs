//! The address of a broker.

use std::{fmt, net::IpAddr, str::FromStr};

/// The longest name of a host, as in DNS.
const LONGEST_HOST: usize = 253;

/// The address of a broker: `mqtt://HOST[:PORT]` (1883), or `mqtts://HOST[:PORT]` with TLS (8883).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerAddress {
    host: String,
    port: u16,
    has_tls: bool,
}

/// Why an address is not one of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with neither `mqtt://` nor `mqtts://`.
    #[error("it must begin with mqtt:// or mqtts://")]
    Scheme,
    /// It has a user or a password, which would be seen wherever it is printed.
    #[error("it must not hold a user name or a password")]
    HasUser,
    /// There is no name of a host, or it has characters that none has.
    #[error("it has no host, such as mqtt://192.168.1.10")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("its port must be a number from 1 to 65535")]
    Port,
    /// Something follows the host and the port.
    #[error("nothing may follow its host and port")]
    Path,
}

impl BrokerAddress {
    /// Returns the host: a name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns whether it is reached with TLS.
    #[must_use]
    pub const fn has_tls(&self) -> bool {
        self.has_tls
    }

    /// Returns whether it always is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let ip = self.host.parse::<IpAddr>();
        self.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for BrokerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let has_tls = match scheme {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(AddressError::Scheme),
        };
        if rest.contains('@') {
            return Err(AddressError::HasUser);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(AddressError::Path);
        }
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(AddressError::Host)?;
                let ip = host.parse::<IpAddr>().map_err(|_| AddressError::Host)?;
                if !ip.is_ipv6() {
                    return Err(AddressError::Host);
                }
                let port = match port {
                    "" => None,
                    _ => Some(port.strip_prefix(':').ok_or(AddressError::Host)?),
                };
                (host, port)
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let is_right =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
        if !(1..=LONGEST_HOST).contains(&host.len()) || !host.bytes().all(is_right) {
            return Err(AddressError::Host);
        }
        let port = match port {
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or(AddressError::Port)?,
            None if has_tls => 8883,
            None => 1883,
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            has_tls,
        })
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.has_tls { "mqtts" } else { "mqtt" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_perhaps_a_port() {
        for (text, shown) in [
            ("mqtt://broker.local", "mqtt://broker.local:1883"),
            ("mqtts://broker.local/", "mqtts://broker.local:8883"),
            ("mqtt://192.168.1.2:1884", "mqtt://192.168.1.2:1884"),
            ("mqtt://[::1]", "mqtt://[::1]:1883"),
            ("mqtts://[fe80::1]:99", "mqtts://[fe80::1]:99"),
        ] {
            let address: BrokerAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
        }
        for (text, why) in [
            ("broker.local", AddressError::Scheme),
            ("http://broker.local", AddressError::Scheme),
            ("mqtt://", AddressError::Host),
            ("mqtt://:1883", AddressError::Host),
            ("mqtt://a b", AddressError::Host),
            ("mqtt://::1", AddressError::Host),
            ("mqtt://[1.2.3.4]", AddressError::Host),
            ("mqtt://[::1]x", AddressError::Host),
            ("mqtt://a:0", AddressError::Port),
            ("mqtt://a:65536", AddressError::Port),
            ("mqtt://a/b", AddressError::Path),
            ("mqtt://a?b", AddressError::Path),
            ("mqtt://user:hush@a", AddressError::HasUser),
        ] {
            assert_eq!(text.parse::<BrokerAddress>(), Err(why), "{text}");
        }
    }

    #[test]
    fn what_may_leave_the_machine_is_not_loopback() {
        let is_loopback = |text: &str| text.parse::<BrokerAddress>().unwrap().is_loopback();
        for here in ["mqtt://localhost", "mqtt://127.0.0.2", "mqtt://[::1]"] {
            assert!(is_loopback(here), "{here}");
        }
        for away in [
            "mqtt://localhost.example",
            "mqtt://10.0.0.1",
            "mqtt://[fe80::1]",
        ] {
            assert!(!is_loopback(away), "{away}");
        }
    }
}
