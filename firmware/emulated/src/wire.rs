//! The cable between a board and its router, with this program in between.
//!
//! QEMU's own network always gives a board an address (DHCP) and resolves every name (DNS). Here each
//! Ethernet frame passes through this program, which can withhold the router's addresses from the board,
//! shortens their leases, and answers for the name server: every name is this machine's, or none is.

use std::{
    net::Ipv4Addr,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};
use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};

use crate::HOST_SEEN_BY_BOARD;

/// The ports of DHCP's servers and of name servers (RFC 2131, section 4.1; RFC 1035, section 4.2.1).
const DHCP: u16 = 67;
const DNS: u16 = 53;

/// Larger than any Ethernet frame.
const FRAME: usize = 2_048;

/// The traffic that the wire lets pass. At first everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduct {
    /// Whether the router's addresses reach the board.
    pub has_dhcp: bool,
    /// The treatment of a question for a name.
    pub names: Names,
}

/// The treatment of a question for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The name is this machine's.
    Known,
    /// There is no such name.
    Unknown,
    /// The name server reports a failure.
    Broken,
    /// Nobody answers.
    Silent,
}

impl Conduct {
    const GOOD: Self = Self {
        has_dhcp: true,
        names: Names::Known,
    };
}

/// A running wire. Dropping it ends it.
pub struct Wire {
    conduct: Arc<Mutex<Conduct>>,
    ends: [PathBuf; 2],
    threads: Vec<thread::JoinHandle<()>>,
}

impl Wire {
    /// Lays a wire whose sockets are in a directory: [`Wire::options`] connects QEMU to them.
    pub fn lay(dir: &Path) -> Result<Self> {
        let ends = ["wire.board", "wire.router"].map(|name| dir.join(name));
        let mut sockets = Vec::new();
        for end in &ends {
            let _ = std::fs::remove_file(end);
            sockets.push(Arc::new(UnixDatagram::bind(end).context("no wire")?));
        }
        let conduct = Arc::new(Mutex::new(Conduct::GOOD));
        let mut threads = Vec::new();
        for (from, pass) in [(0, to_router as Pass), (1, to_board)] {
            let (near, far) = (Arc::clone(&sockets[from]), Arc::clone(&sockets[1 - from]));
            let peers = [dir.join("board.wire"), dir.join("router.wire")];
            let (back, on) = (peers[from].clone(), peers[1 - from].clone());
            let conduct = Arc::clone(&conduct);
            threads.push(thread::spawn(move || {
                let mut frame = [0; FRAME];
                while let Ok(length) = near.recv(&mut frame) {
                    if length == 0 {
                        return;
                    }
                    let conduct = *conduct.lock().unwrap_or_else(PoisonError::into_inner);
                    // Without a board nobody receives it, and any cable may lose a frame.
                    let _ = match pass(&mut frame[..length], conduct) {
                        Passage::On => far.send_to(&frame[..length], &on),
                        Passage::Nowhere => Ok(0),
                        Passage::Answered(answer) => near.send_to(&answer, &back),
                    };
                }
            }));
        }
        Ok(Self {
            conduct,
            ends,
            threads,
        })
    }

    /// Changes the wire's conduct from now on.
    pub fn behave(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap_or_else(PoisonError::into_inner) = conduct;
    }

    /// Lets everything pass and makes every name known from now on.
    pub fn heal(&self) {
        self.behave(Conduct::GOOD);
    }

    /// Returns the options with which a QEMU that runs in the directory puts the wire between the
    /// board's network, which is `n0`, and its own router.
    pub fn options() -> Vec<String> {
        let socket = |id: &str, name: &str| {
            format!(
                "dgram,id={id},local.type=unix,local.path={name}.wire,\
                 remote.type=unix,remote.path=wire.{name}"
            )
        };
        let networks = [
            socket("n0", "board"),
            socket("n1", "router"),
            "user,id=n2".to_owned(),
            // A hub connects the networks that are not attached to the board.
            "hubport,id=h1,hubid=1,netdev=n1".to_owned(),
            "hubport,id=h2,hubid=1,netdev=n2".to_owned(),
        ];
        networks
            .into_iter()
            .flat_map(|network| ["-netdev".to_owned(), network])
            .collect()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for (end, thread) in self.ends.iter().zip(self.threads.drain(..)) {
            // An empty datagram ends the wire.
            let told = UnixDatagram::unbound().and_then(|socket| socket.send_to(&[], end));
            if told.is_ok() {
                let _ = thread.join();
            }
        }
    }
}

