//! The time over the network: SNTP's two packets (RFC 4330).
//!
//! A request carries a random number in the field for its time. The server copies it into its
//! answer, so a host that cannot see the request cannot answer it, and the board's own time, which
//! it does not know, is not needed. A refusal ("kiss of death"), or the packet of a server that has
//! no time itself, is not an answer.

use core::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::instant::later;

/// The port of time servers.
pub const PORT: u16 = 123;

/// The size of a packet, in bytes. An answer may have extensions after it.
pub const PACKET: usize = 48;

/// Leap indicator 0, version 4, mode 3: a client's request.
const QUESTION: u8 = 4 << 3 | 3;

/// Seconds from 1900, when NTP's first era begins, to 1970.
const UNIX_EPOCH: i64 = 2_208_988_800;

/// Why an answer is not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It does not answer this request, but another one or none.
    #[error("the packet does not match the request")]
    Foreign,
    /// It is not a server's packet.
    #[error("the packet is not an answer")]
    Malformed,
    /// The server has no time itself, or refuses to send it.
    #[error("the server does not report the time")]
    Unsynchronised,
}

/// Returns the request. `cookie` is random and used once.
#[must_use]
pub fn question(cookie: u64) -> [u8; PACKET] {
    let mut packet = [0; PACKET];
    if let Some((head, tail)) = packet.split_first_mut() {
        *head = QUESTION;
        if let Some(transmitted) = tail.last_chunk_mut() {
            *transmitted = cookie.to_be_bytes();
        }
    }
    packet
}

/// Returns the time at which this answer arrived, `round_trip` after its request was sent.
///
/// Both directions are assumed to take equally long.
///
/// # Errors
/// Why the answer is not usable.
pub fn time_of(packet: &[u8], cookie: u64, round_trip: Duration) -> Result<Timestamp, AnswerError> {
    let answer = Answer::read(packet).ok_or(AnswerError::Malformed)?;
    if answer.originate != cookie {
        return Err(AnswerError::Foreign);
    }
    if answer.mode != 4 || !(1..=4).contains(&answer.version) {
        return Err(AnswerError::Malformed);
    }
    if answer.leap == 3 || !(1..=15).contains(&answer.stratum) || answer.transmit == 0 {
        return Err(AnswerError::Unsynchronised);
    }
    let sent = instant(answer.transmit).ok_or(AnswerError::Malformed)?;
    let held = instant(answer.receive).map_or(SignedDuration::ZERO, |got| sent.duration_since(got));
    let round_trip = SignedDuration::try_from(round_trip).map_err(|_| AnswerError::Malformed)?;
    // A server whose two times make no sense is assumed to have answered at once.
    let under_way = if held.is_negative() || held > round_trip {
        round_trip
    } else {
        round_trip - held
    };
    later(sent, under_way / 2).ok_or(AnswerError::Malformed)
}

/// The relevant fields of an answer (RFC 4330, section 4).
struct Answer {
    leap: u8,
    version: u8,
    mode: u8,
    stratum: u8,
    originate: u64,
    receive: u64,
    transmit: u64,
}

impl Answer {
    fn read(packet: &[u8]) -> Option<Self> {
        let (packet, _) = packet.split_first_chunk::<PACKET>()?;
        let [first, stratum, ..] = *packet;
        let (_, times) = packet.split_last_chunk::<24>()?;
        let (times, _) = times.as_chunks::<8>();
        let [originate, receive, transmit] = *times else {
            return None;
        };
        Some(Self {
            leap: first >> 6,
            version: first >> 3 & 7,
            mode: first & 7,
            stratum,
            originate: u64::from_be_bytes(originate),
            receive: u64::from_be_bytes(receive),
            transmit: u64::from_be_bytes(transmit),
        })
    }
}

