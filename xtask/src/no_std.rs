//! Proves that the board crates build without std and alloc.
//!
//! Each crate is checked for `riscv32imac-unknown-none-elf` against `core` alone, one crate at a time,
//! so that the features of another crate cannot hide a problem. To prove that the check can fail, a
//! scratch crate that uses alloc is checked the same way, and must be refused.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    process,
    tools::bare_rust::{BareRust, TARGET},
    workspace::Workspace,
};

/// Checks every no_std crate alone, then the control.
///
/// # Errors
///
/// If a crate does not build, if the control does, or if there is no compiler.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let compiler = BareRust::find(workspace)?
        .ok_or_else(|| format!("no compiler for {TARGET}; use --setup"))?;
    println!("compiler: {compiler}");
    let members = workspace.no_std_members();
    if members.is_empty() {
        return Err("the workspace has no no_std crate".to_owned());
    }
    let check = |arguments: &[&str]| -> Result<Command, String> {
        let mut cargo = process::cargo();
        cargo
            .args(["check", "--lib", "--target", TARGET])
            .args(arguments);
        // A separate directory: another compiler in the same one would rebuild everything each time.
        cargo.arg("--target-dir").arg(target_dir(workspace));
        compiler.apply_core_alone(&mut cargo, workspace)?;
        Ok(cargo)
    };
    let mut failed = Vec::new();
    for member in &members {
        if process::compile(&mut check(&["--package", &member.name])?).is_err() {
            failed.push(member.name.as_str());
        }
    }
    let control =
        write_control(workspace).map_err(|error| format!("the control crate: {error}"))?;
    let refused = process::output(&mut check(&[
        "--manifest-path",
        &control.to_string_lossy(),
    ])?);
    check_control(&refused)?;
    println!("control: a crate that needs alloc is refused");
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "does not build with core alone: {}",
            failed.join(", ")
        ))
    }
}

fn target_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("no-std")
}

/// Writes a crate that is correct except for one thing: it needs alloc.
fn write_control(workspace: &Workspace) -> std::io::Result<PathBuf> {
    let dir = target_dir(workspace).join("control");
    fs::create_dir_all(dir.join("src"))?;
    fs::write(
        dir.join("src/lib.rs"),
        "#![no_std]\nextern crate alloc;\npub fn control() -> alloc::vec::Vec<u8> { alloc::vec![1] }\n",
    )?;
    let manifest = dir.join("Cargo.toml");
    fs::write(
        &manifest,
        "[package]\nname = \"no-std-control\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    Ok(manifest)
}

/// Checks that the control fails, and for its intended reason.
fn check_control(built: &Result<String, String>) -> Result<(), String> {
    match built {
        Err(complaint) if complaint.contains("can't find crate for `alloc`") => Ok(()),
        Err(complaint) => Err(format!(
            "the control failed for another reason: {complaint}"
        )),
        Ok(_) => Err("a crate that needs alloc was built, so this check proves nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_control_refused_for_its_alloc_counts() {
        let refused = "error[E0463]: can't find crate for `alloc`".to_owned();
        assert_eq!(check_control(&Err(refused)), Ok(()));
        assert!(check_control(&Err("error: no space left".to_owned())).is_err());
        assert!(check_control(&Ok(String::new())).is_err());
    }
}
