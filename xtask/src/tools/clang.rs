//! clang with libclang: clang compiles Mbed TLS, and libclang reads its headers for the bindings.
//!
//! Both must have the same version, so they come from one place: the machine's, or Debian's, unpacked.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    debian::{self, Packages},
    joined, pick, scratch,
};
use crate::{process, workspace::Workspace};

/// An older clang does not let the linker shorten its calls: the Feather's program is then 30 KB larger
/// and exceeds its limit.
const OLDEST: u32 = 19;

pub(super) const PACKAGES: Packages<'_> = Packages {
    dir: "clang",
    names: &["clang-19", "libclang1-19"],
    newest: false,
    parts: &[],
};

/// The line of C that is tried out.
const LINE: &str = "#include <stddef.h>\n#include <stdint.h>\n\
    size_t next(uint32_t x) { return x + 1; }\n";

/// The path of the compiler in Debian's package.
const PROGRAM: &str = "usr/lib/llvm-19/bin/clang";

/// A compiler and the library of the same version.
#[derive(Debug)]
pub(crate) struct Clang {
    program: PathBuf,
    /// Directories of the libraries that an unpacked libclang needs.
    libraries: Vec<PathBuf>,
}

impl Clang {
    /// Finds a compiler that works.
    ///
    /// # Errors
    ///
    /// If the unpacked one does not work.
    pub(crate) fn find(workspace: &Workspace) -> Result<Option<Self>, String> {
        let installed = installed_programs().into_iter().map(|program| Self {
            program,
            libraries: Vec::new(),
        });
        let dir = PACKAGES.dir(workspace);
        let unpacked = Self {
            program: dir.join("bin/clang"),
            libraries: debian::library_dirs(&dir),
        };
        pick(installed, &dir, unpacked, Self::try_out)
    }

    /// Unpacks Debian's compiler.
    ///
    /// # Errors
    ///
    /// If a package cannot be downloaded.
    pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
        debian::unpack(workspace, &PACKAGES, |dir| {
            debian::write_starter(dir, PROGRAM, &[], &[])
        })
    }

    /// Returns the compiler, as a command to start.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Lets cargo's build scripts find the compiler and the library.
    pub(crate) fn apply(&self, cargo: &mut Command) -> Result<(), String> {
        cargo.env("CLANG_PATH", &self.program);
        if let Some(dir) = self.program.parent().filter(|dir| dir.is_absolute()) {
            cargo.env("PATH", joined("PATH", [dir.to_owned()]));
        }
        if !self.libraries.is_empty() {
            let libraries = self.libraries.iter().cloned();
            cargo.env("LD_LIBRARY_PATH", joined("LD_LIBRARY_PATH", libraries));
        }
        // Even over a value from outside, which can name another version's.
        cargo.env("LIBCLANG_PATH", self.libclang()?);
        Ok(())
    }

    /// Compiles a line for the boards' processor with the compiler's own headers, and loads the library.
    fn try_out(&self) -> Result<(), String> {
        let version = self.version()?;
        if version < OLDEST {
            return Err(format!("version {version} is older than {OLDEST}"));
        }
        let scratch = scratch()?;
        let source = scratch.path().join("line.c");
        fs::write(&source, LINE).map_err(|error| format!("{}: {error}", source.display()))?;
        process::output(
            Command::new(&self.program)
                .args(["--target=riscv32-unknown-elf", "-march=rv32imac"])
                .args(["-mabi=ilp32", "-mrelax", "-ffreestanding", "-c"])
                .arg(&source)
                .arg("-o")
                .arg(scratch.path().join("line.o")),
        )?;
        self.load_libclang()
    }

    fn version(&self) -> Result<u32, String> {
        let answer = process::output(Command::new(&self.program).arg("--version"))?;
        version(&answer).ok_or_else(|| format!("{} is not clang", self.program.display()))
    }

    /// Returns the file of the library that has this compiler's version.
    fn libclang(&self) -> Result<PathBuf, String> {
        let version = self.version()?;
        let resources = process::output(Command::new(&self.program).arg("-print-resource-dir"))?;
        // The path is .../lib/clang/19; the library is in .../lib or in the system's library directory.
        let beside = Path::new(resources.trim()).ancestors().nth(2);
        let system = ["/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
        env::var_os("LIBCLANG_PATH")
            .map(PathBuf::from)
            .into_iter()
            .chain(beside.map(Path::to_owned))
            .chain(self.libraries.iter().cloned())
            .chain(system)
            .chain(debian::library_dirs(Path::new("/")))
            .find_map(|dir| libclang_in(&dir, version))
            .ok_or_else(|| format!("there is no libclang of version {version}"))
    }

    /// Makes the system's loader load the library, and all that it needs, into a program that does
    /// nothing.
    fn load_libclang(&self) -> Result<(), String> {
        let file = self.libclang()?;
        if !cfg!(target_os = "linux") {
            return Ok(());
        }
        let libraries = self.libraries.iter().cloned();
        let output = Command::new("true")
            .env("LD_PRELOAD", &file)
            .env("LD_LIBRARY_PATH", joined("LD_LIBRARY_PATH", libraries))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot start `true`: {error}"))?;
        if output.status.success() && output.stderr.is_empty() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}", file.display(), complaint.trim()))
    }
}

/// Returns the compiler in the path, and those that Debian keeps apart, the newest first.
fn installed_programs() -> Vec<PathBuf> {
    let mut apart: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let dir = entry.ok()?.path();
            let version = dir.file_name()?.to_str()?.strip_prefix("llvm-")?;
            Some((version.parse().ok()?, dir.join("bin/clang")))
        })
        .filter(|(_, program)| program.exists())
        .collect();
    apart.sort_unstable_by(|a, b| b.cmp(a));
    let apart = apart.into_iter().map(|(_, program)| program);
    [PathBuf::from("clang")].into_iter().chain(apart).collect()
}

/// Returns the number before the first dot of a clang's version text, whoever built it.
fn version(answer: &str) -> Option<u32> {
    let (_, version) = answer.split_once("clang version ")?;
    version.split('.').next()?.parse().ok()
}

fn libclang_in(dir: &Path, version: u32) -> Option<PathBuf> {
    let mut entries = fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let file = entries.find(|entry| is_libclang(&entry.file_name(), version))?;
    Some(file.path())
}

/// Returns whether a file is the library in that version: `libclang-19.so.1` or `libclang.so.19.1.7`.
/// Its C++ library alone, `libclang-cpp`, is not enough.
fn is_libclang(name: &OsStr, version: u32) -> bool {
    let name = name.to_string_lossy();
    let mut dotted = name.split('.');
    match dotted.next() {
        Some("libclang") => {
            dotted.next() == Some("so") && dotted.next() == Some(&version.to_string())
        }
        Some(stem) => stem == format!("libclang-{version}") && dotted.next() == Some("so"),
        None => false,
    }
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

    #[test]
    fn only_the_library_of_the_same_version_counts() {
        for (name, is_it) in [
            ("libclang-19.so.1", true),
            ("libclang-19.so", true),
            ("libclang.so.19.1.7", true),
            ("libclang-14.so.1", false),
            ("libclang.so.14", false),
            ("libclang-cpp.so.19", false),
            ("libclang.a", false),
        ] {
            assert_eq!(is_libclang(OsStr::new(name), 19), is_it, "{name}");
        }
    }
}
