//! The wearers there are: those of the configuration, and those that `pulsewing wearer add` added.
//!
//! The added ones are in `wearers.json` in the state directory, because a configuration may be
//! managed by other means. What the configuration says of a wearer counts.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use pulsewing_core::Provider;
use pulsewing_files::{Replacement, private, regular_file};
use serde::{Deserialize, Serialize};

use crate::{
    config::{
        places::Place,
        wearer::{self, WearerConfig, WearerId, WearersConfig},
    },
    custody::chain_file::ChainFile,
    tell::problem::{Exit, Problem},
};

/// The name of the file.
const NAME: &str = "wearers.json";

/// The name of the file that carries the kernel's lock; always empty.
const LOCK: &str = "wearers.lock";

/// The size limit for reading the file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The wearers that were added by command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Added {
    wearers: Vec<AddedWearer>,
}

/// A wearer that was added by command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AddedWearer {
    /// The id.
    pub id: WearerId,
    /// The name that is shown.
    #[serde(default, deserialize_with = "wearer::some_name")]
    pub name: Option<String>,
    /// The provider's name.
    #[serde(default, with = "provider_name")]
    pub provider: Option<Provider>,
}

impl Added {
    /// Reads the file of a state directory. A missing one is empty.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be read: it is never taken for empty then, because the next
    /// addition would erase it.
    pub(crate) fn load(state_dir: &Path) -> Result<Self, Problem> {
        let path = state_dir.join(NAME);
        let unreadable = |error: &(dyn std::error::Error + 'static)| {
            Problem::failed(format!(
                "the list of wearers, {}, cannot be read",
                path.display()
            ))
            .caused_by(error)
            .hint("correct or remove the file; the wearers' sign-ins and histories are in directories beside it")
        };
        match regular_file::read(&path, MAX_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// Begins a change of the file. Another process that wants to change it waits until the change
    /// is dropped.
    ///
    /// # Errors
    /// A [`Problem`] when the file cannot be read.
    pub(crate) fn change(state_dir: &Path) -> Result<Change<'_>, Problem> {
        let lock = lock(state_dir)?;
        Ok(Change {
            added: Self::load(state_dir)?,
            state_dir,
            _lock: lock,
        })
    }

    fn save(&self, state_dir: &Path) -> Result<(), Problem> {
        let write = || {
            private::make_dir(state_dir)?;
            let text = serde_json::to_vec(self)?;
            Replacement::new(&state_dir.join(NAME))
                .durable()
                .private()
                .write(|file| file.write_all(&text))
        };
        write().map_err(|error: io::Error| {
            Problem::failed("the list of wearers could not be written, so it was not changed")
                .caused_by_file(&error)
                .hint("free up disk space, or make the state directory writable, and repeat this command")
        })
    }
}

/// A change of the list of added wearers.
#[derive(Debug)]
pub(crate) struct Change<'d> {
    added: Added,
    state_dir: &'d Path,
    /// The kernel releases it when this is dropped.
    _lock: File,
}

impl Change<'_> {
    /// Adds a wearer.
    ///
    /// # Errors
    /// A [`Problem`] when another process has added the same id meanwhile, or when the file cannot
    /// be written.
    pub(crate) fn add(mut self, wearer: AddedWearer) -> Result<(), Problem> {
        let id = &wearer.id;
        if self.added.wearers.iter().any(|known| known.id == *id) {
            return Err(Problem::failed(format!(
                "there is already a wearer \"{id}\""
            )));
        }
        self.added.wearers.push(wearer);
        self.added.save(self.state_dir)
    }

    /// Removes a wearer, if there is one.
    ///
    /// # Errors
    /// A [`Problem`] when the file cannot be written.
    pub(crate) fn remove(mut self, id: &WearerId) -> Result<(), Problem> {
        let before = self.added.wearers.len();
        self.added.wearers.retain(|wearer| wearer.id != *id);
        match self.added.wearers.len() == before {
            true => Ok(()),
            false => self.added.save(self.state_dir),
        }
    }
}

/// The wearers there are, those of the configuration first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    wearers: Vec<WearerConfig>,
    /// How many of them are in the configuration.
    configured: usize,
}

