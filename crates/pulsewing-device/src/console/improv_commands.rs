//! Answers the requests of an Improv page in a browser.

use super::{Answer, Console, JOIN_WITHIN};
use crate::{
    improv::{self, Error, Packet, State},
    ports::{Board, System},
    shared::{Network, Ssid},
};

impl<B: Board> Console<'_, '_, B> {
    pub(super) async fn improv(&mut self, packet: Packet<'_>) -> Answer {
        let command = packet.command();
        match packet {
            Packet::Unknown => self.packet(&improv::error(Error::UnknownCommand)).await,
            Packet::SetWifi { ssid, password } => {
                self.packet(&improv::error(Error::None)).await?;
                self.set_wifi(ssid, password).await
            }
            Packet::State => {
                self.packet(&improv::error(Error::None)).await?;
                let state = self.improv_state();
                self.packet(&improv::state(state)).await?;
                match state {
                    State::Provisioned => self.packet(&improv::result(command, &[])).await,
                    State::Ready | State::Provisioning => Ok(()),
                }
            }
            Packet::Device => {
                self.packet(&improv::error(Error::None)).await?;
                let serial = self.shared.system.serial_number();
                let name: heapless::String<32> =
                    crate::serial_queue::text(format_args!("Pulsewing {serial}"));
                let version = env!("CARGO_PKG_VERSION");
                let texts = ["Pulsewing", version, B::System::BOARD, &name];
                self.packet(&improv::result(command, &texts)).await
            }
            // An empty list, because there is no scan. The page then lets the user type a name.
            Packet::Scan => {
                self.packet(&improv::error(Error::None)).await?;
                self.packet(&improv::result(command, &[])).await
            }
        }
    }

    fn improv_state(&self) -> State {
        match self.shared.facts.borrow().network {
            _ if self.joining_until.is_some() => State::Provisioning,
            Network::Joined(..) => State::Provisioned,
            _ => State::Ready,
        }
    }

    async fn set_wifi(&mut self, ssid: &str, password: &str) -> Answer {
        if self.store_network(ssid, password).await.is_err() {
            return self.packet(&improv::error(Error::Unknown)).await;
        }
        let requests = &self.shared.requests;
        requests.joined.reset();
        *requests.join.borrow_mut() = Ssid::try_from(ssid).ok();
        requests.any.signal(());
        self.joining_until = Some(self.shared.after(JOIN_WITHIN));
        self.packet(&improv::state(State::Provisioning)).await
    }

    /// Reports whether the named network has been joined.
    pub(super) async fn network_joined(&mut self, is_joined: bool) -> Answer {
        if self.joining_until.take().is_none() {
            return Ok(());
        }
        if is_joined {
            self.packet(&improv::state(State::Provisioned)).await?;
            self.packet(&improv::result(1, &[])).await
        } else {
            self.packet(&improv::error(Error::CannotConnect)).await?;
            self.packet(&improv::state(self.improv_state())).await
        }
    }
}
