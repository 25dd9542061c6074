//! Improv Wi-Fi over a serial line: the protocol by which browsers and apps put a board on a
//! network.
//!
//! ```text
//! "IMPROV" | version 1 | type | length | data | checksum
//! ```
//! The checksum is the low byte of the sum of everything before it (Improv Wi-Fi, Serial). This
//! module knows only the packets; the console acts on them.

use core::fmt;

/// The beginning of every packet: the word and the version.
pub(crate) const HEADER: &[u8] = b"IMPROV\x01";

/// Header, type, length, data, checksum.
pub(crate) const MAX_PACKET: usize = HEADER.len() + 2 + 255 + 1;

const TYPE_STATE: u8 = 1;
const TYPE_ERROR: u8 = 2;
const TYPE_COMMAND: u8 = 3;
const TYPE_RESULT: u8 = 4;

/// Commands.
const SET_WIFI: u8 = 1;
const GET_STATE: u8 = 2;
const GET_DEVICE: u8 = 3;
const SCAN: u8 = 4;

/// A command from the computer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet<'p> {
    /// Join this network from now on.
    SetWifi {
        /// Its name.
        ssid: &'p str,
        /// Its password.
        password: &'p str,
    },
    /// Report whether a network is joined.
    State,
    /// Report the board's identity.
    Device,
    /// Report which networks are in reach.
    Scan,
    /// An unknown command.
    Unknown,
}

impl Packet<'_> {
    /// Returns the command's number, which its result repeats.
    pub(crate) const fn command(&self) -> u8 {
        match self {
            Self::SetWifi { .. } => SET_WIFI,
            Self::State => GET_STATE,
            Self::Device => GET_DEVICE,
            Self::Scan => SCAN,
            Self::Unknown => 0,
        }
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            // Without the password.
            Self::SetWifi { .. } => "SetWifi",
            Self::State => "State",
            Self::Device => "Device",
            Self::Scan => "Scan",
            Self::Unknown => "Unknown",
        })
    }
}

/// The board's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No network is joined; one may be set.
    Ready = 2,
    /// The network that was set is being joined.
    Provisioning = 3,
    /// A network is joined.
    Provisioned = 4,
}

/// The error in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// No error.
    None = 0,
    /// The packet is damaged.
    BadPacket = 1,
    /// The command is unknown.
    UnknownCommand = 2,
    /// The network could not be joined.
    CannotConnect = 3,
    /// The board could not store the network's name.
    Unknown = 255,
}

/// The parser's verdict on a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fed {
    /// Not part of a packet, as far as the parser can tell.
    NotMine,
    /// The last byte of a header.
    Begun,
    /// Part of a packet.
    More,
    /// The last byte of a packet.
    Packet,
}

/// Finds packets in a stream.
pub(crate) struct Parser {
    /// How many bytes of the header have been seen.
    header: usize,
    /// Type, length and data, followed by the checksum.
    body: zeroize::Zeroizing<[u8; 2 + 255 + 1]>,
    length: usize,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Self {
            header: 0,
            body: zeroize::Zeroizing::new([0; 258]),
            length: 0,
        }
    }

    /// Drops a packet that was begun.
    pub(crate) const fn reset(&mut self) {
        self.header = 0;
        self.length = 0;
    }

    /// Takes a byte.
    pub(crate) fn feed(&mut self, byte: u8) -> Fed {
        if self.header < HEADER.len() {
            return self.feed_header(byte);
        }
        if let Some(slot) = self.body.get_mut(self.length) {
            *slot = byte;
        }
        self.length += 1;
        let data = self.body.get(1).copied().map_or(0, usize::from);
        if self.length < 2 || self.length < 2 + data + 1 {
            return Fed::More;
        }
        self.header = 0;
        Fed::Packet
    }

    fn feed_header(&mut self, byte: u8) -> Fed {
        self.header = if HEADER.get(self.header) == Some(&byte) {
            self.header + 1
        } else {
            // The header's first letter does not occur again in it, so only that letter can begin a
            // new one.
            usize::from(HEADER.first() == Some(&byte))
        };
        if self.header < HEADER.len() {
            return Fed::NotMine;
        }
        self.length = 0;
        Fed::Begun
    }

    /// Returns the packet that was completed last; `None` if it is damaged, or not for a board.
    pub(crate) fn packet(&self) -> Option<Packet<'_>> {
        let [kind, length, rest @ ..] = &*self.body;
        let (data, rest) = rest.split_at_checked(usize::from(*length))?;
        let sum = [kind, length].into_iter().chain(HEADER).chain(data);
        let sum = sum.fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        if rest.first() != Some(&sum) || *kind != TYPE_COMMAND {
            return None;
        }
        let [command, length, payload @ ..] = data else {
            return None;
        };
        let payload = payload.get(..usize::from(*length))?;
        Some(match *command {
            SET_WIFI => {
                let (ssid, rest) = split_text(payload)?;
                let (password, _) = split_text(rest)?;
                Packet::SetWifi { ssid, password }
            }
            GET_STATE => Packet::State,
            GET_DEVICE => Packet::Device,
            SCAN => Packet::Scan,
            _ => Packet::Unknown,
        })
    }
}

