//! Rules for every Rust file.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{Finding, source::Source, tree::Tree};
use crate::workspace::Workspace;

/// Maximum number of lines, including tests: a longer file has more than one subject.
const LONGEST: usize = 800;

/// The scope of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Anywhere,
    Tests,
    /// Outside tests, in the crates that have no clock of their own.
    BoardCrates,
}

/// A pattern that must not occur in code.
struct Forbidden {
    words: &'static [&'static str],
    place: Place,
    remedy: &'static str,
}

const FORBIDDEN: &[Forbidden] = &[
    Forbidden {
        words: &["todo!", "unimplemented!"],
        place: Place::Anywhere,
        remedy: "build it, or leave it out",
    },
    Forbidden {
        words: &["#[ignore"],
        place: Place::Anywhere,
        remedy: "mend the test or remove it: one that never runs proves nothing",
    },
    Forbidden {
        words: &["thread::sleep"],
        place: Place::Tests,
        remedy: "give the code a simulated clock, or wait for the event itself",
    },
    Forbidden {
        words: &["std::time", "SystemTime", "::now("],
        place: Place::BoardCrates,
        remedy: "take the time as an argument: here the clock is an input",
    },
];

pub(super) fn check(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let board_crates: Vec<PathBuf> = workspace
        .no_std_members()
        .iter()
        .filter_map(|package| Some(package.manifest.parent()?.join("src")))
        .collect();
    let sources: Vec<(&Path, &str, Source)> = tree
        .with_extension("rs")
        .map(|(path, text)| (path, text, Source::parse(text)))
        .collect();
    let test_files: BTreeSet<PathBuf> = sources
        .iter()
        .flat_map(|(path, _, source)| test_module_files(path, source))
        .collect();
    let mut findings = Vec::new();
    for (path, text, source) in &sources {
        let file = File {
            path,
            source,
            all_tests: is_test_file(path, &workspace.root)
                || test_files
                    .iter()
                    .any(|test| path.starts_with(test) || *path == test.with_extension("rs")),
            board_crate: board_crates.iter().any(|dir| path.starts_with(dir)),
        };
        findings.extend(too_long(path, text));
        findings.extend(file.forbidden());
        findings.extend(file.leftovers());
    }
    findings
}

struct File<'a> {
    path: &'a Path,
    source: &'a Source,
    all_tests: bool,
    board_crate: bool,
}

impl File<'_> {
    fn forbidden(&self) -> Vec<Finding> {
        let test_lines = self.source.test_lines();
        let mut findings = Vec::new();
        for (line, code) in numbered(&self.source.code) {
            let in_test = self.all_tests || test_lines.iter().any(|lines| lines.contains(&line));
            for rule in FORBIDDEN {
                let applies = match rule.place {
                    Place::Anywhere => true,
                    Place::Tests => in_test,
                    Place::BoardCrates => self.board_crate && !in_test,
                };
                let found = rule.words.iter().find(|word| code.contains(**word));
                if let Some(word) = found.filter(|_| applies) {
                    findings.push(Finding::new(
                        self.path,
                        line,
                        format!("`{word}`"),
                        rule.remedy,
                    ));
                }
            }
        }
        findings
    }

    fn leftovers(&self) -> Vec<Finding> {
        const MARKS: [&str; 3] = ["FIXME", "TODO", "XXX"];
        numbered(&self.source.comments)
            .filter_map(|(line, comment)| {
                let mark = MARKS.into_iter().find(|mark| {
                    comment
                        .split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == *mark)
                })?;
                Some(Finding::new(
                    self.path,
                    line,
                    format!("a comment says {mark}"),
                    "do it now, or file an issue and drop the comment",
                ))
            })
            .collect()
    }
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

