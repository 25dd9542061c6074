//! The fuzz targets as plain functions: they take any bytes, and panic if something is wrong.
//!
//! `fuzz_targets/` has a program for each, which passes it to libFuzzer. The tests here run each target
//! over its seeds and over mutations of them: enough to notice a broken target or a shallow bug, but no
//! replacement for hours of real fuzzing.

pub mod filter;
pub mod fitbit_bodies;
pub mod google_bodies;
pub mod json_chunks;
pub mod redirects;
pub mod stored_chains;
pub mod token_replies;

#[cfg(test)]
mod mutation;

/// A fuzz target.
pub struct Target {
    /// The name of its program and of its directory in `seeds/`.
    pub name: &'static str,
    /// Takes one input; panics if something is wrong.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "filter",
        run: filter::run,
    },
    Target {
        name: "fitbit_bodies",
        run: fitbit_bodies::run,
    },
    Target {
        name: "google_bodies",
        run: google_bodies::run,
    },
    Target {
        name: "json_chunks",
        run: json_chunks::run,
    },
    Target {
        name: "redirects",
        run: redirects::run,
    },
    Target {
        name: "stored_chains",
        run: stored_chains::run,
    },
    Target {
        name: "token_replies",
        run: token_replies::run,
    },
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::mutation::Mutations;

    /// Number of inputs that are made from each target's seeds.
    const MUTATIONS: usize = 4_000;

    fn directory(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
    }

    fn files(directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    #[test]
    fn every_target_survives_its_seeds_and_mutations_of_them() {
        for target in TARGETS {
            let seeds: Vec<Vec<u8>> = files(&directory("seeds").join(target.name))
                .iter()
                .map(|path| fs::read(path).unwrap())
                .collect();
            assert!(seeds.len() >= 3, "{}: too few seeds", target.name);
            seeds.iter().for_each(|seed| (target.run)(seed));
            for input in Mutations::of(&seeds).take(MUTATIONS) {
                if std::panic::catch_unwind(|| (target.run)(&input)).is_err() {
                    panic!(
                        "{} fails on {:?}",
                        target.name,
                        String::from_utf8_lossy(&input)
                    );
                }
            }
        }
    }

    #[test]
    fn every_program_is_a_target_and_has_seeds() {
        let stems = |name: &str| -> Vec<String> {
            let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
            files(&directory(name)).iter().map(stem).collect()
        };
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(stems("fuzz_targets"), names);
        assert_eq!(stems("seeds"), names);
    }
}
