//! Erases everything, and finishes at boot what a power cut interrupted.
//!
//! A factory reset begins with a frame in the chain's range that records it, and erases the sector
//! of that frame last. From the first erased byte to the last no chain is visible, and if the power
//! is cut in between, [`Store::start`] continues the reset.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    Store, StoreError, Subject,
    chain::forget,
    flash,
    frame::Kind,
    journal::{Current, Journal},
};

/// The work that [`Store::start`] had to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// A factory reset was finished: the flash is empty.
    pub finished_reset: bool,
}

impl<F: NorFlash> Store<F> {
    /// Finishes an interrupted operation: a factory reset, a sign-out, the erasing of old tokens
    /// and settings. Call it first after every boot.
    ///
    /// # Errors
    /// Whatever the flash reports. As much as possible is done. The stored data can be read, unless
    /// a factory reset is not finished: then there is no chain, and none can be stored.
    pub async fn start(&mut self) -> Result<Started, StoreError<F::Error>> {
        let chain = self.journal(Subject::Chain);
        let scan = chain.scan(&mut self.flash).await?;
        let mut outcome = match scan.current {
            Current::Frame(frame) => match frame.kind {
                Kind::Reset => {
                    self.erase_all().await?;
                    return Ok(Started {
                        finished_reset: true,
                    });
                }
                Kind::Forgotten => chain.blank(&mut self.flash, &scan).await,
                Kind::Fresh => chain.blank_others(&mut self.flash, frame.sector).await,
                Kind::Step | Kind::Unknown => Ok(()),
            },
            // The remains of the first record, or of the last sector of a reset, after a cut.
            Current::Nothing => flash::make_blank(&mut self.flash, self.layout.chain).await,
            Current::Damaged | Current::Newer(..) => Ok(()),
        };
        let settings = self.journal(Subject::Settings);
        outcome = outcome.and(self.tidy(&settings).await);
        outcome.map(|()| Started::default())
    }

    /// Erases the frames that the newest frame of a range replaced.
    async fn tidy(&mut self, journal: &Journal) -> Result<(), StoreError<F::Error>> {
        let scan = journal.scan(&mut self.flash).await?;
        match scan.current {
            Current::Frame(frame) if frame.kind == Kind::Fresh => {
                journal.blank_others(&mut self.flash, frame.sector).await
            }
            _ => Ok(()),
        }
    }

    /// Erases every range, even data of a newer Pulsewing, and reads back that every byte of it is
    /// erased.
    ///
    /// # Errors
    /// [`StoreError::Worn`] if a sector does not become blank, and whatever the flash reports. As
    /// much as possible is erased, and [`start`](Self::start) tries the rest again.
    pub async fn factory_reset(&mut self) -> Result<(), StoreError<F::Error>> {
        let chain = self.journal(Subject::Chain);
        let scan = chain.scan(&mut self.flash).await?;
        let is_marked = scan.frame().is_some_and(|frame| frame.kind == Kind::Reset);
        if !is_marked {
            forget(&mut self.flash, &chain, scan, Kind::Reset).await?;
        }
        self.erase_all().await
    }

    async fn erase_all(&mut self) -> Result<(), StoreError<F::Error>> {
        let [_, others @ ..] = self.layout.areas();
        let mut outcome = Ok(());
        for area in others {
            outcome = outcome.and(flash::make_blank(&mut self.flash, area).await);
        }
        // The mark is erased last, and stays if anything else could not be erased.
        let chain = self.journal(Subject::Chain);
        let scan = chain.scan(&mut self.flash).await?;
        if let (Err(_), Some(frame)) = (&outcome, scan.frame()) {
            return chain
                .blank_others(&mut self.flash, frame.sector)
                .await
                .and(outcome);
        }
        outcome.and(chain.blank(&mut self.flash, &scan).await)
    }
}
