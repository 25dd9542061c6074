//! A compiler with the `core` library of the boards' target, and only that.
//!
//! Two are known. An installed target (`rustup target add`) brings alloc too, so a sysroot is made from it
//! that holds `core` alone. Where no target can be installed, Debian's `rustc-web` and `rust-web-src` are
//! unpacked below the target directory, touching nothing else on the machine, and cargo builds `core` itself.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::TARGET;
use crate::debian::{self, Packages};
use crate::process;
use crate::workspace::Workspace;

/// Where the libraries come from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The libraries of an installed target.
    Installed { libraries: PathBuf },
    /// Debian's compiler, unpacked; `core` is built from its sources.
    Unpacked { rustc: PathBuf },
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed { libraries } => write!(f, "core of {}", libraries.display()),
            Self::Unpacked { rustc } => write!(f, "core built with {}", rustc.display()),
        }
    }
}

/// Finds a usable toolchain: an installed target first, else the unpacked one.
pub(crate) fn find(workspace: &Workspace) -> Option<Toolchain> {
    let question = ["--print", "target-libdir", "--target", TARGET];
    if let Ok(answer) = process::output(installed_rustc().args(question)) {
        let libraries = PathBuf::from(answer.trim());
        if !library_files(&libraries, &["libcore-"])
            .unwrap_or_default()
            .is_empty()
        {
            return Some(Toolchain::Installed { libraries });
        }
    }
    let rustc = unpacked_rustc(workspace);
    process::succeeds(Command::new(&rustc).arg("--version"))
        .then_some(Toolchain::Unpacked { rustc })
}

fn installed_rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

impl Toolchain {
    /// Its compiler.
    pub(crate) fn rustc(&self) -> Command {
        match self {
            Self::Installed { .. } => installed_rustc(),
            Self::Unpacked { rustc } => Command::new(rustc),
        }
    }

    /// Makes a cargo command build with this toolchain.
    ///
    /// # Errors
    ///
    /// When the sysroot cannot be written.
    pub(crate) fn apply(&self, cargo: &mut Command, workspace: &Workspace) -> Result<(), String> {
        match self {
            Self::Installed { libraries } => {
                let sysroot = workspace.target_dir.join("no-std-sysroot");
                copy_core(libraries, &sysroot)
                    .map_err(|error| format!("cannot write {}: {error}", sysroot.display()))?;
                cargo.env(
                    "CARGO_ENCODED_RUSTFLAGS",
                    format!("--sysroot\u{1f}{}", sysroot.display()),
                );
            }
            Self::Unpacked { rustc } => {
                // The bootstrap switch lets a stable compiler build its own library, as cargo's
                // unstable build-std asks for.
                cargo
                    .env("RUSTC", rustc)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_UNSTABLE_BUILD_STD", "core");
            }
        }
        Ok(())
    }
}

impl Toolchain {
    /// Makes a cargo command build firmware with this toolchain: with `core` and `alloc`, and linked.
    ///
    /// # Errors
    ///
    /// When there is no linker.
    pub(crate) fn apply_for_firmware(&self, cargo: &mut Command) -> Result<(), String> {
        if let Self::Unpacked { rustc } = self {
            cargo
                .env("RUSTC", rustc)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_UNSTABLE_BUILD_STD", "core,alloc")
                .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "compiler-builtins-mem")
                // Debian's compiler comes without one; rustup's brings its own.
                .env(
                    "CARGO_TARGET_RISCV32IMAC_UNKNOWN_NONE_ELF_LINKER",
                    linker()?,
                );
        }
        Ok(())
    }
}

/// The linker that comes with the compiler in the path.
fn linker() -> Result<PathBuf, String> {
    let ask = |question: &[&str]| process::output(Command::new("rustc").args(question));
    let sysroot = ask(&["--print", "sysroot"])?;
    let version = ask(&["--version", "--verbose"])?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    let linker = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(host)
        .join("bin/rust-lld");
    if linker.exists() {
        Ok(linker)
    } else {
        Err(format!("the compiler has no {}", linker.display()))
    }
}

/// Copies `core`, and the compiler's own support below it, to a sysroot without alloc and std.
fn copy_core(libraries: &Path, sysroot: &Path) -> io::Result<()> {
    let to = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    fs::create_dir_all(&to)?;
    let wanted = [
        "libcore-",
        "libcompiler_builtins-",
        "librustc_std_workspace_core-",
    ];
    for file in library_files(libraries, &wanted)? {
        if let Some(name) = file.file_name() {
            fs::copy(&file, to.join(name))?;
        }
    }
    Ok(())
}

fn library_files(dir: &Path, prefixes: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn unpacked_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("no-std-toolchain")
}

fn unpacked_rustc(workspace: &Workspace) -> PathBuf {
    unpacked_dir(workspace).join("bin/rustc")
}

/// Downloads Debian's compiler and library sources and unpacks them below the target directory.
///
/// # Errors
///
/// When apt does not know the packages, a download fails, or the disk is full.
pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
    let packages = Packages {
        names: &["rustc-web", "rust-web-src"],
        newest: false,
        // The sources of the whole compiler are in there; only the library's are wanted.
        parts: &[(
            "rust-web-src_",
            &[
                "./usr/lib/rustlib/src",
                "./usr/src/rustc-*/library",
                "./usr/src/rustc-*/Cargo.toml",
            ],
        )],
    };
    debian::unpack(
        workspace,
        &packages,
        &unpacked_dir(workspace),
        write_wrapper,
    )
}

/// Writes `bin/rustc`, which finds the compiler's shared libraries where they were unpacked.
fn write_wrapper(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir.join("bin"))?;
    let libraries = debian::library_dirs(dir);
    let libraries = libraries
        .first()
        .ok_or_else(|| io::Error::other("the packages hold no shared libraries"))?;
    let script = format!(
        "#!/bin/sh\nexport LD_LIBRARY_PATH='{}'\nexec '{}' \"$@\"\n",
        libraries.display(),
        dir.join("usr/bin/rustc").display()
    );
    let unfinished = dir.join("bin/rustc.new");
    fs::write(&unfinished, script)?;
    make_executable(&unfinished)?;
    fs::rename(unfinished, dir.join("bin/rustc"))
}

/// Lets a file be run.
#[cfg(unix)]
pub(crate) fn make_executable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

/// Lets a file be run.
#[cfg(not(unix))]
pub(crate) fn make_executable(_: &Path) -> io::Result<()> {
    Err(io::Error::other("Debian's packages run on Linux only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sysroot_of_an_installed_target_holds_core_but_not_alloc() {
        let scratch = tempfile::tempdir().unwrap();
        let libraries = scratch.path().join("installed");
        fs::create_dir(&libraries).unwrap();
        for name in [
            "libcore-1.rlib",
            "libcompiler_builtins-2.rlib",
            "liballoc-3.rlib",
        ] {
            fs::write(libraries.join(name), name).unwrap();
        }
        let sysroot = scratch.path().join("sysroot");
        copy_core(&libraries, &sysroot).unwrap();
        fs::remove_file(libraries.join("libcompiler_builtins-2.rlib")).unwrap();
        copy_core(&libraries, &sysroot).unwrap();

        let made = sysroot.join("lib/rustlib").join(TARGET).join("lib");
        let files = library_files(&made, &[""]).unwrap();
        assert_eq!(
            files,
            [made.join("libcore-1.rlib")],
            "and nothing of an older compiler"
        );
    }
}
