//! A snooze or an acknowledgement that another process leaves for the one that polls.
//!
//! It is a file in the wearer's directory. It appears whole, because it is linked into place, and only
//! if there is none; the process that polls looks for it every two seconds, and removes it when it is done.

use std::{
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
    process,
    str::FromStr,
};

use jiff::Timestamp;
use pulsewing_core::alarm::{Kind, Level};
use pulsewing_files::{Replacement, regular_file};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The name of the file.
const NAME: &str = "alarms.request";

/// The size limit of a request, in bytes.
const MAX_BYTES: u64 = 1_024;

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub(crate) enum Request {
    /// No signals of a kind until a time.
    Snooze {
        /// The kind.
        #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
        kind: Kind,
        /// The highest level that is meant; at least the present one.
        #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
        up_to: Level,
        /// When it ends.
        until: Timestamp,
    },
    /// An alarm is known.
    Acknowledge {
        /// Its kind.
        #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
        kind: Kind,
    },
    /// What is over was looked at.
    Look,
}

/// The place of a request.
#[derive(Clone, Debug)]
pub(crate) struct LeftRequest {
    path: PathBuf,
}

impl LeftRequest {
    /// Returns the place of requests about a wearer whose directory this is.
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            path: dir.join(NAME),
        }
    }

    /// Leaves a request.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] while another one waits, or whatever the file system reports.
    pub(crate) fn leave(&self, request: &Request) -> io::Result<()> {
        let text = serde_json::to_vec(request)?;
        let own = self.path.with_extension(format!("{}.new", process::id()));
        Replacement::new(&own)
            .of_anything()
            .private()
            .write(|file| io::Write::write_all(file, &text))?;
        let linked = fs::hard_link(&own, &self.path);
        fs::remove_file(&own)?;
        linked
    }

    /// Returns whether a request waits.
    pub(crate) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// Reads the request that waits; `None` if there is none, or none that makes sense.
    ///
    /// # Errors
    /// Whatever the file system reports.
    pub(crate) fn read(&self) -> io::Result<Option<Request>> {
        let read = match regular_file::read(&self.path, MAX_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read,
        };
        Ok(serde_json::from_slice(&read?).ok())
    }

    /// Removes the request, because it is done.
    ///
    /// # Errors
    /// Whatever the file system reports.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn as_text<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

fn from_text<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_waits_until_it_is_done_and_no_other_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let place = LeftRequest::new(dir.path());
        assert_eq!(place.read().unwrap(), None);
        let snooze = Request::Snooze {
            kind: Kind::High,
            up_to: Level::Urgent,
            until: "2026-11-29T14:00:00Z".parse().unwrap(),
        };
        place.leave(&snooze).unwrap();
        let other = place.leave(&Request::Look).unwrap_err();
        assert_eq!(other.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(place.read().unwrap(), Some(snooze));
        place.clear().unwrap();
        assert!(!place.is_there());
        place
            .leave(&Request::Acknowledge { kind: Kind::SignIn })
            .unwrap();
        let read = place.read().unwrap();
        assert_eq!(read, Some(Request::Acknowledge { kind: Kind::SignIn }));
        // Nothing else is left in the directory.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_request_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let place = LeftRequest::new(dir.path());
        for text in ["", "{", "{\"do\":\"snooze\"}", "{\"do\":\"erase\"}"] {
            fs::write(dir.path().join(NAME), text).unwrap();
            assert_eq!(place.read().unwrap(), None, "{text}");
        }
    }
}
