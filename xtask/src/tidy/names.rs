//! A file must be named after its one subject.

use std::path::Path;

use super::{Finding, tree::Tree};

const VAGUE: &[&str] = &[
    "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files
        .keys()
        .filter_map(|path| vague_name(path))
        .collect()
}

fn vague_name(path: &Path) -> Option<Finding> {
    let in_dir = path.parent().and_then(Path::file_name);
    let stem = path.file_stem();
    let name = [stem, in_dir]
        .into_iter()
        .flatten()
        .map(|name| name.to_string_lossy())
        .find(|name| {
            name.split(['_', '-', '.'])
                .any(|word| VAGUE.contains(&word))
        })?;
    Some(Finding::new(
        path,
        1,
        format!("the name `{name}` says nothing about what is inside"),
        "name the file after its subject",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vague_name_is_found_as_file_as_directory_and_as_part_of_a_name() {
        for path in [
            "src/utils.rs",
            "tests/common/mod.rs",
            "src/token_manager.rs",
        ] {
            let finding = vague_name(Path::new(path)).unwrap();
            assert_eq!(finding.file, Path::new(path));
        }
    }

    #[test]
    fn a_name_that_only_contains_the_letters_is_fine() {
        for path in [
            "src/uncommon.rs",
            "src/utility_pole.rs",
            "src/commons_gate.rs",
        ] {
            assert_eq!(vague_name(Path::new(path)), None, "{path}");
        }
    }
}
