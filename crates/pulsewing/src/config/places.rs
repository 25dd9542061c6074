//! The locations of the program's files.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use pulsewing_history::{History, HistoryError};

use super::wearer::WearerId;
use crate::tell::problem::Problem;

/// Where a wearer's files are, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The wearer.
    pub wearer: WearerId,
    /// The directory of their sign-in, state and history.
    pub dir: PathBuf,
}

impl Place {
    /// Returns a wearer's place in a state directory.
    pub(crate) fn new(state_dir: &Path, wearer: &WearerId) -> Self {
        Self {
            wearer: wearer.clone(),
            dir: state_dir.join(wearer.as_str()),
        }
    }

    /// Returns the state directory, which has the directories of all wearers.
    pub(crate) fn state_dir(&self) -> &Path {
        self.dir.parent().unwrap_or(&self.dir)
    }

    /// Opens the wearer's history, if there is one.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub(crate) fn history(&self) -> Result<Option<History>, HistoryError> {
        History::open_existing(&self.dir, self.wearer.as_str())
    }
}

/// Returns the configuration file: the named one, else the usual one.
///
/// # Errors
/// A [`Problem`] when there is no home directory.
pub(crate) fn config_file(named: Option<&Path>) -> Result<PathBuf, Problem> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => Ok(base()?.config_dir().join("pulsewing/config.toml")),
    }
}

/// Returns the directory for the configuration of the user's programs.
///
/// # Errors
/// A [`Problem`] when there is no home directory.
pub(crate) fn config_home() -> Result<PathBuf, Problem> {
    Ok(base()?.config_dir())
}

/// Returns the state directory: the named one, else the usual one.
///
/// # Errors
/// A [`Problem`] when there is no home directory.
pub(crate) fn state_dir(named: Option<&Path>) -> Result<PathBuf, Problem> {
    if let Some(dir) = named {
        return Ok(dir.to_owned());
    }
    let base = base()?;
    let dir = base.state_dir().unwrap_or_else(|| base.data_dir());
    Ok(dir.join("pulsewing"))
}

fn base() -> Result<etcetera::base_strategy::Xdg, Problem> {
    etcetera::base_strategy::Xdg::new().map_err(|error| {
        Problem::failed("cannot find a home directory for Pulsewing's files")
            .caused_by(&error)
            .hint("set HOME, or pass --config and --state-dir")
    })
}
