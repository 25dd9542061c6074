//! The network that the board's link has joined.

use embassy_net::Stack;
use pulsewing_device::ports::Joined;

/// Returns the network's current addresses, for
/// [`Link::joined`](pulsewing_device::ports::Link::joined); `None` while the link is down or DHCP
/// has given no address.
#[must_use]
pub fn joined(stack: Stack<'_>) -> Option<Joined> {
    let config = stack.config_v4().filter(|_| stack.is_link_up())?;
    Some(Joined {
        address: config.address.address(),
        // embassy-net does not request DHCP option 42, and does not expose it.
        time_server: None,
    })
}
