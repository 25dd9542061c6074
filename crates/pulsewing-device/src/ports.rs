//! A board's ports: the few things that the app loop cannot do by itself.
//!
//! Each port is a trait that a board implements with its own peripherals. All of them live on one
//! thread: futures need not be `Send`, and only one place waits for a port at a time, unless its
//! docs say otherwise.
#![expect(
    async_fn_in_trait,
    reason = "boards have one thread and one executor: no bounds on the futures are wanted"
)]

use core::{net::Ipv4Addr, num::NonZeroU16, time::Duration};

use embedded_graphics::{geometry::Size, primitives::Rectangle};
use embedded_storage_async::nor_flash::NorFlash;
use jiff::Timestamp;
pub use pulsewing_core::look::Brightness;
use pulsewing_core::{
    oauth::NoAnswer,
    request::{Method, ReplyHead},
};
use pulsewing_screen::{Colours, Frame};

/// The types of a board's parts: one for each port.
pub trait Board {
    /// Its clocks.
    type Clock: Clock;
    /// Its connection to the router.
    type Link: Link;
    /// Its HTTP and SNTP.
    type Web: Web;
    /// The flash region of the store.
    type Flash: NorFlash;
    /// Its display.
    type Panel: Panel;
    /// The display's light.
    type Backlight: Backlight;
    /// Its piezo.
    type Sounder: Sounder;
    /// Its randomness.
    type Entropy: Entropy;
    /// Its card slot.
    type Card: Card;
    /// Its button.
    type Button: Button;
    /// The board as a whole.
    type System: System;
    /// The serial input. A read waits until there is at least one byte; a read that is dropped
    /// before that has taken none.
    type Input: embedded_io_async::Read;
    /// The serial output. A write may wait as long as nobody reads.
    type Output: embedded_io_async::Write;
}

/// The two clocks. Shared by everything that waits or needs a date.
pub trait Clock {
    /// Time since the start, which never jumps.
    fn up(&self) -> Duration;

    /// Wall time, once it is known.
    fn utc(&self) -> Option<Timestamp>;

    /// Sets wall time. From then on certificates can be verified.
    fn set_utc(&self, utc: Timestamp);

    /// Waits until [`up`](Self::up) has reached this; [`Duration::MAX`] never comes. Several
    /// callers may wait at the same time.
    async fn sleep_until(&self, up: Duration);
}

/// The connection to the router.
pub trait Link {
    /// Joins this network and gets an address from it. A wired board ignores `network` and counts its
    /// cable as joined. Ends within `timeout`.
    ///
    /// # Errors
    /// Why the network was not joined.
    async fn join(
        &mut self,
        network: Option<Credentials<'_>>,
        timeout: Duration,
    ) -> Result<Joined, JoinError>;

    /// Returns what the last joined network provides now; `None` while it is not joined or gives no
    /// address. This may change at any time, even after a try to join has ended in an error.
    fn joined(&self) -> Option<Joined>;

    /// Returns whether there is a cable instead of a radio: then there is no network to choose.
    fn is_wired(&self) -> bool;
}

/// The credentials of a network.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Its name, 1 to 32 bytes.
    pub ssid: &'a str,
    /// Its password, 8 to 63 bytes; empty for an open network.
    pub password: &'a str,
}

impl core::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Credentials")
            .field("ssid", &self.ssid)
            .finish_non_exhaustive()
    }
}

/// The addresses that a network provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The board's own address.
    pub address: Ipv4Addr,
    /// The time server that the network offers (DHCP option 42), if any.
    pub time_server: Option<Ipv4Addr>,
}

/// Why a network was not joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// No such network is in reach, or the cable is out.
    #[error("the network is not in reach")]
    NotFound,
    /// The network refused the password.
    #[error("the network refuses the password")]
    Refused,
    /// It was joined but gave no address (DHCP).
    #[error("the network gives no address (DHCP)")]
    NoAddress,
    /// The radio failed.
    #[error("the radio does not work")]
    Radio,
}

/// Speaks HTTP over verified TLS, and asks for the time.
pub trait Web {
    /// Sends one request on a connection of its own and passes the reply to `reply` as it arrives.
    /// Ends within the request's timeout. Follows no redirect.
    ///
    /// # Errors
    /// Why there is no complete reply. [`NoAnswer::NeverLeft`] only if not a byte of the request
    /// was written.
    async fn exchange(
        &mut self,
        request: &Outgoing<'_>,
        reply: &mut impl Reply,
    ) -> Result<(), Unanswered>;

    /// Asks a time server (SNTP, RFC 4330) once.
    ///
    /// # Errors
    /// Why there is no valid answer.
    async fn ask_time(&mut self, server: &str, timeout: Duration) -> Result<Timestamp, TimeError>;

    /// Returns how many certificates it trusts; this does not change before a restart.
    fn trusted(&self) -> Trusted;
}

/// How many certificates are trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// Certificates that vouch for servers.
    pub usable: usize,
    /// Certificates that cannot be read, and vouch for nothing.
    pub unusable: usize,
}

/// One request, ready to be written. `Authorization` comes from `bearer`; the sender adds `Host`,
/// `Content-Length`, `Accept: application/json`, `Accept-Encoding: identity`, `Connection: close`
/// and `User-Agent`.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The host name, for DNS, SNI, the certificate and the header `Host`.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// Where to connect instead, as `host` or `host:port`. Name, SNI and certificate stay those of
    /// `host`.
    pub connect: Option<&'a str>,
    /// Whether TLS protects it. Without TLS we send only what the settings allow.
    pub is_tls: bool,
    /// The HTTP method.
    pub method: Method,
    /// The path and query.
    pub target: &'a str,
    /// The access token.
    pub bearer: Option<&'a str>,
    /// The body's type, if there is a body.
    pub content_type: Option<&'static str>,
    /// The body; empty for none.
    pub body: &'a [u8],
    /// The maximum duration of the whole exchange.
    pub timeout: Duration,
}

