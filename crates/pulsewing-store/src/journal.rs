//! Whole records, one after the other: the newest one is current, and no power cut can destroy it.
//!
//! A range of sectors holds frames. Within a sector, each frame follows the previous one; the
//! sectors are used in turn. The age of a frame is given by its number, not by its place.
//!
//! The bytes of a frame are described in `frame.rs`.
//!
//! # Contract
//! - A frame is written where the flash was read as erased, then read back, and only then sealed. A
//!   frame without a seal does not exist; one with a seal whose payload fails its CRC is damaged,
//!   and the previous one is current.
//! - The sector of the current frame is never erased, except by [`Journal::blank`].
//! - No state is kept between calls, so that an interrupted call leaves nothing inconsistent.
//! - A sector is walked in steps of 32 bytes or whole frames, up to its first erased step: whatever
//!   the flash holds, a scan reads no byte more than twice.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    Area, StoreError,
    flash::{self, CRC, GRAIN, sector_size},
    frame::{Entry, FORMAT, Frame, HEAD, SEAL, frame_len, is_sealed},
    tlv::{self, FormatError},
};

/// The maximum number of damaged frames that are skipped in search of a sound one.
const CANDIDATES: usize = 8;

/// The contents of a range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan {
    /// The highest number in use, 0 if none.
    last_number: u32,
    pub(crate) current: Current,
    /// Whether a newer frame was skipped because it is damaged.
    pub(crate) is_previous: bool,
}

impl Scan {
    /// Returns the current frame.
    pub(crate) fn frame(&self) -> Option<&Frame> {
        match &self.current {
            Current::Frame(frame) | Current::Newer(_, frame) => Some(frame),
            Current::Nothing | Current::Damaged => None,
        }
    }

    /// Returns an error if a later format was found.
    pub(crate) const fn known<E>(self) -> Result<Self, StoreError<E>> {
        match self.current {
            Current::Newer(format, _) => Err(StoreError::Newer(format)),
            _ => Ok(self),
        }
    }
}

/// The current frame of a range.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Current {
    /// There is no frame.
    Nothing,
    /// There were frames, but all that were tried are damaged.
    Damaged,
    /// This frame.
    Frame(Frame),
    /// This frame, which has a later format.
    Newer(u8, Frame),
}

/// The place for a new frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// After the current frame; in another sector if there is no room.
    Here,
    /// In another sector.
    Apart,
}

/// A range of sectors that holds frames of one subject.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journal {
    pub(crate) area: Area,
    pub(crate) subject: u8,
}

impl Journal {
    /// Finds the current frame.
    pub(crate) async fn scan<F: NorFlash>(
        &self,
        flash: &mut F,
    ) -> Result<Scan, StoreError<F::Error>> {
        self.scan_below(flash, None).await
    }

    /// Finds the newest sound frame with a number below `below`.
    pub(crate) async fn scan_below<F: NorFlash>(
        &self,
        flash: &mut F,
        below: Option<u32>,
    ) -> Result<Scan, StoreError<F::Error>> {
        let mut below = below;
        let mut is_previous = false;
        let mut last_number = 0;
        for _ in 0..CANDIDATES {
            let (last, newest) = self.newest(flash, below).await?;
            last_number = last;
            let Some(frame) = newest else {
                let current = if is_previous {
                    Current::Damaged
                } else {
                    Current::Nothing
                };
                return Ok(Scan {
                    last_number,
                    current,
                    is_previous,
                });
            };
            if self.is_sound(flash, &frame).await? {
                let current = if frame.format > FORMAT {
                    Current::Newer(frame.format, frame)
                } else {
                    Current::Frame(frame)
                };
                return Ok(Scan {
                    last_number,
                    current,
                    is_previous,
                });
            }
            is_previous = true;
            below = Some(frame.number);
        }
        Ok(Scan {
            last_number,
            current: Current::Damaged,
            is_previous,
        })
    }

    /// Returns the highest number in use, and the newest sealed frame below `below`.
    async fn newest<F: NorFlash>(
        &self,
        flash: &mut F,
        below: Option<u32>,
    ) -> Result<(u32, Option<Frame>), StoreError<F::Error>> {
        let mut last = 0;
        let mut newest: Option<Frame> = None;
        for sector in 0..self.sectors::<F>() {
            let log_end = self
                .walk(flash, sector, |frame, is_sealed| {
                    last = last.max(frame.number);
                    let is_wanted = is_sealed && below.is_none_or(|below| frame.number < below);
                    if is_wanted && newest.is_none_or(|known| known.number <= frame.number) {
                        newest = Some(frame);
                    }
                })
                .await?;
            if let Some(frame) = newest.as_mut().filter(|frame| frame.sector == sector) {
                frame.log_end = log_end;
            }
        }
        Ok((last, newest))
    }

