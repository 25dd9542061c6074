//! mtools, which write and read the emulated board's card: one program under many names.

use std::{path::PathBuf, process::Command};

use super::{
    debian::{self, Packages},
    pick, scratch,
};
use crate::{process, workspace::Workspace};

pub(super) const PACKAGES: Packages<'_> = Packages {
    dir: "mtools",
    names: &["mtools"],
    newest: false,
    parts: &[],
};

/// Finds an mtools that works, as a command to start.
///
/// # Errors
///
/// If the unpacked one does not work.
pub(crate) fn find(workspace: &Workspace) -> Result<Option<PathBuf>, String> {
    let dir = PACKAGES.dir(workspace);
    let unpacked = dir.join("bin/mtools");
    pick([PathBuf::from("mtools")], &dir, unpacked, |program| {
        let scratch = scratch()?;
        let disk = scratch.path().join("floppy.img");
        let mut format = Command::new(program);
        format.args(["-c", "mformat", "-C", "-f", "1440", "-i"]);
        process::output(format.arg(&disk).arg("::"))?;
        let mut list = Command::new(program);
        list.args(["-c", "mdir", "-i"]);
        process::output(list.arg(&disk).arg("::")).map(drop)
    })
}

/// Unpacks Debian's mtools.
///
/// # Errors
///
/// If the package cannot be downloaded.
pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
    debian::unpack(workspace, &PACKAGES, |dir| {
        debian::write_starter(dir, "usr/bin/mtools", &[], &[])
    })
}
