//! A wearer's history: every minute that was ever fetched or imported, in SQLite.
//!
//! There is one file, `history.db`, in the wearer's state directory. It has one row per wearer, day and
//! source (`schema.rs` lists the columns): the minutes as bytes, one each (`minutes.rs`), and beside them
//! what a year's overview needs, so that it reads no minutes.
//!
//! `merge.rs` turns revisions and several sources into one day. Days are civil days of the zone that held
//! then; a wearer who travels has two views of the same date, which are two rows, and nothing is lost
//! between them.
//!
//! | item | what |
//! |---|---|
//! | [`History`] | the file: record, read, prune |
//! | [`HistoryWriter`] | what a daemon holds: never fails, and reports each error once |
//! | [`Notice`], [`Listener`] | what a person should hear of, and who passes it on |
//! | [`Retention`] | how long days are kept |
//! | [`examine`] | whether the file is whole, without changing it |
//! | `mend.rs` | rebuilds a damaged index |
//! | [`rescue`] | saves what can be read of a file that is damaged otherwise |
//! | [`Account`] | whose history it is |
//! | [`Source`] | where minutes came from |
//! | `imported.rs` | lets a new import take the place of an earlier one |
//! | `doubted.rs` | remembers which minutes a tracker itself did not trust |
//! | `asked.rs` | remembers which days were asked for once they were over, so that a gap is known to be one |
//! | [`archive`] | imports exports of other services, and exports the history |
//!
//! A row that cannot be read costs its own day and no other: readers leave it out, and the next fetch or
//! import of that day replaces it.
//!
//! It opens no socket and reads no clock: times come in as arguments. Start reading at [`History::record`].
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod archive;
mod asked;
mod doubted;
mod error;
mod examine;
mod find;
mod history;
mod imported;
mod last;
mod mend;
mod merge;
mod minutes;
mod notice;
mod owner;
mod patience;
mod place;
mod read;
mod rescue;
mod retention;
mod row;
mod schema;
mod source;
mod source_day;
mod still;
#[cfg(test)]
mod tests;
mod writer;

pub use error::{Cause, HistoryError};
pub use examine::{Whole, examine};
pub use history::{Batch, History};
pub use last::LastKnown;
pub use notice::{Listener, Notice};
pub use owner::{Account, Relation};
pub use place::{Aside, Whereabouts, bytes_on_disk, move_aside};
pub use read::{DayRecord, DaySummary, Minute, Span};
pub use rescue::{Rescued, rescue};
pub use retention::Retention;
pub use source::{Kind, Source};
pub use source_day::SourceDay;
pub use writer::HistoryWriter;
