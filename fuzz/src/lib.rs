//! The fuzz targets as plain functions: they take any bytes, and panic if something is wrong.
//!
//! `fuzz_targets/` has a program for each, which passes it to libFuzzer. The tests here run each target
//! over its seeds and over mutations of them: enough to notice a broken target or a shallow bug, but no
//! replacement for hours of real fuzzing. `PULSEWING_FUZZ_SECONDS` makes it minutes, and `PULSEWING_CHECK`
//! picks targets by a part of their names.

mod board;
pub mod board_console;
mod chain;
pub mod filter;
pub mod fitbit_bodies;
pub mod google_bodies;
pub mod http_replies;
pub mod hx8357_bytes;
pub mod imports;
pub mod improv_packets;
pub mod json_chunks;
pub mod redirects;
pub mod samples;
pub mod store_operations;
pub mod stored_chains;
pub mod token_replies;
pub mod wallpapers;
pub mod webhooks;

#[cfg(test)]
mod mutation;

/// A fuzz target.
pub struct Target {
    /// The name of its program and of its directory in `seeds/`.
    pub name: &'static str,
    /// Takes one input; panics if something is wrong.
    pub run: fn(&[u8]),
    /// The number of mutations of its seeds in a test: fewer where one input takes milliseconds.
    pub mutations: usize,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "board_console",
        run: board_console::run,
        mutations: 300,
    },
    Target {
        name: "filter",
        run: filter::run,
        mutations: 4_000,
    },
    Target {
        name: "fitbit_bodies",
        run: fitbit_bodies::run,
        mutations: 4_000,
    },
    Target {
        name: "google_bodies",
        run: google_bodies::run,
        mutations: 4_000,
    },
    Target {
        name: "http_replies",
        run: http_replies::run,
        mutations: 4_000,
    },
    Target {
        name: "hx8357_bytes",
        run: hx8357_bytes::run,
        mutations: 300,
    },
    Target {
        name: "imports",
        run: imports::run,
        mutations: 1_000,
    },
    Target {
        name: "improv_packets",
        run: improv_packets::run,
        mutations: 300,
    },
    Target {
        name: "json_chunks",
        run: json_chunks::run,
        mutations: 4_000,
    },
    Target {
        name: "redirects",
        run: redirects::run,
        mutations: 4_000,
    },
    Target {
        name: "samples",
        run: samples::run,
        mutations: 4_000,
    },
    Target {
        name: "store_operations",
        run: store_operations::run,
        mutations: 300,
    },
    Target {
        name: "stored_chains",
        run: stored_chains::run,
        mutations: 4_000,
    },
    Target {
        name: "token_replies",
        run: token_replies::run,
        mutations: 4_000,
    },
    Target {
        name: "wallpapers",
        run: wallpapers::run,
        mutations: 300,
    },
    Target {
        name: "webhooks",
        run: webhooks::run,
        mutations: 4_000,
    },
];

#[cfg(test)]
mod tests {
    use std::{
        env, fs, panic,
        path::{Path, PathBuf},
        time::{Duration, Instant},
    };

    use super::*;
    use crate::mutation::Mutations;

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
        let picked = env::var("PULSEWING_CHECK").unwrap_or_default();
        let seconds = env::var("PULSEWING_FUZZ_SECONDS").ok();
        let budget = seconds.map(|text| Duration::from_secs(text.parse().unwrap()));
        for target in TARGETS
            .iter()
            .filter(|target| target.name.contains(&picked))
        {
            let seeds: Vec<Vec<u8>> = files(&directory("seeds").join(target.name))
                .iter()
                .map(|path| fs::read(path).unwrap())
                .collect();
            assert!(seeds.len() >= 3, "{}: too few seeds", target.name);
            seeds.iter().for_each(|seed| (target.run)(seed));
            let began = Instant::now();
            let is_over = |count| match budget {
                Some(budget) => began.elapsed() >= budget,
                None => count >= target.mutations,
            };
            let mut count = 0;
            for input in Mutations::of(&seeds) {
                if is_over(count) {
                    break;
                }
                if panic::catch_unwind(|| (target.run)(&input)).is_err() {
                    panic!(
                        "{} fails on \"{}\" after {count} others",
                        target.name,
                        input.escape_ascii()
                    );
                }
                count += 1;
            }
            println!("{}: {count} in {:.1?}", target.name, began.elapsed());
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
