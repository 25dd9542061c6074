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
use std::process::{Command, Stdio};

use super::TARGET;
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
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if let Ok(answer) = process::output(Command::new(rustc).args(question)) {
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

impl Toolchain {
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
/// Needs current package lists. What the two packages depend on is asked of apt, so no version is written
/// down here. `bin/rustc` appears last: an interrupted run is not taken for a finished one.
///
/// # Errors
///
/// When apt does not know the packages, a download fails, or the disk is full.
pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
    let dir = unpacked_dir(workspace);
    let packages = dir.join("packages");
    let written = |error: io::Error| format!("cannot write {}: {error}", dir.display());
    if dir.exists() {
        fs::remove_dir_all(&dir).map_err(written)?;
    }
    fs::create_dir_all(&packages).map_err(written)?;
    fs::create_dir_all(dir.join("bin")).map_err(written)?;

    let simulated = process::output(
        Command::new("apt-get")
            .args([
                "--simulate",
                "install",
                "--reinstall",
                "--no-install-recommends",
            ])
            .args(["rustc-web", "rust-web-src"]),
    )?;
    process::run(
        Command::new("apt-get")
            .args(["--quiet=2", "-o", "APT::Sandbox::User=root", "download"])
            .args(to_install(&simulated))
            .current_dir(&packages),
    )?;
    for package in library_files(&packages, &[""]).map_err(written)? {
        unpack_package(&package, &dir)?;
    }
    fs::remove_dir_all(&packages).map_err(written)?;
    write_wrapper(&dir).map_err(written)
}

/// The package names in the answer of `apt-get --simulate install`.
fn to_install(simulated: &str) -> impl Iterator<Item = &str> {
    simulated
        .lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next())
}

fn unpack_package(package: &Path, dir: &Path) -> Result<(), String> {
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    if !name.starts_with("rust-web-src_") {
        return process::run(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(package)
                .arg(dir),
        );
    }
    // The sources of the whole compiler are in there; only the library's are wanted.
    println!("$ dpkg-deb --fsys-tarfile {name} | tar --extract (library only)");
    let failed = |error: io::Error| format!("cannot unpack {name}: {error}");
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stream = archive.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let unpacked = Command::new("tar")
        .args(["--extract", "--wildcards", "--directory"])
        .arg(dir)
        .args(["./usr/lib/rustlib/src", "./usr/src/rustc-*/library"])
        .arg("./usr/src/rustc-*/Cargo.toml")
        .stdin(stream)
        .status()
        .map_err(failed)?;
    let read = archive.wait().map_err(failed)?;
    if read.success() && unpacked.success() {
        Ok(())
    } else {
        Err(format!(
            "cannot unpack {name}: dpkg-deb {read}, tar {unpacked}"
        ))
    }
}

/// Writes `bin/rustc`, which finds the compiler's shared libraries where they were unpacked.
fn write_wrapper(dir: &Path) -> io::Result<()> {
    let libraries = fs::read_dir(dir.join("usr/lib"))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with("-linux-gnu"))
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

#[cfg(unix)]
fn make_executable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Err(io::Error::other("Debian's packages run on Linux only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_to_fetch_are_those_that_apt_would_install() {
        let simulated = "Reading package lists...\nRemv rustc [1.63]\n\
            Inst libllvm22 (1:22 Debian:12 [amd64])\nInst rustc-web [1.95] (1.96 Debian)\n\
            Conf libllvm22 (1:22 Debian:12 [amd64])\n";
        let names: Vec<&str> = to_install(simulated).collect();
        assert_eq!(names, ["libllvm22", "rustc-web"]);
    }

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
