//! The locations of the program's files.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::tell::problem::Problem;

/// The wearer whose state this is. The paths have always contained this name, so that a second
/// wearer would not move any files.
pub(crate) const WEARER: &str = "default";

/// Returns the configuration file that is read when none is named.
///
/// # Errors
/// A [`Problem`] when there is no home directory.
pub(crate) fn config_file() -> Result<PathBuf, Problem> {
    Ok(base()?.config_dir().join("pulsewing/config.toml"))
}

/// Returns the directory for the configuration of the user's programs.
///
/// # Errors
/// A [`Problem`] when there is no home directory.
pub(crate) fn config_home() -> Result<PathBuf, Problem> {
    Ok(base()?.config_dir())
}

/// Returns the state directory that is used when none is named.
///
/// # Errors
/// A [`Problem`] when there is no home directory.
pub(crate) fn state_dir() -> Result<PathBuf, Problem> {
    let base = base()?;
    Ok(base
        .state_dir()
        .unwrap_or_else(|| base.data_dir())
        .join("pulsewing"))
}

fn base() -> Result<etcetera::base_strategy::Xdg, Problem> {
    etcetera::base_strategy::Xdg::new().map_err(|error| {
        Problem::failed("there is no home directory to keep files in")
            .caused_by(&error)
            .hint("set HOME, or name the places with --config and --state-dir")
    })
}
