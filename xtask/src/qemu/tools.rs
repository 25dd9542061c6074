//! QEMU and mtools: installed ones, or Debian's, unpacked below the target directory.

use std::path::PathBuf;
use std::process::Command;

use crate::debian::{self, Packages};
use crate::firmware::joined;
use crate::process;
use crate::workspace::Workspace;

/// Older ones count nanoseconds where we count instructions.
const OLDEST_QEMU: u32 = 10;

/// A program and what it needs around it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    name: &'static str,
    /// The directory that its package was unpacked to; without one it is installed.
    unpacked: Option<PathBuf>,
}

impl Program {
    /// A command that starts the program.
    pub(crate) fn command(&self) -> Command {
        let Some(dir) = &self.unpacked else {
            return Command::new(self.name);
        };
        let mut command = Command::new(dir.join("usr/bin").join(self.name));
        let libraries = debian::library_dirs(dir);
        if self.name.starts_with("qemu") {
            // It looks for its parts where it would be installed.
            let mut modules = libraries.iter().map(|dir| dir.join("qemu"));
            if let Some(modules) = modules.find(|dir| dir.exists()) {
                command.env("QEMU_MODULE_DIR", modules);
            }
            command.arg("-L").arg(dir.join("usr/share/qemu"));
        }
        command.env("LD_LIBRARY_PATH", joined("LD_LIBRARY_PATH", libraries));
        command
    }

    fn find(name: &'static str, dir: PathBuf, is_fit: impl Fn(&str) -> bool) -> Option<Self> {
        [None, Some(dir)]
            .map(|unpacked| Self { name, unpacked })
            .into_iter()
            .find(|program| {
                process::output(program.command().arg("--version"))
                    .is_ok_and(|version| is_fit(&version))
            })
    }
}

/// Finds QEMU.
pub(crate) fn qemu(workspace: &Workspace) -> Option<Program> {
    Program::find("qemu-system-riscv32", qemu_dir(workspace), |version| {
        major_version(version).is_some_and(|major| major >= OLDEST_QEMU)
    })
}

/// Finds mtools, which are one program under many names.
pub(crate) fn mtools(workspace: &Workspace) -> Option<Program> {
    Program::find("mtools", mtools_dir(workspace), |_| true)
}

/// Unpacks Debian's QEMU, the newest that there is for this release.
///
/// # Errors
///
/// When a package cannot be had.
pub(crate) fn unpack_qemu(workspace: &Workspace) -> Result<(), String> {
    let packages = Packages {
        names: &["qemu-system-riscv"],
        newest: true,
        parts: &[],
    };
    debian::unpack(workspace, &packages, &qemu_dir(workspace), |_| Ok(()))
}

/// Unpacks Debian's mtools.
///
/// # Errors
///
/// When the package cannot be had.
pub(crate) fn unpack_mtools(workspace: &Workspace) -> Result<(), String> {
    let packages = Packages {
        names: &["mtools"],
        newest: false,
        parts: &[],
    };
    debian::unpack(workspace, &packages, &mtools_dir(workspace), |_| Ok(()))
}

fn qemu_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("qemu-tools")
}

fn mtools_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("mtools")
}

/// The number before the first dot of `QEMU emulator version 10.0.2 (Debian ...)`.
fn major_version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("version ")?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_qemu_says() {
        let text = "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright (c) 2003";
        assert_eq!(major_version(text), Some(10));
        assert_eq!(major_version("something else"), None);
    }
}
