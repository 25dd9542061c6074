//! A placeholder for an absent pin.

use core::convert::Infallible;

use embedded_hal::digital::{ErrorType, OutputPin};

/// Stands for the backlight pin if the backlight is not wired to one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBacklight;

impl ErrorType for NoBacklight {
    type Error = Infallible;
}

impl OutputPin for NoBacklight {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
