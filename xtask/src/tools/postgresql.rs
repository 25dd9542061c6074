//! A PostgreSQL server, which the tests of the fleet's store start for themselves.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::{scratch, table::is_root};
use crate::process;

/// The oldest version that the store works with.
const OLDEST: u32 = 13;

/// The user who tries it out where we are root, which the server refuses to be: `nobody`.
const NOBODY: u32 = 65_534;

/// Debian's file of settings for the clusters that it makes.
const SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// Returns whether there is a server that works.
pub(super) fn is_there() -> bool {
    dirs().iter().any(|dir| try_out(dir).is_ok())
}

/// Asks Debian's package for no cluster of its own. Without this, installing it makes one and keeps it
/// running from then on. Whoever has settings already has decided for themselves.
pub(super) fn ask_for_no_cluster() -> Result<(), String> {
    no_cluster(Path::new(SETTINGS)).map_err(|error| format!("cannot write {SETTINGS}: {error}"))
}

fn no_cluster(settings: &Path) -> io::Result<()> {
    if settings.exists() {
        return Ok(());
    }
    if let Some(dir) = settings.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(
        settings,
        "# The tests of Pulsewing start a server of their own.\ncreate_main_cluster = false\n",
    )
}

/// Returns the directories that may have a server's programs, as the tests look for them.
fn dirs() -> Vec<PathBuf> {
    let asked = process::output(Command::new("pg_config").arg("--bindir"));
    let mut dirs: Vec<PathBuf> = asked
        .into_iter()
        .map(|dir| PathBuf::from(dir.trim()))
        .collect();
    let debians = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    dirs.extend(debians.flatten().map(|entry| entry.path().join("bin")));
    dirs
}

/// Lets it make a cluster, which needs most of its parts.
fn try_out(dir: &Path) -> Result<(), String> {
    let version = process::output(Command::new(dir.join("postgres")).arg("--version"))?;
    if major(&version).is_none_or(|major| major < OLDEST) {
        return Err(format!("{version} is too old"));
    }
    for program in ["pg_ctl", "psql"] {
        process::output(Command::new(dir.join(program)).arg("--version"))?;
    }
    let scratch = scratch()?;
    let initdb = dir.join("initdb");
    let mut command = match is_root() {
        true => {
            give_away(scratch.path())
                .map_err(|error| format!("cannot use a directory: {error}"))?;
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
            command.arg("--clear-groups").arg(initdb);
            command
        }
        false => Command::new(initdb),
    };
    command.args(["--auth=trust", "--no-sync", "--no-locale", "--pgdata"]);
    let data = scratch.path().join("data");
    process::output(command.arg(data).current_dir(scratch.path())).map(drop)
}

/// Reads the version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(unix)]
fn give_away(dir: &Path) -> io::Result<()> {
    std::os::unix::fs::chown(dir, Some(NOBODY), Some(NOBODY))
}

#[cfg(not(unix))]
fn give_away(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_and_of_betas_are_read() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(major(debian), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major("psql 15"), None);
    }

    #[test]
    fn settings_that_are_there_stay_as_they_are() {
        let scratch = tempfile::tempdir().unwrap();
        let settings = scratch.path().join("postgresql-common/createcluster.conf");
        no_cluster(&settings).unwrap();
        let ours = fs::read_to_string(&settings).unwrap();
        assert!(ours.contains("\ncreate_main_cluster = false\n"), "{ours}");
        fs::write(&settings, "theirs").unwrap();
        no_cluster(&settings).unwrap();
        assert_eq!(fs::read_to_string(&settings).unwrap(), "theirs");
    }
}
