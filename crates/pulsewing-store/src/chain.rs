//! The token chain on the flash.
//!
//! ```text
//!  sector 0          sector 1          sector 2          sector 3
//! ├────────────────┼─────────────────┼─────────────────┼─────────────────┤
//! │ intent g-1     │ intent g        │                 │                 │
//! │ chain g        │ chain g+1  ◀──  │     erased      │     erased      │
//! └────────────────┴─────────────────┴─────────────────┴─────────────────┘
//!   previous          counts            the next intent begins here
//! ```
//!
//! - An intent begins a new sector. Before it is written, every sector but that of the current
//!   chain is erased and read back, so that there is already room for the longest answer. Once the
//!   intent is confirmed, storing the answer only writes to erased flash.
//! - The answer follows the intent in its sector if there is room; otherwise it begins the next
//!   one.
//! - A spent refresh token is gone from the flash when the second intent after its own is
//!   confirmed.
//! - A sign-in and a sign-out erase the earlier records at once.

use embedded_storage_async::nor_flash::NorFlash;
use pulsewing_core::{
    chain::{
        Record,
        codec::{MAX_RECORD, RecordError},
    },
    cycle::StoreWhat,
};

use crate::{
    Store, StoreError, Subject,
    flash::{self, len32},
    frame::{Entry, Frame, Kind},
    journal::{Current, Journal, Place, Scan},
};

/// The stored chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedChain {
    /// The chain, possibly with the intent to refresh it.
    pub record: Record,
    /// Whether the newest record is damaged, so that this is the previous one.
    pub is_previous: bool,
}

impl<F: NorFlash> Store<F> {
    /// Reads the chain. `buffer` has at least [`MAX_RECORD`] bytes; afterwards it holds tokens.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Damaged`], [`StoreError::Flash`]; and
    /// [`StoreError::Unfit`] for a buffer that is too small. An older record is used only if every
    /// newer one fails its checksum.
    pub async fn load_chain(
        &mut self,
        buffer: &mut [u8],
    ) -> Result<Option<LoadedChain>, StoreError<F::Error>> {
        let journal = self.journal(Subject::Chain);
        let mut below = None;
        // A record that passes the frame's checksum but not its own was never written by us.
        for _ in 0..2 {
            let scan = journal.scan_below(&mut self.flash, below).await?.known()?;
            let frame = match scan.current {
                Current::Frame(frame) => frame,
                Current::Nothing if below.is_none() => return Ok(None),
                _ => return Err(StoreError::Damaged),
            };
            match frame.kind {
                Kind::Step | Kind::Fresh => {}
                Kind::Forgotten | Kind::Reset => return Ok(None),
                Kind::Unknown => return Err(StoreError::Damaged),
            }
            let bytes = journal.read(&mut self.flash, &frame, buffer).await?;
            match Record::decode(bytes.ok_or(StoreError::Unfit)?) {
                Ok(record) => {
                    return Ok(Some(LoadedChain {
                        record,
                        is_previous: scan.is_previous || below.is_some(),
                    }));
                }
                Err(RecordError::Newer(version)) => return Err(StoreError::Newer(version)),
                Err(RecordError::Damaged) => below = Some(frame.number),
            }
        }
        Err(StoreError::Damaged)
    }

    /// Makes room for the answer to a refresh whose intent is already on the flash. Call it if
    /// [`load_chain`](Self::load_chain) found one, before the refresh is repeated.
    ///
    /// # Errors
    /// If no room can be made, and as for loading.
    pub async fn reserve_answer(&mut self) -> Result<(), StoreError<F::Error>> {
        let journal = self.journal(Subject::Chain);
        let scan = self.writable_chain(&journal).await?;
        journal
            .reserve_one(&mut self.flash, &scan, len32(MAX_RECORD))
            .await
    }

    /// Carries out [`Action::Store`](pulsewing_core::cycle::Action::Store). `Ok` means that the
    /// record is on the flash and was read back; for an intent, also that there is room for the
    /// longest answer.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] for bytes that are not a record, [`StoreError::Older`] for one of an
    /// older generation than the stored one, [`StoreError::Newer`] if the stored one must not be
    /// touched, and whatever the flash reports.
    pub async fn store_chain(
        &mut self,
        record: &[u8],
        what: StoreWhat,
    ) -> Result<(), StoreError<F::Error>> {
        let stamp = generation(record).ok_or(StoreError::Unfit)?;
        let journal = self.journal(Subject::Chain);
        let scan = self.writable_chain(&journal).await?;
        refuse_older(&scan, stamp)?;
        let place = if what == StoreWhat::Intent {
            let intent = u32::try_from(record.len()).map_err(|_| StoreError::Unfit)?;
            journal
                .reserve_two(&mut self.flash, &scan, intent, len32(MAX_RECORD))
                .await?;
            Place::Apart
        } else {
            Place::Here
        };
        let entry = Entry {
            kind: Kind::Step,
            stamp,
            payload: record,
        };
        journal
            .append(&mut self.flash, &scan, entry, place)
            .await
            .map(|_| ())
    }

