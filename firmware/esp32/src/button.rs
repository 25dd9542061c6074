//! The BOOT button: low while it is pressed.

use embassy_time::Timer;
use esp_hal::gpio::{AnyPin, Input, InputConfig, Level, Pull};
use pulsewing_device::ports::Button;

/// The maximum bounce time of the contacts.
const BOUNCE_MS: u64 = 20;

/// The port.
pub(crate) struct Boot(Input<'static>);

impl Boot {
    pub(crate) fn new(pin: AnyPin<'static>) -> Self {
        Self(Input::new(pin, InputConfig::default().with_pull(Pull::Up)))
    }

    /// Waits until the line has this level, and still has it after the contacts have settled.
    async fn settled(&mut self, level: Level) {
        loop {
            match level {
                Level::Low => self.0.wait_for_low().await,
                Level::High => self.0.wait_for_high().await,
            }
            Timer::after_millis(BOUNCE_MS).await;
            if self.0.level() == level {
                return;
            }
        }
    }
}

impl Button for Boot {
    async fn pressed(&mut self) {
        self.settled(Level::Low).await;
    }

    async fn released(&mut self) {
        self.settled(Level::High).await;
    }
}
