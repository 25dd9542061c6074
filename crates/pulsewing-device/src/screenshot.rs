//! Screenshots on the card: `SHOT0001.BMP` and so on.

use core::fmt::Write as _;

use crate::{
    bmp::Bmp,
    ports::{Board, Card, CardError},
    shared::Shared,
};

/// A file's name on the card.
pub(crate) type Name = heapless::String<12>;

/// Why there is no screenshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShotError {
    /// The card failed.
    #[error("{0}")]
    Card(#[from] CardError),
    /// All names are taken.
    #[error("the card already has SHOT0001.BMP to SHOT9999.BMP")]
    NoName,
    /// The board has no memory for a picture.
    #[error("there is no picture in the board's memory")]
    NoPicture,
}

/// Writes the picture to the card under the first free name.
pub(crate) async fn to_card<B: Board>(shared: &Shared<'_, B>) -> Result<Name, ShotError> {
    // Locked, so that it is not redrawn while it is written.
    let picture = shared.picture.lock().await;
    let (frame, colours) = picture.shown().ok_or(ShotError::NoPicture)?;
    let mut bmp = Bmp::new(frame, colours).ok_or(ShotError::NoPicture)?;
    let mut card = shared.card.lock().await;
    let name = free_name(&mut *card).await?;
    card.write(&name, |buffer| bmp.fill(buffer)).await?;
    Ok(name)
}

async fn free_name(card: &mut impl Card) -> Result<Name, ShotError> {
    for number in 1..10_000_u16 {
        let mut name = Name::new();
        // Twelve characters, so it fits.
        let _ = write!(name, "SHOT{number:04}.BMP");
        match card.read(&name, &mut [0]).await {
            Ok(_) => {}
            Err(CardError::NoFile) => return Ok(name),
            Err(error) => return Err(error.into()),
        }
    }
    Err(ShotError::NoName)
}