/// The destination of a frame.
#[derive(Debug, PartialEq, Eq)]
enum Passage {
    On,
    Nowhere,
    /// This frame goes back instead.
    Answered(Vec<u8>),
}

/// Decides on a frame, and may change it.
type Pass = fn(&mut [u8], Conduct) -> Passage;

fn to_router(frame: &mut [u8], conduct: Conduct) -> Passage {
    let Some(datagram) = Datagram::read(frame) else {
        return Passage::On;
    };
    match datagram.to {
        DHCP if !conduct.has_dhcp => Passage::Nowhere,
        DNS => datagram
            .answer(conduct.names)
            .map_or(Passage::Nowhere, Passage::Answered),
        _ => Passage::On,
    }
}

fn to_board(frame: &mut [u8], conduct: Conduct) -> Passage {
    match Datagram::read(frame) {
        Some(datagram) if datagram.from == DHCP => {
            if !conduct.has_dhcp {
                return Passage::Nowhere;
            }
            let message = datagram.at;
            shorten_lease(frame, message);
            Passage::On
        }
        _ => Passage::On,
    }
}

/// A frame that carries UDP over IPv4.
struct Datagram<'f> {
    ethernet: [[u8; 6]; 2],
    ip: [[u8; 4]; 2],
    from: u16,
    to: u16,
    /// The offset of its UDP header in the frame.
    at: usize,
    payload: &'f [u8],
}

impl<'f> Datagram<'f> {
    fn read(frame: &'f [u8]) -> Option<Self> {
        let packet = SlicedPacket::from_ethernet(frame).ok()?;
        let Some(etherparse::LinkSlice::Ethernet2(link)) = &packet.link else {
            return None;
        };
        let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Udp(udp))) =
            (&packet.net, &packet.transport)
        else {
            return None;
        };
        Some(Self {
            ethernet: [link.source(), link.destination()],
            ip: [ip.header().source(), ip.header().destination()],
            from: udp.source_port(),
            to: udp.destination_port(),
            at: udp.slice().as_ptr().addr() - frame.as_ptr().addr(),
            payload: udp.payload(),
        })
    }

    /// Returns the frame with the name server's answer; `None` if there is no answer, or this is not a
    /// question.
    fn answer(&self, names: Names) -> Option<Vec<u8>> {
        let answer = name_answer(self.payload, names)?;
        let [board, router] = self.ethernet;
        let [asker, server] = self.ip;
        let packet = PacketBuilder::ethernet2(router, board)
            .ipv4(server, asker, 64)
            .udp(self.to, self.from);
        let mut frame = Vec::with_capacity(packet.size(answer.len()));
        packet.write(&mut frame, &answer).ok()?;
        Some(frame)
    }
}

/// Duration of a lease, in seconds. The board renews it after half of this.
const LEASE: u32 = 20;

/// Shortens the lease in a message from the router (RFC 2132, section 9.2), whose UDP header begins at
/// `at`.
fn shorten_lease(frame: &mut [u8], at: usize) {
    /// The options follow UDP's header, the fixed fields and the magic number (RFC 2131, section 2).
    const OPTIONS: usize = 8 + 236 + 4;
    const LEASE_TIME: u8 = 51;
    const PAD: u8 = 0;
    let mut next = at + OPTIONS;
    while let Some(&kind) = frame.get(next) {
        if kind == PAD {
            next += 1;
            continue;
        }
        let Some(&length) = frame.get(next + 1) else {
            return;
        };
        let value = next + 2..next + 2 + usize::from(length);
        next = value.end;
        if kind == LEASE_TIME
            && let Some(value) = frame.get_mut(value)
            && value.len() == 4
        {
            value.copy_from_slice(&LEASE.to_be_bytes());
            // The checksum is no longer right: zero means that there is none (RFC 768).
            frame[at + 6..at + 8].fill(0);
            return;
        }
    }
}

