//! The answers to `status`, `chain` and `log`.

use core::fmt;

use pulsewing_core::{chain::Standing, reading::Reading};
use pulsewing_store::When;

use super::{Answer, Console};
use crate::{
    alarms::Summary as Alarms,
    app::whole_seconds,
    ports::{Board, Clock, JoinError, System, Trusted},
    serial_queue::text,
    shared::{ChainFacts, Network},
};

/// A value of `status`.
type Value = heapless::String<320>;

impl<B: Board> Console<'_, '_, B> {
    pub(super) async fn status(&self) -> Answer {
        let shared = self.shared;
        let system = &shared.system;
        self.pair("board", format_args!("{}", B::System::BOARD))
            .await?;
        self.pair("serial", format_args!("{}", system.serial_number()))
            .await?;
        self.pair("firmware", format_args!("{}", env!("CARGO_PKG_VERSION")))
            .await?;
        let up = shared.clock.up().as_secs();
        self.pair("uptime", format_args!("{up} s")).await?;
        let (network, address) = self.network();
        self.pair("network", format_args!("{network}")).await?;
        self.pair("address", format_args!("{address}")).await?;
        match shared.clock.utc() {
            Some(utc) => {
                self.pair("time", format_args!("{}", whole_seconds(utc)))
                    .await?
            }
            None => self.pair("time", format_args!("unknown")).await?,
        }
        let provider = shared.settings.borrow().provider;
        self.pair("provider", format_args!("{}", provider.name()))
            .await?;
        let facts = shared.facts.borrow().clone();
        self.pair("roots", format_args!("{}", Roots(shared.trusted)))
            .await?;
        self.chain().await?;
        if let Some(chain) = facts.chain {
            self.pair("scopes", format_args!("{}", Scopes(chain)))
                .await?;
        }
        let instant = |at: Option<jiff::Timestamp>| -> Value {
            match at {
                Some(at) => text(format_args!("{}", whole_seconds(at))),
                None => text(format_args!("none")),
            }
        };
        let last_success = instant(facts.last_success);
        self.pair("last success", format_args!("{last_success}"))
            .await?;
        let minute = shared.reading.borrow().as_ref().and_then(Reading::latest);
        let minute = instant(minute.map(|sample| sample.at));
        self.pair("last minute", format_args!("{minute}")).await?;
        let next = instant(facts.next_update);
        self.pair("next update", format_args!("{next}")).await?;
        if let Some(Err(failure)) = facts.ended {
            self.pair("failure", format_args!("{failure}")).await?;
        }
        let alarms: Value = text(format_args!("{}", Alarms(&shared.watch)));
        self.pair("alarms", format_args!("{alarms}")).await?;
        if let Some(reason) = system.start_reason() {
            self.pair("restart", format_args!("{reason}")).await?;
        }
        if let Some(panic) = &facts.panic {
            self.pair("panic", format_args!("{}", Line(panic))).await?;
        }
        let (used, peak, total) = system.heap();
        self.pair("heap", format_args!("{used} {peak} {total}"))
            .await?;
        if let Some(instructions) = system.instructions() {
            self.pair("instructions", format_args!("{instructions}"))
                .await?;
            self.pair("work", format_args!("{}", shared.instruction_counts))
                .await?;
        }
        self.ok().await
    }

    /// Prints one line about the stored chain.
    pub(super) async fn chain(&self) -> Answer {
        let (chain, trouble) = {
            let facts = self.shared.facts.borrow();
            (facts.chain, facts.chain_trouble)
        };
        match (trouble, chain) {
            (Some(trouble), _) => self.pair("chain", format_args!("unknown, {trouble}")).await,
            (None, Some(chain)) => self.pair("chain", format_args!("{}", Summary(chain))).await,
            (None, None) => self.pair("chain", format_args!("none")).await,
        }
    }

    async fn pair(&self, key: &str, value: fmt::Arguments<'_>) -> Answer {
        self.say(format_args!("{key}: {value}")).await
    }

    fn network(&self) -> (Value, Value) {
        let none = || text(format_args!("none"));
        let is_named = |ssid: &str| !ssid.is_empty();
        match &self.shared.facts.borrow().network {
            Network::Joined(ssid, joined) if is_named(ssid) => (
                text(format_args!("{ssid}")),
                text(format_args!("{}", joined.address)),
            ),
            Network::Joined(_, joined) => (
                text(format_args!("wired")),
                text(format_args!("{}", joined.address)),
            ),
            Network::Joining(ssid, None) => (text(format_args!("joining {ssid}")), none()),
            Network::Joining(ssid, Some(error)) => {
                (text(format_args!("joining {ssid}: {error}")), none())
            }
            Network::Cable(JoinError::NotFound) => (text(format_args!("unplugged")), none()),
            Network::Cable(error) => (text(format_args!("wired: {error}")), none()),
            Network::Untried | Network::Unknown => (none(), none()),
        }
    }

    pub(super) async fn log(&self) -> Answer {
        let entries = self.shared.store.lock().await.errors().await;
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.error(format_args!("{error}")).await,
        };
        for entry in &entries {
            let times = self.shared.errors.borrow().times(&entry.text);
            let again: heapless::String<40> = match times {
                0 | 1 => heapless::String::new(),
                _ => text(format_args!(" ({times} times since the start)")),
            };
            let what = Line(&entry.text);
            match entry.when {
                When::At(at) => {
                    let at = whole_seconds(at);
                    self.say(format_args!("{at} {what}{again}")).await?;
                }
                When::Uptime(seconds) => {
                    self.say(format_args!("+{seconds}s {what}{again}")).await?;
                }
            }
        }
        self.ok().await
    }
}

/// A chain in one line: `fitbit generation 3 active fingerprint 0123456789ab`.
struct Summary(ChainFacts);

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = &self.0;
        let standing = match chain.standing {
            Standing::Active => "active",
            Standing::Refused => "refused",
            Standing::Moving => "moving",
        };
        let (provider, generation) = (chain.provider.name(), chain.generation);
        let fingerprint = chain.fingerprint;
        write!(
            f,
            "{provider} generation {generation} {standing} fingerprint {fingerprint}"
        )
    }
}

/// The scopes that the wearer allowed, in words.
struct Scopes(ChainFacts);

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = self.0.scopes;
        let words = [
            (scopes.has_heart_rate(), "heart-rate"),
            (scopes.has_settings(), "settings"),
            (scopes.has_time_zone(self.0.provider), "time-zone"),
        ];
        let mut granted = words.into_iter().filter(|(is_granted, _)| *is_granted);
        match granted.next() {
            None => f.write_str("none"),
            Some((_, first)) => {
                f.write_str(first)?;
                granted.try_for_each(|(_, word)| write!(f, " {word}"))
            }
        }
    }
}

/// The number of trusted certificates.
struct Roots(Trusted);

impl fmt::Display for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Trusted {
                usable,
                unusable: 0,
            } => write!(f, "{usable}"),
            Trusted { usable, unusable } => write!(f, "{usable}, and {unusable} unreadable"),
        }
    }
}

/// A text on one line: text from elsewhere may have several.
struct Line<'t>(&'t str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.0.chars().try_for_each(|character| {
            f.write_char(if character.is_control() {
                ' '
            } else {
                character
            })
        })
    }
}