impl Roster {
    /// Returns the wearers of this configuration and this state directory.
    ///
    /// # Errors
    /// A [`Problem`] with the list of added wearers.
    pub(crate) fn load(config: &WearersConfig, state_dir: &Path) -> Result<Self, Problem> {
        let mut wearers = config.mentioned().to_vec();
        let configured = wearers.len();
        let added = Added::load(state_dir)?.wearers;
        // Whoever signed in before there were several wearers is still one of them.
        let is_default_meant = match config {
            WearersConfig::Absent => added.is_empty() || has_files(state_dir, &WearerId::default()),
            WearersConfig::Only(_) | WearersConfig::Listed(_) => false,
        };
        if is_default_meant {
            wearers.push(WearerConfig::default());
        }
        let mut known: BTreeSet<WearerId> =
            wearers.iter().map(|wearer| wearer.id.clone()).collect();
        for added in added {
            if known.insert(added.id.clone()) {
                wearers.push(WearerConfig {
                    id: added.id,
                    name: added.name,
                    provider: added.provider,
                    ..WearerConfig::default()
                });
            }
        }
        Ok(Self {
            wearers,
            configured,
        })
    }

    /// Returns all wearers.
    pub(crate) fn all(&self) -> &[WearerConfig] {
        &self.wearers
    }

    /// Returns whether there are several.
    pub(crate) fn are_several(&self) -> bool {
        self.wearers.len() > 1
    }

    /// Returns whether the configuration has this wearer.
    pub(crate) fn is_configured(&self, id: &WearerId) -> bool {
        let mut configured = self.wearers.iter().take(self.configured);
        configured.any(|wearer| wearer.id == *id)
    }

    /// Returns the wearer with this id.
    ///
    /// # Errors
    /// A [`Problem`] that lists the wearers there are.
    pub(crate) fn find(&self, id: &WearerId) -> Result<&WearerConfig, Problem> {
        let found = self.wearers.iter().find(|wearer| wearer.id == *id);
        found.ok_or_else(|| {
            Problem::new(Exit::Usage, format!("there is no wearer \"{id}\""))
                .hint(self.in_words())
                .hint(format!("add one with `pulsewing wearer add {id}`"))
        })
    }

    /// Returns the only wearer.
    ///
    /// # Errors
    /// A [`Problem`] that lists the wearers if there are several, or says that there is none.
    pub(crate) fn only(&self) -> Result<&WearerConfig, Problem> {
        match self.wearers.as_slice() {
            [only] => Ok(only),
            [] => Err(Problem::new(Exit::Usage, "there are no wearers")
                .hint("add one with `pulsewing wearer add ID`")),
            _ => Err(Problem::new(
                Exit::Usage,
                "there are several wearers; say which one with --wearer ID",
            )
            .hint(self.in_words())),
        }
    }

    /// Lists the wearers in words.
    fn in_words(&self) -> String {
        /// The number of wearers in a sentence.
        const MOST: usize = 20;
        let ids: Vec<&str> = self
            .wearers
            .iter()
            .take(MOST)
            .map(|wearer| wearer.id.as_str())
            .collect();
        let more = match self.wearers.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("the wearers are {}{more}", ids.join(", "))
    }

    /// Returns the ids in a state directory that have a sign-in or a history but are no wearers:
    /// nobody polls them.
    pub(crate) fn forgotten(&self, state_dir: &Path) -> Vec<WearerId> {
        let Ok(entries) = fs::read_dir(state_dir) else {
            return Vec::new();
        };
        let mut forgotten: Vec<WearerId> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|id| self.wearers.iter().all(|wearer| wearer.id != *id))
            .filter(|id| has_files(state_dir, id))
            .collect();
        forgotten.sort();
        forgotten
    }
}

/// Takes the lock of everything that concerns several wearers of a state directory, and waits for
/// it. Nobody holds it for long. The kernel releases it when the file is closed.
///
/// # Errors
/// A [`Problem`] with the state directory.
pub(crate) fn lock(state_dir: &Path) -> Result<File, Problem> {
    let lock = || {
        private::make_dir(state_dir)?;
        let lock = regular_file::open_with(
            private::options().read(true).append(true).create(true),
            &state_dir.join(LOCK),
        )?;
        lock.lock()?;
        Ok(lock)
    };
    lock().map_err(|error: io::Error| {
        Problem::failed("cannot use the state directory")
            .caused_by_file(&error)
            .hint("make it writable, or choose another with --state-dir")
    })
}

