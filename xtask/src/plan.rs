//! The plans of the tasks: the steps of `test` and of its parts, in the order in which they start.

use std::process::Command;

use crate::{
    emulated,
    firmware::{self, feather, xtensa},
    members, process,
    step::{Step, Work},
    test_programs::Which,
    tools::{self, Tool},
    workspace::Workspace,
};

/// The step that many others wait for: it builds the test programs and the program that they start.
const BUILD_TESTS: &str = "build the tests";

const BUILD_BOARD: &str = "build the emulated board";

/// Returns all checks that must pass before a change goes in. Quick steps, and those that others wait
/// for, come first.
pub(crate) fn test(workspace: &Workspace) -> Vec<Step> {
    let mut plan = vec![format(), tidy(), build_tests(Which::All)];
    plan.extend(tests(workspace, Which::All));
    plan.extend(qemu_checks());
    plan.extend([
        foreign_clients(),
        browser_tests(),
        build_board(),
        clippy(workspace, Lints::AndAlone),
        feather_c6(),
        feather_s3(),
        no_std(),
        program_alone(),
        fuzz_seeds(workspace),
        doc_tests(),
        docs(),
        board_net(workspace),
        licences(),
    ]);
    plan
}

/// Returns the checks that are useful between two commits. [`LEFT_OUT`] lists the rest.
pub(crate) fn quick(workspace: &Workspace) -> Vec<Step> {
    let mut plan = vec![
        format(),
        tidy(),
        clippy(workspace, Lints::Together),
        build_tests(Which::Quick),
    ];
    plan.extend(tests(workspace, Which::Quick));
    plan
}

/// The remark of the quick run about the steps that it leaves out.
pub(crate) const LEFT_OUT: &str = "left out: end to end, virtual time, benches, browser, foreign clients, \
    fuzz seeds, docs, the program alone, no-std, licences, and the boards";

/// Returns the end-to-end tests of the program.
pub(crate) fn e2e(workspace: &Workspace) -> Vec<Step> {
    let mut plan = vec![build_tests(Which::EndToEnd)];
    plan.extend(tests(workspace, Which::EndToEnd));
    plan
}

/// Returns the tests of the page in a real browser.
pub(crate) fn browser() -> Vec<Step> {
    vec![build_tests(Which::EndToEnd), browser_tests()]
}

/// Returns the checks of the emulated board: its program and the host's, then each group of checks.
pub(crate) fn qemu(workspace: &Workspace) -> Vec<Step> {
    let mut plan = vec![
        build_tests(Which::Emulated),
        build_board(),
        board_net(workspace),
    ];
    plan.extend(qemu_checks());
    plan
}

/// Returns the steps for the Feathers: one is built; the other, whose compiler is in no registry, is
/// type-checked.
pub(crate) fn firmware() -> Vec<Step> {
    vec![feather_c6(), feather_s3()]
}

/// Returns the steps that make the files to flash.
pub(crate) fn image() -> Vec<Step> {
    vec![board("image of feather-c6", feather::image)]
}

/// Returns the measurements; they take minutes.
pub(crate) fn bench() -> Vec<Step> {
    vec![cargo(
        "bench",
        &[tools::C_COMPILER],
        &["bench", "--workspace", "--bench", "*"],
    )]
}

/// Returns the steps with which the tests redraw their reference pictures.
pub(crate) fn frames() -> Vec<Step> {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--package", "pulsewing-screen"])
        .args(["--test", "frames", "--test", "gallery"])
        .env("PULSEWING_ACCEPT_FRAMES", "1");
    vec![Step::new("frames", &[], Work::Cargo(vec![cargo]))]
}

/// Returns the step that checks the house rules.
pub(crate) fn tidy() -> Step {
    Step::new("tidy", &[], Work::Tidy).waiting()
}

/// Returns the proof that board crates need neither std nor alloc.
pub(crate) fn no_std() -> Step {
    Step::new("no-std", &[tools::BARE_TARGET], Work::NoStd)
}