    /// Visits every frame of a sector, and returns the address where they end.
    pub(crate) async fn walk<F: NorFlash>(
        &self,
        flash: &mut F,
        sector: u32,
        mut visit: impl FnMut(Frame, bool),
    ) -> Result<u32, StoreError<F::Error>> {
        let Area { start, end } = self.sector::<F>(sector);
        let mut address = start;
        while address < end {
            let mut head = [0; GRAIN];
            flash::read(flash, address, &mut head).await?;
            if head == [0xff; GRAIN] {
                return Ok(address);
            }
            let frame = Frame::parse(&head, self.subject, address, sector)
                .filter(|frame| frame_len(frame.len) <= end - address);
            let Some(frame) = frame else {
                address += HEAD;
                continue;
            };
            let next = address + frame_len(frame.len);
            visit(frame, is_sealed(flash, next - SEAL).await?);
            address = next;
        }
        Ok(end)
    }

    async fn is_sound<F: NorFlash>(
        &self,
        flash: &mut F,
        frame: &Frame,
    ) -> Result<bool, StoreError<F::Error>> {
        Ok(flash::checksum(flash, frame.address + HEAD, frame.len).await? == frame.crc)
    }

    /// Finds the current frame of a subject that is about to be replaced. Refuses one whose payload has
    /// a newer version.
    pub(crate) async fn scan_replaceable<F: NorFlash>(
        &self,
        flash: &mut F,
        magic: [u8; 4],
        version: u8,
    ) -> Result<Scan, StoreError<F::Error>> {
        let scan = self.scan(flash).await?.known()?;
        if let Current::Frame(frame) = &scan.current {
            let mut head = [0; 5];
            self.read(flash, &frame.begin(5), &mut head).await?;
            if let Err(FormatError::Newer(version)) = tlv::read::<1>(&head, magic, version) {
                return Err(StoreError::Newer(version));
            }
        }
        Ok(scan)
    }

    /// Reads the current frame's payload into `buffer`; `None` if nothing was written.
    pub(crate) async fn read_current<'b, F: NorFlash>(
        &self,
        flash: &mut F,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, StoreError<F::Error>> {
        let scan = self.scan(flash).await?.known()?;
        match &scan.current {
            Current::Frame(frame) => {
                let payload = self.read(flash, frame, buffer).await?;
                payload.ok_or(StoreError::Unfit).map(Some)
            }
            Current::Nothing => Ok(None),
            Current::Damaged | Current::Newer(..) => Err(StoreError::Damaged),
        }
    }

    /// Reads a frame's payload into `buffer`; `None` if it does not fit.
    pub(crate) async fn read<'b, F: NorFlash>(
        &self,
        flash: &mut F,
        frame: &Frame,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, StoreError<F::Error>> {
        let Some(payload) = buffer.get_mut(..frame.len as usize) else {
            return Ok(None);
        };
        flash::read(flash, frame.address + HEAD, payload).await?;
        Ok(Some(payload))
    }

    /// Reads a frame's payload; `None` if it does not fit or fails its checksum.
    pub(crate) async fn read_sound<'b, F: NorFlash>(
        &self,
        flash: &mut F,
        frame: &Frame,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, StoreError<F::Error>> {
        let payload = self.read(flash, frame, buffer).await?;
        Ok(payload.filter(|payload| CRC.checksum(payload) == frame.crc))
    }

    /// Writes a frame, which is current from then on. If this fails, the previous one is still
    /// current, unless only the confirmation failed.
    pub(crate) async fn append<F: NorFlash>(
        &self,
        flash: &mut F,
        scan: &Scan,
        entry: Entry<'_>,
        place: Place,
    ) -> Result<u32, StoreError<F::Error>> {
        let payload_len = u32::try_from(entry.payload.len()).map_err(|_| StoreError::Unfit)?;
        let len = frame_len(payload_len);
        if len > sector_size::<F>() {
            return Err(StoreError::Unfit);
        }
        let mut number = next_number(scan.last_number)?;
        let mut outcome = Err(StoreError::Worn);
        if let (Place::Here, Some(frame)) = (place, scan.frame()) {
            let sector = self.sector::<F>(frame.sector);
            let end = frame.log_end.saturating_add(len);
            let room = Area {
                start: frame.log_end,
                end,
            };
            if end <= sector.end && flash::is_blank(flash, room).await? {
                outcome = self.write(flash, room.start, number, entry).await;
                if outcome.is_ok() {
                    return Ok(frame.sector);
                }
                number = next_number(number)?;
            }
        }
        for sector in self.others::<F>(scan) {
            let room = self.sector::<F>(sector);
            outcome = match flash::make_blank(flash, room).await {
                Ok(()) => self.write(flash, room.start, number, entry).await,
                Err(error) => Err(error),
            };
            if outcome.is_ok() {
                return Ok(sector);
            }
            number = next_number(number)?;
        }
        outcome.map(|()| 0)
    }

