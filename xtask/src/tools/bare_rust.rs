//! A compiler with the libraries of the boards' target.
//!
//! An installed target (`rustup target add`) has them. If none can be installed, Debian's `rustc-web`
//! and `rust-web-src` are unpacked below the target directory, and `core` and `alloc` are built into
//! that compiler's own directory, once for all boards.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    debian::{self, Packages},
    pick, scratch,
};
use crate::{process, workspace::Workspace};

/// The instruction set of the ESP32-C6 and of the emulated board, without an operating system.
pub(crate) const TARGET: &str = "riscv32imac-unknown-none-elf";

pub(super) const PACKAGES: Packages<'_> = Packages {
    dir: "bare-rust",
    names: &["rustc-web", "rust-web-src"],
    newest: false,
    // The package contains the sources of the whole compiler; we need only the library's.
    parts: &[(
        "rust-web-src_",
        &[
            "./usr/lib/rustlib/src",
            "./usr/src/rustc-*/library",
            "./usr/src/rustc-*/Cargo.toml",
        ],
    )],
};

/// A compiler that makes programs for the boards.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BareRust {
    /// The directory of Debian's unpacked compiler; `None` for the machine's own.
    unpacked: Option<PathBuf>,
}

impl fmt::Display for BareRust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unpacked {
            None => write!(f, "the machine's compiler, with its libraries for {TARGET}"),
            Some(rustc) => write!(f, "{}", rustc.display()),
        }
    }
}

impl BareRust {
    /// Finds a compiler that works.
    ///
    /// # Errors
    ///
    /// If the unpacked one does not work.
    pub(crate) fn find(workspace: &Workspace) -> Result<Option<Self>, String> {
        Self::pick(workspace, Self::try_out)
    }

    /// Finds a compiler that has the sources of its libraries, whether or not they are built for the
    /// boards.
    ///
    /// # Errors
    ///
    /// If the unpacked one has none.
    pub(crate) fn find_with_sources(workspace: &Workspace) -> Result<Option<Self>, String> {
        let has_sources = |compiler: &Self| {
            let sources = compiler.library_sources()?;
            for library in ["core", "alloc"] {
                let root = sources.join("library").join(library).join("src/lib.rs");
                if !root.exists() {
                    return Err(format!("there is no {}", root.display()));
                }
            }
            Ok(())
        };
        Self::pick(workspace, has_sources)
    }

    fn pick(
        workspace: &Workspace,
        try_out: impl Fn(&Self) -> Result<(), String>,
    ) -> Result<Option<Self>, String> {
        let dir = PACKAGES.dir(workspace);
        pick([Self { unpacked: None }], &dir, Self::below(&dir), try_out)
    }

    /// Returns the compiler that was unpacked into a directory.
    fn below(dir: &Path) -> Self {
        Self {
            unpacked: Some(dir.join("bin/rustc")),
        }
    }

    /// Downloads Debian's compiler and library sources, unpacks them, and builds the libraries.
    ///
    /// # Errors
    ///
    /// If apt does not know the packages, a download fails, the disk is full, or a library does not
    /// build.
    pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
        debian::unpack(workspace, &PACKAGES, |dir| {
            debian::write_starter(dir, "usr/bin/rustc", &[], &[])
        })?;
        build_libraries(&PACKAGES.dir(workspace))
    }

    /// Returns a command that starts its compiler.
    pub(crate) fn rustc(&self) -> Command {
        match &self.unpacked {
            None => Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())),
            Some(rustc) => Command::new(rustc),
        }
    }

    /// Returns the directory of Debian's compiler, if this is it.
    pub(crate) fn unpacked(&self) -> Option<&Path> {
        self.unpacked.as_deref()
    }

    /// Makes a cargo command build with this compiler against `core` alone, and treat its warnings as
    /// errors.
    ///
    /// # Errors
    ///
    /// If the sysroot cannot be written.
    pub(crate) fn apply_core_alone(
        &self,
        cargo: &mut Command,
        workspace: &Workspace,
    ) -> Result<(), String> {
        let sysroot = workspace.target_dir.join("no-std-sysroot");
        copy_core(&self.libraries()?, &sysroot)
            .map_err(|error| format!("cannot write {}: {error}", sysroot.display()))?;
        cargo.env(
            "CARGO_ENCODED_RUSTFLAGS",
            format!("--sysroot\u{1f}{}\u{1f}-Dwarnings", sysroot.display()),
        );
        if let Some(rustc) = &self.unpacked {
            cargo.env("RUSTC", rustc);
        }
        Ok(())
    }

    /// Makes a cargo command build for the boards with this compiler, `alloc` included.
    ///
    /// # Errors
    ///
    /// If there is no linker.
    pub(crate) fn apply_for_firmware(&self, cargo: &mut Command) -> Result<(), String> {
        if let Some(rustc) = &self.unpacked {
            cargo.env("RUSTC", rustc).env(
                // Debian's compiler comes without a linker; rustup's brings its own.
                "CARGO_TARGET_RISCV32IMAC_UNKNOWN_NONE_ELF_LINKER",
                linker()?,
            );
        }
        Ok(())
    }

    /// Returns the directory of the sources of its libraries.
    ///
    /// # Errors
    ///
    /// If the compiler does not report its own directory.
    pub(crate) fn library_sources(&self) -> Result<PathBuf, String> {
        let sysroot = process::output(self.rustc().args(["--print", "sysroot"]))?;
        Ok(Path::new(sysroot.trim()).join("lib/rustlib/src/rust"))
    }

    fn libraries(&self) -> Result<PathBuf, String> {
        let question = ["--print", "target-libdir", "--target", TARGET];
        let answer = process::output(self.rustc().args(question))?;
        Ok(PathBuf::from(answer.trim()))
    }

    /// Compiles a function that allocates, for the boards and for this machine: the boards' build scripts
    /// run here.
    fn try_out(&self) -> Result<(), String> {
        let boards = "#![no_std]\nextern crate alloc;\n\
             pub fn boxed(x: u32) -> alloc::boxed::Box<u32> { alloc::boxed::Box::new(x) }\n";
        self.compile(
            boards,
            &["--crate-type", "lib", "--emit", "obj", "--target", TARGET],
        )?;
        // Only a static library needs the same files as a program, but no linker.
        let here = "pub fn boxed(x: u32) -> Box<u32> { Box::new(x) }\n";
        self.compile(here, &["--crate-type", "staticlib"])?;
        // Debian's compiler borrows a linker, which links nothing before a whole program is built.
        match self.unpacked {
            Some(_) => {
                process::output(Command::new(linker()?).args(["-flavor", "gnu", "--version"]))
                    .map(drop)
            }
            None => Ok(()),
        }
    }

    fn compile(&self, text: &str, kind: &[&str]) -> Result<(), String> {
        let scratch = scratch()?;
        let source = scratch.path().join("line.rs");
        fs::write(&source, text).map_err(|error| format!("{}: {error}", source.display()))?;
        let mut rustc = self.rustc();
        rustc
            .args(["--edition", "2024"])
            .args(kind)
            .arg("--out-dir")
            .arg(scratch.path())
            .arg(&source);
        process::output(&mut rustc).map(drop)
    }
}

