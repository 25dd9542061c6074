//! The port [`Web`] over an IP stack and Mbed TLS.

use alloc::{ffi::CString, vec};
use core::{cell::Cell, time::Duration};

use embassy_net::{
    IpAddress, IpEndpoint, Stack,
    dns::DnsQueryType,
    tcp::TcpSocket,
    udp::{PacketMetadata, UdpSocket},
};
use embassy_time::{Instant, TimeoutError, with_timeout};
use embedded_io_async::{Read, Write};
use jiff::Timestamp;
use mbedtls_rs::{
    AuthMode, Certificate, ClientSessionConfig, Session, SessionConfig, SessionError, Tls, X509,
};
use pulsewing_core::oauth::NoAnswer;
use pulsewing_device::ports::{
    Clock as _, ConnectError, Entropy, Outgoing, Reply, TimeError, Trusted, Unanswered, Web,
};

use crate::{
    BoardClock, TlsRandom, address, clock,
    http::{self, Reader},
    roots::Roots,
    sntp::{self, AnswerError},
    trust,
};

/// How long we wait for a name server or a connection, within the request's timeout.
const REACH_FOR: Duration = Duration::from_secs(10);
/// How long the last packet of a connection may take to be sent.
const PART_FOR: Duration = Duration::from_millis(200);
/// The size of a connection's receive and send buffers, in bytes.
const RECEIVE: usize = 4 * 1_024;
const SEND: usize = 2 * 1_024;
/// How many bytes are read at a time.
const PIECE: usize = 1_024;

/// Speaks HTTP over verified TLS, and asks for the time.
pub struct Client<E> {
    stack: Stack<'static>,
    tls: Tls<'static>,
    roots: Roots,
    trusted: Trusted,
    entropy: E,
}

impl<E: Entropy> Client<E> {
    /// Makes a client on this stack that trusts these certificates.
    ///
    /// Mbed TLS has only one source of randomness and one clock, which is [`BoardClock`]: there can
    /// be only one client at a time, so this returns `None` instead of a second one.
    pub fn new<R: Entropy + Send>(
        stack: Stack<'static>,
        roots: Roots,
        entropy: E,
        tls_random: &'static mut TlsRandom<R>,
    ) -> Option<Self> {
        let tls = Tls::new(tls_random).ok()?;
        clock::hook();
        let trusted = look_at(&roots);
        Some(Self {
            stack,
            tls,
            roots,
            trusted,
            entropy,
        })
    }

    async fn resolve(&self, host: &str) -> Option<IpAddress> {
        let query = self.stack.dns_query(host, DnsQueryType::A);
        let answer = within(REACH_FOR, query).await.ok()?.ok()?;
        answer.first().copied()
    }

    async fn say(
        &self,
        request: &Outgoing<'_>,
        socket: &mut TcpSocket<'_>,
        progress: &Progress,
        reply: &mut impl Reply,
    ) -> Result<(), Unanswered> {
        let bytes = http::write(request).map_err(|http::Unfit| never_left(None))?;
        if request.is_tls && BoardClock.utc().is_none() {
            // Fails closed, and without a connection.
            return Err(never_left(Some(ConnectError::NotYetValid)));
        }
        let (host, port) = match request.connect {
            Some(other) => {
                address::split(other, request.port).ok_or(never_left(Some(ConnectError::Dns)))?
            }
            None => (request.host, request.port),
        };
        let address = self.resolve(host).await;
        let address = address.ok_or(never_left(Some(ConnectError::Dns)))?;
        progress.0.set(Stage::Connecting);
        within(REACH_FOR, socket.connect(IpEndpoint::new(address, port)))
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(never_left(Some(ConnectError::Connect)))?;
        progress.0.set(Stage::Greeting);
        if !request.is_tls {
            return talk(socket, &bytes, progress, reply).await;
        }
        let name = CString::new(request.host).map_err(|_| never_left(None))?;
        let mut config = ClientSessionConfig::new();
        config.ca_chain = Some(
            Certificate::new(X509::PEM(&self.roots.pem()))
                .map_err(|error| never_left(Some(ConnectError::Tls(error.code()))))?,
        );
        config.server_name = Some(&name);
        config.auth_mode = AuthMode::Required;
        let config = SessionConfig::Client(config);
        let mut session = Session::new(self.tls.reference(), &mut *socket, &config)
            .map_err(|error| never_left(Some(tls_error(&error, u32::MAX))))?;
        if let Err(error) = session.connect().await {
            let flags = session.tls_verification_details();
            return Err(never_left(Some(tls_error(&error, flags))));
        }
        let result = talk(&mut session, &bytes, progress, reply).await;
        // The reply is complete or lost by now; closing properly is only a courtesy.
        let _ = within(PART_FOR, session.close()).await;
        result
    }
}

impl<E: Entropy> Web for Client<E> {
    async fn exchange(
        &mut self,
        request: &Outgoing<'_>,
        reply: &mut impl Reply,
    ) -> Result<(), Unanswered> {
        let (mut receive, mut send) = (vec![0; RECEIVE], vec![0; SEND]);
        let mut socket = TcpSocket::new(self.stack, &mut receive, &mut send);
        let progress = Progress(Cell::new(Stage::Resolving));
        let result = within(
            request.timeout,
            self.say(request, &mut socket, &progress, reply),
        )
        .await
        .unwrap_or_else(|TimeoutError| Err(progress.too_late()));
        if result.is_ok() {
            socket.close();
        } else {
            socket.abort();
        }
        // If it were dropped before it was sent, the end would never reach the server.
        let _ = within(PART_FOR, socket.flush()).await;
        result
    }

