//! Rows as plain values, for histories whose rows are kept elsewhere.
//!
//! There is one type for each table of `schema.rs`, with its columns except for the wearer: whoever keeps
//! the rows knows whose they are. A value that is not valid makes only its own row unreadable, as in a
//! file. So it is kept, loaded and handed back as it is.

use jiff::civil::Date;

/// A day of one source. The key is the date, the start, the length and the source.
///
/// The columns from [`logged`](Self::logged) to [`max`](Self::max) are derived from the minutes, so that
/// an overview does not have to read these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDay {
    /// The civil date.
    pub date: Date,
    /// When the day begins, in seconds since 1970.
    pub start: i64,
    /// The number of its minutes, 1 to 1,500.
    pub length: u16,
    /// The source, as [`Source`](crate::Source) prints it.
    pub source: String,
    /// The zone's name; empty if only its offset is known.
    pub zone: String,
    /// The offset from UTC that the day begins with, in seconds, east positive.
    pub offset: i32,
    /// The minute of the day from which another offset holds.
    pub change_minute: Option<u16>,
    /// That offset, in seconds.
    pub change_offset: Option<i32>,
    /// The number of minutes with a value.
    pub logged: u16,
    /// The minimum, in bpm; `None` without a minute.
    pub min: Option<u16>,
    /// The mean, in bpm.
    pub mean: Option<u16>,
    /// The maximum, in bpm.
    pub max: Option<u16>,
    /// The resting heart rate, in bpm.
    pub resting: Option<u16>,
    /// The time of the newest fetch in it, in seconds since 1970.
    pub fetched_at: i64,
    /// The time of the fetch that last changed something, in seconds since 1970.
    pub changed_at: i64,
    /// The packed minutes, at most 4,500 bytes; about one for each minute.
    pub minutes: Vec<u8>,
}

/// A day that was fetched after its end. The key is the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredAsked {
    /// The civil date.
    pub date: Date,
    /// Up to when the tracker had synced at the time, in seconds since 1970.
    pub synced_at: i64,
}

/// The owner of the history as one provider knows them. The key is the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOwner {
    /// The provider's name, as [`Provider::name`](pulsewing_core::Provider::name) gives it.
    pub provider: String,
    /// Its id for the person.
    pub user_id: String,
}

/// The minutes of a UTC day that a tracker itself did not trust. The key is the start and the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDoubts {
    /// The source that says so, as [`Source`](crate::Source) prints it.
    pub source: String,
    /// When the day of UTC begins, in seconds since 1970.
    pub start: i64,
    /// The packed minutes.
    pub minutes: Vec<u8>,
}

/// A row of any table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredRow {
    /// Of the table `day`.
    Day(StoredDay),
    /// Of the table `asked`.
    Asked(StoredAsked),
    /// Of the table `owner`.
    Owner(StoredOwner),
    /// Of the table `doubted`.
    Doubts(StoredDoubts),
}

/// The key of a row within a wearer's rows: no two rows have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// Of the table `day`.
    Day {
        /// [`StoredDay::date`].
        date: Date,
        /// [`StoredDay::start`].
        start: i64,
        /// [`StoredDay::length`].
        length: u16,
        /// [`StoredDay::source`].
        source: String,
    },
    /// Of the table `asked`.
    Asked {
        /// [`StoredAsked::date`].
        date: Date,
    },
    /// Of the table `owner`.
    Owner {
        /// [`StoredOwner::provider`].
        provider: String,
    },
    /// Of the table `doubted`.
    Doubts {
        /// [`StoredDoubts::start`].
        start: i64,
        /// [`StoredDoubts::source`].
        source: String,
    },
}

impl StoredRow {
    /// Returns the row's key.
    #[must_use]
    pub fn key(&self) -> RowKey {
        match self {
            Self::Day(day) => RowKey::Day {
                date: day.date,
                start: day.start,
                length: day.length,
                source: day.source.clone(),
            },
            Self::Asked(asked) => RowKey::Asked { date: asked.date },
            Self::Owner(owner) => RowKey::Owner {
                provider: owner.provider.clone(),
            },
            Self::Doubts(doubts) => RowKey::Doubts {
                start: doubts.start,
                source: doubts.source.clone(),
            },
        }
    }
}
