//! Who was told of which alarm: kept in a file, so that an all-clear follows after a restart, and goes
//! nowhere else.
//!
//! The file says channel, wearer, kind and the receipts of messages that still ring; no heart rate, no name,
//! no token. It is JSON:
//!
//! ```json
//! {"version":1,"told":[{"channel":"phone","wearer":"lea","kind":"high","receipts":[]}]}
//! ```

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use pulsewing_core::alarm::Kind;
use pulsewing_files::{Replacement, private, regular_file};
use serde::{Deserialize, Serialize};

/// The version of the file.
const VERSION: u8 = 1;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// More alarms than that are not remembered; the oldest are forgotten.
const MAX_TOLD: usize = 2_000;

/// Who was told of which alarm. See [the module](self).
#[derive(Debug)]
pub(crate) struct Memory {
    path: PathBuf,
    state: Mutex<State>,
    /// Held while the file is written.
    file: Mutex<()>,
    /// Whether the last write failed, and the log says so.
    is_failing: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first.
    told: Vec<Told>,
    is_changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    channel: String,
    wearer: String,
    kind: String,
    receipts: Vec<String>,
}

impl Told {
    fn is_of(&self, channel: &str, (wearer, kind): (&str, Kind)) -> bool {
        self.channel == channel && self.wearer == wearer && self.kind == kind.name()
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u8,
    told: Vec<Told>,
}

impl Memory {
    /// Reads the file of the last time. Of a channel that there is no more nothing is remembered.
    pub(crate) fn open<'c>(path: &Path, channels: impl Iterator<Item = &'c str> + Clone) -> Self {
        let mut told = match read(path) {
            Ok(told) => told,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!(
                    "{} cannot be read ({error}): nobody hears when alarms of before are over",
                    path.display()
                );
                Vec::new()
            }
        };
        told.retain(|told| channels.clone().any(|channel| channel == told.channel));
        Self {
            path: path.to_owned(),
            state: Mutex::new(State {
                told,
                is_changed: false,
            }),
            file: Mutex::new(()),
            is_failing: AtomicBool::new(false),
        }
    }

    /// Returns whether a channel was told of an alarm.
    pub(crate) fn has(&self, channel: &str, subject: (&str, Kind)) -> bool {
        let state = self.lock();
        state.told.iter().any(|told| told.is_of(channel, subject))
    }

    /// A channel was told of an alarm, by a message that may have a receipt.
    pub(crate) fn tell(&self, channel: &str, subject: (&str, Kind), receipt: Option<&str>) {
        let mut state = self.lock();
        let known = state
            .told
            .iter_mut()
            .find(|told| told.is_of(channel, subject));
        let receipt = receipt.map(str::to_owned);
        match known {
            Some(_) if receipt.is_none() => return,
            Some(told) => told.receipts.extend(receipt),
            None => {
                if state.told.len() >= MAX_TOLD {
                    state.told.remove(0);
                }
                let (wearer, kind) = subject;
                state.told.push(Told {
                    channel: channel.to_owned(),
                    wearer: wearer.to_owned(),
                    kind: kind.name().to_owned(),
                    receipts: receipt.into_iter().collect(),
                });
            }
        }
        state.is_changed = true;
    }

    /// Takes out the receipts of an alarm's messages, but not those of messages that tell of another one
    /// as well.
    pub(crate) fn take_receipts(&self, channel: &str, subject: (&str, Kind)) -> Vec<String> {
        let mut state = self.lock();
        let of_subject = state
            .told
            .iter_mut()
            .find(|told| told.is_of(channel, subject));
        let taken = of_subject.map(|told| std::mem::take(&mut told.receipts));
        let mut taken = taken.unwrap_or_default();
        state.is_changed |= !taken.is_empty();
        taken.retain(|receipt| {
            let mut others = state.told.iter().filter(|told| told.channel == channel);
            !others.any(|told| told.receipts.contains(receipt))
        });
        taken
    }

    /// The alarm is over.
    pub(crate) fn forget(&self, channel: &str, subject: (&str, Kind)) {
        let mut state = self.lock();
        let before = state.told.len();
        state.told.retain(|told| !told.is_of(channel, subject));
        state.is_changed |= state.told.len() != before;
    }

    /// Writes the file, if anything has changed. It waits for the disk without stopping other tasks.
    pub(crate) async fn save(self: &Arc<Self>) {
        if !self.lock().is_changed {
            return;
        }
        let memory = Arc::clone(self);
        // It panics only if the runtime ends.
        let _ = tokio::task::spawn_blocking(move || memory.write()).await;
    }

    fn write(&self) {
        let _file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let told = {
            let mut state = self.lock();
            state.is_changed = false;
            state.told.clone()
        };
        let version = VERSION;
        let text = serde_json::to_vec(&File { version, told }).unwrap_or_default();
        let dir = self.path.parent().map_or(Ok(()), private::make_dir);
        let written = dir.and_then(|()| {
            Replacement::new(&self.path)
                .private()
                .durable()
                .write(|file| file.write_all(&text))
        });
        match written {
            Ok(()) => self.is_failing.store(false, Ordering::Relaxed),
            Err(error) => {
                self.lock().is_changed = true;
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "{} cannot be written ({error}): after a restart nobody hears when alarms are over",
                        self.path.display()
                    );
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> io::Result<Vec<Told>> {
    let text = regular_file::read(path, MAX_FILE)?;
    let file: File = serde_json::from_slice(&text)?;
    match file.version {
        VERSION => Ok(file.told),
        other => Err(io::Error::other(format!("its version is {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGH: (&str, Kind) = ("lea", Kind::High);
    const STALE: (&str, Kind) = ("lea", Kind::Stale);

    fn open(path: &Path) -> Arc<Memory> {
        Arc::new(Memory::open(path, ["phone", "hook"].into_iter()))
    }

    #[tokio::test]
    async fn it_outlives_a_restart_and_says_no_more_than_it_must() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state").join("told.json");
        let memory = open(&path);
        memory.tell("phone", HIGH, Some("r1"));
        memory.tell("phone", HIGH, None);
        memory.tell("hook", STALE, None);
        memory.save().await;
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            concat!(
                r#"{"version":1,"told":[{"channel":"phone","wearer":"lea","kind":"high","receipts":["r1"]},"#,
                r#"{"channel":"hook","wearer":"lea","kind":"stale","receipts":[]}]}"#
            )
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let memory = open(&path);
        assert!(memory.has("phone", HIGH) && memory.has("hook", STALE));
        assert!(!memory.has("phone", STALE) && !memory.has("phone", ("ben", Kind::High)));
        assert_eq!(memory.take_receipts("phone", HIGH), ["r1"]);
        memory.forget("phone", HIGH);
        memory.save().await;
        let memory = Memory::open(&path, ["phone"].into_iter());
        assert!(!memory.has("phone", HIGH) && !memory.has("hook", STALE));
    }

    #[test]
    fn a_message_about_two_alarms_rings_until_both_are_over() {
        let dir = tempfile::tempdir().unwrap();
        let memory = open(&dir.path().join("told.json"));
        memory.tell("phone", HIGH, Some("both"));
        memory.tell("phone", STALE, Some("both"));
        memory.tell("phone", HIGH, Some("own"));
        assert_eq!(memory.take_receipts("phone", HIGH), ["own"]);
        assert_eq!(memory.take_receipts("phone", STALE), ["both"]);
        assert!(memory.take_receipts("phone", STALE).is_empty());
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_or_written_is_no_trouble_for_alarms() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("told.json");
        for text in ["", "{", "{\"version\":2,\"told\":[]}", "[]"] {
            std::fs::write(&path, text).unwrap();
            assert!(!open(&path).has("phone", HIGH));
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let memory = open(&path);
        memory.tell("phone", HIGH, None);
        memory.save().await;
        assert!(memory.has("phone", HIGH));
        // Once it can be, it is.
        std::fs::remove_dir(&path).unwrap();
        memory.save().await;
        assert!(open(&path).has("phone", HIGH));
    }
}
