//! Rules for the manifest of every crate, and the root of every board crate.

use std::path::Path;

use super::{Finding, tree::Tree};
use crate::{
    members::{self, Member},
    workspace::Workspace,
};

pub(super) fn check(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let text_of = |path: &Path| tree.files.get(path).and_then(Option::as_deref);
    let mut findings = Vec::new();
    for package in &workspace.packages {
        if let Some(text) = text_of(&package.manifest) {
            findings.extend(manifest(&package.manifest, text));
            if members::find(&package.name).is_some_and(Member::is_for_tests_alone) {
                findings.extend(unpublished(&package.manifest, text));
            }
        }
    }
    for package in workspace.no_std_members() {
        for library in package.targets.iter().filter(|it| it.kind == "lib") {
            if let Some(text) = text_of(&library.root) {
                findings.extend(root(&library.root, text));
            }
        }
    }
    findings
}

fn manifest(file: &Path, text: &str) -> Option<Finding> {
    let mut lines = text.lines().map(str::trim);
    let inherits = lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true");
    (!inherits).then(|| {
        Finding::new(
            file,
            1,
            "the crate does not use the workspace's lints",
            "add `[lints]` with `workspace = true`",
        )
    })
}

fn unpublished(file: &Path, text: &str) -> Option<Finding> {
    let is_stated = text.lines().any(|line| line.trim() == "publish = false");
    (!is_stated).then(|| {
        Finding::new(
            file,
            1,
            "a crate for tests alone can be published",
            "add `publish = false`",
        )
    })
}

fn root(file: &Path, text: &str) -> Option<Finding> {
    let is_plain = text.lines().any(|line| line.trim() == "#![no_std]");
    (!is_plain).then(|| {
        Finding::new(
            file,
            1,
            "a board crate must always be no_std",
            "add an unconditional `#![no_std]`; tests can declare `extern crate std`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_for_tests_alone_is_not_published() {
        let alone = |name: &str| members::find(name).unwrap().is_for_tests_alone();
        assert!(alone("pulsewing-testkit"));
        for used in ["pulsewing-core", "pulsewing-sandbox", "pulsewing-hx8357"] {
            assert!(!alone(used), "{used}");
        }
        let file = Path::new("Cargo.toml");
        assert!(unpublished(file, "[package]\npublish = false\n").is_none());
        assert!(unpublished(file, "[package]\npublish = true\n").is_some());
    }

    #[test]
    fn no_std_under_a_condition_does_not_count() {
        let file = Path::new("src/lib.rs");
        assert_eq!(root(file, "//! It is.\n#![no_std]\n"), None);
        let conditional = "//! It is.\n#![cfg_attr(not(test), no_std)]\n";
        assert!(root(file, conditional).is_some());
    }

    #[test]
    fn a_manifest_must_take_the_workspace_lints() {
        let file = Path::new("Cargo.toml");
        assert_eq!(
            manifest(file, "[package]\n\n[lints]\nworkspace = true\n"),
            None
        );
        assert!(manifest(file, "[package]\nedition.workspace = true\n").is_some());
        assert!(manifest(file, "[lints]\nrust.missing_docs = \"warn\"\n").is_some());
    }
}
