//! Rules for the root and the manifest of every crate.

use std::path::Path;

use super::{Finding, source::Source, tree::Tree};
use crate::{members, workspace::Workspace};

pub(super) fn check(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let text_of = |path: &Path| tree.files.get(path).and_then(Option::as_deref);
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let no_std = members::find(&package.name).is_some_and(|member| member.no_std);
        if let Some(text) = text_of(&package.manifest) {
            findings.extend(manifest(&package.manifest, text));
        }
        for target in &package.targets {
            let is_library = target.kind == "lib";
            if (is_library || target.kind == "bin")
                && let Some(text) = text_of(&target.root)
            {
                findings.extend(root(&target.root, text, is_library && no_std));
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
            "the crate does not take the lints of the workspace",
            "add `[lints]` with `workspace = true`",
        )
    })
}

fn root(file: &Path, text: &str, no_std: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !text.trim_start().starts_with("//!") {
        findings.push(Finding::new(
            file,
            1,
            "the crate has no documentation of its own",
            "begin the file with a `//!` paragraph: what it is and what it refuses to do",
        ));
    }
    let code = Source::parse(text).code;
    let states = |attribute: &str| code.lines().any(|line| line.trim() == attribute);
    if !states("#![forbid(unsafe_code)]") && !states("#![deny(unsafe_code)]") {
        findings.push(Finding::new(
            file,
            1,
            "the crate does not refuse unsafe code",
            "add `#![forbid(unsafe_code)]` below its documentation",
        ));
    }
    if no_std && !states("#![no_std]") {
        findings.push(Finding::new(
            file,
            1,
            "a board crate must be without std under every condition",
            "add a plain `#![no_std]`; tests say `extern crate std` for themselves",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, no_std: bool) -> Vec<String> {
        let findings = root(Path::new("src/lib.rs"), text, no_std);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_complete_root_has_no_finding() {
        assert!(problems("//! It is.\n#![no_std]\n#![forbid(unsafe_code)]\n", true).is_empty());
        assert!(problems("//! It is.\n\n#![deny(unsafe_code)]\nfn main() {}\n", false).is_empty());
    }

    #[test]
    fn missing_documentation_and_unsafe_code_are_found() {
        assert_eq!(problems("fn main() {}\n", false).len(), 2);
        let commented = "//! It is.\n// #![forbid(unsafe_code)]\n";
        assert_eq!(
            problems(commented, false),
            ["the crate does not refuse unsafe code"]
        );
    }

    #[test]
    fn no_std_under_a_condition_does_not_count() {
        let text = "//! It is.\n#![cfg_attr(not(test), no_std)]\n#![forbid(unsafe_code)]\n";
        assert_eq!(problems(text, true).len(), 1);
        assert!(problems(text, false).is_empty());
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