    async fn ask_time(&mut self, server: &str, timeout: Duration) -> Result<Timestamp, TimeError> {
        let (host, port) = address::split(server, sntp::PORT).ok_or(TimeError::Dns)?;
        let mut cookie = [0; 8];
        self.entropy.fill(&mut cookie);
        let cookie = u64::from_be_bytes(cookie);
        let (mut received, mut sent) = ([PacketMetadata::EMPTY; 2], [PacketMetadata::EMPTY; 1]);
        let (mut receive, mut send) = ([0; 512], [0; sntp::PACKET]);
        let mut socket = UdpSocket::new(
            self.stack,
            &mut received,
            &mut receive,
            &mut sent,
            &mut send,
        );
        let progress = Cell::new(TimeError::Dns);
        let asked = async {
            let address = self.resolve(host).await.ok_or(TimeError::Dns)?;
            progress.set(TimeError::Silent);
            let server = IpEndpoint::new(address, port);
            socket.bind(0).map_err(|_| TimeError::Silent)?;
            let question = sntp::question(cookie);
            let began = Instant::now();
            socket
                .send_to(&question, server)
                .await
                .map_err(|_| TimeError::Silent)?;
            let mut answer = [0; 128];
            loop {
                // A packet that does not fit is not ours.
                let Ok((length, from)) = socket.recv_from(&mut answer).await else {
                    continue;
                };
                if from.endpoint != server {
                    continue;
                }
                let round_trip = Duration::from_micros(began.elapsed().as_micros());
                match sntp::time_of(answer.get(..length).unwrap_or(&[]), cookie, round_trip) {
                    Ok(time) => return Ok(time),
                    // It may be a guess by an attacker; the server's own answer may still come.
                    Err(AnswerError::Foreign) => progress.set(TimeError::Useless),
                    Err(AnswerError::Malformed | AnswerError::Unsynchronised) => {
                        return Err(TimeError::Useless);
                    }
                }
            }
        };
        let answer = within(timeout, asked).await;
        answer.unwrap_or_else(|TimeoutError| Err(progress.get()))
    }

    fn trusted(&self) -> Trusted {
        self.trusted
    }
}

/// Checks each certificate separately: in a list, Mbed TLS silently skips those that it cannot
/// read.
fn look_at(roots: &Roots) -> Trusted {
    let mut trusted = Trusted::default();
    for pem in roots.each() {
        let certificate = CString::new(pem).map(|pem| Certificate::new(X509::PEM(&pem)));
        match certificate {
            Ok(Ok(_)) => trusted.usable += 1,
            _ => trusted.unusable += 1,
        }
    }
    trusted
}

/// The progress of an exchange.
struct Progress(Cell<Stage>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Resolving,
    Connecting,
    /// The TLS handshake.
    Greeting,
    /// The request, or a part of it, has been sent.
    Sent,
}

impl Progress {
    fn too_late(&self) -> Unanswered {
        match self.0.get() {
            Stage::Resolving => never_left(Some(ConnectError::Dns)),
            Stage::Connecting => never_left(Some(ConnectError::Connect)),
            Stage::Greeting => never_left(None),
            Stage::Sent => Unanswered {
                cause: NoAnswer::TimedOut,
                connect_error: None,
            },
        }
    }
}

/// Sends the request and reads the reply.
async fn talk<S: Read + Write>(
    stream: &mut S,
    request: &[u8],
    progress: &Progress,
    reply: &mut impl Reply,
) -> Result<(), Unanswered> {
    let lost = |cause| Unanswered {
        cause,
        connect_error: None,
    };
    // From here on we do not know how much of it arrived.
    progress.0.set(Stage::Sent);
    let sent = async {
        stream.write_all(request).await?;
        stream.flush().await
    };
    if sent.await.is_err() {
        return Err(lost(NoAnswer::Disconnected));
    }
    let mut reader = Reader::new();
    let mut piece = vec![0; PIECE];
    while !reader.is_complete() {
        match stream.read(&mut piece).await {
            Ok(0) => return reader.end().map_err(lost),
            Ok(length) => {
                let bytes = piece.get(..length).unwrap_or(&[]);
                reader.take(bytes, reply).map_err(lost)?;
            }
            // With TLS, this is also how a connection that was cut on the way ends.
            Err(_) => return Err(lost(NoAnswer::Disconnected)),
        }
    }
    Ok(())
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, TimeoutError> {
    let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    // Half of the range, because a deadline is a sum.
    let micros = micros.min(u64::MAX / 1_000_000);
    with_timeout(embassy_time::Duration::from_micros(micros), work).await
}

const fn never_left(connect_error: Option<ConnectError>) -> Unanswered {
    Unanswered {
        cause: NoAnswer::NeverLeft,
        connect_error,
    }
}

fn tls_error(error: &SessionError, flags: u32) -> ConnectError {
    match error {
        SessionError::MbedTls(error) => trust::connect_error(error.code(), flags),
        SessionError::Io(_) => ConnectError::Connect,
    }
}
