//! Writes a request.

use alloc::vec::Vec;

use pulsewing_core::request::Method;
use pulsewing_device::ports::Outgoing;
use zeroize::Zeroizing;

use crate::address;

/// The error for a request that cannot be written: a part contains a character that would end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request cannot be written as HTTP")]
pub struct Unfit;

const USER_AGENT: &str = concat!("pulsewing/", env!("CARGO_PKG_VERSION"));

/// Returns the bytes of a request, head and body. They contain tokens, so they are wiped when
/// dropped.
///
/// # Errors
/// [`Unfit`] if host, target or token contain anything but visible ASCII.
pub fn write(request: &Outgoing<'_>) -> Result<Zeroizing<Vec<u8>>, Unfit> {
    let is_visible = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    let is_fit = address::is_host(request.host)
        && request.target.starts_with('/')
        && is_visible(request.target)
        && request.bearer.is_none_or(is_visible)
        && request
            .content_type
            .is_none_or(|text| !text.bytes().any(|b| b.is_ascii_control()));
    if !is_fit {
        return Err(Unfit);
    }
    // Room for everything: a growing buffer leaves copies of the token behind.
    let room = 320
        + request.host.len()
        + request.target.len()
        + request.bearer.map_or(0, str::len)
        + request.content_type.map_or(0, str::len)
        + request.body.len();
    let mut text = Text(Zeroizing::new(Vec::with_capacity(room)));
    text.add(&[request.method.name(), " ", request.target, " HTTP/1.1\r\n"]);
    text.add(&["Host: ", request.host]);
    let default_port = if request.is_tls { 443 } else { 80 };
    if request.port != default_port {
        text.add(&[":"]);
        text.add_number(usize::from(request.port));
    }
    text.add(&["\r\nUser-Agent: ", USER_AGENT]);
    text.add(&["\r\nAccept: application/json\r\nAccept-Encoding: identity"]);
    text.add(&["\r\nConnection: close\r\n"]);
    if let Some(token) = request.bearer {
        text.add(&["Authorization: Bearer ", token, "\r\n"]);
    }
    if let Some(kind) = request.content_type {
        text.add(&["Content-Type: ", kind, "\r\n"]);
    }
    if request.method == Method::Post || !request.body.is_empty() {
        text.add(&["Content-Length: "]);
        text.add_number(request.body.len());
        text.add(&["\r\n"]);
    }
    text.add(&["\r\n"]);
    text.0.extend_from_slice(request.body);
    Ok(text.0)
}

struct Text(Zeroizing<Vec<u8>>);

impl Text {
    fn add(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.extend_from_slice(part.as_bytes());
        }
    }

    fn add_number(&mut self, number: usize) {
        use core::fmt::Write as _;
        let mut digits = heapless::String::<20>::new();
        // 20 digits are enough for every 64-bit number.
        let _ = write!(digits, "{number}");
        self.add(&[&digits]);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::string::String;

    use super::*;

    fn get() -> Outgoing<'static> {
        Outgoing {
            host: "api.fitbit.com",
            port: 443,
            is_tls: true,
            connect: None,
            method: Method::Get,
            target: "/1/user/-/devices.json",
            bearer: Some("token"),
            content_type: None,
            body: b"",
            timeout: Duration::from_secs(15),
        }
    }

    fn text(request: &Outgoing<'_>) -> String {
        String::from_utf8(write(request).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_question_has_no_body_and_the_default_port_is_not_written() {
        assert_eq!(
            text(&get()),
            std::format!(
                "GET /1/user/-/devices.json HTTP/1.1\r\nHost: api.fitbit.com\r\n\
                 User-Agent: {USER_AGENT}\r\nAccept: application/json\r\n\
                 Accept-Encoding: identity\r\nConnection: close\r\n\
                 Authorization: Bearer token\r\n\r\n"
            )
        );
    }

    #[test]
    fn a_form_has_its_type_and_length_and_another_port_is_written() {
        let request = Outgoing {
            port: 8_443,
            method: Method::Post,
            bearer: None,
            content_type: Some("application/x-www-form-urlencoded"),
            body: b"grant_type=refresh_token",
            ..get()
        };
        let text = text(&request);
        assert!(text.contains("Host: api.fitbit.com:8443\r\n"), "{text}");
        assert!(text.ends_with(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\n\
             grant_type=refresh_token"
        ));
        assert!(!text.contains("Authorization"));
    }

    #[test]
    fn a_form_without_a_body_says_so() {
        let request = Outgoing {
            method: Method::Post,
            ..get()
        };
        assert!(text(&request).ends_with("Content-Length: 0\r\n\r\n"));
    }

    #[test]
    fn room_is_made_once_so_that_no_copy_of_a_token_stays_behind() {
        let long = "x".repeat(2_048);
        let body = [b'y'; 3_000];
        let request = Outgoing {
            bearer: Some(&long),
            body: &body,
            port: 65_535,
            ..get()
        };
        let bytes = write(&request).unwrap();
        assert!(bytes.len() > 5_000 && bytes.len() < bytes.capacity());
    }

    #[test]
    fn nobody_smuggles_a_header_in() {
        for request in [
            Outgoing {
                target: "/a\r\nX: y",
                ..get()
            },
            Outgoing {
                target: "/a b",
                ..get()
            },
            Outgoing {
                target: "a",
                ..get()
            },
            Outgoing {
                host: "a\r\nb",
                ..get()
            },
            Outgoing {
                bearer: Some("a b"),
                ..get()
            },
            Outgoing {
                bearer: Some("a\r\nX: y"),
                ..get()
            },
        ] {
            assert_eq!(write(&request).unwrap_err(), Unfit);
        }
    }
}