/// Splits off a text that is preceded by its length.
fn split_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((core::str::from_utf8(text).ok()?, rest))
}

/// A packet as it is sent: between line feeds, so that a reader of lines sees it apart from them.
type Written = heapless::Vec<u8, { MAX_PACKET + 2 }>;

/// Returns the packet that reports the state.
pub(crate) fn state(state: State) -> Written {
    written(TYPE_STATE, &[&[state as u8]])
}

/// Returns the packet that reports an error.
pub(crate) fn error(error: Error) -> Written {
    written(TYPE_ERROR, &[&[error as u8]])
}

/// Returns the packet that answers a command. Texts that do not fit are left out.
pub(crate) fn result(command: u8, texts: &[&str]) -> Written {
    let mut data: heapless::Vec<u8, 253> = heapless::Vec::new();
    for text in texts {
        if let Ok(length) = u8::try_from(text.len())
            && data.len() + 1 + text.len() <= data.capacity()
        {
            let _ = data.push(length);
            let _ = data.extend_from_slice(text.as_bytes());
        }
    }
    let length = u8::try_from(data.len()).unwrap_or(0);
    written(TYPE_RESULT, &[&[command, length], &data])
}

fn written(kind: u8, data: &[&[u8]]) -> Written {
    let length: usize = data.iter().map(|part| part.len()).sum();
    let mut packet = Written::new();
    let head = [kind, u8::try_from(length).unwrap_or(0)];
    let parts = [b"\n", HEADER, &head];
    for part in parts.into_iter().chain(data.iter().copied()) {
        // There is room for the longest packet.
        let _ = packet.extend_from_slice(part);
    }
    let sum = packet.iter().skip(1);
    let sum = sum.fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let _ = packet.extend_from_slice(&[sum, b'\n']);
    packet
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, vec::Vec};

    use super::*;

    fn parse(bytes: &[u8], look: impl FnOnce(Option<Packet<'_>>)) {
        let mut parser = Parser::new();
        let (last, before) = bytes.split_last().unwrap();
        for byte in before {
            assert_ne!(parser.feed(*byte), Fed::Packet);
        }
        assert_eq!(parser.feed(*last), Fed::Packet);
        look(parser.packet());
    }

    /// The specification's own example: MyWirelessAP, mysecurepassword.
    fn wifi() -> Vec<u8> {
        let mut bytes = b"IMPROV\x01\x03\x20\x01\x1e\x0cMyWirelessAP\x10mysecurepassword".to_vec();
        bytes.push(0xc1);
        bytes
    }

    #[test]
    fn the_specifications_examples_are_understood() {
        parse(b"IMPROV\x01\x03\x02\x02\x00\xe5", |packet| {
            assert_eq!(packet, Some(Packet::State));
        });
        parse(&wifi(), |packet| {
            let expected = Packet::SetWifi {
                ssid: "MyWirelessAP",
                password: "mysecurepassword",
            };
            assert_eq!(packet, Some(expected));
            assert!(!format!("{packet:?}").contains("mysecure"));
        });
    }

    #[test]
    fn the_specifications_state_is_written() {
        let expected = b"\nIMPROV\x01\x01\x01\x02\xe2\n";
        assert_eq!(&state(State::Ready)[..], expected);
    }

    #[test]
    fn a_result_is_read_back_by_the_same_rules() {
        let packet = result(GET_DEVICE, &["Pulsewing", "0.1.0"]);
        let body = b"\x03\x10\x09Pulsewing\x050.1.0";
        let mut expected = b"\nIMPROV\x01\x04\x12".to_vec();
        expected.extend(body);
        assert_eq!(&packet[..packet.len() - 2], &expected[..]);
        let sum = packet[1..packet.len() - 2]
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        assert_eq!(packet[packet.len() - 2], sum);
        assert_eq!(result(SCAN, &[])[10..12], [4, 0]);
    }

    #[test]
    fn damage_is_noticed() {
        for at in 7..wifi().len() {
            let mut bytes = wifi();
            // A larger length leaves the packet incomplete, which is not tested here.
            if at == 8 {
                continue;
            }
            bytes[at] ^= 0x04;
            parse(&bytes, |packet| assert_eq!(packet, None, "byte {at}"));
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        for data in [
            &b"\x01\x1e\xffMyWirelessAP"[..],
            b"\x01\x05\x02ab\x09x",
            b"\x01",
            b"",
            b"\x01\x04\x02\xff\xfe\x00",
        ] {
            let mut packet = written(TYPE_COMMAND, &[data]);
            packet.pop();
            parse(&packet[1..], |packet| assert_eq!(packet, None, "{data:?}"));
        }
    }
}
