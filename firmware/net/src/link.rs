//! What the board's link has joined.

use embassy_net::Stack;
use pulsewing_device::ports::Joined;

/// What the network gives now, for [`Link::joined`](pulsewing_device::ports::Link::joined); `None` while the link
/// is down or DHCP has given no address.
#[must_use]
pub fn joined(stack: Stack<'_>) -> Option<Joined> {
    let config = stack.config_v4().filter(|_| stack.is_link_up())?;
    Some(Joined {
        address: config.address.address(),
        // embassy-net asks DHCP for no option 42, and hands none out.
        time_server: None,
    })
}
