//! The message of a panic, kept across the restart that follows.
//!
//! It has a sector of its own that is erased in advance, so that a panicking program only has to
//! write.

use embedded_storage_async::nor_flash::NorFlash;

use crate::{
    Area, Store, StoreError,
    errors::cut,
    flash::{self, len32},
    frame::{Entry, Kind, frame_len},
    journal::{Current, Journal},
};

/// The longest message, in bytes.
pub const MAX_PANIC_TEXT: usize = 256;

/// A panic's message.
pub type PanicText = heapless::String<MAX_PANIC_TEXT>;

const SUBJECT: u8 = 5;

/// Stores the message of a panic. It is for a panic handler, which has its own handle of the flash
/// (on a microcontroller: a newly created one) and blocks on it; `area` is
/// [`Layout::panic`](crate::Layout::panic). Nothing is erased: if there is still an earlier
/// message, that one stays, and this returns `false`.
///
/// # Errors
/// Whatever the flash reports.
pub async fn record_panic<F: NorFlash>(
    flash: &mut F,
    area: Area,
    text: &str,
) -> Result<bool, StoreError<F::Error>> {
    let text: PanicText = cut(text);
    let journal = Journal {
        area,
        subject: SUBJECT,
    };
    let span = Area {
        start: area.start,
        end: area.start + frame_len(len32(text.len())),
    };
    if span.end > area.end || !flash::is_blank(flash, span).await? {
        return Ok(false);
    }
    let entry = Entry {
        kind: Kind::Step,
        stamp: 0,
        payload: text.as_bytes(),
    };
    journal.write(flash, area.start, 1, entry).await?;
    Ok(true)
}

impl<F: NorFlash> Store<F> {
    /// Returns the message of the panic that ended the previous run, once; then prepares the sector
    /// for the next one. Call it at every boot.
    ///
    /// # Errors
    /// Whatever the flash reports.
    pub async fn take_panic(&mut self) -> Result<Option<PanicText>, StoreError<F::Error>> {
        let journal = Journal {
            area: self.layout.panic,
            subject: SUBJECT,
        };
        let scan = journal.scan(&mut self.flash).await?;
        let mut buffer = [0; MAX_PANIC_TEXT];
        let text = match &scan.current {
            Current::Frame(frame) => journal.read(&mut self.flash, frame, &mut buffer).await?,
            Current::Nothing | Current::Damaged | Current::Newer(..) => None,
        };
        let text = text
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .map(cut);
        flash::make_blank(&mut self.flash, self.layout.panic).await?;
        Ok(text)
    }
}
