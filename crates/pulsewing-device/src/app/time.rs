//! Asks for the time: before the first request, and then once a day.

use core::{fmt::Write as _, time::Duration};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::instant::later;
use pulsewing_store::settings::MAX_SNTP;

use super::App;
use crate::{
    ports::{Board, Clock, Link, System, Web},
    shared::Facts,
};

/// The servers to ask when neither the settings nor the network name one.
const POOL: [&str; 3] = ["pool.ntp.org", "time.google.com", "time.cloudflare.com"];

/// How long we wait for a server.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long an answer stays valid; a quartz drifts by a few seconds in that time.
const GOOD_FOR: Duration = Duration::from_secs(24 * 3_600);

/// How long until we ask again after no server answered, while the time is known from an earlier
/// answer.
const AGAIN_AFTER: Duration = Duration::from_secs(3_600);

/// How far the clock may be behind the chain's timestamp, which comes from the provider's clock.
const CHAIN_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// A server's host, with an optional port.
type Name = heapless::String<80>;

impl<B: Board> App<'_, '_, B> {
    /// Makes sure that the time is known, and asks again once a day. Returns whether it is known.
    pub(super) async fn on_time(&mut self) -> bool {
        let shared = self.shared;
        let is_known = shared.clock.utc().is_some();
        if is_known && shared.clock.up() < self.ask_time_at {
            return true;
        }
        if !is_known {
            shared.redraw.signal(());
        }
        for server in self.time_servers() {
            self.promise(ANSWER_WITHIN);
            match self.web.ask_time(&server, ANSWER_WITHIN).await {
                Ok(time) if time >= self.earliest_time() => {
                    self.take_time(time, &server);
                    return true;
                }
                Ok(time) => {
                    let time = whole_seconds(time);
                    let what = format_args!("{server} says {time}, which is impossible");
                    shared.went_wrong(what).await;
                }
                Err(error) => shared.went_wrong(format_args!("{server}: {error}")).await,
            }
        }
        if is_known {
            self.ask_time_at = shared.after(AGAIN_AFTER);
            return true;
        }
        let pause = self.time_again.wait();
        self.rest_until(shared.after(pause)).await;
        false
    }

    fn take_time(&mut self, time: Timestamp, server: &str) {
        let shared = self.shared;
        let before = shared.clock.utc();
        shared.clock.set_utc(time);
        self.time_again.reset();
        self.has_told_drift = false;
        self.ask_time_at = shared.after(GOOD_FOR);
        let time = whole_seconds(time);
        match before {
            None => shared
                .serial_queue
                .log(format_args!("{server} says {time}")),
            Some(before) => {
                let ms = time
                    .as_millisecond()
                    .saturating_sub(before.as_millisecond());
                shared.serial_queue.log(format_args!(
                    "{server} says {time}; the clock was {ms} ms behind"
                ));
            }
        }
        shared.redraw.signal(());
    }

    /// Returns the earliest plausible time.
    fn earliest_time(&self) -> Timestamp {
        let built = self.shared.system.built_at();
        let obtained = |facts: &Facts| {
            let chain = facts.chain?;
            later(chain.obtained_at, -CHAIN_SLACK)
        };
        let obtained = obtained(&self.shared.facts.borrow());
        obtained.map_or(built, |obtained| obtained.max(built))
    }

    /// Returns the servers of the settings, then the network's, then public ones.
    fn time_servers(&self) -> heapless::Vec<Name, { MAX_SNTP + 1 + POOL.len() }> {
        let settings = self.shared.settings.borrow();
        let configured = settings.sntp.iter().filter(|host| !host.is_empty());
        let network = self.link.joined().and_then(|joined| joined.time_server);
        let network = network.map(|address| {
            let mut name = Name::new();
            // An address has 15 characters.
            let _ = write!(name, "{address}");
            name
        });
        let configured = configured.filter_map(|host| Name::try_from(host.as_str()).ok());
        let public = POOL.iter().filter_map(|name| Name::try_from(*name).ok());
        configured.chain(network).chain(public).collect()
    }
}

/// Removes the fraction of an instant, for printing.
pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
