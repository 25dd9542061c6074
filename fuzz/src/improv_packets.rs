//! Improv packets in any bytes, in pieces of any size: a board answers each of them, in their order, and
//! nothing else.
//!
//! The first byte of the input seeds the split; the rest is sent. A checksum of 0 is replaced by the right one,
//! which a mutation hardly ever hits. Line endings between the packets are replaced too: lines are the subject
//! of another target.

use crate::board::Bench;

/// What a packet begins with (Improv Wi-Fi, Serial).
const HEADER: &[u8] = b"IMPROV\x01";

/// The types of packets.
const STATE: u8 = 1;
const ERROR: u8 = 2;
const COMMAND: u8 = 3;
const RESULT: u8 = 4;

/// The content of a packet.
#[derive(Debug, PartialEq)]
struct Packet {
    kind: u8,
    data: Vec<u8>,
    /// Whether its checksum is right.
    is_sound: bool,
}

/// Sends the input whole, byte by byte, and in two pieces.
pub fn run(input: &[u8]) {
    let Some((split, sent)) = input.split_first() else {
        return;
    };
    let mut sent = sent.to_vec();
    let packets = prepare(&mut sent);
    let whole = answers([&sent[..]]);
    assert_eq!(whole, answers(sent.chunks(1)));
    let (head, tail) = sent.split_at(usize::from(*split).min(sent.len()));
    assert_eq!(whole, answers([head, tail]));
    check(&packets, whole);
}

/// Replaces checksums and line endings; returns the packets.
fn prepare(bytes: &mut [u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut rest = bytes;
    loop {
        let start = rest
            .windows(HEADER.len())
            .position(|window| window == HEADER);
        let (between, packet) = rest.split_at_mut(start.unwrap_or(rest.len()));
        for byte in between {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        // What is cut off is none.
        let Some(length) = packet.get(HEADER.len() + 1) else {
            return packets;
        };
        let at = HEADER.len() + 2 + usize::from(*length);
        if packet.len() <= at {
            return packets;
        }
        let (packet, behind) = packet.split_at_mut(at + 1);
        let sum = packet[..at]
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        if packet[at] == 0 {
            packet[at] = sum;
        }
        packets.push(Packet {
            kind: packet[HEADER.len()],
            data: packet[HEADER.len() + 2..at].to_vec(),
            is_sound: packet[at] == sum,
        });
        rest = behind;
    }
}

/// Returns the packets that a board answers with.
fn answers<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Packet> {
    let mut bench = Bench::new();
    let mut said: Vec<u8> = pieces
        .into_iter()
        .flat_map(|piece| bench.type_bytes(piece))
        .collect();
    let packets = prepare(&mut said);
    assert!(packets.iter().all(|packet| packet.is_sound));
    packets
}

/// Checks the answers to packets.
fn check(packets: &[Packet], answers: Vec<Packet>) {
    let mut answers = answers.into_iter().map(|answer| (answer.kind, answer.data));
    let mut is_joining = false;
    for packet in packets {
        let command = Command::parse(packet);
        let error = match command {
            None => 1,
            Some(Command::Unknown) => 2,
            Some(_) => 0,
        };
        assert_eq!(answers.next(), Some((ERROR, vec![error])), "{packet:?}");
        match command {
            None | Some(Command::Unknown) => {}
            Some(Command::SetWifi { is_possible }) => {
                let answer = answers.next();
                let is_stored = answer == Some((STATE, vec![3]));
                assert!(
                    is_stored || answer == Some((ERROR, vec![255])),
                    "{answer:?}"
                );
                assert!(is_possible || !is_stored, "{packet:?}");
                is_joining |= is_stored;
            }
            Some(Command::State) => {
                let state = if is_joining { 3 } else { 2 };
                assert_eq!(answers.next(), Some((STATE, vec![state])));
            }
            Some(Command::Device) => {
                let (kind, data) = answers.next().expect("it says what it is");
                assert_eq!((kind, data[0]), (RESULT, 3));
                assert!(data[2..].starts_with(b"\x09Pulsewing"));
            }
            Some(Command::Scan) => assert_eq!(answers.next(), Some((RESULT, vec![4, 0]))),
        }
    }
    assert_eq!(answers.next(), None);
}

enum Command {
    SetWifi {
        /// Whether there can be such a network.
        is_possible: bool,
    },
    State,
    Device,
    Scan,
    Unknown,
}

impl Command {
    /// Returns the command in a packet, unless the packet is damaged.
    fn parse(packet: &Packet) -> Option<Self> {
        let [command, length, payload @ ..] = &packet.data[..] else {
            return None;
        };
        let payload = payload.get(..usize::from(*length))?;
        if packet.kind != COMMAND || !packet.is_sound {
            return None;
        }
        Some(match command {
            1 => {
                let (ssid, rest) = text(payload)?;
                let (password, _) = text(rest)?;
                let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
                Self::SetWifi {
                    is_possible: (1..=32).contains(&ssid.len())
                        && !ssid.chars().any(char::is_control)
                        && (password.is_empty() || (8..=63).contains(&password.len()))
                        && password.bytes().all(is_printable),
                }
            }
            2 => Self::State,
            3 => Self::Device,
            4 => Self::Scan,
            _ => Self::Unknown,
        })
    }
}

/// Splits off a text behind its length.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((str::from_utf8(text).ok()?, rest))
}
