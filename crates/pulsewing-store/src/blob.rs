//! Data that is longer than a sector and written in pieces: the wallpaper, the TLS roots.
//!
//! ```text
//! offset  size  what
//! 0       4     "PWBL"
//! 4       1     format, now 1
//! 5       3     0
//! 8       4     number, higher than the other half's (roots)
//! 12      4     length of the content in bytes, n
//! 16      4     CRC-32 of the content
//! 20      8     0
//! 28      4     CRC-32 of the 28 bytes before
//! 32      n     content
//! ```
//!
//! The head is written last, after the content was read back; without it there is no blob.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    Area, Store, StoreError,
    flash::{self, CHUNK, CRC, Chunk, GRAIN, checksum, len32, sector_size},
};

/// The maximum length of the TLS roots, in bytes.
pub const MAX_ROOTS: u32 = 8 * 1_024;

pub(crate) const HEAD: usize = GRAIN;
const MAGIC: [u8; 4] = *b"PWBL";
const FORMAT: u8 = 1;

/// A blob's head.
#[derive(Clone, Copy, Debug)]
struct Head {
    number: u32,
    len: u32,
    crc: u32,
}

impl Head {
    fn encode(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        let words = [
            MAGIC,
            [FORMAT, 0, 0, 0],
            self.number.to_le_bytes(),
            self.len.to_le_bytes(),
            self.crc.to_le_bytes(),
        ];
        for (slot, word) in head.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *slot = word;
        }
        if let Some((covered, crc)) = head.split_last_chunk_mut::<4>() {
            *crc = CRC.checksum(covered).to_le_bytes();
        }
        head
    }

    /// Decodes the head, with its format if that is a newer one.
    fn decode(bytes: &[u8; HEAD]) -> Option<(Self, Option<u8>)> {
        let (covered, crc) = bytes.split_last_chunk::<4>()?;
        let (words, _) = covered.as_chunks::<4>();
        let [magic, [format, ..], number, len, content, ..] = words else {
            return None;
        };
        let is_own =
            *magic == MAGIC && *format > 0 && CRC.checksum(covered) == u32::from_le_bytes(*crc);
        is_own.then_some((
            Self {
                number: u32::from_le_bytes(*number),
                len: u32::from_le_bytes(*len),
                crc: u32::from_le_bytes(*content),
            },
            (*format > FORMAT).then_some(*format),
        ))
    }
}

/// Finds the blob in `area`, if there is a whole one.
async fn find<F: NorFlash>(
    flash: &mut F,
    area: Area,
) -> Result<Option<Head>, StoreError<F::Error>> {
    if area.is_empty() {
        return Ok(None);
    }
    let mut bytes = [0; HEAD];
    flash::read(flash, area.start, &mut bytes).await?;
    let Some((head, newer)) = Head::decode(&bytes) else {
        return Ok(None);
    };
    if let Some(format) = newer {
        return Err(StoreError::Newer(format));
    }
    if head.len > area.len().saturating_sub(len32(HEAD)) {
        return Ok(None);
    }
    let is_sound = checksum(flash, area.start + len32(HEAD), head.len).await? == head.crc;
    Ok(is_sound.then_some(head))
}

impl<F: NorFlash> Store<F> {
    /// Returns the wallpaper, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Newer`], and whatever the flash reports.
    pub async fn wallpaper(&mut self) -> Result<Option<BlobReader<'_, F>>, StoreError<F::Error>> {
        let area = self.layout.wallpaper;
        let head = find(&mut self.flash, area).await?;
        Ok(head.map(|head| BlobReader {
            flash: &mut self.flash,
            area,
            len: head.len,
        }))
    }

    /// Begins a wallpaper of `len` bytes. The old one is lost from here on.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if there is no room for it, [`StoreError::Newer`] if the old one must
    /// not be touched, and whatever the flash reports.
    pub async fn write_wallpaper(
        &mut self,
        len: u32,
    ) -> Result<BlobWriter<'_, F>, StoreError<F::Error>> {
        let area = self.layout.wallpaper;
        find(&mut self.flash, area).await?;
        BlobWriter::begin(&mut self.flash, area, 1, len).await
    }

    /// Returns the TLS roots, DER or PEM, if there are any.
    ///
    /// # Errors
    /// [`StoreError::Newer`], and whatever the flash reports.
    pub async fn roots(&mut self) -> Result<Option<BlobReader<'_, F>>, StoreError<F::Error>> {
        let newest = self.newest_roots().await?;
        Ok(newest.map(|(_, area, head)| BlobReader {
            flash: &mut self.flash,
            area,
            len: head.len,
        }))
    }

    /// Begins TLS roots of `len` bytes, at most [`MAX_ROOTS`]. The old ones stay until the new ones
    /// are finished.
    ///
    /// # Errors
    /// As for [`write_wallpaper`](Self::write_wallpaper).
    pub async fn write_roots(
        &mut self,
        len: u32,
    ) -> Result<BlobWriter<'_, F>, StoreError<F::Error>> {
        if len > MAX_ROOTS {
            return Err(StoreError::Unfit);
        }
        let newest = self.newest_roots().await?;
        let [first, second] = self.layout.roots.halves();
        let (area, number) = match newest {
            Some((0, _, head)) => (second, head.number),
            Some((_, _, head)) => (first, head.number),
            None => (first, 0),
        };
        let number = number.checked_add(1).ok_or(StoreError::Damaged)?;
        BlobWriter::begin(&mut self.flash, area, number, len).await
    }

    async fn newest_roots(&mut self) -> Result<Option<(usize, Area, Head)>, StoreError<F::Error>> {
        let mut newest: Option<(usize, Area, Head)> = None;
        for (index, area) in self.layout.roots.halves().into_iter().enumerate() {
            let found = find(&mut self.flash, area).await?;
            if let Some(head) = found
                && newest.is_none_or(|(_, _, known)| known.number < head.number)
            {
                newest = Some((index, area, head));
            }
        }
        Ok(newest)
    }
}

