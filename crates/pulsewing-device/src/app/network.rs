//! Joining a network, and rejoining it.
//!
//! Every known network gets its turn, the last one that worked first. Between rounds there is a
//! pause of a second to a minute. This never ends: when a router comes back after a week, the board
//! is still trying.

use core::time::Duration;

use super::App;
use crate::{
    configuration,
    ports::{Board, Credentials, JoinError, Joined, Link},
    shared::{Network, Ssid},
};

/// How long one network gets.
const JOIN_WITHIN: Duration = Duration::from_secs(20);

impl<B: Board> App<'_, '_, B> {
    /// Makes sure that a network is joined: one round of tries, and a pause if that fails. Returns
    /// whether there is a network now.
    pub(super) async fn online(&mut self) -> bool {
        if let Some(ssid) = self.wished_network() {
            self.join_as_wished(&ssid).await;
        }
        if self.is_online() {
            return true;
        }
        if self.join_round().await {
            return true;
        }
        let pause = self.join_again.wait();
        self.rest_until(self.shared.after(pause)).await;
        false
    }

    /// Returns whether a network is joined. Notes changes that the loop did not cause: an address
    /// that arrived after a try had ended, another address, a lost link.
    fn is_online(&mut self) -> bool {
        let known = self.shared.facts.borrow().network.clone();
        match (known, self.link.joined()) {
            (Network::Joined(_, before), Some(joined)) if before == joined => true,
            // The link has joined the network that was tried last.
            (Network::Joined(ssid, _) | Network::Joining(ssid, _), Some(joined)) => {
                self.joined(&ssid, joined);
                true
            }
            (_, Some(joined)) => {
                self.joined(&Ssid::new(), joined);
                true
            }
            (Network::Joined(..), None) => {
                self.shared
                    .serial_queue
                    .log(format_args!("lost the network"));
                false
            }
            (_, None) => false,
        }
    }

    /// Tries each network once.
    async fn join_round(&mut self) -> bool {
        if self.link.is_wired() {
            return self.join(&Ssid::new()).await.is_ok();
        }
        let mut ssids: heapless::Vec<Ssid, { pulsewing_store::settings::MAX_NETWORKS }> = {
            let settings = self.shared.settings.borrow();
            configuration::networks(&settings).cloned().collect()
        };
        if ssids.is_empty() {
            self.shared.note(|facts| facts.network = Network::Unknown);
            return false;
        }
        if let Some(place) = ssids.iter().position(|ssid| *ssid == self.last_network) {
            ssids.swap(0, place);
        }
        for ssid in &ssids {
            if self.join(ssid).await.is_ok() {
                return true;
            }
            // A user may have named another network meanwhile.
            if self.shared.requests.join.borrow().is_some() {
                return false;
            }
        }
        false
    }

    /// Tries the last joined network once: within a cycle there is no time for more.
    pub(super) async fn rejoin(&mut self) {
        let ssid = self.last_network.clone();
        if self.link.joined().is_none() && (self.link.is_wired() || !ssid.is_empty()) {
            let _ = self.join(&ssid).await;
        }
    }

    fn wished_network(&self) -> Option<Ssid> {
        self.shared.requests.join.borrow_mut().take()
    }

    async fn join_as_wished(&mut self, ssid: &Ssid) {
        let result = self.join(ssid).await;
        self.shared.requests.joined.signal(result);
    }

    async fn join(&mut self, ssid: &Ssid) -> Result<(), JoinError> {
        let shared = self.shared;
        let before = match &shared.facts.borrow().network {
            Network::Joining(known, error) if known == ssid => *error,
            _ => None,
        };
        if !self.link.is_wired() {
            shared.note(|facts| facts.network = Network::Joining(ssid.clone(), before));
        }
        self.promise(JOIN_WITHIN);
        let password = {
            let settings = shared.settings.borrow();
            let network = settings.wifi.iter().find(|network| network.ssid == *ssid);
            network.and_then(|network| network.password.clone())
        };
        let credentials = (!ssid.is_empty()).then(|| Credentials {
            ssid,
            password: password.as_ref().map_or("", |password| password.expose()),
        });
        match self.link.join(credentials, JOIN_WITHIN).await {
            Ok(joined) => {
                self.joined(ssid, joined);
                Ok(())
            }
            Err(error) => {
                let network = if self.link.is_wired() {
                    Network::Cable(error)
                } else {
                    Network::Joining(ssid.clone(), Some(error))
                };
                let is_news = shared.facts.borrow().network != network;
                shared.note(|facts| facts.network = network);
                if is_news && before != Some(error) {
                    let name = named(ssid);
                    shared
                        .went_wrong(format_args!("joining {name}: {error}"))
                        .await;
                }
                Err(error)
            }
        }
    }

    fn joined(&mut self, ssid: &Ssid, joined: Joined) {
        let shared = self.shared;
        self.join_again.reset();
        self.last_network.clone_from(ssid);
        shared.note(|facts| facts.network = Network::Joined(ssid.clone(), joined));
        let (name, address) = (named(ssid), joined.address);
        shared
            .serial_queue
            .log(format_args!("joined {name}, the address is {address}"));
        // A cycle that failed for lack of a network need not wait for its turn.
        if matches!(shared.facts.borrow().ended, Some(Err(failure)) if super::may_mend_itself(failure))
            && let Some(cycle) = &mut self.cycle
        {
            cycle.start_now();
        }
    }
}

/// Returns the name of a network for messages; a cable has no name.
fn named(ssid: &Ssid) -> &str {
    if ssid.is_empty() {
        "the wired network"
    } else {
        ssid
    }
}
