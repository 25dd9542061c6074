//! The picture that the display shows, and which parts of it have been sent.

use embedded_graphics::{geometry::OriginDimensions, primitives::Rectangle};
use pulsewing_screen::{
    Colours, Frame, Model, Palette, Tiles,
    changes::{Changes, Cost},
    draw,
};

use crate::ports::{Panel, PanelError};

/// A frame in the board's memory, and the state of the panel's.
pub(crate) struct Picture<'b> {
    /// `None` on a board that provided no memory for one.
    frame: Option<Frame<&'b mut [u8]>>,
    tiles: Tiles,
    /// The colours that the panel shows.
    colours: Colours,
}

impl<'b> Picture<'b> {
    /// Makes a picture of the panel's size in this memory, if that is large enough.
    pub(crate) fn new(panel: &impl Panel, memory: &'b mut [u8]) -> Self {
        let size = panel.size();
        let frame = memory
            .get_mut(..Frame::<&mut [u8]>::bytes_for(size))
            .and_then(|memory| Frame::new(size, memory));
        Self {
            frame,
            tiles: Tiles::new(),
            colours: Colours::from(Palette::Day),
        }
    }

    /// Returns the frame and the colours that it is shown in.
    pub(crate) fn shown(&self) -> Option<(&Frame<&'b mut [u8]>, &Colours)> {
        Some((self.frame.as_ref()?, &self.colours))
    }

    /// Draws a model. Nothing is sent yet.
    pub(crate) fn draw(&mut self, model: &Model<'_>, palette: Palette) {
        let Some(frame) = &mut self.frame else {
            return;
        };
        let Ok(()) = draw(model, frame);
        let colours = pulsewing_screen::colours(model, frame.size(), palette);
        if colours != self.colours {
            self.colours = colours;
            self.tiles.forget();
        }
    }

    /// Notes that the panel's contents are unknown.
    pub(crate) fn forget(&mut self) {
        self.tiles.forget();
    }

    /// Finds the changes since the last call. The caller has to send them.
    pub(crate) fn changes(&mut self) -> Option<Changes> {
        let frame = self.frame.as_ref()?;
        Some(self.tiles.update(frame, Cost::SPI))
    }

    /// Sends changes to the panel.
    pub(crate) async fn send(
        &mut self,
        changes: &Changes,
        panel: &mut impl Panel,
    ) -> Result<(), PanelError> {
        let Some(frame) = &self.frame else {
            return Ok(());
        };
        for area in changes {
            let area: &Rectangle = area;
            if let Err(error) = panel.push(frame, area, &self.colours).await {
                self.tiles.forget();
                return Err(error);
            }
        }
        Ok(())
    }
}
