//! Building the boards' programs: which compiler, which C tools, into which directory.

pub(crate) mod c_tools;
pub(crate) mod feather;
mod partitions;
mod paths;
mod sizes;
pub(crate) mod xtensa;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use self::c_tools::CTools;
use crate::no_std::{TARGET, toolchain};
use crate::process;
use crate::workspace::Workspace;

/// Builds one of the boards' programs as it would be flashed.
///
/// # Errors
///
/// When a tool is missing or it does not build.
pub(crate) fn build(workspace: &Workspace, package: &str) -> Result<(), String> {
    let mut cargo = cargo(workspace)?;
    cargo
        .args(["build", "--release", "--locked", "--package", package])
        .arg("--target-dir")
        .arg(target_dir(workspace));
    process::run(&mut cargo)
}

/// Where such a program is, once it is built.
pub(crate) fn program(workspace: &Workspace, package: &str) -> PathBuf {
    target_dir(workspace)
        .join(TARGET)
        .join("release")
        .join(package)
}

fn target_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("firmware")
}

/// A cargo command in the boards' workspace, with everything that it needs to build for them.
fn cargo(workspace: &Workspace) -> Result<Command, String> {
    let toolchain = toolchain::find(workspace)
        .ok_or_else(|| format!("no toolchain for {TARGET}; use --setup"))?;
    let c_tools = CTools::find(workspace)
        .ok_or("no clang 19 or newer with cmake and libclang; use --setup")?;
    let mut cargo = process::cargo();
    // Started elsewhere, cargo would not see the boards' own configuration.
    cargo.current_dir(workspace.root.join("firmware"));
    toolchain.apply_for_firmware(&mut cargo)?;
    c_tools.apply(&mut cargo);
    paths::leave_out(&mut cargo, toolchain.rustc(), workspace)?;
    Ok(cargo)
}

/// A list of directories for a variable, before those that it has.
pub(crate) fn joined(name: &str, dirs: impl IntoIterator<Item = PathBuf>) -> std::ffi::OsString {
    let others = env::var_os(name).unwrap_or_default();
    let all = dirs
        .into_iter()
        .chain(env::split_paths(&others).filter(|dir| !dir.as_os_str().is_empty()));
    env::join_paths(all).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boards_workspace_is_where_it_is_looked_for() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.root.join("firmware/Cargo.lock").is_file());
    }

    #[test]
    fn directories_come_before_those_that_a_variable_has() {
        let list = joined("PATH", [PathBuf::from("/first")]);
        assert_eq!(
            env::split_paths(&list).next(),
            Some(PathBuf::from("/first"))
        );
        let alone = joined("PULSEWING_NO_SUCH_VARIABLE", [PathBuf::from("/only")]);
        assert_eq!(alone, "/only");
    }
}
