//! The backlight: how bright it is now, and for whom.

use core::{cell::Cell, time::Duration};

use pulsewing_core::look::Brightness;

/// How long a press of the button lights a dark screen: enough to read everything on it.
const AWAKE: Duration = Duration::from_secs(60);

/// What the screen, which sets the backlight, and the button share about it.
pub(crate) struct Light {
    shown: Cell<Brightness>,
    awake_until: Cell<Duration>,
}

impl Light {
    /// Returns the state after a start: the panel's own pull-up makes it as bright as it can be.
    pub(crate) const fn new() -> Self {
        Self {
            shown: Cell::new(Brightness::FULL),
            awake_until: Cell::new(Duration::ZERO),
        }
    }

    /// Notes a press of the button: a dark screen is lit for a while, and one that is lit for that
    /// reason stays so. Returns whether it was dark: then that is all that the press was for.
    pub(crate) fn press(&self, up: Duration) -> bool {
        let was_dark = self.shown.get().is_off();
        if was_dark || self.is_awake(up) {
            self.awake_until.set(up.saturating_add(AWAKE));
        }
        was_dark
    }

    /// Returns whether a press keeps it lit.
    pub(crate) fn is_awake(&self, up: Duration) -> bool {
        up < self.awake_until.get()
    }

    /// Returns when that is over, if it is not yet.
    pub(crate) fn sleeps_at(&self, up: Duration) -> Option<Duration> {
        self.is_awake(up).then(|| self.awake_until.get())
    }

    /// Notes the brightness. Returns whether it is another one than before.
    pub(crate) fn becomes(&self, brightness: Brightness) -> bool {
        self.shown.replace(brightness) != brightness
    }
}