/// Returns the linker that comes with the compiler in the path.
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

/// Builds `core` and `alloc` into the unpacked compiler's directory, as small as the boards need them.
fn build_libraries(dir: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot write below {}: {error}", dir.display());
    let compiler = BareRust::below(dir);
    let scratch = dir.join("libraries");
    fs::create_dir_all(scratch.join("src")).map_err(failed)?;
    fs::write(
        scratch.join("src/lib.rs"),
        "#![no_std]\nextern crate alloc;\n",
    )
    .map_err(failed)?;
    fs::write(scratch.join("Cargo.toml"), LIBRARIES_MANIFEST).map_err(failed)?;
    // Only bitcode, which the linker optimises: a program is 5 KB smaller than with finished code beside
    // it. The paths of the sources are left out: see `firmware::paths`.
    let flags = [
        "-Clinker-plugin-lto".to_owned(),
        "-Ctarget-feature=+relax".to_owned(),
        format!(
            "--remap-path-prefix={}=",
            compiler.library_sources()?.display()
        ),
    ];
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--release", "--target", TARGET])
        .current_dir(&scratch)
        .env("RUSTC", dir.join("bin/rustc"))
        // Lets a stable compiler build its own library, as cargo's unstable build-std does.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "core,alloc")
        .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "compiler-builtins-mem")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CARGO_TARGET_DIR", scratch.join("target"));
    process::compile(&mut cargo)?;
    let built = scratch.join("target").join(TARGET).join("release/deps");
    let libraries = dir.join("usr/lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&libraries).map_err(failed)?;
    let wanted = ["liballoc-", "libcore-", "libcompiler_builtins-"];
    for file in library_files(&built, &wanted).map_err(failed)? {
        if let Some(name) = file
            .file_name()
            .filter(|_| file.extension().is_some_and(|e| e == "rlib"))
        {
            fs::copy(&file, libraries.join(name)).map_err(failed)?;
        }
    }
    fs::remove_dir_all(&scratch).map_err(failed)
}

/// The profile is the boards': see `firmware/Cargo.toml`.
const LIBRARIES_MANIFEST: &str = "\
[package]
name = \"libraries\"
version = \"0.0.0\"
edition = \"2024\"

[workspace]

[profile.release]
opt-level = \"z\"
codegen-units = 1
panic = \"abort\"
debug = \"line-tables-only\"
";

/// Copies `core`, and the compiler's own support below it, to a sysroot without alloc and std.
fn copy_core(libraries: &Path, sysroot: &Path) -> io::Result<()> {
    let to = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let wanted = [
        "libcore-",
        "libcompiler_builtins-",
        "librustc_std_workspace_core-",
    ];
    let files = library_files(libraries, &wanted)?;
    let names = |files: &[PathBuf]| -> Vec<_> {
        files
            .iter()
            .filter_map(|file| Some(file.file_name()?.to_owned()))
            .collect()
    };
    // Rewriting the files would cause everything to be checked again.
    if library_files(&to, &[""]).is_ok_and(|there| names(&there) == names(&files)) {
        return Ok(());
    }
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    fs::create_dir_all(&to)?;
    for file in files {
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
    found.sort();
    Ok(found)
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
