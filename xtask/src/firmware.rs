//! Building the boards' programs: which compiler, which C tools, into which directory.

pub(crate) mod feather;
mod partitions;
mod paths;
mod sizes;
pub(crate) mod xtensa;

use std::{path::PathBuf, process::Command};

use crate::{
    process,
    tools::{
        bare_rust::{BareRust, TARGET},
        clang::Clang,
        cmake::Cmake,
    },
    workspace::Workspace,
};

/// Builds one of the boards' programs as it would be flashed.
///
/// # Errors
///
/// If a tool is missing or the program does not build.
pub(crate) fn build(workspace: &Workspace, package: &str) -> Result<(), String> {
    let mut cargo = cargo(workspace)?;
    cargo
        .args(["build", "--release", "--locked", "--package", package])
        .arg("--target-dir")
        .arg(target_dir(workspace));
    process::compile(&mut cargo)
}

/// Returns the path of such a program after its build.
pub(crate) fn program(workspace: &Workspace, package: &str) -> PathBuf {
    target_dir(workspace)
        .join(TARGET)
        .join("release")
        .join(package)
}

fn target_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("firmware")
}

/// Returns a cargo command in the boards' workspace, with everything that a build for them needs.
fn cargo(workspace: &Workspace) -> Result<Command, String> {
    let compiler = BareRust::find(workspace)?
        .ok_or_else(|| format!("no compiler for {TARGET}; use --setup"))?;
    let clang = Clang::find(workspace)?.ok_or("no clang 19 or newer with libclang; use --setup")?;
    let cmake = Cmake::find(workspace)?.ok_or("no cmake that works; use --setup")?;
    let mut cargo = process::cargo();
    // Started in another directory, cargo would not see the boards' own configuration.
    cargo.current_dir(workspace.root.join("firmware"));
    // The S3's check needs this. Build scripts read it, so setting it for every board lets all of them
    // share the build results.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    compiler.apply_for_firmware(&mut cargo)?;
    clang.apply(&mut cargo)?;
    cmake.apply(&mut cargo);
    paths::leave_out(&mut cargo, &compiler, workspace)?;
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boards_workspace_is_where_it_is_looked_for() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.root.join("firmware/Cargo.lock").is_file());
    }
}
