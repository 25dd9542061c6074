//! A frame: the bytes around a record.
//!
//! ```text
//! offset  size  what
//! 0       4     "PWFR"
//! 4       1     subject: 1 chain, 2 settings, 3 snapshot, 4 errors, 5 panic
//! 5       1     frame format, now 1
//! 6       1     kind (see `Kind`)
//! 7       1     0
//! 8       4     number: higher than that of every frame before it
//! 12      4     length of the payload in bytes, n
//! 16      4     stamp: the chain's generation, else 0
//! 20      4     CRC-32 of the payload
//! 24      4     0
//! 28      4     CRC-32 of the 28 bytes before
//! 32      n     payload, filled up with FF to a multiple of 32
//!         32    the seal: zeros, written last
//! ```
//!
//! Numbers are little-endian, the CRC is that of Ethernet and zip. Everything except the payload
//! stays as it is in later formats, so that an older reader can skip a newer frame.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    StoreError,
    flash::{self, CRC, GRAIN, len32},
};

/// The frame format that we write.
pub(crate) const FORMAT: u8 = 1;

const MAGIC: [u8; 4] = *b"PWFR";
/// The length of a frame before its payload, and after it, in bytes.
pub(crate) const HEAD: u32 = len32(GRAIN);
pub(crate) const SEAL: u32 = len32(GRAIN);

/// The number of zero bits that make a seal: half of them, so that neither a cut during its write
/// nor a few faded bits make it ambiguous.
const SEALED_FROM: u32 = SEAL * 8 / 2;

/// Returns the length of a frame in bytes.
pub(crate) const fn frame_len(payload: u32) -> u32 {
    HEAD.saturating_add(payload.saturating_add(HEAD - 1) / HEAD * HEAD)
        .saturating_add(SEAL)
}

/// The purpose of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It follows from the previous frame, which stays until its sector is needed.
    Step,
    /// It has nothing to do with the previous frames; these are to be erased.
    Fresh,
    /// There is no value any more; the previous frames are to be erased.
    Forgotten,
    /// Every range is to be erased.
    Reset,
    /// A kind of a later format.
    Unknown,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Step => 1,
            Self::Fresh => 2,
            Self::Forgotten => 3,
            Self::Reset => 4,
            Self::Unknown => 0,
        }
    }

    const fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Step,
            2 => Self::Fresh,
            3 => Self::Forgotten,
            4 => Self::Reset,
            _ => Self::Unknown,
        }
    }
}

/// A frame to be written.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'p> {
    pub(crate) kind: Kind,
    pub(crate) stamp: u32,
    pub(crate) payload: &'p [u8],
}

impl Entry<'_> {
    /// Returns the head of the frame that holds it.
    pub(crate) fn head(&self, subject: u8, number: u32) -> [u8; GRAIN] {
        let len = len32(self.payload.len());
        let mut head = [0; GRAIN];
        let fixed = [subject, FORMAT, self.kind.byte(), 0];
        let words = [
            MAGIC,
            fixed,
            number.to_le_bytes(),
            len.to_le_bytes(),
            self.stamp.to_le_bytes(),
            CRC.checksum(self.payload).to_le_bytes(),
            [0; 4],
        ];
        let (slots, _) = head.as_chunks_mut::<4>();
        for (slot, word) in slots.iter_mut().zip(words) {
            *slot = word;
        }
        if let Some((covered, crc)) = head.split_last_chunk_mut::<4>() {
            *crc = CRC.checksum(covered).to_le_bytes();
        }
        head
    }
}

/// A frame that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) number: u32,
    pub(crate) stamp: u32,
    pub(crate) len: u32,
    pub(crate) format: u8,
    pub(crate) crc: u32,
    pub(crate) address: u32,
    /// The sector of the frame, counted from the start of the range.
    pub(crate) sector: u32,
    /// The end of the frames of its sector.
    pub(crate) log_end: u32,
}

impl Frame {
    /// Reads the head at `address`; `None` if there is none, or one of another subject.
    pub(crate) fn parse(head: &[u8; GRAIN], wanted: u8, address: u32, sector: u32) -> Option<Self> {
        let (covered, crc) = head.split_last_chunk::<4>()?;
        let (fixed, numbers) = covered.split_first_chunk::<8>()?;
        let [m0, m1, m2, m3, subject, format, kind, _] = *fixed;
        let mut numbers = numbers.as_chunks::<4>().0.iter();
        let mut number = || numbers.next().map(|bytes| u32::from_le_bytes(*bytes));
        let frame = Self {
            kind: Kind::from_byte(kind),
            format,
            number: number()?,
            len: number()?,
            stamp: number()?,
            crc: number()?,
            address,
            sector,
            log_end: address,
        };
        let is_own = [m0, m1, m2, m3] == MAGIC
            && subject == wanted
            && format > 0
            && CRC.checksum(covered) == u32::from_le_bytes(*crc);
        is_own.then_some(frame)
    }

    /// Returns a frame whose payload is the first `len` bytes of this one's, or all of it.
    pub(crate) fn begin(&self, len: u32) -> Self {
        Self {
            len: self.len.min(len),
            ..*self
        }
    }
}

/// Returns whether there is a seal at `address`.
pub(crate) async fn is_sealed<F: NorFlash>(
    flash: &mut F,
    address: u32,
) -> Result<bool, StoreError<F::Error>> {
    let mut seal = [0xff; GRAIN];
    flash::read(flash, address, &mut seal).await?;
    let zeros: u32 = seal.iter().map(|byte| byte.count_zeros()).sum();
    Ok(zeros >= SEALED_FROM)
}
