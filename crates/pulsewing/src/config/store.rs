//! The store: files and SQLite of this machine, or a database that several collectors share.

use std::{fmt, path::PathBuf};

use serde::Deserialize;

use super::Interval;

/// The store of many wearers. Without an address, everything is in files of this machine.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreConfig {
    /// The database, such as `postgres://pulsewing@db.example/pulsewing`.
    pub url: Option<String>,
    /// The file of the keys under which token chains are sealed.
    pub key_file: Option<PathBuf>,
    /// The tenant whose page this program serves, behind the row-level security; it collects nothing then.
    pub tenant: Option<String>,
    /// The number of wearers that a collector works for at once.
    pub at_once: Option<u16>,
    /// How long a collector may be silent before another one takes over its wearers.
    pub lease: Option<Interval>,
    /// The number of requests a minute that all collectors together may send for one OAuth client.
    pub requests_per_minute: Option<u32>,
}

impl fmt::Debug for StoreConfig {
    /// Leaves out the address, which may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("key_file", &self.key_file)
            .field("tenant", &self.tenant)
            .field("at_once", &self.at_once)
            .field("lease", &self.lease)
            .field("requests_per_minute", &self.requests_per_minute)
            .finish_non_exhaustive()
    }
}
