//! The workspace as cargo describes it: its root, its crates, their targets and dependencies.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{members, process};

/// The host workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// The directory of build results; `CARGO_TARGET_DIR` changes it.
    pub(crate) target_dir: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as the manifest declares it.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only tests, examples and benches use it.
    pub(crate) dev: bool,
}

/// A library, program, test or bench of a package.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// Asks cargo about the workspace that this program was built from.
    ///
    /// # Errors
    ///
    /// If cargo cannot read a manifest, with cargo's own message.
    pub(crate) fn load() -> Result<Self, String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or_else(|| Path::new("."))
            .join("Cargo.toml");
        let text = process::output(
            process::cargo()
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .arg("--manifest-path")
                .arg(manifest),
        )?;
        Self::from_metadata(&text)
    }

    /// Reads the answer of `cargo metadata --no-deps`.
    pub(crate) fn from_metadata(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("cannot read the answer of cargo metadata: {error}"))?;
        let packages = elements(&value, "packages")
            .map(Package::from_value)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            root: string(&value, "workspace_root")?.into(),
            target_dir: string(&value, "target_directory")?.into(),
            packages,
        })
    }

    /// Returns the members that are built for boards, in the order of the map.
    pub(crate) fn no_std_members(&self) -> Vec<&Package> {
        let is_no_std = |name: &str| members::find(name).is_some_and(|member| member.no_std);
        self.packages
            .iter()
            .filter(|package| is_no_std(&package.name))
            .collect()
    }
}

impl Package {
    fn from_value(value: &Value) -> Result<Self, String> {
        Ok(Self {
            name: string(value, "name")?,
            manifest: string(value, "manifest_path")?.into(),
            dependencies: elements(value, "dependencies")
                .map(|dependency| {
                    Ok(Dependency {
                        name: string(dependency, "name")?,
                        dev: dependency["kind"] == "dev",
                    })
                })
                .collect::<Result<_, String>>()?,
            targets: elements(value, "targets")
                .map(|target| {
                    Ok(Target {
                        kind: target["kind"][0].as_str().unwrap_or_default().to_owned(),
                        name: string(target, "name")?,
                        root: string(target, "src_path")?.into(),
                    })
                })
                .collect::<Result<_, String>>()?,
        })
    }
}

fn string(value: &Value, key: &str) -> Result<String, String> {
    value[key]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("cargo metadata gave no `{key}`"))
}

fn elements<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_workspace_is_described_with_its_crates() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.root.join("xtask/src/main.rs").exists());
        let core = workspace
            .packages
            .iter()
            .find(|package| package.name == "pulsewing-core");
        assert!(
            core.unwrap()
                .targets
                .iter()
                .any(|target| target.kind == "lib")
        );
        let board_crates = workspace.no_std_members();
        assert!(
            board_crates
                .iter()
                .any(|package| package.name == "pulsewing-screen")
        );
        assert!(
            board_crates
                .iter()
                .all(|package| package.name != "pulsewing")
        );
    }

    #[test]
    fn an_answer_without_the_root_is_an_error() {
        let complaint = Workspace::from_metadata(r#"{"packages":[]}"#).unwrap_err();
        assert!(complaint.contains("workspace_root"), "{complaint}");
        assert!(Workspace::from_metadata("cargo: no").is_err());
    }
}