/// Returns the same plan, preceded by a step for each tool that is missing or does not work.
pub(crate) fn with_setup(plan: Vec<Step>, workspace: &Workspace) -> Vec<Step> {
    let mut tools: Vec<&'static Tool> = Vec::new();
    for tool in plan.iter().flat_map(|step| step.needs) {
        if !tools.contains(tool) {
            tools.push(*tool);
        }
    }
    // Tools that are compiled come after the steps that others wait for.
    let (compiled, fetched): (Vec<&'static Tool>, Vec<&'static Tool>) = tools
        .into_iter()
        .filter(|tool| tool.require(workspace).is_err())
        .partition(|tool| tool.is_compiled);
    let fetched = fetched.into_iter().map(Step::install);
    let compiled = compiled.into_iter().map(Step::install);
    fetched.chain(plan).chain(compiled).collect()
}

fn format() -> Step {
    cargo("format", &[tools::RUSTFMT], &["fmt", "--all", "--check"]).waiting()
}

fn build_tests(which: Which) -> Step {
    Step::new(BUILD_TESTS, &[tools::C_COMPILER], Work::BuildTests(which))
}

/// Returns the tests of every member, one step each.
fn tests(workspace: &Workspace, which: Which) -> impl Iterator<Item = Step> {
    // The host's tests take longest, so they start first.
    let packages = workspace.packages.iter().rev();
    packages
        .filter(move |package| which.has_programs(package))
        .map(move |package| {
            let work = Work::Tests(package.name.clone(), which);
            Step::new(format!("tests of {}", package.name), TOOLS_OF_TESTS, work)
                .waiting()
                .after(&[BUILD_TESTS])
        })
}

/// systemd exists on Linux only, and so do the tests that use it.
const TOOLS_OF_TESTS: &[&Tool] = if cfg!(target_os = "linux") {
    &[tools::C_COMPILER, tools::SYSTEMD_ANALYZE]
} else {
    &[tools::C_COMPILER]
};

fn foreign_clients() -> Step {
    Step::new("foreign clients", &[tools::FOREIGN_CLIENTS], Work::Foreign)
        .waiting()
        .after(&[BUILD_TESTS])
}

fn browser_tests() -> Step {
    const TOOLS: &[&Tool] = &[tools::NODE, tools::CHROMIUM, tools::BROWSER_PACKAGES];
    Step::new("browser", TOOLS, Work::Browser)
        .waiting()
        .after(&[BUILD_TESTS])
}

fn qemu_checks() -> impl Iterator<Item = Step> {
    emulated::GROUPS.iter().map(|group| {
        let tools = &[tools::QEMU, tools::MTOOLS];
        let name = format!("qemu: {}", group.name);
        Step::new(name, tools, Work::Emulated(group))
            .waiting()
            .after(&[BUILD_TESTS, BUILD_BOARD])
    })
}

fn build_board() -> Step {
    board(BUILD_BOARD, |workspace| {
        firmware::build(workspace, "pulsewing-virt")
    })
}

fn feather_c6() -> Step {
    board("build feather-c6", feather::build_c6)
}

fn feather_s3() -> Step {
    const TOOLS: &[&Tool] = &[
        tools::C_COMPILER,
        tools::BARE_TARGET,
        tools::LIBRARY_SOURCES,
        tools::CLANG,
        tools::CMAKE,
    ];
    Step::new("type-check feather-s3", TOOLS, Work::Board(xtensa::check))
}

fn board(name: &str, work: fn(&Workspace) -> Result<(), String>) -> Step {
    const TOOLS: &[&Tool] = &[
        tools::C_COMPILER,
        tools::BARE_TARGET,
        tools::CLANG,
        tools::CMAKE,
    ];
    Step::new(name, TOOLS, Work::Board(work))
}