/// Returns whether a directory in a state directory is or was a wearer's: of others with a name
/// like an id, nothing is deleted.
pub(crate) fn is_wearers(place: &Place) -> bool {
    const OURS: [&str; 6] = [
        "chain",
        "chain.lock",
        "run.lock",
        "state.json",
        "history.db",
        super::source_tokens::NAME,
    ];
    OURS.iter().any(|name| place.dir.join(name).exists())
}

/// Returns whether a wearer has a sign-in or a history in a state directory.
fn has_files(state_dir: &Path, id: &WearerId) -> bool {
    let place = Place::new(state_dir, id);
    let bytes = pulsewing_history::bytes_on_disk(&place.dir);
    bytes > 0 || ChainFile::new(place).modified().is_some()
}

/// A provider as its name.
mod provider_name {
    use pulsewing_core::Provider;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "serde hands over a reference")]
    pub(super) fn serialize<S: Serializer>(
        provider: &Option<Provider>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        provider.map(Provider::name).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Provider>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        let provider = name.map(|name| name.parse());
        provider.transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn roster(text: &str, state_dir: &Path) -> Vec<String> {
        let config = Config::parse(text).unwrap();
        let roster = Roster::load(&config.wearer, state_dir).unwrap();
        let ids = roster.all().iter().map(|wearer| wearer.id.to_string());
        ids.collect()
    }

    fn add(state_dir: &Path, id: &str) {
        let wearer = AddedWearer {
            id: id.parse().unwrap(),
            name: None,
            provider: Some(Provider::Fitbit),
        };
        Added::change(state_dir).unwrap().add(wearer).unwrap();
    }

    #[test]
    fn wearers_come_from_the_configuration_and_from_commands() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(roster("", dir.path()), ["default"]);
        add(dir.path(), "ben");
        add(dir.path(), "anna");
        assert_eq!(roster("", dir.path()), ["ben", "anna"]);
        assert_eq!(roster("[wearer]", dir.path()), ["default", "ben", "anna"]);
        let listed = "[[wearer]]\nid = \"anna\"\n[[wearer]]\nid = \"carla\"";
        assert_eq!(roster(listed, dir.path()), ["anna", "carla", "ben"]);
        for _ in 0..2 {
            let change = Added::change(dir.path()).unwrap();
            change.remove(&"ben".parse().unwrap()).unwrap();
        }
        assert_eq!(roster("", dir.path()), ["anna"]);
    }

    #[test]
    fn a_sign_in_from_before_is_not_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let default = Place::new(dir.path(), &WearerId::default()).dir;
        fs::create_dir(&default).unwrap();
        fs::write(default.join("chain"), "a sign-in").unwrap();
        add(dir.path(), "anna");
        assert_eq!(roster("", dir.path()), ["default", "anna"]);
        let listed = Config::parse("[[wearer]]\nid = \"ben\"").unwrap();
        let roster = Roster::load(&listed.wearer, dir.path()).unwrap();
        assert_eq!(roster.forgotten(dir.path()), [WearerId::default()]);
    }

    #[test]
    fn only_one_is_the_only_one() {
        let dir = tempfile::tempdir().unwrap();
        let only = |text: &str| {
            let config = Config::parse(text).unwrap();
            let roster = Roster::load(&config.wearer, dir.path()).unwrap();
            roster.only().map(|wearer| wearer.id.to_string())
        };
        assert_eq!(only("[[wearer]]\nid = \"anna\"").unwrap(), "anna");
        let none = only("wearer = []").unwrap_err().to_string();
        assert!(none.contains("there are no wearers"), "{none}");
        let two = only("[[wearer]]\nid = \"a\"\n[[wearer]]\nid = \"b\"").unwrap_err();
        assert!(two.to_string().contains("the wearers are a, b"), "{two}");
    }

    #[test]
    fn a_wearer_is_there_once_and_needs_no_more_than_an_id() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"{"wearers":[{"id":"anna"},{"id":"ben","name":""},{"id":"anna","name":"A"}]}"#;
        fs::write(dir.path().join(NAME), text).unwrap();
        assert_eq!(roster("", dir.path()), ["anna", "ben"]);
    }

    #[test]
    fn a_damaged_list_is_an_error_and_never_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["{", "{\"wearers\":[{\"id\":\"../x\"}]}", "[]"] {
            fs::write(dir.path().join(NAME), text).unwrap();
            assert!(Added::load(dir.path()).is_err(), "{text}");
            assert!(Added::change(dir.path()).is_err(), "{text}");
        }
    }
}