impl core::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Neither query nor body nor bearer: they carry tokens.
        f.debug_struct("Outgoing")
            .field("host", &self.host)
            .field("method", &self.method)
            .field("path", &self.target.split('?').next())
            .finish_non_exhaustive()
    }
}

/// The receiver of a reply.
pub trait Reply {
    /// Returns wall time, which turns a `Retry-After` that is a date into seconds.
    fn now(&self) -> Timestamp;
    /// Receives the status and headers.
    fn head(&mut self, head: ReplyHead);
    /// Receives a part of the body.
    fn body(&mut self, chunk: &[u8]);
    /// Receives the server's time (header `Date`), if there is one.
    fn date(&mut self, date: Timestamp);
}

/// The error when there is no complete reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The consequence for the request.
    pub cause: NoAnswer,
    /// The cause, if more is known.
    pub connect_error: Option<ConnectError>,
}

/// A problem between the board and a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The name could not be resolved.
    #[error("the name server does not know the name")]
    Dns,
    /// The server accepts no connection.
    #[error("the server refuses the connection")]
    Connect,
    /// The certificate is for another name.
    #[error("the server's certificate is for another name")]
    WrongName,
    /// No trusted certificate vouches for the server's.
    #[error("the server's certificate has no trusted issuer")]
    UnknownIssuer,
    /// The certificate has expired.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate is not valid yet: the board's clock may be wrong.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// TLS failed for another reason; the number is the library's.
    #[error("TLS failed ({0})")]
    Tls(i32),
}

/// Why a time server did not provide the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Its name could not be resolved.
    #[error("the time server's name could not be resolved")]
    Dns,
    /// It did not answer.
    #[error("the time server does not answer")]
    Silent,
    /// The answer is not usable: malformed, from another host, or from a server that is itself
    /// unsynchronised.
    #[error("the time server's answer cannot be used")]
    Useless,
}

/// The display.
pub trait Panel {
    /// Returns the size in pixels.
    fn size(&self) -> Size;

    /// Shows a part of a frame, with the frame's origin, in these colours (see
    /// [`Colours::rgb565`]).
    ///
    /// # Errors
    /// The bus failed: the panel's contents are unknown.
    async fn push(
        &mut self,
        frame: &Frame<&mut [u8]>,
        area: &Rectangle,
        colours: &Colours,
    ) -> Result<(), PanelError>;
}

/// The bus to the display failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the display does not accept the picture")]
pub struct PanelError;

/// The display's light. A board that cannot control it does nothing here.
pub trait Backlight {
    /// Sets the brightness, which is full at the start of the board. Called only for a change.
    fn set(&mut self, brightness: Brightness);
}

/// A piezo that sounds alarms. A board without one does nothing here.
pub trait Sounder {
    /// Sounds a tone of this many hertz until the next call, or is silent. Returns at once; it is
    /// silent at the start of the board.
    fn sound(&mut self, hertz: Option<NonZeroU16>);
}

/// Randomness that is suitable for secrets.
pub trait Entropy {
    /// Fills the buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// A card for screenshots and the wallpaper: files in its root directory (FAT).
pub trait Card {
    /// Writes a file, replacing one of the same name (8.3), in chunks that `next` yields until it
    /// yields none.
    ///
    /// # Errors
    /// There is no card, or it is full or broken.
    async fn write(
        &mut self,
        name: &str,
        next: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<(), CardError>;

    /// Reads the first bytes of a file into `buffer` and returns how many there are.
    ///
    /// # Errors
    /// There is no card or no such file, or it cannot be read.
    async fn read(&mut self, name: &str, buffer: &mut [u8]) -> Result<usize, CardError>;
}

/// Why the card could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// There is no card.
    #[error("there is no card")]
    Missing,
    /// The card has no such file.
    #[error("the card has no such file")]
    NoFile,
    /// The card cannot be read or written.
    #[error("the card cannot be used")]
    Broken,
}

/// The button (BOOT on the Feathers).
pub trait Button {
    /// Waits until the button is pressed.
    async fn pressed(&mut self);
    /// Waits until the button is released.
    async fn released(&mut self);
}

/// The board as a whole.
pub trait System {
    /// A name for the board's kind, such as `feather-c6`.
    const BOARD: &'static str;

    /// Returns when this firmware was built: no earlier time is believed.
    fn built_at(&self) -> Timestamp;

    /// Returns a number that no other board has, in hexadecimal: its name on the serial line.
    fn serial_number(&self) -> heapless::String<16>;

    /// Reports progress to the watchdog: every 15 seconds while everything moves. The watchdog
    /// restarts the board after three minutes without such a report.
    fn progress(&self);

    /// Returns the bytes of heap in use, the maximum so far, and the size of the heap.
    fn heap(&self) -> (usize, usize, usize);

    /// Returns the instructions executed since the start, on boards that count them exactly.
    fn instructions(&self) -> Option<u64> {
        None
    }

    /// Returns why the board started, in a word such as `power-on`, `software` or `watchdog`, if
    /// known.
    fn start_reason(&self) -> Option<&'static str> {
        None
    }

    /// Restarts the board.
    fn restart(&self) -> !;
}
