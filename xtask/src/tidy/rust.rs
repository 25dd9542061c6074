//! Rules for every Rust file that clippy cannot hold, or not in the workspaces that it does not see.

use std::path::Path;

use super::{Finding, tree::Tree};

/// Maximum number of lines, including tests: a longer file has more than one subject.
const LONGEST: usize = 800;

/// Workspaces that clippy does not see: it holds the rules about these words elsewhere.
const WITHOUT_CLIPPY: [&str; 2] = ["firmware", "fuzz"];

const UNFINISHED: [&str; 2] = ["todo!(", "unimplemented!("];

pub(super) fn check(root: &Path, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let inside = path.strip_prefix(root).unwrap_or(path);
        let has_clippy = !WITHOUT_CLIPPY.iter().any(|dir| inside.starts_with(dir));
        findings.extend(too_long(inside, text));
        for (index, line) in text.lines().enumerate() {
            let broken = broken_rule(line, has_clippy);
            findings
                .extend(broken.map(|(what, remedy)| Finding::new(inside, index + 1, what, remedy)));
        }
    }
    findings
}

fn too_long(path: &Path, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > LONGEST).then(|| {
        Finding::new(
            path,
            LONGEST + 1,
            format!("{lines} lines, more than {LONGEST}"),
            "split it at a seam: a state, a layer, or the tests",
        )
    })
}

/// Returns what is wrong with a line, and the remedy.
fn broken_rule(line: &str, has_clippy: bool) -> Option<(String, &'static str)> {
    // Clippy accepts one with a reason.
    if line.trim_start().starts_with("#[ignore") {
        return Some((
            "`#[ignore`".to_owned(),
            "fix the test or remove it: one that never runs proves nothing",
        ));
    }
    let (code, comment) = line.split_once("//").unwrap_or((line, ""));
    if let Some(word) = UNFINISHED.iter().find(|word| code.contains(**word))
        && !has_clippy
    {
        return Some((format!("`{word}`"), "build it, or leave it out"));
    }
    const MARKS: [&str; 3] = ["FIXME", "TODO", "XXX"];
    let mut words = comment.split(|c: char| !c.is_alphanumeric());
    let mark = words.find(|word| MARKS.contains(word))?;
    Some((
        format!("a comment says {mark}"),
        "do it now, or file an issue and drop the comment",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(line: &str) -> bool {
        broken_rule(line, true).is_some()
    }

    #[test]
    fn a_test_that_never_runs_and_a_mark_in_a_comment_are_found() {
        assert!(is_found("    #[ignore = \"slow\"]"));
        // Written apart, or this line would be found.
        for mark in ["FIX".to_owned() + "ME: later", "TO".to_owned() + "DO(x)"] {
            assert!(is_found(&format!("let a = 1; // {mark}")), "{mark}");
            assert!(is_found(&format!("    /// {mark}")), "{mark}");
        }
        for line in ["let a = \"TODO\";", "// XXXL", "fn ignore() {}"] {
            assert!(!is_found(line), "{line}");
        }
    }

    #[test]
    fn unfinished_code_is_found_where_clippy_does_not_look() {
        for line in ["    todo!()", "    _ => unimplemented!(\"later\"),"] {
            assert!(broken_rule(line, false).is_some(), "{line}");
            assert!(broken_rule(line, true).is_none(), "{line}");
        }
        assert!(broken_rule("// never call todo!()", false).is_none());
    }

    #[test]
    fn a_file_over_the_limit_is_found() {
        let path = Path::new("src/a.rs");
        assert_eq!(too_long(path, &"\n".repeat(LONGEST)), None);
        assert_eq!(
            too_long(path, &"\n".repeat(LONGEST + 1)).unwrap().line,
            LONGEST + 1
        );
    }
}
