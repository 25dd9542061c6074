//! Starts the checks of the emulated board, a test program of its own: `firmware/emulated`.

use std::{collections::BTreeMap, process::Command};

use crate::{firmware, process, step::all_of, test_programs, tools, workspace::Workspace};

/// The package of the checks.
const PACKAGE: &str = "pulsewing-emulated";

/// Its test program, which runs as steps of its own.
pub(crate) const SUITE: &str = "suite";

/// A group of checks, which is one step.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// The number of checks that run at the same time: mostly they wait for a board that waits.
    at_once: u32,
}

/// The groups in the order in which they run.
pub(crate) const GROUPS: [Group; 6] = [
    Group::new("first start", 3),
    Group::new("rotation", 3),
    Group::new("trust", 3),
    Group::new("network", 3),
    Group::new("replies", 3),
    // Nothing else may run while instructions are counted.
    Group::new("figures", 1),
];

impl Group {
    const fn new(name: &'static str, at_once: u32) -> Self {
        Self { name, at_once }
    }
}

/// The factor by which the number of parallel checks grows when they are repeated, to put each other under
/// load.
const CROWD: u32 = 3;

/// Runs each check of a group `times` times. `PULSEWING_CHECK` selects checks by words in their names.
///
/// # Errors
///
/// Names the checks that failed, and how often; the reasons are printed before.
pub(crate) fn run(workspace: &Workspace, group: &Group, times: u32) -> Result<(), String> {
    let missing = |tool: &str| format!("{tool} is missing; use --setup");
    let at_once = match times {
        1 => group.at_once,
        _ => group.at_once * CROWD,
    };
    let mut suite = Command::new(test_programs::find(workspace, PACKAGE, SUITE)?);
    suite
        .arg(format!("[{}] ", group.name))
        .args(["--test-threads", &at_once.to_string()])
        .env("PULSEWING_REPEAT", times.to_string())
        .env("PULSEWING_PROGRAM", test_programs::pulsewing(workspace))
        .env(
            "PULSEWING_BOARD",
            firmware::program(workspace, "pulsewing-virt"),
        )
        .env(
            "PULSEWING_QEMU",
            tools::qemu::find(workspace)?.ok_or_else(|| missing("QEMU"))?,
        )
        .env(
            "PULSEWING_MTOOLS",
            tools::mtools::find(workspace)?.ok_or_else(|| missing("mtools"))?,
        );
    let mut failed = Failed::default();
    let ended = process::run_heard(&mut suite, |line| failed.hear(line));
    match failed.names(times) {
        names if names.is_empty() => ended,
        names => all_of(names),
    }
}

/// The checks that failed, from the list at the end of the test program's output.
#[derive(Debug, Default)]
struct Failed {
    counts: BTreeMap<String, u32>,
}

impl Failed {
    /// Takes a line of the output. There are two lists: first of the reasons, then of the names.
    fn hear(&mut self, line: &str) {
        if line == "failures:" {
            self.counts.clear();
        } else if let Some(name) = line.strip_prefix("    ") {
            *self.counts.entry(name.to_owned()).or_default() += 1;
        }
    }

    fn names(self, times: u32) -> Vec<String> {
        let counted = self.counts.into_iter();
        let name = |(name, count)| match times {
            1 => name,
            _ => format!("{name} ({count} of {times} times)"),
        };
        counted.map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_of_the_checks_is_a_step_and_the_other_way_round() {
        let root = Workspace::load().unwrap().root;
        let suite = root.join("firmware/emulated/tests/suite/main.rs");
        let suite = std::fs::read_to_string(suite).unwrap();
        let groups: Vec<&str> = suite
            .lines()
            .filter(|line| line.trim_end().ends_with("::CHECKS),"))
            .filter_map(|line| line.split('"').nth(1))
            .collect();
        assert_eq!(groups, GROUPS.map(|group| group.name));
    }

    #[test]
    fn the_failed_checks_are_those_in_the_last_list() {
        let output = "running 4 tests\n\nfailures:\n\n---- a ----\n    the board's words\n\n\
            failures:\n    a\n    b\n    a\n\ntest result: FAILED. 1 passed\n";
        let mut failed = Failed::default();
        output.lines().for_each(|line| failed.hear(line));
        assert_eq!(failed.names(2), ["a (2 of 2 times)", "b (1 of 2 times)"]);
    }
}