/// Converts an NTP timestamp. Its seconds overflow in 2036; a number below the middle of the range
/// belongs to the era that begins then (RFC 4330, section 3), which is correct until 2104.
fn instant(ntp: u64) -> Option<Timestamp> {
    let [a, b, c, d, fraction @ ..] = ntp.to_be_bytes();
    let seconds = u32::from_be_bytes([a, b, c, d]);
    let era = if seconds & 1 << 31 == 0 {
        1_i64 << 32
    } else {
        0
    };
    let nanoseconds = (u64::from(u32::from_be_bytes(fraction)) * 1_000_000_000) >> 32;
    Timestamp::new(
        i64::from(seconds) + era - UNIX_EPOCH,
        i32::try_from(nanoseconds).ok()?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COOKIE: u64 = 0x0123_4567_89ab_cdef;

    /// Returns an NTP timestamp of whole seconds in the first era.
    fn seconds(text: &str) -> u64 {
        let at: Timestamp = text.parse().unwrap();
        u64::try_from(at.as_second() + UNIX_EPOCH).unwrap() % (1 << 32) << 32
    }

    fn answer(receive: u64, transmit: u64) -> [u8; PACKET] {
        let mut packet = [0; PACKET];
        packet[0] = 4 << 3 | 4;
        packet[1] = 2;
        packet[24..32].copy_from_slice(&COOKIE.to_be_bytes());
        packet[32..40].copy_from_slice(&receive.to_be_bytes());
        packet[40..48].copy_from_slice(&transmit.to_be_bytes());
        packet
    }

    fn read(packet: &[u8]) -> Result<Timestamp, AnswerError> {
        time_of(packet, COOKIE, Duration::ZERO)
    }

    #[test]
    fn a_question_is_a_clients_with_the_cookie_where_its_time_would_be() {
        let packet = question(COOKIE);
        assert_eq!(packet[0], 0x23);
        assert!(packet[1..40].iter().all(|byte| *byte == 0));
        assert_eq!(packet[40..], COOKIE.to_be_bytes());
    }

    #[test]
    fn the_answers_time_is_corrected_by_half_the_way() {
        let at = seconds("2026-11-22T12:00:00Z");
        let packet = answer(at, at + (1 << 31));
        // Half a second of the 1.5 was spent in the server.
        assert_eq!(
            time_of(&packet, COOKIE, Duration::from_millis(1_500)),
            Ok("2026-11-22T12:00:01Z".parse().unwrap())
        );
    }

    #[test]
    fn a_server_whose_times_run_backwards_is_taken_at_its_last_word() {
        let at = seconds("2026-11-22T12:00:00Z");
        for receive in [0, at + (9 << 32), at - (9 << 32)] {
            assert_eq!(
                time_of(&answer(receive, at), COOKIE, Duration::from_secs(2)),
                Ok("2026-11-22T12:00:01Z".parse().unwrap())
            );
        }
    }

    #[test]
    fn the_seconds_may_run_over() {
        let last = seconds("2036-02-07T06:28:15Z");
        assert_eq!(last >> 32, u64::from(u32::MAX));
        assert_eq!(
            read(&answer(last, last)),
            Ok("2036-02-07T06:28:15Z".parse().unwrap())
        );
        let first = seconds("2036-02-07T06:28:17Z");
        assert_eq!(first >> 32, 1);
        assert_eq!(
            read(&answer(first, first)),
            Ok("2036-02-07T06:28:17Z".parse().unwrap())
        );
        let late = seconds("2103-12-31T00:00:00Z");
        assert_eq!(
            read(&answer(late, late)),
            Ok("2103-12-31T00:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_not_the_time() {
        let at = seconds("2026-11-22T12:00:00Z");
        let good = answer(at, at);
        let with = |at: usize, byte: u8| {
            let mut packet = good;
            packet[at] = byte;
            read(&packet)
        };
        assert_eq!(read(&good[..47]), Err(AnswerError::Malformed));
        assert_eq!(read(&[]), Err(AnswerError::Malformed));
        assert_eq!(with(24, 0), Err(AnswerError::Foreign));
        assert_eq!(
            with(0, 4 << 3 | 3),
            Err(AnswerError::Malformed),
            "a question"
        );
        assert_eq!(
            with(0, 4 << 3 | 5),
            Err(AnswerError::Malformed),
            "a broadcast"
        );
        assert_eq!(with(0, 0xe4), Err(AnswerError::Unsynchronised), "leap 3");
        assert_eq!(
            with(1, 0),
            Err(AnswerError::Unsynchronised),
            "kiss of death"
        );
        assert_eq!(with(1, 16), Err(AnswerError::Unsynchronised));
        assert_eq!(read(&answer(at, 0)), Err(AnswerError::Unsynchronised));
    }

    proptest! {
        #[test]
        fn no_packet_does_harm(
            packet in proptest::collection::vec(any::<u8>(), 0..100),
            cookie: u64,
            round_trip in any::<u64>().prop_map(Duration::from_millis),
        ) {
            let _ = time_of(&packet, cookie, round_trip);
        }
    }
}
