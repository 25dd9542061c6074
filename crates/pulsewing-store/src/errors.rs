//! The last errors, for later diagnosis.
//!
//! Payload of a frame: version (now 1), kind of time (1 instant, 2 uptime), the time in seconds
//! (i64, big-endian, eight bytes), text.

use embedded_storage_async::nor_flash::NorFlash;
use jiff::Timestamp;

use crate::{
    Store, StoreError, Subject,
    frame::{Entry, Frame, Kind},
    journal::Place,
};

/// The maximum number of errors that are returned.
pub const MAX_ERRORS: usize = 10;

/// The maximum length of an error's text, in bytes.
pub const MAX_ERROR_TEXT: usize = 96;

const VERSION: u8 = 1;
const HEAD: usize = 10;

/// The time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this instant.
    At(Timestamp),
    /// This many seconds after the board started: it did not know the time.
    Uptime(u32),
}

/// A stored error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorEntry {
    /// The time of the error, in whole seconds.
    pub when: When,
    /// A description of the error.
    pub text: heapless::String<MAX_ERROR_TEXT>,
}

impl ErrorEntry {
    fn encode(&self, buffer: &mut [u8; HEAD + MAX_ERROR_TEXT]) -> usize {
        let (kind, seconds) = match self.when {
            When::At(at) => (1, at.as_second()),
            When::Uptime(seconds) => (2, i64::from(seconds)),
        };
        let bytes = [VERSION, kind]
            .into_iter()
            .chain(seconds.to_be_bytes())
            .chain(self.text.bytes());
        let mut len = 0;
        for (slot, byte) in buffer.iter_mut().zip(bytes) {
            *slot = byte;
            len += 1;
        }
        len
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[version, kind], rest) = bytes.split_first_chunk()?;
        let (seconds, text) = rest.split_first_chunk()?;
        let seconds = i64::from_be_bytes(*seconds);
        let when = match (version, kind) {
            (VERSION, 1) => When::At(Timestamp::from_second(seconds).ok()?),
            (VERSION, 2) => When::Uptime(u32::try_from(seconds).ok()?),
            _ => return None,
        };
        let text = core::str::from_utf8(text).ok()?.try_into().ok()?;
        Some(Self { when, text })
    }
}

/// Returns the part of a text that fits.
pub(crate) fn cut<const N: usize>(text: &str) -> heapless::String<N> {
    let mut kept = heapless::String::new();
    for char in text.chars() {
        if kept.push(char).is_err() {
            break;
        }
    }
    kept
}

impl<F: NorFlash> Store<F> {
    /// Stores an error, with the first [`MAX_ERROR_TEXT`] bytes of its text. The text must not
    /// contain a secret.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer Pulsewing writes here, and whatever the flash reports.
    pub async fn log_error(&mut self, when: When, text: &str) -> Result<(), StoreError<F::Error>> {
        let error = ErrorEntry {
            when,
            text: cut(text),
        };
        let mut buffer = [0; HEAD + MAX_ERROR_TEXT];
        let len = error.encode(&mut buffer);
        let journal = self.journal(Subject::Errors);
        let scan = journal.scan(&mut self.flash).await?.known()?;
        let entry = Entry {
            kind: Kind::Step,
            stamp: 0,
            payload: buffer.get(..len).unwrap_or_default(),
        };
        journal
            .append(&mut self.flash, &scan, entry, Place::Here)
            .await
            .map(|_| ())
    }

    /// Returns the last errors, newest first. Damaged ones are left out.
    ///
    /// # Errors
    /// Whatever the flash reports.
    pub async fn errors(
        &mut self,
    ) -> Result<heapless::Vec<ErrorEntry, MAX_ERRORS>, StoreError<F::Error>> {
        let journal = self.journal(Subject::Errors);
        let mut newest: heapless::Vec<Frame, MAX_ERRORS> = heapless::Vec::new();
        for sector in 0..journal.sectors::<F>() {
            journal
                .walk(&mut self.flash, sector, |frame, is_sealed| {
                    if is_sealed {
                        keep_newest(&mut newest, frame);
                    }
                })
                .await?;
        }
        let mut errors = heapless::Vec::new();
        for frame in &newest {
            let mut buffer = [0; HEAD + MAX_ERROR_TEXT];
            let payload = journal
                .read_sound(&mut self.flash, frame, &mut buffer)
                .await?;
            if let Some(error) = payload.and_then(ErrorEntry::decode) {
                // There are never more of them than there were frames.
                let _ = errors.push(error);
            }
        }
        Ok(errors)
    }
}

/// Inserts a frame into the newest ones, which are sorted, newest first.
fn keep_newest(newest: &mut heapless::Vec<Frame, MAX_ERRORS>, frame: Frame) {
    let place = newest.partition_point(|known| known.number > frame.number);
    if newest.is_full() {
        if place == MAX_ERRORS {
            return;
        }
        newest.pop();
    }
    // There is room: the oldest one was removed if there was none.
    let _ = newest.insert(place, frame);
}
