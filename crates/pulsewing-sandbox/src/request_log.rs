//! The request log: every provider request in order of arrival, without a single secret.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The latest requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<Entry>,
    /// The number of the first entry that is still kept.
    first: u64,
}

/// What is known of a request when it arrives.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// The path alone: a query may hold tokens.
    pub(crate) path: String,
    pub(crate) route: &'static str,
    /// Nothing until a reply is sent; a dropped connection leaves it so.
    pub(crate) status: Option<u16>,
    pub(crate) access_fp: Option<String>,
    pub(crate) refresh_fp: Option<String>,
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
        let entries = self.entries.iter();
        entries
            .map(|entry| {
                json!({
                    "at": entry.at.to_string(),
                    "method": entry.method,
                    "path": entry.path,
                    "route": entry.route,
                    "status": entry.status,
                    "access_fp": entry.access_fp,
                    "refresh_fp": entry.refresh_fp,
                })
            })
            .collect()
    }
}

/// How many requests are kept: a year and a half of polls.
const KEPT: usize = 100_000;
