//! The request log: every provider request in order of arrival, without any secret.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// The latest requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<Entry>,
    /// The number of the first entry that is still kept.
    first: u64,
}

/// The known facts about a request when it arrives.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// Only the path: a query may contain tokens.
    pub(crate) path: String,
    pub(crate) route: &'static str,
    /// `None` until a reply is sent; it stays `None` for a dropped connection.
    pub(crate) status: Option<u16>,
    pub(crate) access_fp: Option<String>,
    pub(crate) refresh_fp: Option<String>,
    /// The provider's id of the wearer whom the request is about, if it is known.
    pub(crate) user_id: Option<String>,
}

impl RequestLog {
    /// Adds a request and returns its number.
    pub(crate) fn add(&mut self, entry: Entry) -> u64 {
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
            self.first += 1;
        }
        self.entries.push_back(entry);
        self.first + self.entries.len() as u64 - 1
    }

    /// Notes the status of a reply.
    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        let index = number
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) {
            entry.status = Some(status);
        }
    }

    /// Returns the requests, oldest first.
    pub(crate) fn describe(&self) -> Value {
        json!(self.entries)
    }

    /// Returns the latest requests, newest first.
    pub(crate) fn latest(&self, count: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev().take(count)
    }

    /// Returns how many requests there have been.
    pub(crate) fn count(&self) -> u64 {
        self.first + self.entries.len() as u64
    }
}

/// How many requests are kept: a year and a half of polls.
const KEPT: usize = 100_000;
