//! Persistent storage of a board on NOR flash: the token chain, the settings, the last picture, the
//! last errors, a panic's message, the TLS roots, the wallpaper and the alarms.
//!
//! It needs neither an allocator nor the standard library, and has no clock and no network. The
//! caller passes the flash (any [`NorFlash`] of `embedded-storage-async`; [`Blocking`] adapts a
//! driver that blocks) and a [`Layout`], which assigns the sectors.
//!
//! ```text
//!  chain      settings   roots      snapshot   errors     panic      wallpaper  alarms
//! ├──────────┼──────────┼──────────┼──────────┼──────────┼──────────┼──────────┼──────────┤
//!  frames     frames     two blobs  frames     frames     one text   one blob   frames
//! ```
//!
//! Frames (`journal.rs`) are for data that must be there completely or not at all, blobs
//! (`blob.rs`) for data that is longer than a sector. The bytes are described in
//! `docs/flash-format.md`.
//!
//! # Contract
//! - Call [`Store::start`] first after every boot: it finishes what a power cut interrupted.
//! - `Ok` from a write means that it was read back from the flash. After an error the old value is
//!   current, or, if only the confirmation failed, the new one; never neither, never a mixture.
//! - Dropping a future of the store before it is ready is like a power cut: nothing is lost, but
//!   work is left undone. Put no timeout around it.
//! - `&mut Store` is the chain's lock: a board has one store and one owner of it.
//! - No contents of the flash can make it panic or read without end.
//!
//! ```
//! use pulsewing_store::{Layout, Area, Settings, Store, mock};
//!
//! let flash = mock::MockFlash::new(mock::Geometry::ESP32, 1);
//! let layout = Layout::within(Area { start: 0, end: 184 * 1_024 }, 4_096).unwrap();
//! let mut store = Store::new(flash, layout).unwrap();
//! mock::run(async {
//!     store.start().await?;
//!     let mut buffer = [0; pulsewing_store::MAX_SETTINGS];
//!     let mut settings = store.load_settings(&mut buffer).await?.unwrap_or_default();
//!     settings.set("wifi.1.ssid", "home").unwrap();
//!     store.save_settings(&settings, &mut buffer).await?;
//!     assert!(store.load_chain(&mut [0; 3_840]).await?.is_none());
//!     Ok::<(), pulsewing_store::StoreError<mock::MockError>>(())
//! })
//! .unwrap();
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

#[cfg(any(test, feature = "mock"))]
extern crate alloc;

mod alarms;
mod area;
mod blob;
mod chain;
mod errors;
mod flash;
mod frame;
mod journal;
#[cfg(feature = "mock")]
pub mod mock;
mod panic_slot;
mod reset;
pub mod settings;
pub mod snapshot;
mod tlv;

use embedded_storage_async::nor_flash::NorFlash;
use pulsewing_core::cycle::StoreTrouble;

pub use area::{Area, Layout, LayoutError};
pub use blob::{BlobReader, BlobWriter, MAX_ROOTS};
pub use chain::LoadedChain;
pub use errors::{ErrorEntry, MAX_ERROR_TEXT, MAX_ERRORS, When};
pub use flash::Blocking;
pub use panic_slot::{MAX_PANIC_TEXT, PanicText, record_panic};
pub use reset::Started;
pub use settings::{MAX_SETTINGS, Settings};
pub use snapshot::{MAX_SNAPSHOT, Snapshot};
pub use tlv::FormatError;

use journal::Journal;

/// The flash and its layout. See [the crate](crate) for the contract.
#[derive(Debug)]
pub struct Store<F> {
    flash: F,
    layout: Layout,
}

impl<F: NorFlash> Store<F> {
    /// Creates a store on this flash. Nothing is read yet.
    ///
    /// # Errors
    /// [`LayoutError`] if the layout does not suit the flash.
    pub fn new(flash: F, layout: Layout) -> Result<Self, LayoutError> {
        layout.check(&flash)?;
        Ok(Self { flash, layout })
    }

    /// Returns the flash.
    #[must_use]
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// Returns the layout.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    const fn journal(&self, subject: Subject) -> Journal {
        let area = match subject {
            Subject::Chain => self.layout.chain,
            Subject::Settings => self.layout.settings,
            Subject::Snapshot => self.layout.snapshot,
            Subject::Errors => self.layout.errors,
            Subject::Alarms => self.layout.alarms,
        };
        Journal {
            area,
            subject: subject as u8,
        }
    }
}

/// The subject of a range of frames; the number is in every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Chain = 1,
    Settings = 2,
    Snapshot = 3,
    Errors = 4,
    /// 5 is a panic's message, which is written without a journal.
    Alarms = 6,
}

/// An error of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError<E> {
    /// The flash failed. Its contents are unknown, so nothing older is used instead.
    #[error("the flash failed")]
    Flash(E),
    /// A newer Pulsewing wrote this, in this format version. It is left untouched.
    #[error("it was written by a newer pulsewing (format {0})")]
    Newer(u8),
    /// All stored values are damaged.
    #[error("what is stored is damaged")]
    Damaged,
    /// The value is too long or malformed, or the buffer is too small.
    #[error("this cannot be stored")]
    Unfit,
    /// The chain to be stored is of an older generation than the stored one.
    #[error("a newer generation ({stored}) of the sign-in is stored")]
    Older {
        /// The stored generation.
        stored: u32,
    },
    /// The flash accepted a write but reads back as something else, or no sector could be erased.
    #[error("the flash is worn out")]
    Worn,
    /// A factory reset has begun and is not finished; [`Store::start`] continues it.
    #[error("a factory reset is not finished")]
    ResetPending,
}

impl<E> StoreError<E> {
    /// Returns the error as the cycle sees it.
    #[must_use]
    pub const fn trouble(&self) -> StoreTrouble {
        match self {
            Self::Newer(format) => StoreTrouble::Newer(*format),
            Self::Damaged => StoreTrouble::Damaged,
            Self::Flash(_) | Self::Unfit | Self::Older { .. } | Self::Worn | Self::ResetPending => {
                StoreTrouble::Io
            }
        }
    }
}
