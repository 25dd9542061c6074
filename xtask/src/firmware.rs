//! Building the boards' programs: which compiler, which C tools, into which directory.

pub(crate) mod feather;
mod partitions;
mod paths;
mod sizes;
pub(crate) mod xtensa;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian::{self, Packages};
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
    let c_tools = CTools::find(workspace).ok_or("no clang with cmake and libclang; use --setup")?;
    let mut cargo = process::cargo();
    // Started elsewhere, cargo would not see the boards' own configuration.
    cargo.current_dir(workspace.root.join("firmware"));
    toolchain.apply_for_firmware(&mut cargo)?;
    c_tools.apply(&mut cargo);
    paths::leave_out(&mut cargo, toolchain.rustc(), workspace)?;
    Ok(cargo)
}

/// What Mbed TLS and its bindings are built with.
#[derive(Debug)]
pub(crate) enum CTools {
    /// They are installed.
    Installed,
    /// Debian's, unpacked here.
    Unpacked(PathBuf),
}

impl CTools {
    /// Finds them.
    pub(crate) fn find(workspace: &Workspace) -> Option<Self> {
        let is_there = |program: &str| process::succeeds(Command::new(program).arg("--version"));
        if is_there("clang") && is_there("cmake") && has_libclang() {
            return Some(Self::Installed);
        }
        let dir = unpacked_dir(workspace);
        dir.join("usr/bin/cmake")
            .exists()
            .then_some(Self::Unpacked(dir))
    }

    /// Unpacks Debian's.
    ///
    /// # Errors
    ///
    /// When a package cannot be had.
    pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
        let packages = Packages {
            names: &["clang-19", "cmake", "libclang1-19"],
            newest: false,
            parts: &[],
        };
        debian::unpack(workspace, &packages, &unpacked_dir(workspace), |_| Ok(()))
    }

    fn apply(&self, cargo: &mut Command) {
        let Self::Unpacked(dir) = self else {
            return;
        };
        let libraries = debian::library_dirs(dir);
        let clang = dir.join("usr/lib/llvm-19/bin");
        if let Some(libclang) = libraries.iter().find(|dir| holds_libclang(dir)) {
            cargo.env("LIBCLANG_PATH", libclang);
        }
        cargo
            .env("CLANG_PATH", clang.join("clang"))
            .env("PATH", joined("PATH", [clang, dir.join("usr/bin")]))
            .env("LD_LIBRARY_PATH", joined("LD_LIBRARY_PATH", libraries));
    }
}

/// A list of directories for a variable, before those that it has.
pub(crate) fn joined(name: &str, dirs: impl IntoIterator<Item = PathBuf>) -> std::ffi::OsString {
    let others = env::var_os(name).unwrap_or_default();
    let all = dirs
        .into_iter()
        .chain(env::split_paths(&others).filter(|dir| !dir.as_os_str().is_empty()));
    env::join_paths(all).unwrap_or_default()
}

fn unpacked_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("firmware-c-tools")
}

/// Whether bindgen would find libclang.
fn has_libclang() -> bool {
    env::var_os("LIBCLANG_PATH").is_some()
        || ["/usr/lib64", "/usr/local/lib"]
            .map(PathBuf::from)
            .into_iter()
            .chain(debian::library_dirs(Path::new("/")))
            .any(|dir| holds_libclang(&dir))
}

fn holds_libclang(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Its C++ library alone, libclang-cpp, is not enough.
            name.strip_prefix("libclang").is_some_and(|rest| {
                rest.starts_with(".so") || rest.starts_with('-') && !rest.starts_with("-cpp")
            })
        })
    })
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
