//! The house rules that neither the compiler nor clippy checks.
//!
//! Every finding names a place, the problem there and the remedy. Findings cannot be silenced: a rule
//! that is wrong is changed here, in the open.

mod areas;
mod crates;
mod edges;
mod links;
mod names;
mod rust;
mod tree;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::workspace::Workspace;

/// A broken rule and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: PathBuf,
    /// Counted from 1.
    line: usize,
    what: String,
    remedy: &'static str,
}

impl Finding {
    fn new(file: &Path, line: usize, what: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
            remedy,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            what,
            remedy,
        } = self;
        write!(f, "{}:{line}: {what}; {remedy}", file.display())
    }
}

/// Checks every rule over the whole tree and prints the findings.
///
/// # Errors
///
/// If a rule is broken, or a file cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let root = &workspace.root;
    let files = tree::Tree::read(root)
        .map_err(|error| format!("cannot read the tree below {}: {error}", root.display()))?;
    let mut findings = edges::check(workspace);
    findings.extend(crates::check(workspace, &files));
    findings.extend(names::check(&files));
    findings.extend(areas::check(root, &files));
    findings.extend(rust::check(root, &files));
    findings.extend(links::check(&files));
    for finding in &mut findings {
        if let Ok(inside) = finding.file.strip_prefix(root) {
            finding.file = inside.to_owned();
        }
    }
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    let seen = files.files.len();
    if findings.is_empty() {
        println!("tidy: {seen} files, no findings");
        Ok(())
    } else {
        Err(format!("{} findings in {seen} files", findings.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_place_problem_and_remedy() {
        let finding = Finding::new(Path::new("src/a.rs"), 7, "a thing", "undo it");
        assert_eq!(finding.to_string(), "src/a.rs:7: a thing; undo it");
    }
}