fn numbered(view: &str) -> impl Iterator<Item = (usize, &str)> {
    view.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// Returns whether a file holds only tests, judging by its place.
fn is_test_file(path: &Path, root: &Path) -> bool {
    let path = path.strip_prefix(root).unwrap_or(path);
    // QEMU runs in real time, and so do its checks.
    if path.starts_with("firmware/emulated") {
        return false;
    }
    let in_test_dir = path
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "benches");
    in_test_dir || path.file_stem().is_some_and(|stem| stem == "tests")
}

/// Returns the paths, without an extension, of the modules behind `#[cfg(test)] mod NAME;`.
fn test_module_files(path: &Path, source: &Source) -> Vec<PathBuf> {
    let stem = path.file_stem().unwrap_or_default();
    let dir = path.parent().unwrap_or_else(|| Path::new(""));
    let owns_dir = ["lib", "main", "mod"].iter().any(|name| stem == *name);
    let dir = if owns_dir {
        dir.to_owned()
    } else {
        dir.join(stem)
    };
    source
        .test_modules()
        .into_iter()
        .map(|name| dir.join(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, all_tests: bool, board_crate: bool) -> Vec<(usize, String)> {
        let source = Source::parse(text);
        let file = File {
            path: Path::new("src/a.rs"),
            source: &source,
            all_tests,
            board_crate,
        };
        let mut findings = file.forbidden();
        findings.extend(file.leftovers());
        findings
            .into_iter()
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    #[test]
    fn unfinished_code_is_found_with_its_line() {
        assert_eq!(
            found("fn a() {\n    todo!()\n}\n", false, false),
            [(2, "`todo!`".to_owned())]
        );
        assert_eq!(
            found("#[test]\n#[ignore = \"slow\"]\nfn a() {}", false, false).len(),
            1
        );
        assert_eq!(found("// FIXME: later\n", false, false).len(), 1);
        assert_eq!(found("/// TODO(x)\n", false, false).len(), 1);
    }

    #[test]
    fn words_in_strings_and_longer_words_are_not_found() {
        assert!(found("let a = \"todo! FIXME\"; // XXXL\n", false, false).is_empty());
        assert!(found("// call todo! never\n", false, false).is_empty());
    }

    #[test]
    fn sleeping_is_found_in_tests_only() {
        let text = "fn a() { thread::sleep(b) }\n";
        assert!(found(text, false, false).is_empty());
        assert_eq!(found(text, true, false).len(), 1);
        let inline = "#[cfg(test)]\nmod tests {\n    fn a() { thread::sleep(b) }\n}\n";
        assert_eq!(
            found(inline, false, false),
            [(3, "`thread::sleep`".to_owned())]
        );
    }

    #[test]
    fn a_board_crate_asks_no_clock_outside_its_tests() {
        for text in [
            "let t = Instant::now();",
            "use std::time::Instant;",
            "Zoned::now()",
        ] {
            assert_eq!(found(text, false, true).len(), 1, "{text}");
            assert!(found(text, false, false).is_empty(), "{text}");
            assert!(found(text, true, true).is_empty(), "{text}");
        }
        assert!(found("fn due(now: Instant) { self.now }", false, true).is_empty());
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

    #[test]
    fn test_files_are_known_by_place_and_by_declaration() {
        let root = Path::new("/r");
        for path in [
            "/r/crates/a/tests/b.rs",
            "/r/a/benches/c.rs",
            "/r/a/src/b/tests.rs",
        ] {
            assert!(is_test_file(Path::new(path), root), "{path}");
        }
        assert!(!is_test_file(Path::new("/r/a/src/contests.rs"), root));
        assert!(!is_test_file(
            Path::new("/tests/a/src/b.rs"),
            Path::new("/tests/a")
        ));
        let source = Source::parse("#[cfg(test)]\nmod props;\n");
        let declared = |path| test_module_files(Path::new(path), &source);
        assert_eq!(declared("a/src/lib.rs"), [Path::new("a/src/props")]);
        assert_eq!(declared("a/src/day.rs"), [Path::new("a/src/day/props")]);
    }
}
