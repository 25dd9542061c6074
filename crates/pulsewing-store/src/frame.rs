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
//! Numbers are little-endian, the CRC is that of Ethernet and zip. All of this but the payload
//! stays as it is in later formats, so that an older reader finds its way past a newer frame.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    StoreError,
    flash::{self, CRC, GRAIN, len32},
};

/// The frame format that is written.
pub(crate) const FORMAT: u8 = 1;

const MAGIC: [u8; 4] = *b"PWFR";
/// The bytes of a frame before its payload, and after it.
pub(crate) const HEAD: u32 = len32(GRAIN);
pub(crate) const SEAL: u32 = len32(GRAIN);

/// How many zero bits make a seal: half of them, so that neither a cut while it was written nor
/// a few bits that fade make it ambiguous.
const SEALED_FROM: u32 = SEAL * 8 / 2;

/// The bytes that a frame takes.
pub(crate) const fn frame_len(payload: u32) -> u32 {
    HEAD.saturating_add(payload.saturating_add(HEAD - 1) / HEAD * HEAD)
        .saturating_add(SEAL)
}

/// Why a frame was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It follows from the one before, which stays until its sector is needed.
    Step,
    /// It has nothing to do with what was before; that is to be erased.
    Fresh,
    /// There is nothing any more; what was before is to be erased.
    Forgotten,
    /// Every range is to be erased.
    Reset,
    /// Of a later format.
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

/// What is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'p> {
    pub(crate) kind: Kind,
    pub(crate) stamp: u32,
    pub(crate) payload: &'p [u8],
}

impl Entry<'_> {
    /// The head of the frame that holds it.
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
    /// The sector that it is in, counted from the range's first.
    pub(crate) sector: u32,
    /// Where the frames of its sector end.
    pub(crate) log_end: u32,
}

impl Frame {
    /// Reads a head that lies at `address`; `None` if it is none, or of another subject.
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

    /// A frame whose payload is the first `len` bytes of this one's, or all of it.
    pub(crate) fn begin(&self, len: u32) -> Self {
        Self {
            len: self.len.min(len),
            ..*self
        }
    }
}

/// Whether there is a seal at `address`.
pub(crate) async fn is_sealed<F: NorFlash>(
    flash: &mut F,
    address: u32,
) -> Result<bool, StoreError<F::Error>> {
    let mut seal = [0xff; GRAIN];
    flash::read(flash, address, &mut seal).await?;
    let zeros: u32 = seal.iter().map(|byte| byte.count_zeros()).sum();
    Ok(zeros >= SEALED_FROM)
}
