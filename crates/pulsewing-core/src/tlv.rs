//! Fields of a tag (1 byte), a length (2 bytes, big-endian) and a value. Stored records consist of them.
//!
//! A tag that is unknown, or comes twice, is damage: a new field needs a new version of the format
//! around it.

/// The bytes do not have the expected fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored bytes are damaged")]
pub struct Damaged;

/// A writer of fields into a buffer. Methods return `None` if there is no room.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl<'b> Writer<'b> {
    /// Creates a writer, and writes some bytes that are not a field.
    pub fn new(buffer: &'b mut [u8], head: &[u8]) -> Option<Self> {
        let mut writer = Self { buffer, len: 0 };
        writer.push(head)?;
        Some(writer)
    }

    /// Writes a field whose value is the concatenation of the parts.
    pub fn field(&mut self, tag: u8, parts: &[&[u8]]) -> Option<()> {
        self.field_of(tag, |out| parts.iter().try_for_each(|part| out.push(part)))
    }

    /// Writes a field whose value `write` pushes, piece by piece.
    pub fn field_of(&mut self, tag: u8, write: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.push(&[tag])?;
        let at = self.len;
        self.push(&[0, 0])?;
        write(self)?;
        let len = u16::try_from(self.len.checked_sub(at)?.checked_sub(2)?).ok()?;
        self.replace(at, &len.to_be_bytes())
    }

    /// Writes bytes as they are.
    pub fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        self.buffer.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    /// Overwrites bytes that were written before.
    pub fn replace(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        let end = at.checked_add(bytes.len()).filter(|end| *end <= self.len)?;
        self.buffer.get_mut(at..end)?.copy_from_slice(bytes);
        Some(())
    }

    /// Returns the written bytes.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// Ends, and returns the written bytes.
    #[must_use]
    pub fn finish(self) -> &'b [u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

/// The fields of a record, by tags below `N`.
#[derive(Debug)]
pub struct Fields<'r, const N: usize> {
    values: [Option<&'r [u8]>; N],
}

impl<'r, const N: usize> Fields<'r, N> {
    /// Reads bytes that consist of fields only.
    ///
    /// # Errors
    /// [`Damaged`] for a length beyond the end, a tag of `N` or more, and a tag that comes twice.
    pub fn read(mut bytes: &'r [u8]) -> Result<Self, Damaged> {
        let mut values = [None; N];
        while !bytes.is_empty() {
            let (&[tag, hi, lo], rest) = bytes.split_first_chunk().ok_or(Damaged)?;
            let len = usize::from(u16::from_be_bytes([hi, lo]));
            let (value, rest) = rest.split_at_checked(len).ok_or(Damaged)?;
            let slot = values.get_mut(usize::from(tag)).ok_or(Damaged)?;
            if slot.replace(value).is_some() {
                return Err(Damaged);
            }
            bytes = rest;
        }
        Ok(Self { values })
    }

    /// Returns a field's value; `None` if there is no such field.
    #[must_use]
    pub fn get(&self, tag: u8) -> Option<&'r [u8]> {
        self.values.get(usize::from(tag)).copied().flatten()
    }

    /// Returns the value of a field that has to be there.
    ///
    /// # Errors
    /// [`Damaged`] if it is missing.
    pub fn require(&self, tag: u8) -> Result<&'r [u8], Damaged> {
        self.get(tag).ok_or(Damaged)
    }

    /// Returns the value of a field that has to be there and has to have `L` bytes.
    ///
    /// # Errors
    /// [`Damaged`] if it is missing, or has another length.
    pub fn array<const L: usize>(&self, tag: u8) -> Result<[u8; L], Damaged> {
        self.require(tag)?.try_into().map_err(|_| Damaged)
    }

    /// Reads a field that may be missing.
    ///
    /// # Errors
    /// [`Damaged`] if it is there but `read` cannot read it.
    pub fn optional<T>(
        &self,
        tag: u8,
        read: impl FnOnce(&'r [u8]) -> Option<T>,
    ) -> Result<Option<T>, Damaged> {
        self.get(tag)
            .map(|value| read(value).ok_or(Damaged))
            .transpose()
    }

    /// Returns a text of at most `L` bytes; `None` if there is no such field.
    ///
    /// # Errors
    /// [`Damaged`] if it is not text, or longer.
    pub fn text<const L: usize>(&self, tag: u8) -> Result<Option<heapless::String<L>>, Damaged> {
        self.optional(tag, |bytes| {
            core::str::from_utf8(bytes).ok()?.try_into().ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_were_written() {
        let mut buffer = [0; 32];
        let mut out = Writer::new(&mut buffer, b"PW").unwrap();
        out.field(1, &[b"a", b"bc"]).unwrap();
        out.field(3, &[]).unwrap();
        let bytes = out.finish();
        assert_eq!(bytes, b"PW\x01\0\x03abc\x03\0\0");
        let fields = Fields::<4>::read(&bytes[2..]).unwrap();
        assert_eq!(fields.get(1), Some(&b"abc"[..]));
        assert_eq!(fields.text::<3>(1).unwrap().unwrap(), "abc");
        assert_eq!(fields.array::<0>(3), Ok([]));
        assert_eq!((fields.get(2), fields.require(2)), (None, Err(Damaged)));
        assert_eq!(fields.text::<2>(1), Err(Damaged));
        assert_eq!(fields.array::<2>(1), Err(Damaged));
    }

    #[test]
    fn what_is_no_field_is_damage() {
        for bytes in [
            &b"\x01"[..],
            b"\x01\0\x02a",
            b"\x04\0\0",
            b"\x01\0\0\x01\0\0",
        ] {
            assert_eq!(Fields::<4>::read(bytes).unwrap_err(), Damaged, "{bytes:?}");
        }
    }

    #[test]
    fn a_full_buffer_takes_no_field() {
        let mut buffer = [0; 6];
        assert!(Writer::new(&mut [], b"PW").is_none());
        let mut out = Writer::new(&mut buffer, b"PW").unwrap();
        assert_eq!(out.field(1, &[b"ab"]), None);
    }
}
