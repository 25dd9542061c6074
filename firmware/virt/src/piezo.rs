//! The piezo of a board that has none. The board's log tells what it would play.

use core::num::NonZeroU16;

use pulsewing_device::ports::Sounder;

/// The port.
pub(crate) struct NoPiezo;

impl Sounder for NoPiezo {
    fn sound(&mut self, _: Option<NonZeroU16>) {}
}
