//! The receiving side of the serial line: commands from people and programs, and the answers.
//!
//! ```text
//!   bytes ──▶ Input ──▶ line ───▶ Words ──▶ command ──▶ "> ..." lines, the last one
//!               │                             │         "> ok" or "> error: ..."
//!               │                             └──────▶ Upload (put, data, commit, abort)
//!               └─────▶ Improv packet ──▶ Improv packets
//! ```
//!
//! Nothing that is received is echoed, and no answer contains a secret: secret settings are shown
//! as `(set)`, a token only as its fingerprint. A command waits only for the store, the card, and
//! the reader of its answer, all with a limit, so it is answered even while the app loop waits for
//! the network.

mod commands;
mod improv_commands;
mod input;
mod shot;
mod status;
mod typing;
mod upload;
mod words;

use core::{fmt, time::Duration};

use embassy_futures::select::{Either3, select3};
use embedded_io_async::Read;

use self::{input::Event, typing::Typing, upload::Announced, words::Words};
use crate::{
    deadlines::Part,
    improv,
    ports::{Board, Clock},
    serial_queue::{NobodyListens, text},
    shared::Shared,
};

/// How long a command may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(180);

/// How long joining a network that an Improv page named may take.
const JOIN_WITHIN: Duration = Duration::from_secs(60);

/// The console.
pub(crate) struct Console<'s, 'b, B: Board> {
    shared: &'s Shared<'b, B>,
    /// Until when an Improv page waits to hear that a network was joined.
    joining_until: Option<Duration>,
}

/// The result of sending an answer.
type Answer = Result<(), NobodyListens>;

impl<'s, 'b, B: Board> Console<'s, 'b, B> {
    pub(crate) const fn new(shared: &'s Shared<'b, B>) -> Self {
        Self {
            shared,
            joining_until: None,
        }
    }

    /// Listens and answers, forever.
    pub(crate) async fn run(&mut self, from: &mut impl Read) -> ! {
        let shared = self.shared;
        let mut typing = Typing::new();
        loop {
            match self.joining_until {
                Some(at) => {
                    let back_at = at.saturating_add(ANSWERED_WITHIN);
                    shared.deadlines.promise(Part::Console, back_at);
                }
                None => shared.deadlines.rest(Part::Console),
            }
            let late_at = self.joining_until.unwrap_or(Duration::MAX);
            let late = shared.clock.sleep_until(late_at);
            let next = typing.next(from, &shared.clock);
            let event = select3(next, shared.requests.joined.wait(), late).await;
            let back_at = shared.after(ANSWERED_WITHIN);
            shared.deadlines.promise(Part::Console, back_at);
            // A client that does not read an answer does not get the rest of it.
            let _ = match event {
                Either3::First(event) => match announcement(&event) {
                    Some(Ok(announced)) => self.receive(announced, &mut typing, from).await,
                    Some(Err(why)) => self.error(format_args!("{why}")).await,
                    None => self.handle(event).await,
                },
                Either3::Second(result) => self.network_joined(result.is_ok()).await,
                Either3::Third(()) => self.network_joined(false).await,
            };
        }
    }

    async fn handle(&mut self, event: Event<'_>) -> Answer {
        match event {
            Event::Line(line) => match Words::from_line(line) {
                Ok(words) => self.obey(&words.list()).await,
                Err(error) => self.error(format_args!("{error}")).await,
            },
            Event::TooLong => {
                let most = words::MAX_LINE;
                let what =
                    format_args!("a line can have at most {most} bytes; this one was dropped");
                self.error(what).await
            }
            Event::Packet(packet) => self.improv(packet).await,
            Event::BadPacket => self.packet(&improv::error(improv::Error::BadPacket)).await,
        }
    }

    /// Sends one line of an answer.
    async fn say(&self, what: fmt::Arguments<'_>) -> Answer {
        let mut line: heapless::String<768> = text(format_args!("> {what}"));
        // A longer line would be cut, but none is that long.
        if line.push('\n').is_err() {
            line.pop();
            let _ = line.push('\n');
        }
        self.shared
            .serial_queue
            .answer(line.as_bytes(), &self.shared.clock)
            .await
    }

    async fn ok(&self) -> Answer {
        self.say(format_args!("ok")).await
    }

    async fn error(&self, what: fmt::Arguments<'_>) -> Answer {
        self.say(format_args!("error: {what}")).await
    }

    async fn packet(&self, packet: &[u8]) -> Answer {
        self.shared
            .serial_queue
            .answer(packet, &self.shared.clock)
            .await
    }
}

/// Returns the upload that a line announces, if it announces one.
fn announcement(event: &Event<'_>) -> Option<Result<Announced, &'static str>> {
    let Event::Line(line) = event else {
        return None;
    };
    match Words::from_line(line).ok()?.list()[..] {
        ["put", what, length, digest] => Some(Announced::parse(what, length, digest)),
        _ => None,
    }
}
