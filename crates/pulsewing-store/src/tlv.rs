//! The common part of the stored formats: four letters and a version, followed by fields.

use pulsewing_core::tlv::{Damaged, Fields, Writer};

use crate::StoreError;

/// An error in stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// They were damaged.
    #[error("the stored bytes are damaged")]
    Damaged,
    /// A newer Pulsewing wrote them.
    #[error("the stored bytes have format version {0}, which is newer than this program")]
    Newer(u8),
}

impl From<Damaged> for FormatError {
    fn from(Damaged: Damaged) -> Self {
        Self::Damaged
    }
}

impl<E> From<FormatError> for StoreError<E> {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::Damaged => Self::Damaged,
            FormatError::Newer(version) => Self::Newer(version),
        }
    }
}

/// Writes the four letters and the version.
pub(crate) fn begin(buffer: &mut [u8], magic: [u8; 4], version: u8) -> Option<Writer<'_>> {
    let mut writer = Writer::new(buffer, &magic)?;
    writer.push(&[version])?;
    Some(writer)
}

/// Returns the fields that follow the four letters and the version.
pub(crate) fn read<const N: usize>(
    bytes: &[u8],
    magic: [u8; 4],
    version: u8,
) -> Result<Fields<'_, N>, FormatError> {
    let (letters, rest) = bytes.split_first_chunk().ok_or(FormatError::Damaged)?;
    let (found, rest) = rest.split_first().ok_or(FormatError::Damaged)?;
    match *found {
        _ if *letters != magic => Err(FormatError::Damaged),
        0 => Err(FormatError::Damaged),
        newer if newer > version => Err(FormatError::Newer(newer)),
        _ => Ok(Fields::read(rest)?),
    }
}
