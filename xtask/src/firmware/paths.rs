//! Shortens the names of source files in the program (panics print them), leaving out the directories of
//! the build machine. This saves ten kilobytes and reveals no user name.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    tools::bare_rust::{BareRust, TARGET},
    workspace::Workspace,
};

/// Makes cargo leave out the directories of sources, with flags in its configuration.
///
/// # Errors
///
/// If the compiler does not report the directory of its library sources.
pub(super) fn leave_out(
    cargo: &mut Command,
    compiler: &BareRust,
    workspace: &Workspace,
) -> Result<(), String> {
    // If several prefixes match, the compiler takes the last.
    let dirs = [workspace.root.clone()]
        .into_iter()
        .chain(registries())
        .chain([compiler.library_sources()?]);
    cargo.arg("--config").arg(configuration(dirs));
    Ok(())
}

/// Returns the option for cargo's command line. Its flags are added to those in the boards'
/// configuration file.
fn configuration(dirs: impl Iterator<Item = PathBuf>) -> String {
    let flags: Vec<String> = dirs
        .map(|dir| format!("--remap-path-prefix={}=", dir.display()))
        .collect();
    // TOML writes a list of strings as JSON does.
    format!(
        "target.{TARGET}.rustflags = {}",
        serde_json::Value::from(flags)
    )
}

/// Returns the directories in which cargo unpacks the crates of its registries.
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
