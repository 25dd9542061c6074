//! The Feathers: builds and measures the C6's program, type-checks the S3's, and makes the files to
//! flash.

use std::{path::PathBuf, process::Command};

use super::{partitions, sizes::Sizes};
use crate::{process, workspace::Workspace};

const PACKAGE: &str = "pulsewing-esp32";

/// The version of espflash whose images we have inspected.
const ESPFLASH: &str = "cargo install espflash --version 4.7.0 --locked";

/// Builds the Feather ESP32-C6's program and checks that it fits.
///
/// # Errors
///
/// If a tool is missing, or the program does not build or is too large.
pub(crate) fn build_c6(workspace: &Workspace) -> Result<(), String> {
    let program = build(workspace)?;
    let partitions = partitions::read(&partitions::file(workspace))?;
    let room = partitions::program_room(&partitions);
    let sizes = Sizes::measure(&program)?;
    print!("{}", sizes.table(room));
    sizes.check(room)
}

/// Writes the files to flash onto a Feather ESP32-C6: the program alone, and the whole flash from its
/// first byte.
///
/// # Errors
///
/// If espflash is missing, or the program does not build.
pub(crate) fn image(workspace: &Workspace) -> Result<(), String> {
    if !process::succeeds(Command::new("espflash").arg("--version")) {
        return Err(format!("espflash is missing; install it with `{ESPFLASH}`"));
    }
    build_c6(workspace)?;
    let dir = workspace.target_dir.join("firmware");
    for (file, options) in [
        ("pulsewing-feather-c6.bin", &[][..]),
        (
            "pulsewing-feather-c6-whole.bin",
            &["--merge", "--skip-padding"][..],
        ),
    ] {
        let image = dir.join(file);
        let mut espflash = Command::new("espflash");
        espflash
            .args(["save-image", "--chip", "esp32c6", "--flash-size", "4mb"])
            .arg("--partition-table")
            .arg(partitions::file(workspace))
            .args(["--target-app-partition", "ota_0"])
            .args(options)
            .arg(program(workspace))
            .arg(&image);
        process::run(&mut espflash)?;
        println!("{}", image.display());
    }
    Ok(())
}

fn build(workspace: &Workspace) -> Result<PathBuf, String> {
    let mut cargo = super::cargo(workspace)?;
    cargo
        .current_dir(dir(workspace))
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(super::target_dir(workspace));
    process::compile(&mut cargo)?;
    Ok(program(workspace))
}

fn program(workspace: &Workspace) -> PathBuf {
    super::program(workspace, PACKAGE)
}

/// The workspace of the Feathers' program.
pub(super) fn dir(workspace: &Workspace) -> PathBuf {
    workspace.root.join("firmware/esp32")
}
