//! Forgetting everything, and ending at boot what a power cut interrupted.
//!
//! A factory reset begins with a frame in the chain's range that says so, and erases the sector of
//! that frame last of all: from the first erased byte to the last one no chain is to be seen, and
//! whenever the power goes in between, [`Store::start`] goes on.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    Store, StoreError, Subject,
    chain::forget,
    flash,
    frame::Kind,
    journal::{Current, Journal},
};

/// What [`Store::start`] had to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// A factory reset was finished: there is nothing on the flash.
    pub finished_reset: bool,
}

impl<F: NorFlash> Store<F> {
    /// Ends what was interrupted: a factory reset, a sign-out, the erasing of old tokens and
    /// settings. Call it first after every boot.
    ///
    /// # Errors
    /// Whatever the flash says. What could be done is done; what is stored can be read, unless a
    /// factory reset is not finished: then there is no chain, and none can be stored.
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
            // What a cut left of the first record, or of the last sector of a reset.
            Current::Nothing => flash::make_blank(&mut self.flash, self.layout.chain).await,
            Current::Damaged | Current::Newer(..) => Ok(()),
        };
        let settings = self.journal(Subject::Settings);
        outcome = outcome.and(self.tidy(&settings).await);
        outcome.map(|()| Started::default())
    }

    /// Erases what the newest frame of a range replaced.
    async fn tidy(&mut self, journal: &Journal) -> Result<(), StoreError<F::Error>> {
        let scan = journal.scan(&mut self.flash).await?;
        match scan.current {
            Current::Frame(frame) if frame.kind == Kind::Fresh => {
                journal.blank_others(&mut self.flash, frame.sector).await
            }
            _ => Ok(()),
        }
    }

    /// Erases every range, also what a newer Pulsewing wrote, and reads back that every byte of it
    /// is erased.
    ///
    /// # Errors
    /// [`StoreError::Worn`] when a sector does not become blank, and whatever the flash says; what
    /// could be erased is erased, and [`start`](Self::start) tries the rest again.
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
        // The mark goes last, and stays if anything else did not go.
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