/// Returns the tests of the boards' network code that need no board.
fn board_net(workspace: &Workspace) -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--manifest-path", "firmware/Cargo.toml"])
        .args(["--package", "pulsewing-net", "--no-default-features"])
        .args(["--lib", "--target-dir"])
        .arg(&workspace.target_dir);
    Step::new("board network tests", &[], Work::Cargo(vec![cargo]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lints {
    Together,
    AndAlone,
}

/// Lints everything in one pass. Built together, one crate's features leak into another's dependencies
/// and hide missing ones, so the libraries of the board crates are linted once more, each alone.
fn clippy(workspace: &Workspace, lints: Lints) -> Step {
    let lint = |which: &[&str]| {
        let mut cargo = process::cargo();
        cargo.arg("clippy").args(which);
        cargo.args(["--no-deps", "--", "-D", "warnings"]);
        cargo
    };
    let mut passes = vec![lint(&["--workspace", "--all-targets"])];
    if lints == Lints::AndAlone {
        let alone = workspace
            .packages
            .iter()
            .filter(|package| members::find(&package.name).is_some_and(|member| member.no_std));
        passes.extend(alone.map(|package| lint(&["-p", &package.name, "--lib"])));
    }
    Step::new(
        "clippy",
        &[tools::CLIPPY, tools::C_COMPILER],
        Work::Cargo(passes),
    )
}

/// Builds the program as its users build it: without the features that the tests' dependencies turn on,
/// and without its own.
fn program_alone() -> Step {
    let check = |features: &[&str]| {
        let mut cargo = process::cargo();
        cargo.args(["check", "-p", "pulsewing", "--bins"]);
        cargo.args(features);
        cargo
    };
    let passes = vec![check(&[]), check(&["--no-default-features"])];
    Step::new(
        "the program alone",
        &[tools::C_COMPILER],
        Work::Cargo(passes),
    )
}

/// Runs every fuzz target over its seeds and mutations of them. The targets are a separate workspace; in
/// our target directory most of their dependencies are already built.
fn fuzz_seeds(workspace: &Workspace) -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--lib", "--manifest-path", "fuzz/Cargo.toml"])
        .arg("--target-dir")
        .arg(&workspace.target_dir);
    let work = Work::Cargo(vec![cargo]);
    Step::new("fuzz targets over seeds", &[tools::C_COMPILER], work)
}

fn doc_tests() -> Step {
    let arguments = ["test", "--workspace", "--doc", "--no-fail-fast"];
    cargo("doc tests", &[tools::C_COMPILER], &arguments)
}

fn docs() -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-Dwarnings");
    Step::new("docs", &[tools::C_COMPILER], Work::Cargo(vec![cargo]))
}

fn licences() -> Step {
    cargo(
        "licences and sources",
        &[tools::CARGO_DENY],
        &[
            "deny",
            "--workspace",
            "check",
            // A licence that cannot be determined is not one that deny.toml allows.
            "-Dno-license-field",
            "-Dgather-failure",
            "licenses",
            "bans",
            "sources",
        ],
    )
    .waiting()
}

fn cargo(name: &str, needs: &'static [&'static Tool], arguments: &[&str]) -> Step {
    let mut command: Command = process::cargo();
    command.args(arguments);
    Step::new(name, needs, Work::Cargo(vec![command]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_tested_and_the_quick_run_leaves_none_out() {
        let workspace = Workspace::load().unwrap();
        for plan in [test(&workspace), quick(&workspace)] {
            for package in &workspace.packages {
                let name = format!("tests of {}", package.name);
                assert!(plan.iter().any(|step| step.name == name), "{name}");
            }
        }
    }

    #[test]
    fn what_a_step_waits_for_is_in_the_plan() {
        let workspace = Workspace::load().unwrap();
        for plan in [
            test(&workspace),
            quick(&workspace),
            qemu(&workspace),
            browser(),
        ] {
            for step in &plan {
                for before in step.after {
                    assert!(
                        plan.iter().any(|other| other.name == *before),
                        "{} waits for {before}",
                        step.name
                    );
                }
            }
        }
    }

    #[test]
    fn the_board_crates_are_linted_together_and_alone() {
        let workspace = Workspace::load().unwrap();
        let Work::Cargo(passes) = clippy(&workspace, Lints::AndAlone).work else {
            panic!("clippy is a cargo command");
        };
        assert_eq!(passes.len(), 1 + workspace.no_std_members().len());
    }
}
