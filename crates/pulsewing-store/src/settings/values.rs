//! The kinds of values that settings have.

use core::{fmt, str::FromStr};

use pulsewing_core::{chain::Issuer, look::Palette};
use zeroize::Zeroize;

use super::SettingError;

/// A host's name or address, perhaps with a port.
pub type HostName = heapless::String<64>;

/// A Wi-Fi network that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WifiNetwork {
    /// Its name, at most 32 bytes; empty if this is none.
    pub ssid: heapless::String<32>,
    /// Its password; an open network has none.
    pub password: Option<WifiPassword>,
}

impl WifiNetwork {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first()?;
        let (ssid, password) = rest.split_at_checked(usize::from(*len))?;
        let password = core::str::from_utf8(password).ok()?;
        Some(Self {
            ssid: core::str::from_utf8(ssid).ok()?.try_into().ok()?,
            password: if password.is_empty() {
                None
            } else {
                Some(WifiPassword::new(password).ok()?)
            },
        })
    }
}

/// A Wi-Fi password: 8 to 63 characters of printable ASCII. Redacted where it is printed, wiped
/// when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct WifiPassword {
    len: u8,
    bytes: [u8; Self::MAX],
}

impl WifiPassword {
    /// The longest, in bytes (IEEE 802.11, annex J.4.1).
    pub const MAX: usize = 63;

    /// Takes it from a text.
    ///
    /// # Errors
    /// [`SettingError::Password`] if it cannot be one.
    pub fn new(text: &str) -> Result<Self, SettingError> {
        let is_printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !is_printable || !(8..=Self::MAX).contains(&text.len()) {
            return Err(SettingError::Password);
        }
        let mut password = Self {
            len: 0,
            bytes: [0; Self::MAX],
        };
        for (slot, byte) in password.bytes.iter_mut().zip(text.bytes()) {
            *slot = byte;
            password.len += 1;
        }
        Ok(password)
    }

    /// The password itself. Whoever calls this is about to use or to store it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl Drop for WifiPassword {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for WifiPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WifiPassword([redacted])")
    }
}

/// A scheme, a host and a port, such as `https://api.fitbit.com` or `http://10.0.2.2:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whether it is `https`.
    pub is_tls: bool,
    /// The host; an IPv6 address stands in brackets.
    pub host: HostName,
    /// The port.
    pub port: u16,
}

impl Origin {
    /// Whether it is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let is_v4 = self.host.starts_with("127.")
            && self
                .host
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_v4 || self.host == "localhost" || self.host == "[::1]"
    }

    /// Its text, as an [`Issuer`] is written: the port only if it is not the scheme's own.
    #[must_use]
    pub fn to_text(&self) -> Issuer {
        use fmt::Write as _;
        let mut text = Issuer::new();
        // A host has 64 bytes at most, so it fits.
        let _ = write!(text, "{self}");
        text
    }

    const fn own_port(is_tls: bool) -> u16 {
        if is_tls { 443 } else { 80 }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == Self::own_port(self.is_tls) {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

impl FromStr for Origin {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let (is_tls, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (true, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (false, rest)
        } else {
            return Err(SettingError::Origin);
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let host_end = match rest.strip_prefix('[') {
            Some(address) => address.find(']').map(|at| at + 2),
            None => Some(rest.find(':').unwrap_or(rest.len())),
        };
        let (host, port) = host_end
            .and_then(|at| rest.split_at_checked(at))
            .ok_or(SettingError::Origin)?;
        let port = match port.strip_prefix(':') {
            Some(port) => parse_port(port)?,
            None if port.is_empty() => Self::own_port(is_tls),
            None => return Err(SettingError::Origin),
        };
        let is_v6 = |host: &str| {
            let address = host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'));
            address.is_some_and(|address| address.parse::<core::net::Ipv6Addr>().is_ok())
        };
        if !is_host_name(host) && !is_v6(host) {
            return Err(SettingError::Origin);
        }
        Ok(Self {
            is_tls,
            host: host.try_into().map_err(|_| SettingError::TooLong(64))?,
            port,
        })
    }
}

fn parse_port(text: &str) -> Result<u16, SettingError> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if is_number && port > 0 => Ok(port),
        _ => Err(SettingError::Origin),
    }
}

/// Whether it is a host, or a host and a port; an IPv6 address stands in brackets before a port.
pub(super) fn is_host_with_port(text: &str) -> bool {
    let is_host = |host: &str| is_host_name(host) || host.parse::<core::net::IpAddr>().is_ok();
    if is_host(text) {
        return true;
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match inside {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => is_host(host) && !host.contains(':'),
    };
    is_host && parse_port(port).is_ok()
}

/// Whether it is a name or an IPv4 address (RFC 1123, section 2.1).
pub(super) fn is_host_name(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// A board's choice of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaletteChoice {
    /// By day those of the day, in the night's span those of the night.
    Auto,
    /// Always these.
    Always(Palette),
}

impl PaletteChoice {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Auto,
        Self::Always(Palette::Day),
        Self::Always(Palette::Dim),
        Self::Always(Palette::Night),
    ];

    /// Returns the word in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always(palette) => palette.name(),
        }
    }
}

/// A time zone's rule in POSIX form, such as `CET-1CEST,M3.5.0,M10.5.0/3`, at most 64 bytes. Only
/// its shape is checked here: a name of three letters or more, or of anything in `<>`, and an
/// offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRule(heapless::String<64>);

impl ZoneRule {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ZoneRule {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let after_name = match text.strip_prefix('<') {
            Some(quoted) => quoted.split_once('>').filter(|(name, _)| name.len() >= 3),
            None => {
                let end = text.find(|c: char| !c.is_ascii_alphabetic());
                text.split_at_checked(end.unwrap_or(0))
                    .filter(|(name, _)| name.len() >= 3)
            }
        };
        let has_offset = after_name.is_some_and(|(_, rest)| {
            let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            digits.starts_with(|c: char| c.is_ascii_digit())
        });
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"<>+-,./:".contains(&byte));
        if !has_offset || !is_plain {
            return Err(SettingError::ZoneRule);
        }
        text.try_into()
            .map(Self)
            .map_err(|_| SettingError::TooLong(64))
    }
}