    /// Stores the chain of a sign-in, or one that a host moved here, and erases the previous one.
    /// If the erase fails now, [`start`](Self::start) repeats it.
    ///
    /// # Errors
    /// As for [`store_chain`](Self::store_chain). A chain of an older generation than the stored
    /// one is refused; to go back, [erase](Self::erase_chain) first.
    pub async fn adopt_chain(&mut self, record: &[u8]) -> Result<(), StoreError<F::Error>> {
        let stamp = generation(record).ok_or(StoreError::Unfit)?;
        let journal = self.journal(Subject::Chain);
        let scan = self.writable_chain(&journal).await?;
        refuse_older(&scan, stamp)?;
        let entry = Entry {
            kind: Kind::Fresh,
            stamp,
            payload: record,
        };
        let sector = journal
            .append(&mut self.flash, &scan, entry, Place::Apart)
            .await?;
        // The chain is stored, even if this fails.
        let _ = journal.blank_others(&mut self.flash, sector).await;
        Ok(())
    }

    /// Erases the chain, after a sign-out. If it is interrupted, [`start`](Self::start) finishes
    /// it, and no older chain becomes visible in the meantime.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if the stored one must not be touched, [`StoreError::Worn`] if a
    /// sector does not become blank, and whatever the flash reports.
    pub async fn erase_chain(&mut self) -> Result<(), StoreError<F::Error>> {
        let journal = self.journal(Subject::Chain);
        let scan = self.writable_chain(&journal).await?;
        if flash::is_blank(&mut self.flash, self.layout.chain).await? {
            return Ok(());
        }
        forget(&mut self.flash, &journal, scan, Kind::Forgotten).await?;
        journal.scan_and_blank(&mut self.flash).await
    }

    /// Scans the chain's range; an error if it must not be written to.
    async fn writable_chain(&mut self, journal: &Journal) -> Result<Scan, StoreError<F::Error>> {
        let scan = journal.scan(&mut self.flash).await?.known()?;
        if let Some(frame) = scan.frame() {
            if frame.kind == Kind::Reset {
                return Err(StoreError::ResetPending);
            }
            let version = record_version(&mut self.flash, journal, frame).await?;
            if let Some(newer) = version {
                return Err(StoreError::Newer(newer));
            }
        }
        Ok(scan)
    }
}

/// Records that there is no chain any more, before anything is erased. If that cannot be written,
/// the oldest records are erased first, so that none of them can replace the newest one.
pub(crate) async fn forget<F: NorFlash>(
    flash: &mut F,
    journal: &Journal,
    scan: Scan,
    kind: Kind,
) -> Result<(), StoreError<F::Error>> {
    let marker = Entry {
        kind,
        stamp: 0,
        payload: &[],
    };
    match journal.append(flash, &scan, marker, Place::Apart).await {
        Ok(_) => Ok(()),
        Err(_) => journal.blank(flash, &scan).await,
    }
}

impl Journal {
    /// Erases everything, the current frame last.
    pub(crate) async fn scan_and_blank<F: NorFlash>(
        &self,
        flash: &mut F,
    ) -> Result<(), StoreError<F::Error>> {
        let scan = self.scan(flash).await?;
        self.blank(flash, &scan).await
    }
}

/// Returns the generation of a record; `None` if the bytes are not a record.
fn generation(record: &[u8]) -> Option<u32> {
    let fits = record.len() <= MAX_RECORD;
    let decoded = Record::decode(record).ok()?;
    fits.then(|| decoded.chain.generation())
}

fn refuse_older<E>(scan: &Scan, generation: u32) -> Result<(), StoreError<E>> {
    match scan.frame() {
        Some(frame)
            if matches!(frame.kind, Kind::Step | Kind::Fresh) && frame.stamp > generation =>
        {
            Err(StoreError::Older {
                stored: frame.stamp,
            })
        }
        _ => Ok(()),
    }
}

/// Returns the format version of the record in a frame, if it is newer than ours.
async fn record_version<F: NorFlash>(
    flash: &mut F,
    journal: &Journal,
    frame: &Frame,
) -> Result<Option<u8>, StoreError<F::Error>> {
    if !matches!(frame.kind, Kind::Step | Kind::Fresh) || frame.len < 7 {
        return Ok(None);
    }
    let mut head = [0; 7];
    journal.read(flash, &frame.begin(7), &mut head).await?;
    // The head alone is not a whole record, but a newer version is reported before anything else.
    Ok(match Record::decode(&head) {
        Err(RecordError::Newer(version)) => Some(version),
        _ => None,
    })
}
