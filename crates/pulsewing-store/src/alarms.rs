//! The alarms: the record that [`Alarms::encode`] makes, so that a restart neither repeats nor forgets
//! a signal. The core's module `alarm` has the bytes.

use embedded_storage_async::nor_flash::NorFlash;
use pulsewing_core::alarm::{Alarms, Limits, RecordError};

use crate::{
    Store, StoreError, Subject,
    frame::{Entry, Kind},
    journal::Place,
};

/// The letters and the newest version that [`Alarms::decode`] accepts.
const MAGIC: [u8; 4] = *b"PWAL";
const VERSION: u8 = 1;

impl<F: NorFlash> Store<F> {
    /// Reads the alarms; `None` if none were saved. `buffer` has at least
    /// [`MAX_RECORD`](pulsewing_core::alarm::MAX_RECORD) bytes.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Damaged`], [`StoreError::Unfit`] for a buffer that is
    /// too small, and whatever the flash reports. The board then begins anew.
    pub async fn load_alarms(
        &mut self,
        limits: Limits,
        buffer: &mut [u8],
    ) -> Result<Option<Alarms>, StoreError<F::Error>> {
        let journal = self.journal(Subject::Alarms);
        let Some(payload) = journal.read_current(&mut self.flash, buffer).await? else {
            return Ok(None);
        };
        match Alarms::decode(limits, payload) {
            Ok(alarms) => Ok(Some(alarms)),
            Err(RecordError::Damaged) => Err(StoreError::Damaged),
            Err(RecordError::Newer(version)) => Err(StoreError::Newer(version)),
        }
    }

    /// Saves what [`Alarms::encode`] made. The caller bounds how often (for the wear see
    /// `docs/flash-format.md`).
    ///
    /// # Errors
    /// [`StoreError::Newer`] if the saved ones must not be touched, [`StoreError::Unfit`] for what is
    /// too long, and whatever the flash reports.
    pub async fn save_alarms(&mut self, record: &[u8]) -> Result<(), StoreError<F::Error>> {
        let journal = self.journal(Subject::Alarms);
        let scan = journal
            .scan_replaceable(&mut self.flash, MAGIC, VERSION)
            .await?;
        let entry = Entry {
            kind: Kind::Step,
            stamp: 0,
            payload: record,
        };
        journal
            .append(&mut self.flash, &scan, entry, Place::Here)
            .await
            .map(|_| ())
    }
}
