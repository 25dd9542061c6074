//! Errors.

use core::convert::Infallible;

use embedded_hal::{digital, spi};
use thiserror::Error;

/// An error of the driver.
///
/// `S` is the SPI device's error, `D` the D/C pin's, `B` the backlight pin's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error<S, D, B = Infallible> {
    /// The SPI device failed. If this happened while drawing, that rectangle is partly drawn: draw
    /// it again. After any other call the driver must be initialised again.
    #[error("the panel's SPI device failed: {0:?}")]
    Spi(S),
    /// The D/C pin failed; the consequences are the same as for the SPI device.
    #[error("the panel's D/C pin failed: {0:?}")]
    Dc(D),
    /// The pin of the backlight failed.
    #[error("the pin of the panel's backlight failed: {0:?}")]
    Backlight(B),
    /// The driver refused the call.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What a call of the driver comes to, for its SPI device, D/C pin and backlight pin.
pub(crate) type Outcome<SPI, DC, BL> = Result<
    (),
    Error<
        <SPI as spi::ErrorType>::Error,
        <DC as digital::ErrorType>::Error,
        <BL as digital::ErrorType>::Error,
    >,
>;

/// The reason for which the driver refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The panel was not initialised, or a call that changes its state failed or was dropped
    /// half-way, so that its state is unknown. Call `init`.
    #[error("the panel is not initialised; call init")]
    NotReady,
    /// The panel sleeps. Call `wake`.
    #[error("the panel is asleep; call wake")]
    Asleep,
    /// The rectangle reaches beyond the panel, or beyond the picture that it is cut from. Nothing
    /// was sent.
    #[error("the rectangle extends beyond the panel or the picture")]
    Outside,
    /// The pixels ended before the rectangle was full. Those that were available are drawn; the
    /// rest of the rectangle is unchanged.
    #[error("there were fewer pixels than the rectangle holds")]
    TooFewPixels,
    /// The batch buffer cannot hold one pixel: it needs at least two bytes. Nothing was sent.
    #[error("the batch buffer is smaller than a pixel")]
    NoBuffer,
}
