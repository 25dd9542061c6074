//! Converts pixels to bytes, as many at a time as the batch buffer holds.

use embedded_graphics_core::pixelcolor::{Rgb565, raw::ToBytes};

use crate::{Refusal, window::Window};

/// The longest batch that is sent in one transaction, in bytes.
///
/// Linux's spidev refuses longer messages unless it is configured otherwise (`spidev.bufsiz`). On a
/// board a larger batch gains nothing: at 20 MHz a batch of this size takes 1.6 ms to transfer,
/// compared with which the start of a transaction is negligible.
pub const BATCH_BYTES: usize = 4_096;

/// A source of pixels.
pub(crate) trait Source {
    /// Fills a batch with whole pixels, big-endian; returns the number of bytes filled, which is
    /// less than the room only at the end.
    fn fill(&mut self, batch: &mut [u8]) -> usize;
}

/// Cuts the pixels of a window into batches.
#[derive(Debug)]
pub(crate) struct Batches<S> {
    source: S,
    bytes_left: usize,
}

impl<S: Source> Batches<S> {
    pub(crate) fn new(window: &Window, source: S) -> Self {
        Self {
            source,
            bytes_left: window.pixels() as usize * 2,
        }
    }

    /// Returns the next batch; `None` when the window is full.
    pub(crate) fn next<'b>(&mut self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Refusal> {
        if self.bytes_left == 0 {
            return Ok(None);
        }
        let room = usable(buffer)?.min(self.bytes_left);
        let batch = buffer.get_mut(..room).unwrap_or_default();
        let filled = self.source.fill(batch).min(room);
        if filled == 0 {
            return Err(Refusal::TooFewPixels);
        }
        self.bytes_left -= filled;
        Ok(batch.get(..filled))
    }
}

/// Returns the number of bytes of a buffer that one batch may take.
pub(crate) fn usable(buffer: &[u8]) -> Result<usize, Refusal> {
    let whole_pixels = buffer.len().min(BATCH_BYTES) & !1;
    if whole_pixels == 0 {
        return Err(Refusal::NoBuffer);
    }
    Ok(whole_pixels)
}

/// Pixels that an iterator yields.
#[derive(Debug)]
pub(crate) struct Colours<I>(I);

impl<I: Iterator<Item = Rgb565>> Colours<core::iter::Fuse<I>> {
    pub(crate) fn new(colours: impl IntoIterator<IntoIter = I>) -> Self {
        Self(colours.into_iter().fuse())
    }
}

impl<I: Iterator<Item = Rgb565>> Source for Colours<I> {
    fn fill(&mut self, batch: &mut [u8]) -> usize {
        let mut filled = 0;
        // The batch comes first in the pair, so that no colour is taken without a place for it.
        for (place, colour) in batch.chunks_exact_mut(2).zip(&mut self.0) {
            place.copy_from_slice(&colour.to_be_bytes());
            filled += 2;
        }
        filled
    }
}