    /// Writes a frame to erased flash, reads it back, and seals it.
    pub(crate) async fn write<F: NorFlash>(
        &self,
        flash: &mut F,
        address: u32,
        number: u32,
        entry: Entry<'_>,
    ) -> Result<(), StoreError<F::Error>> {
        let head = entry.head(self.subject, number);
        let filled = entry.payload.len().next_multiple_of(GRAIN);
        let fill = core::iter::repeat_n(0xff, filled - entry.payload.len());
        let body = || {
            head.iter()
                .copied()
                .chain(entry.payload.iter().copied())
                .chain(fill.clone())
        };
        let seal = flash::write_bytes(flash, address, body()).await?;
        if !flash::holds(flash, address, body()).await? {
            return Err(StoreError::Worn);
        }
        flash::write_bytes(flash, seal, core::iter::repeat_n(0, GRAIN)).await?;
        if is_sealed(flash, seal).await? {
            Ok(())
        } else {
            Err(StoreError::Worn)
        }
    }

    /// Prepares the flash for a frame of `first` bytes of payload in another sector, and one of up
    /// to `second` bytes after it; then neither needs an erase. Every sector except that of the
    /// current frame is erased, with the older frames in it.
    pub(crate) async fn reserve_two<F: NorFlash>(
        &self,
        flash: &mut F,
        scan: &Scan,
        first: u32,
        second: u32,
    ) -> Result<(), StoreError<F::Error>> {
        let both = frame_len(first).saturating_add(frame_len(second));
        let needed = if both <= sector_size::<F>() { 1 } else { 2 };
        let mut ready = 0;
        let mut outcome = Err(StoreError::Worn);
        for sector in self.others::<F>(scan) {
            match flash::make_blank(flash, self.sector::<F>(sector)).await {
                Ok(()) => ready += 1,
                Err(error) => outcome = Err(error),
            }
        }
        if ready >= needed { Ok(()) } else { outcome }
    }

    /// Prepares the flash for one frame of up to `payload` bytes.
    pub(crate) async fn reserve_one<F: NorFlash>(
        &self,
        flash: &mut F,
        scan: &Scan,
        payload: u32,
    ) -> Result<(), StoreError<F::Error>> {
        if let Some(frame) = scan.frame() {
            let rest = Area {
                start: frame.log_end,
                end: self.sector::<F>(frame.sector).end,
            };
            if rest.len() >= frame_len(payload) && flash::is_blank(flash, rest).await? {
                return Ok(());
            }
        }
        let mut outcome = Err(StoreError::Worn);
        for sector in self.others::<F>(scan) {
            outcome = flash::make_blank(flash, self.sector::<F>(sector)).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Erases every sector but `keep`, the oldest first.
    pub(crate) async fn blank_others<F: NorFlash>(
        &self,
        flash: &mut F,
        keep: u32,
    ) -> Result<(), StoreError<F::Error>> {
        let mut outcome = Ok(());
        for sector in ring(self.sectors::<F>(), Some(keep)) {
            let done = flash::make_blank(flash, self.sector::<F>(sector)).await;
            outcome = outcome.and(done);
        }
        outcome
    }

    /// Erases everything, the current frame last, and only if nothing else is left: otherwise an
    /// older frame would become current.
    pub(crate) async fn blank<F: NorFlash>(
        &self,
        flash: &mut F,
        scan: &Scan,
    ) -> Result<(), StoreError<F::Error>> {
        let Some(frame) = scan.frame() else {
            return flash::make_blank(flash, self.area).await;
        };
        self.blank_others(flash, frame.sector).await?;
        flash::make_blank(flash, self.sector::<F>(frame.sector)).await
    }

    pub(crate) const fn sectors<F: NorFlash>(&self) -> u32 {
        self.area.len() / sector_size::<F>()
    }

    const fn sector<F: NorFlash>(&self, index: u32) -> Area {
        let start = self.area.start + index * sector_size::<F>();
        Area {
            start,
            end: start + sector_size::<F>(),
        }
    }

    /// Returns the sectors that may be erased, in the order in which they are used.
    fn others<F: NorFlash>(&self, scan: &Scan) -> impl Iterator<Item = u32> + use<F> {
        ring(self.sectors::<F>(), scan.frame().map(|frame| frame.sector))
    }
}

/// Returns all of `sectors` except `keep`, beginning after it.
fn ring(sectors: u32, keep: Option<u32>) -> impl Iterator<Item = u32> {
    let (first, count) = match keep {
        Some(keep) => (keep.saturating_add(1), sectors.saturating_sub(1)),
        None => (0, sectors),
    };
    (0..count).map(move |step| first.saturating_add(step).checked_rem(sectors).unwrap_or(0))
}

const fn next_number<E>(number: u32) -> Result<u32, StoreError<E>> {
    match number.checked_add(1) {
        Some(next) => Ok(next),
        // No flash survives four thousand million writes: this number was not written by us.
        None => Err(StoreError::Damaged),
    }
}
