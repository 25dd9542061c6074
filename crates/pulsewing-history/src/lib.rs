//! A wearer's history: every minute that was ever fetched or imported, in SQLite.
//!
//! There is one file, `history.db`, in the wearer's state directory. It has one row per wearer, day
//! and source (`schema.rs` lists the columns): the minutes as bytes, one each (`minutes.rs`), and
//! beside them the values for a year's overview, which therefore reads no minutes.
//!
//! `merge.rs` turns revisions and several sources into one day. Days are civil days of the zone that
//! was in force then; a wearer who travels has two views of the same date, which are two rows, and
//! nothing is lost between them.
//!
//! | item | contents |
//! |---|---|
//! | [`History`] | the file: record, read, prune |
//! | [`HistoryWriter`] | the daemon's writer: never fails, and reports each error once |
//! | [`MemoryHistory`] | a history in memory, over rows that are kept elsewhere |
//! | [`Arrival`], [`Keeper`] | what a cycle fetched, and what is done with it, in a file or in memory |
//! | [`Notice`], [`Listener`] | messages for a person, and their receiver |
//! | [`Retention`] | the time that days are kept |
//! | [`examine`] | a check of the whole file that does not change it |
//! | `mend.rs` | rebuilds a damaged index |
//! | [`rescue`] | saves the readable part of a file with any other damage |
//! | [`Account`] | the owner of a history |
//! | [`Source`] | the origin of minutes |
//! | `imported.rs` | lets a new import replace an earlier one |
//! | `doubted.rs` | remembers which minutes a tracker itself did not trust |
//! | [`DayVersion`] | which days changed, without reading their minutes |
//! | `pushed.rs` | gives a pushed minute to the program that sent it last |
//! | `asked.rs` | remembers which days were fetched after their end, so that a gap is known to be one |
//! | [`archive`] | imports exports of other services, and exports the history |
//!
//! A row that cannot be read affects only its own day: readers leave it out, and the next fetch or
//! import of that day replaces it.
//!
//! The crate opens no socket and reads no clock: times are arguments. Start reading at
//! [`History::record`].
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod archive;
mod arrival;
mod asked;
mod changes;
mod dates;
mod doubted;
mod error;
mod examine;
mod find;
mod history;
mod imported;
mod keeper;
mod last;
mod memory;
mod mend;
mod merge;
mod minutes;
mod notice;
mod owner;
mod patience;
mod place;
mod pushed;
mod read;
mod rescue;
mod retention;
mod row;
mod schema;
mod source;
mod source_day;
mod still;
mod stored;
#[cfg(test)]
mod tests;
mod version;
mod writer;

pub use arrival::Arrival;
pub use changes::Change;
pub use dates::Dates;
pub use error::{Cause, HistoryError};
pub use examine::{Whole, examine};
pub use history::{Batch, History};
pub use keeper::Keeper;
pub use last::LastKnown;
pub use memory::MemoryHistory;
pub use notice::{Listener, Notice};
pub use owner::{Account, Relation};
pub use place::{Aside, Whereabouts, bytes_on_disk, move_aside};
pub use read::{DayRecord, DaySummary, Minute, Span};
pub use rescue::{Rescued, rescue};
pub use retention::Retention;
pub use source::{Kind, Source};
pub use source_day::SourceDay;
pub use stored::{RowKey, StoredAsked, StoredDay, StoredDoubts, StoredOwner, StoredRow};
pub use version::DayVersion;
pub use writer::HistoryWriter;
