//! Type-checks the FeatherS3's program without a compiler for its chip.
//!
//! Upstream's compiler cannot generate code for Xtensa, and Espressif's is in no package registry. As
//! the next best thing, we give the compiler the RISC-V target under the Xtensa target's name, so that
//! all crates choose their Xtensa parts, and stop it before code generation. Types, names and pins are
//! checked against the S3's own crates; code generation, assembly and linking are not. This is not a
//! build, and its results lie below a target of their own.
//!
//! To prove that the check can fail, two copies of the program with a mistake are checked too, and must
//! be refused: a pin that the S3 does not have, and a part in another's place.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::feather;
use crate::{
    process,
    tools::{
        bare_rust::{BareRust, TARGET},
        clang::Clang,
        make_executable,
    },
    workspace::Workspace,
};

/// The target that build scripts see, and the name of the file that describes it.
const XTENSA: &str = "xtensa-esp32s3-none-elf";

/// A mistake, and the compiler's message about it.
struct Mistake {
    right: &'static str,
    wrong: &'static str,
    complaint: &'static str,
}

const MISTAKES: [Mistake; 2] = [
    Mistake {
        right: "chip.GPIO36",
        wrong: "chip.GPIO22",
        complaint: "no field `GPIO22`",
    },
    Mistake {
        right: "pictures: chip.PSRAM",
        wrong: "pictures: chip.GPIO0",
        complaint: "mismatched types",
    },
];

/// Checks the program, and checks that its faulty copies are refused.
///
/// # Errors
///
/// If a tool is missing, the program is not right, or a mistake passes.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let scratch = scratch(workspace);
    let failed = |error: io::Error| format!("cannot write below {}: {error}", scratch.display());
    fs::create_dir_all(&scratch).map_err(failed)?;
    describe_target(workspace)?;
    let clang = Clang::find(workspace)?.ok_or("no clang; use --setup")?;
    let c_compiler = write_c_compiler(workspace, clang.program()).map_err(failed)?;
    let check = |dir: &Path| -> Result<Command, String> {
        let mut cargo = cargo(workspace, &c_compiler)?;
        cargo.current_dir(dir);
        Ok(cargo)
    };
    process::compile(&mut check(&feather::dir(workspace))?)?;
    for mistake in &MISTAKES {
        let copy = write_copy(workspace, mistake)?;
        judge(mistake, &process::output(&mut check(&copy)?))?;
        println!("control: {} is refused", mistake.wrong);
    }
    Ok(())
}

/// Checks that the copy fails, and for its intended reason.
fn judge(mistake: &Mistake, checked: &Result<String, String>) -> Result<(), String> {
    match checked {
        Err(complaint) if complaint.contains(mistake.complaint) => Ok(()),
        Err(complaint) => Err(format!("a control failed for another reason: {complaint}")),
        Ok(_) => Err(format!(
            "{} passed, so this check proves nothing",
            mistake.wrong
        )),
    }
}

/// Returns the command of the check, without a directory.
fn cargo(workspace: &Workspace, c_compiler: &Path) -> Result<Command, String> {
    let mut cargo = super::cargo(workspace)?;
    // An installed target has RISC-V libraries, but not under another name, so we rebuild them.
    let compiler = compiler(workspace)?;
    if let Some(rustc) = compiler.unpacked() {
        cargo.env("RUSTC", rustc);
    }
    cargo
        .env("CARGO_UNSTABLE_BUILD_STD", "core,alloc")
        .env("CARGO_UNSTABLE_JSON_TARGET_SPEC", "true")
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            "-Zno-codegen\u{1f}--cfg\u{1f}target_arch=\"xtensa\"\u{1f}-Aexplicit_builtin_cfgs_in_flags",
        )
        // riscv-rt reads this from the target's name, which here does not contain it.
        .env("RISCV_RT_BASE_ISA", "rv32i")
        .env("RISCV_RT_LLVM_ARCH_PATCH", "rv32i")
        .env("CLANG_PATH", c_compiler)
        .env("BINDGEN_EXTRA_CLANG_ARGS", "--target=riscv32-unknown-elf")
        .args(["check", "--release", "--locked"])
        .args(["--no-default-features", "--features", "feather-s3"])
        .arg("--target")
        .arg(target_file(workspace))
        .arg("--target-dir")
        .arg(super::target_dir(workspace));
    Ok(cargo)
}

