//! What can go wrong.

use core::convert::Infallible;

use thiserror::Error;

/// Why a call to the driver failed.
///
/// `S` is the SPI device's error, `D` the D/C pin's, `B` the backlight pin's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error<S, D, B = Infallible> {
    /// The SPI device failed. If it happened while drawing, that rectangle is partly drawn: draw
    /// it again. In any other call the driver wants to be initialised again.
    #[error("the panel's SPI device failed: {0:?}")]
    Spi(S),
    /// The D/C pin failed; the same holds as for the SPI device.
    #[error("the panel's D/C pin failed: {0:?}")]
    Dc(D),
    /// The pin of the backlight failed.
    #[error("the pin of the panel's backlight failed: {0:?}")]
    Backlight(B),
    /// The driver did not do what it was asked to, for a reason of its own.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Why the driver did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The panel was not initialised, or a call that changes its state failed or was dropped
    /// half-way, so that nobody knows its state. `init` is the way out.
    #[error("the panel is not initialised; call init")]
    NotReady,
    /// The panel sleeps. `wake` is the way out.
    #[error("the panel sleeps; call wake")]
    Asleep,
    /// The rectangle reaches beyond the panel, or beyond the picture that it is cut from. Nothing
    /// was sent.
    #[error("the rectangle reaches beyond the panel or the picture")]
    Outside,
    /// The pixels ended before the rectangle was full. Those that there were are drawn, the rest
    /// of the rectangle is as before.
    #[error("there were fewer pixels than the rectangle holds")]
    TooFewPixels,
    /// The batch buffer cannot hold one pixel: it needs at least two bytes. Nothing was sent.
    #[error("the batch buffer is smaller than a pixel")]
    NoBuffer,
}
