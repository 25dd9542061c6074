//! Randomness from the host, through virtio-rng.

use core::cell::RefCell;

use critical_section::Mutex;
use pulsewing_device::ports::Entropy;

use crate::virtio;

/// The device, shared by all [`HostEntropy`] instances.
struct Shared(virtio::Random);

// SAFETY: there is only one hart, and the device is only used inside critical sections.
unsafe impl Send for Shared {}

static DEVICE: Mutex<RefCell<Option<Shared>>> = Mutex::new(RefCell::new(None));

/// The port. All instances draw from the same device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostEntropy(());

impl HostEntropy {
    /// Takes ownership of the device.
    pub(crate) fn new(device: virtio::Random) -> Self {
        critical_section::with(|cs| DEVICE.borrow_ref_mut(cs).replace(Shared(device)));
        Self(())
    }
}

impl Entropy for HostEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            critical_section::with(|cs| {
                if let Some(Shared(device)) = &mut *DEVICE.borrow_ref_mut(cs) {
                    // A device that fails is asked again: there is no suitable replacement.
                    filled += device.request_entropy(rest).unwrap_or(0);
                }
            });
        }
    }
}