fn compiler(workspace: &Workspace) -> Result<BareRust, String> {
    BareRust::find_with_sources(workspace)?
        .ok_or_else(|| "no compiler with the sources of its libraries; use --setup".to_owned())
}

fn scratch(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("firmware-xtensa")
}

fn target_file(workspace: &Workspace) -> PathBuf {
    scratch(workspace).join(XTENSA).with_extension("json")
}

/// Writes the RISC-V target's description under the Xtensa target's name.
fn describe_target(workspace: &Workspace) -> Result<(), String> {
    let description = process::output(
        compiler(workspace)?
            .rustc()
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["-Zunstable-options", "--print", "target-spec-json"])
            .args(["--target", TARGET]),
    )?;
    let file = target_file(workspace);
    // Rewriting the file would cause everything to be checked again.
    if fs::read_to_string(&file).is_ok_and(|old| old == description) {
        return Ok(());
    }
    fs::write(&file, description)
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Writes a C compiler that takes the options for an S3 and compiles for RISC-V: Mbed TLS's bindings
/// cannot be built without compiling it.
fn write_c_compiler(workspace: &Workspace, clang: &Path) -> io::Result<PathBuf> {
    let script = format!(
        "#!/bin/sh\n\
         for word do\n  shift\n  case $word in\n    \
         --target=xtensa*) set -- \"$@\" --target=riscv32-unknown-elf -march=rv32imac -mabi=ilp32 ;;\n    \
         -mcpu=esp32s3) ;;\n    \
         *) set -- \"$@\" \"$word\" ;;\n  esac\ndone\nexec '{}' \"$@\"\n",
        clang.display()
    );
    let file = scratch(workspace).join("clang");
    fs::write(&file, script)?;
    make_executable(&file)?;
    Ok(file)
}

/// Writes a copy of the program with a mistake in it.
fn write_copy(workspace: &Workspace, mistake: &Mistake) -> Result<PathBuf, String> {
    let from = feather::dir(workspace);
    let to = scratch(workspace).join("control");
    let failed = |error: io::Error| format!("cannot write {}: {error}", to.display());
    fs::create_dir_all(to.join("src")).map_err(failed)?;
    let root = workspace.root.display().to_string();
    let manifest = fs::read_to_string(from.join("Cargo.toml")).map_err(failed)?;
    let manifest = manifest
        .replace("\"../../crates/", &format!("\"{root}/crates/"))
        .replace("\"../net\"", &format!("\"{root}/firmware/net\""));
    fs::write(to.join("Cargo.toml"), manifest).map_err(failed)?;
    for file in ["Cargo.lock", "build.rs"] {
        fs::copy(from.join(file), to.join(file)).map_err(failed)?;
    }
    let mut was_made = false;
    for entry in fs::read_dir(from.join("src")).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let text = fs::read_to_string(entry.path()).map_err(failed)?;
        let changed = text.replace(mistake.right, mistake.wrong);
        was_made |= changed != text;
        fs::write(to.join("src").join(entry.file_name()), changed).map_err(failed)?;
    }
    if was_made {
        Ok(to)
    } else {
        Err(format!("there is no `{}` to get wrong", mistake.right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mistake_refused_for_what_it_is_counts() {
        let [mistake, _] = &MISTAKES;
        let refused = "error[E0609]: no field `GPIO22` on type `Peripherals`".to_owned();
        assert_eq!(judge(mistake, &Err(refused)), Ok(()));
        assert!(judge(mistake, &Err("error: no space left".to_owned())).is_err());
        assert!(judge(mistake, &Ok(String::new())).is_err());
    }

    #[test]
    fn every_mistake_can_be_made() {
        let workspace = Workspace::load().unwrap();
        let board = feather::dir(&workspace).join("src/feather.rs");
        let board = fs::read_to_string(board).unwrap();
        for mistake in &MISTAKES {
            assert!(board.contains(mistake.right), "{}", mistake.right);
        }
    }
}
