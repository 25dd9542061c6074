//! The button: the key B of the keyboard.

use core::{future::poll_fn, task::Poll};

use pulsewing_device::ports::Button;

use crate::{interrupts, virtio};

/// Linux's `EV_KEY` and `KEY_B`, which virtio keyboards use.
const KEY_EVENT: u16 = 1;
const KEY_B: u16 = 48;

/// The port. Without a keyboard, the button is never pressed.
pub(crate) struct Key {
    pub(crate) keyboard: Option<virtio::Keyboard>,
}

impl Key {
    /// Waits until the key is in this state.
    async fn changed_to(&mut self, state: u32) {
        let Some(keyboard) = &mut self.keyboard else {
            return core::future::pending().await;
        };
        poll_fn(|cx| {
            interrupts::KEYBOARD.register(cx.waker());
            while let Some(event) = keyboard.pop_pending_event() {
                if (event.event_type, event.code, event.value) == (KEY_EVENT, KEY_B, state) {
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await;
    }
}

impl Button for Key {
    async fn pressed(&mut self) {
        self.changed_to(1).await;
    }

    async fn released(&mut self) {
        self.changed_to(0).await;
    }
}
