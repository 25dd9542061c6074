//! The files of the checkout, except for built, fetched and generated ones.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Directories that hold nothing written by hand.
const SKIPPED: &[&str] = &[
    "target",
    ".git",
    "corpus",
    "artifacts",
    "coverage",
    "node_modules",
];

/// The files for the rules, with the text of those that rules read.
#[derive(Debug)]
pub(super) struct Tree {
    /// Every file below the root; Rust and Markdown files with their text.
    pub(super) files: BTreeMap<PathBuf, Option<String>>,
}

impl Tree {
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut open = vec![root.to_owned()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(&dir)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                let name = entry.file_name();
                let path = entry.path();
                if kind.is_dir() {
                    if !SKIPPED.contains(&name.to_string_lossy().as_ref()) {
                        open.push(path);
                    }
                } else if kind.is_file() {
                    let text = if is_read(&path) {
                        Some(fs::read_to_string(&path)?)
                    } else {
                        None
                    };
                    files.insert(path, text);
                }
            }
        }
        Ok(Self { files })
    }

    /// Returns the files with an extension, and their text.
    pub(super) fn with_extension<'a>(
        &'a self,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a Path, &'a str)> {
        self.files.iter().filter_map(move |(path, text)| {
            let matches = path.extension().is_some_and(|found| found == extension);
            matches.then_some((path.as_path(), text.as_deref()?))
        })
    }
}

fn is_read(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "rs" || extension == "md" || extension == "toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_files_are_not_looked_at() {
        let scratch = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("src/a.rs", "mod b;"),
            ("target/b.rs", ""),
            ("d/x.png", "\u{0}"),
        ] {
            let path = scratch.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::read(scratch.path()).unwrap();
        assert_eq!(tree.files.len(), 2);
        let rust: Vec<_> = tree.with_extension("rs").collect();
        assert_eq!(
            rust,
            [(scratch.path().join("src/a.rs").as_path(), "mod b;")]
        );
    }
}
