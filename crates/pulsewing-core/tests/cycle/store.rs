//! A store that holds one record, behind a lock. It can be made to fail.

use std::collections::VecDeque;

use pulsewing_core::{
    chain::{Record, codec::RecordError},
    cycle::{StoreTrouble, StoreWhat},
};

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// It is durable.
    Done,
    /// It failed, and the old record is still there.
    Failed,
    /// It was reported as failed, but the new record is there.
    DoneUnnoticed,
}

/// The store of one chain.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// The record, which survives a crash.
    pub(crate) record: Vec<u8>,
    /// Whether this process holds the lock.
    pub(crate) locked: bool,
    /// The failures of the next reads.
    pub(crate) troubles: VecDeque<StoreTrouble>,
    /// The results of the next writes; later ones succeed.
    pub(crate) writes: VecDeque<Write>,
    /// The kind of write that always fails.
    pub(crate) never: Option<StoreWhat>,
}

impl Store {
    /// Returns the record that a program would find now.
    pub(crate) fn read(&self) -> Result<Option<Record>, StoreTrouble> {
        if self.record.is_empty() {
            return Ok(None);
        }
        match Record::decode(&self.record) {
            Ok(record) => Ok(Some(record)),
            Err(RecordError::Newer(version)) => Err(StoreTrouble::Newer(version)),
            Err(RecordError::Damaged) => Err(StoreTrouble::Damaged),
        }
    }

    /// Returns the record, which has to exist.
    pub(crate) fn chain(&self) -> Record {
        self.read().unwrap().unwrap()
    }

    /// Returns the stored refresh token.
    pub(crate) fn refresh(&self) -> String {
        self.chain().chain.refresh_token().expose().to_owned()
    }

    /// Returns the stored access token.
    pub(crate) fn access(&self) -> Option<String> {
        let record = self.chain();
        let access = record.chain.access()?;
        Some(access.token.expose().to_owned())
    }

    /// Writes a record; returns whether it was confirmed.
    pub(crate) fn write(&mut self, record: &[u8], what: StoreWhat) -> bool {
        assert!(self.locked, "{what:?} is written without the lock");
        Record::decode(record).expect("what is stored can be read again");
        let write = match self.writes.pop_front() {
            _ if self.never == Some(what) => Write::Failed,
            Some(write) => write,
            None => Write::Done,
        };
        if write != Write::Failed {
            self.record = record.to_vec();
        }
        write == Write::Done
    }
}
