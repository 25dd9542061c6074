//! The cable: embassy-net's driver over virtio-net, and the port [`Link`].

use core::{cell::RefCell, task::Context, time::Duration};

use embassy_net::Stack;
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_time::with_timeout;
use pulsewing_device::ports::{Credentials, JoinError, Joined, Link};
use virtio_drivers::device::net::RxBuffer;

use crate::{interrupts, virtio};

/// The network card.
pub(crate) struct Card {
    device: RefCell<virtio::Network>,
    slot: u32,
}

impl Card {
    pub(crate) const fn new(device: virtio::Network, slot: u32) -> Self {
        Self {
            device: RefCell::new(device),
            slot,
        }
    }

    pub(crate) fn address(&self) -> [u8; 6] {
        self.device.borrow().mac_address()
    }
}

impl Driver for Card {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Received<'_>, Sending<'_>)> {
        interrupts::NETWORK.register(cx.waker());
        let packet = self.device.get_mut().receive().ok()?;
        let device = &self.device;
        Some((Received { device, packet }, Sending { device }))
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<Sending<'_>> {
        // A packet is sent at once, so there is always room for one.
        Some(Sending {
            device: &self.device,
        })
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        interrupts::NETWORK.register(cx.waker());
        // The device's configuration: six bytes of address, then two of status, whose lowest bit is
        // set while the link is up (Virtio 1.2, section 5.1.4).
        if virtio::register(self.slot, 0x104).read() >> 16 & 1 == 0 {
            LinkState::Down
        } else {
            LinkState::Up
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = 1_514;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address())
    }
}

/// A packet that has arrived.
pub(crate) struct Received<'a> {
    device: &'a RefCell<virtio::Network>,
    packet: RxBuffer,
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, f: F) -> R {
        let result = f(self.packet.packet_mut());
        // If this fails, there is one buffer less, which is no reason to stop.
        let _ = self.device.borrow_mut().recycle_rx_buffer(self.packet);
        result
    }
}

/// Permission to send a packet.
pub(crate) struct Sending<'a> {
    device: &'a RefCell<virtio::Network>,
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut device = self.device.borrow_mut();
        let mut packet = device.new_tx_buffer(length);
        let result = f(packet.packet_mut());
        // A packet that is lost here is like any other lost packet.
        let _ = device.send(packet);
        result
    }
}

/// The port.
pub(crate) struct Cable {
    pub(crate) stack: Stack<'static>,
}

impl Link for Cable {
    async fn join(
        &mut self,
        _: Option<Credentials<'_>>,
        timeout: Duration,
    ) -> Result<Joined, JoinError> {
        let micros = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
        let limit = embassy_time::Duration::from_micros(micros);
        let _ = with_timeout(limit, self.stack.wait_config_up()).await;
        self.joined().ok_or(match self.stack.is_link_up() {
            true => JoinError::NoAddress,
            false => JoinError::NotFound,
        })
    }

    fn joined(&self) -> Option<Joined> {
        pulsewing_net::joined(self.stack)
    }

    fn is_wired(&self) -> bool {
        true
    }
}
