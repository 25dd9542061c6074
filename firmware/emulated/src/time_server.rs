//! A time server on loopback whose answers a check controls (SNTP, RFC 4330).

use std::{
    net::UdpSocket,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};

/// Seconds from 1900 to 1970.
const UNIX_EPOCH_IN_NTP: u64 = 2_208_988_800;

/// The server's reaction to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Returns the machine's time.
    Honest,
    /// Returns the machine's time plus this many seconds; negative values are earlier.
    Off(i64),
    /// Does not answer.
    Silent,
    /// Answers that it has no time.
    Unsynchronised,
    /// Answers a question that nobody asked.
    Foreign,
}

/// A running server. Dropping it ends it.
pub struct TimeServer {
    port: u16,
    manner: Arc<Mutex<Manner>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl TimeServer {
    /// Starts an honest server.
    pub fn start() -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).context("no time server")?;
        let port = socket.local_addr().context("no time server")?.port();
        let manner = Arc::new(Mutex::new(Manner::Honest));
        let told = Arc::clone(&manner);
        let thread = thread::spawn(move || {
            let mut question = [0; 128];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                if length == 0 {
                    return;
                }
                let manner = *told.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(answer) = answer(&question[..length], manner, SystemTime::now()) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Ok(Self {
            port,
            manner,
            thread: Some(thread),
        })
    }

    /// Changes the server's manner from now on.
    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// Returns the address for the board.
    pub fn address(&self) -> String {
        format!("{}:{}", crate::HOST_SEEN_BY_BOARD, self.port)
    }
}

impl Drop for TimeServer {
    fn drop(&mut self) {
        // An empty datagram ends the server.
        let told = UdpSocket::bind(("127.0.0.1", 0))
            .and_then(|socket| socket.send_to(&[], ("127.0.0.1", self.port)));
        if let (Ok(_), Some(thread)) = (told, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

/// Returns the seconds from an instant until a time of day in UTC, which is given in minutes after
/// midnight.
#[must_use]
pub fn seconds_until(minute: i64, now: SystemTime) -> i64 {
    const DAY: i64 = 24 * 3_600;
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    (minute * 60 - since.as_secs().cast_signed()).rem_euclid(DAY)
}

fn answer(question: &[u8], manner: Manner, now: SystemTime) -> Option<[u8; 48]> {
    let cookie: [u8; 8] = question.get(40..48)?.try_into().ok()?;
    let shift = match manner {
        Manner::Silent => return None,
        Manner::Off(seconds) => seconds,
        _ => 0,
    };
    let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = since.as_secs().checked_add_signed(shift)? + UNIX_EPOCH_IN_NTP;
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    let time = (seconds << 32 | fraction).to_be_bytes();
    let mut answer = [0; 48];
    // Version 4, a server's answer.
    answer[0] = 4 << 3 | 4;
    answer[1] = if manner == Manner::Unsynchronised {
        0
    } else {
        2
    };
    answer[24..32].copy_from_slice(&cookie);
    if manner == Manner::Foreign {
        answer[24] ^= 1;
    }
    answer[32..40].copy_from_slice(&time);
    answer[40..].copy_from_slice(&time);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_carries_the_questions_number_and_the_time_it_is_told_to_say() {
        let mut question = [0; 48];
        question[40..].copy_from_slice(b"question");
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let read = |manner| answer(&question, manner, now).unwrap();
        let seconds = |packet: [u8; 48]| u32::from_be_bytes(packet[40..44].try_into().unwrap());
        assert_eq!(&read(Manner::Honest)[24..32], b"question");
        assert_eq!(seconds(read(Manner::Honest)), 2_208_989_800);
        assert_eq!(seconds(read(Manner::Off(-500))), 2_208_989_300);
        assert_eq!(read(Manner::Unsynchronised)[1], 0);
        assert_ne!(&read(Manner::Foreign)[24..32], b"question");
        assert_eq!(answer(&question, Manner::Silent, now), None);
        assert_eq!(answer(b"short", Manner::Honest, now), None);
    }

    #[test]
    fn a_time_of_day_is_never_behind() {
        let to = |seconds| seconds_until(847, UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(to(0), 50_820);
        assert_eq!(to(50_820), 0);
        assert_eq!(to(86_400 + 50_821), 86_399);
    }
}
