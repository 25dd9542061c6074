//! The locations of the program's files.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::tell::problem::Problem;

/// The wearer whose state this is. The paths have always contained this name, so that a second
/// wearer would not move any files.
pub(crate) const WEARER: &str = "default";

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

/// Returns the wearer's directory in the state directory.
///
/// # Errors
/// A [`Problem`] when there is no home directory.
pub(crate) fn wearer_dir(named: Option<&Path>) -> Result<PathBuf, Problem> {
    Ok(state_dir(named)?.join(WEARER))
}

fn base() -> Result<etcetera::base_strategy::Xdg, Problem> {
    etcetera::base_strategy::Xdg::new().map_err(|error| {
        Problem::failed("cannot find a home directory for Pulsewing's files")
            .caused_by(&error)
            .hint("set HOME, or pass --config and --state-dir")
    })
}