/// A stored blob.
#[derive(Debug)]
pub struct BlobReader<'f, F> {
    flash: &'f mut F,
    area: Area,
    len: u32,
}

impl<F: NorFlash> BlobReader<'_, F> {
    /// Returns the length in bytes.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Returns whether the blob is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads into `buffer` from `offset` on, and returns the part that was read: shorter than the
    /// buffer only at the end.
    ///
    /// # Errors
    /// Whatever the flash reports.
    pub async fn read<'b>(
        &mut self,
        offset: u32,
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], StoreError<F::Error>> {
        let rest = self.len.saturating_sub(offset) as usize;
        let take = rest.min(buffer.len());
        let part = buffer.get_mut(..take).unwrap_or_default();
        if !part.is_empty() {
            flash::read(self.flash, self.area.start + len32(HEAD) + offset, part).await?;
        }
        Ok(part)
    }
}

/// A blob that is being written. Unless it is [finished](Self::finish), it does not exist.
pub struct BlobWriter<'f, F> {
    flash: &'f mut F,
    area: Area,
    number: u32,
    len: u32,
    /// The number of bytes that are on the flash.
    written: u32,
    staged: Chunk,
    staged_len: usize,
    digest: crc::Digest<'static, u32, crc::Table<1>>,
}

impl<'f, F: NorFlash> BlobWriter<'f, F> {
    async fn begin(
        flash: &'f mut F,
        area: Area,
        number: u32,
        len: u32,
    ) -> Result<Self, StoreError<F::Error>> {
        let span = len
            .checked_add(len32(HEAD))
            .filter(|span| *span <= area.len())
            .ok_or(StoreError::Unfit)?;
        let used = Area {
            start: area.start,
            end: area.start + span.next_multiple_of(sector_size::<F>()),
        };
        flash::make_blank(flash, used).await?;
        Ok(Self {
            flash,
            area,
            number,
            len,
            written: 0,
            staged: Chunk::new(),
            staged_len: 0,
            digest: CRC.digest(),
        })
    }

    /// Writes the next piece, of any length.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] for more than was announced, and whatever the flash reports.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError<F::Error>> {
        let after = u64::from(self.written) + self.staged_len as u64 + piece.len() as u64;
        if after > u64::from(self.len) {
            return Err(StoreError::Unfit);
        }
        self.digest.update(piece);
        let mut rest = piece;
        while !rest.is_empty() {
            let free = self.staged.0.get_mut(self.staged_len..).unwrap_or_default();
            let (now, later) = rest.split_at(rest.len().min(free.len()));
            for (slot, byte) in free.iter_mut().zip(now) {
                *slot = *byte;
            }
            self.staged_len += now.len();
            rest = later;
            if self.staged_len == CHUNK {
                self.flush(CHUNK).await?;
            }
        }
        Ok(())
    }

    /// Writes the staged bytes, padded up to `filled` bytes.
    async fn flush(&mut self, filled: usize) -> Result<(), StoreError<F::Error>> {
        for slot in self.staged.0.iter_mut().skip(self.staged_len) {
            *slot = 0xff;
        }
        let page = self.staged.0.get(..filled).unwrap_or_default();
        let address = self.area.start + len32(HEAD) + self.written;
        self.flash
            .write(address, page)
            .await
            .map_err(StoreError::Flash)?;
        self.written += len32(self.staged_len);
        self.staged_len = 0;
        Ok(())
    }

    /// Reads back what was written, and makes it the stored blob.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] for less than was announced, [`StoreError::Worn`] if something else is
    /// read back, and whatever the flash reports.
    pub async fn finish(mut self) -> Result<(), StoreError<F::Error>> {
        if self.staged_len > 0 {
            self.flush(self.staged_len.next_multiple_of(GRAIN)).await?;
        }
        if self.written != self.len {
            return Err(StoreError::Unfit);
        }
        let crc = self.digest.finalize();
        let start = self.area.start;
        if checksum(self.flash, start + len32(HEAD), self.len).await? != crc {
            return Err(StoreError::Worn);
        }
        let head = Head {
            number: self.number,
            len: self.len,
            crc,
        };
        let mut chunk = Chunk::new();
        let head = head.encode();
        for (slot, byte) in chunk.0.iter_mut().zip(head) {
            *slot = byte;
        }
        let page = chunk.0.get(..HEAD).unwrap_or_default();
        self.flash
            .write(start, page)
            .await
            .map_err(StoreError::Flash)?;
        let mut back = [0; HEAD];
        flash::read(self.flash, start, &mut back).await?;
        if back == head {
            Ok(())
        } else {
            Err(StoreError::Worn)
        }
    }
}
