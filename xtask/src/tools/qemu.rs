//! QEMU for RISC-V, which emulates the board.

use std::{path::PathBuf, process::Command};

use super::{
    debian::{self, Packages},
    pick,
};
use crate::{process, workspace::Workspace};

/// Older versions count nanoseconds where we count instructions.
const OLDEST: u32 = 10;

pub(super) const PACKAGES: Packages<'_> = Packages {
    dir: "qemu",
    names: &["qemu-system-riscv"],
    // The version in the release itself is too old.
    newest: true,
    parts: &[],
};

/// The board's devices. Some of them are in modules of their own, which can be missing.
const DEVICES: [&str; 5] = [
    "virtio-net-device",
    "virtio-gpu-device",
    "virtio-rng-device",
    "virtio-keyboard-device",
    "virtio-blk-device",
];

const PROGRAM: &str = "qemu-system-riscv32";

/// Finds a QEMU that works, as a command to start.
///
/// # Errors
///
/// If the unpacked one does not work.
pub(crate) fn find(workspace: &Workspace) -> Result<Option<PathBuf>, String> {
    let dir = PACKAGES.dir(workspace);
    let unpacked = dir.join("bin").join(PROGRAM);
    pick([PathBuf::from(PROGRAM)], &dir, unpacked, |program| {
        let version = process::output(Command::new(program).arg("--version"))?;
        if major_version(&version).is_none_or(|major| major < OLDEST) {
            return Err(format!("it is older than version {OLDEST}"));
        }
        let machines = process::output(Command::new(program).args(["-machine", "help"]))?;
        if !machines.lines().any(|line| line.starts_with("virt ")) {
            return Err("it has no machine called virt".to_owned());
        }
        for device in DEVICES {
            // QEMU ends with 0 even if it has no such device.
            let help = process::output(
                Command::new(program).args(["-device", &format!("{device},help")]),
            )?;
            if !help.starts_with(device) {
                return Err(format!("it has no device called {device}"));
            }
        }
        Ok(())
    })
}

/// Unpacks Debian's QEMU, the newest one for this release.
///
/// # Errors
///
/// If a package cannot be downloaded.
pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
    debian::unpack(workspace, &PACKAGES, |dir| {
        // It looks for its modules in its install directory.
        let modules = debian::library_dirs(dir)
            .into_iter()
            .map(|dir| dir.join("qemu"))
            .find(|dir| dir.exists());
        let variables: Vec<_> = modules
            .iter()
            .map(|modules| ("QEMU_MODULE_DIR", modules.as_path()))
            .collect();
        let firmware = dir.join("usr/share/qemu");
        let firmware = firmware.to_string_lossy();
        let program = format!("usr/bin/{PROGRAM}");
        debian::write_starter(dir, &program, &["-L", &firmware], &variables)
    })
}

/// Returns the number before the first dot of `QEMU emulator version 10.0.2 (Debian ...)`.
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
