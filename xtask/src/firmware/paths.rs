//! What the program calls its source files, which a panic names: not where they lay on the machine that
//! built it. The program is ten kilobytes smaller then, and tells nobody's name.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::bare_rust::{BareRust, TARGET};
use crate::workspace::Workspace;

/// Lets cargo leave out the directories of sources, with the flags of its configuration.
///
/// # Errors
///
/// When the compiler does not say where its library's sources are.
pub(super) fn leave_out(
    cargo: &mut Command,
    compiler: &BareRust,
    workspace: &Workspace,
) -> Result<(), String> {
    // Of several that fit, the compiler takes the last.
    let dirs = [workspace.root.clone()]
        .into_iter()
        .chain(registries())
        .chain([compiler.library_sources()?]);
    cargo.arg("--config").arg(configuration(dirs));
    Ok(())
}

/// The option of cargo's command line. Its flags are added to those in the boards' configuration file.
fn configuration(dirs: impl Iterator<Item = PathBuf>) -> String {
    let flags: Vec<String> = dirs
        .map(|dir| format!("--remap-path-prefix={}=", dir.display()))
        .collect();
    // A list of texts is written in TOML as it is in JSON.
    format!(
        "target.{TARGET}.rustflags = {}",
        serde_json::Value::from(flags)
    )
}

/// Where cargo unpacks the crates of its registries.
fn registries() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME")?;
        Some(Path::new(&home).join(".cargo"))
    });
    let sources = home.map(|home| home.join("registry/src"));
    let entries = sources.and_then(|dir| fs::read_dir(dir).ok());
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_quotes_is_one_all_the_same() {
        let dirs = [PathBuf::from("/home/the \"maker\"/src")].into_iter();
        assert_eq!(
            configuration(dirs),
            "target.riscv32imac-unknown-none-elf.rustflags = \
             [\"--remap-path-prefix=/home/the \\\"maker\\\"/src=\"]"
        );
    }
}
