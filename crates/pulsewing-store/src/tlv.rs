//! Fields of a tag (1 byte), a length (2, big-endian) and a value, behind four letters and a
//! version.

use crate::settings::FormatError;

/// Writes fields into a buffer.
pub(crate) struct Writer<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl<'b> Writer<'b> {
    /// Begins with four letters and a version.
    pub(crate) fn new(buffer: &'b mut [u8], magic: [u8; 4], version: u8) -> Option<Self> {
        let mut writer = Self { buffer, len: 0 };
        writer.push(&magic)?;
        writer.push(&[version])?;
        Some(writer)
    }

    /// Writes a field; its value is all the parts.
    pub(crate) fn field(&mut self, tag: u8, parts: &[&[u8]]) -> Option<()> {
        let len = u16::try_from(parts.iter().map(|part| part.len()).sum::<usize>()).ok()?;
        self.push(&[tag])?;
        self.push(&len.to_be_bytes())?;
        parts.iter().try_for_each(|part| self.push(part))
    }

    /// Writes a field whose value `write` pushes, piece by piece.
    pub(crate) fn field_of(
        &mut self,
        tag: u8,
        write: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.push(&[tag])?;
        let at = self.len;
        self.push(&[0, 0])?;
        write(self)?;
        let len = u16::try_from(self.len.checked_sub(at)?.checked_sub(2)?).ok()?;
        self.buffer
            .get_mut(at..)?
            .first_chunk_mut::<2>()?
            .copy_from_slice(&len.to_be_bytes());
        Some(())
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        self.buffer.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    /// How many bytes were written.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

/// The fields behind the letters and the version; a tag that `N` does not reach, or that comes
/// twice, is damage.
pub(crate) struct Fields<'r, const N: usize> {
    values: [Option<&'r [u8]>; N],
}

impl<'r, const N: usize> Fields<'r, N> {
    pub(crate) fn read(bytes: &'r [u8], magic: [u8; 4], version: u8) -> Result<Self, FormatError> {
        let (letters, rest) = bytes.split_first_chunk().ok_or(FormatError::Damaged)?;
        let (found, rest) = rest.split_first().ok_or(FormatError::Damaged)?;
        if *letters != magic || *found == 0 {
            return Err(FormatError::Damaged);
        }
        if *found > version {
            return Err(FormatError::Newer(*found));
        }
        Self::read_all(rest).ok_or(FormatError::Damaged)
    }

    fn read_all(mut bytes: &'r [u8]) -> Option<Self> {
        let mut values = [None; N];
        while !bytes.is_empty() {
            let (&[tag, hi, lo], rest) = bytes.split_first_chunk()?;
            let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([hi, lo])))?;
            if values.get_mut(usize::from(tag))?.replace(value).is_some() {
                return None;
            }
            bytes = rest;
        }
        Some(Self { values })
    }

    pub(crate) fn get(&self, tag: u8) -> Option<&'r [u8]> {
        self.values.get(usize::from(tag)).copied().flatten()
    }

    /// A field that has to be there.
    pub(crate) fn require(&self, tag: u8) -> Result<&'r [u8], FormatError> {
        self.get(tag).ok_or(FormatError::Damaged)
    }

    /// A number that has to be there.
    pub(crate) fn array<const L: usize>(&self, tag: u8) -> Result<[u8; L], FormatError> {
        self.require(tag)?
            .try_into()
            .map_err(|_| FormatError::Damaged)
    }

    /// Reads a field that may be missing.
    pub(crate) fn optional<T>(
        &self,
        tag: u8,
        read: impl FnOnce(&'r [u8]) -> Option<T>,
    ) -> Result<Option<T>, FormatError> {
        self.get(tag)
            .map(|value| read(value).ok_or(FormatError::Damaged))
            .transpose()
    }

    /// A text, empty if missing.
    pub(crate) fn text<const L: usize>(&self, tag: u8) -> Result<heapless::String<L>, FormatError> {
        let text = self.optional(tag, |bytes| {
            core::str::from_utf8(bytes).ok()?.try_into().ok()
        })?;
        Ok(text.unwrap_or_default())
    }
}
