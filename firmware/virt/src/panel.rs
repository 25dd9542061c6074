//! The display: virtio-gpu with 480x320 pixels of four bytes, blue first.

use embedded_graphics::{prelude::*, primitives::Rectangle};
use pulsewing_device::ports::{Backlight, Brightness, Panel, PanelError};
use pulsewing_screen::{Colours, Frame};

use crate::virtio;

/// The size of a Feather's panel.
pub(crate) const SIZE: Size = Size::new(480, 320);

/// The port.
pub(crate) struct Display {
    device: virtio::Display,
    pixels: &'static mut [[u8; 4]],
}

impl Display {
    /// Takes ownership of the display; `None` if it has no such mode.
    pub(crate) fn new(mut device: virtio::Display) -> Option<Self> {
        let memory = device.change_resolution(SIZE.width, SIZE.height).ok()?;
        let length = memory.len();
        // SAFETY: the memory is pages that were permanently given to the device, it stays in place
        // as long as the resolution does, and only this program writes to it.
        let memory = unsafe { core::slice::from_raw_parts_mut(memory.as_mut_ptr(), length) };
        Some(Self {
            device,
            pixels: memory.as_chunks_mut().0,
        })
    }
}

/// The light of a display that has none. The board's log tells what it would be.
pub(crate) struct NoLight;

impl Backlight for NoLight {
    fn set(&mut self, _: Brightness) {}
}

impl Panel for Display {
    fn size(&self) -> Size {
        SIZE
    }

    async fn push(
        &mut self,
        frame: &Frame<&mut [u8]>,
        area: &Rectangle,
        colours: &Colours,
    ) -> Result<(), PanelError> {
        let area = area.intersection(&Rectangle::new(Point::zero(), SIZE));
        let mut inks = frame.pixels_in(&area);
        for y in area.rows() {
            let start = y as usize * SIZE.width as usize + area.top_left.x as usize;
            let row = self.pixels.get_mut(start..).unwrap_or_default();
            for pixel in row.iter_mut().take(area.size.width as usize) {
                let [red, green, blue] = inks.next().map_or([0; 3], |ink| colours.rgb(ink));
                *pixel = [blue, green, red, 0xff];
            }
        }
        // Pixels outside of the area were not written, so flushing everything shows no more than
        // the area.
        self.device.flush().map_err(|_| PanelError)
    }
}
