//! The serial line's other half: what people and programs type, and what they are answered.
//!
//! ```text
//!   bytes ──▶ Input ──▶ line ───▶ Words ──▶ command ──▶ "> ..." lines, the last one
//!               │                             │         "> ok" or "> error: ..."
//!               │                             └──────▶ Upload (put, data, commit, abort)
//!               └─────▶ Improv packet ──▶ Improv packets
//! ```
//!
//! Nothing that is received is echoed, and no answer holds a secret: values of secret settings are
//! shown as `(set)`, of a token only its fingerprint. A command waits for nothing but the store,
//! the card, and whoever reads its answer, all of them bounded: it is answered also while the app
//! loop waits for the network.

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

/// How long a command takes at most.
const ANSWERED_WITHIN: Duration = Duration::from_secs(180);

/// How long joining a network that an Improv page named may take.
const JOIN_WITHIN: Duration = Duration::from_secs(60);

/// The console.
pub(crate) struct Console<'s, 'b, B: Board> {
    shared: &'s Shared<'b, B>,
    /// Until when somebody waits to hear that a network was joined.
    joining_until: Option<Duration>,
}

/// What ends an answer.
type Answer = Result<(), NobodyListens>;

impl<'s, 'b, B: Board> Console<'s, 'b, B> {
    pub(crate) const fn new(shared: &'s Shared<'b, B>) -> Self {
        Self {
            shared,
            joining_until: None,
        }
    }

    /// Listens and answers, for ever.
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
            // Who does not listen to an answer does not get the rest of it.
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
                let what = format_args!("a line has at most {most} bytes; this one was dropped");
                self.error(what).await
            }
            Event::Packet(packet) => self.improv(packet).await,
            Event::BadPacket => self.packet(&improv::error(improv::Error::BadPacket)).await,
        }
    }

    /// Answers one line.
    async fn say(&self, what: fmt::Arguments<'_>) -> Answer {
        let mut line: heapless::String<768> = text(format_args!("> {what}"));
        // A line that is longer is cut; none is.
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

/// The upload that a line announces, if it does.
fn announcement(event: &Event<'_>) -> Option<Result<Announced, &'static str>> {
    let Event::Line(line) = event else {
        return None;
    };
    match Words::from_line(line).ok()?.list()[..] {
        ["put", what, length, digest] => Some(Announced::parse(what, length, digest)),
        _ => None,
    }
}