/// Answers a question for an address (RFC 1035, section 4.1); `None` if there is no answer, or this is
/// not a question.
fn name_answer(question: &[u8], names: Names) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let code = match names {
        Names::Known => 0,
        Names::Broken => 2,
        Names::Unknown => 3,
        Names::Silent => return None,
    };
    let (id, flags) = (question.get(..2)?, *question.get(2)?);
    let is_single = question.get(4..6)? == [0, 1];
    if flags & 0x80 != 0 || !is_single {
        return None;
    }
    // Labels, each with its length before it, up to the empty one.
    let mut end = HEADER;
    while *question.get(end)? != 0 {
        end += 1 + usize::from(question[end]);
    }
    // Type and class follow.
    let asked = question.get(HEADER..end + 5)?;
    let is_known = u8::from(names == Names::Known);
    let mut answer = id.to_vec();
    answer.extend([flags | 0x80, 0x80 | code]);
    answer.extend([0, 1, 0, is_known, 0, 0, 0, 0]);
    answer.extend(asked);
    if names == Names::Known {
        let address: Ipv4Addr = HOST_SEEN_BY_BOARD.parse().ok()?;
        // The name from the question, an internet address, a time to live of zero, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
        \x06clouds\x04test\x00\x00\x01\x00\x01";

    fn frame(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
        let packet = PacketBuilder::ethernet2([1; 6], [2; 6])
            .ipv4([10, 0, 2, 15], [10, 0, 2, 3], 64)
            .udp(from, to);
        let mut frame = Vec::new();
        packet.write(&mut frame, payload).unwrap();
        frame
    }

    #[test]
    fn a_name_is_this_machines_or_none() {
        let answer = name_answer(QUESTION, Names::Known).unwrap();
        assert_eq!(answer[..8], *b"\x12\x34\x81\x80\x00\x01\x00\x01");
        assert_eq!(answer[12..QUESTION.len()], QUESTION[12..]);
        assert!(answer.ends_with(&[0, 4, 10, 0, 2, 2]));
        let answer = name_answer(QUESTION, Names::Unknown).unwrap();
        assert_eq!(answer[..8], *b"\x12\x34\x81\x83\x00\x01\x00\x00");
        assert_eq!(answer.len(), QUESTION.len());
        assert_eq!(name_answer(QUESTION, Names::Broken).unwrap()[3], 0x82);
        assert_eq!(name_answer(QUESTION, Names::Silent), None);
        for end in 0..QUESTION.len() {
            assert_eq!(name_answer(&QUESTION[..end], Names::Known), None);
        }
    }

    #[test]
    fn a_question_for_a_name_is_answered_on_the_way() {
        let mut asked = frame(4_000, DNS, QUESTION);
        let Passage::Answered(answer) = to_router(&mut asked, Conduct::GOOD) else {
            panic!("no answer");
        };
        let answer = Datagram::read(&answer).unwrap();
        assert_eq!(answer.ethernet, [[2; 6], [1; 6]]);
        assert_eq!(answer.ip, [[10, 0, 2, 3], [10, 0, 2, 15]]);
        assert_eq!((answer.from, answer.to), (DNS, 4_000));
        let expected = name_answer(QUESTION, Names::Known);
        assert_eq!(Some(answer.payload.to_vec()), expected);
        let silent = Conduct {
            names: Names::Silent,
            ..Conduct::GOOD
        };
        assert_eq!(to_router(&mut asked, silent), Passage::Nowhere);
        let mut other = frame(4_000, 123, QUESTION);
        assert_eq!(to_router(&mut other, silent), Passage::On);
    }

    #[test]
    fn a_lease_is_short_or_kept_from_the_board() {
        let mut message = vec![0; 236];
        message.extend([99, 130, 83, 99, 53, 1, 5, 0, 51, 4, 0, 1, 0x51, 0x80, 255]);
        let mut given = frame(DHCP, 68, &message);
        let none = Conduct {
            has_dhcp: false,
            ..Conduct::GOOD
        };
        assert_eq!(to_board(&mut given, none), Passage::Nowhere);
        assert_eq!(to_board(&mut given, Conduct::GOOD), Passage::On);
        let given = Datagram::read(&given).unwrap();
        assert!(given.payload.ends_with(&[51, 4, 0, 0, 0, 20, 255]));
        let mut asked = frame(68, DHCP, &message);
        assert_eq!(to_router(&mut asked, none), Passage::Nowhere);
        assert_eq!(to_router(&mut asked, Conduct::GOOD), Passage::On);
    }

    #[test]
    fn what_is_not_udp_passes() {
        let nothing = Conduct {
            has_dhcp: false,
            names: Names::Silent,
        };
        for mut frame in [vec![], vec![0; 60], vec![0xff; 300]] {
            assert_eq!(to_router(&mut frame, nothing), Passage::On);
            assert_eq!(to_board(&mut frame, nothing), Passage::On);
        }
    }
}
