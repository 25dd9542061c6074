//! What Mbed TLS and its bindings are built with: clang, cmake and libclang.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::joined;
use crate::debian::{self, Packages};
use crate::process;
use crate::workspace::Workspace;

/// An older clang does not let the linker shorten its calls: the Feather's program is 30 KB larger then, and
/// beyond its limit.
const OLDEST: u32 = 19;

/// Debian's packages, and where they keep the programs of that version.
const PACKAGES: [&str; 3] = ["clang-19", "cmake", "libclang1-19"];
const CLANG_DIR: &str = "usr/lib/llvm-19/bin";

/// Where the tools are, beside what the machine finds by itself.
#[derive(Debug)]
pub(crate) struct CTools {
    /// Directories of programs, clang's first.
    programs: Vec<PathBuf>,
    /// Directories of libraries.
    libraries: Vec<PathBuf>,
}

impl CTools {
    /// Finds them.
    pub(crate) fn find(workspace: &Workspace) -> Option<Self> {
        let is_there = process::succeeds(Command::new("cmake").arg("--version")) && has_libclang();
        if is_there {
            if is_new_enough(Path::new("clang")) {
                return Some(Self {
                    programs: Vec::new(),
                    libraries: Vec::new(),
                });
            }
            let debians = Path::new("/").join(CLANG_DIR);
            if is_new_enough(&debians.join("clang")) {
                return Some(Self {
                    programs: vec![debians],
                    libraries: Vec::new(),
                });
            }
        }
        let dir = unpacked_dir(workspace);
        dir.join(CLANG_DIR).join("clang").exists().then(|| Self {
            programs: vec![dir.join(CLANG_DIR), dir.join("usr/bin")],
            libraries: debian::library_dirs(&dir),
        })
    }

    /// Unpacks Debian's.
    ///
    /// # Errors
    ///
    /// When a package cannot be had.
    pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
        let packages = Packages {
            names: &PACKAGES,
            newest: false,
            parts: &[],
        };
        debian::unpack(workspace, &packages, &unpacked_dir(workspace), |_| Ok(()))
    }

    /// The compiler, as a command is started.
    pub(super) fn clang(&self) -> PathBuf {
        let dir = self.programs.first();
        dir.map_or_else(|| "clang".into(), |dir| dir.join("clang"))
    }

    pub(super) fn apply(&self, cargo: &mut Command) {
        cargo.env("CLANG_PATH", self.clang());
        if !self.programs.is_empty() {
            cargo.env("PATH", joined("PATH", self.programs.iter().cloned()));
        }
        if !self.libraries.is_empty() {
            let libraries = self.libraries.iter().cloned();
            cargo.env("LD_LIBRARY_PATH", joined("LD_LIBRARY_PATH", libraries));
        }
        if let Some(libclang) = self.libraries.iter().find(|dir| holds_libclang(dir)) {
            cargo.env("LIBCLANG_PATH", libclang);
        }
    }
}

fn unpacked_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("firmware-c-tools")
}

fn is_new_enough(clang: &Path) -> bool {
    process::output(Command::new(clang).arg("--version"))
        .is_ok_and(|answer| version(&answer).is_some_and(|version| version >= OLDEST))
}

/// The number before the first dot of what a clang says of itself, whoever built it.
fn version(answer: &str) -> Option<u32> {
    let (_, version) = answer.split_once("clang version ")?;
    version.split('.').next()?.parse().ok()
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
    fn every_builder_of_clang_names_its_version() {
        for (answer, expected) in [
            (
                "Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n",
                Some(14),
            ),
            ("Ubuntu clang version 19.1.1 (1ubuntu1~24.04.2)\n", Some(19)),
            ("clang version 21.1.4 (Fedora 21.1.4-1.fc43)\n", Some(21)),
            ("gcc (Debian 12.2.0-14) 12.2.0\n", None),
        ] {
            assert_eq!(version(answer), expected, "{answer}");
        }
    }
}
