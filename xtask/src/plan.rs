//! The plans of the tasks: the steps of `test` and of its parts, in the order in which they start.

use std::process::Command;

use crate::{
    browser, emulated,
    firmware::{self, feather, xtensa},
    foreign, home_assistant, no_std, numbers, process,
    step::{Step, all_of},
    test_programs::{self, Which},
    tidy,
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
        numbers_judged(),
        build_board(),
        clippy(Lints::AndAlone),
        feather_c6(),
        feather_s3(),
        no_std(),
        program_alone(),
        fuzz_seeds(),
        doc_tests(),
        docs(),
        board_net(),
        licences(),
    ]);
    plan
}

/// Returns the checks that are useful between two commits. [`LEFT_OUT`] lists the rest.
pub(crate) fn quick(workspace: &Workspace) -> Vec<Step> {
    let mut plan = vec![
        format(),
        tidy(),
        clippy(Lints::Together),
        build_tests(Which::Quick),
    ];
    plan.extend(tests(workspace, Which::Quick));
    plan
}

/// The remark of the quick run about the steps that it leaves out.
pub(crate) const LEFT_OUT: &str = "left out: end to end, virtual time, benches, browser, foreign clients, \
    numbers, fuzz seeds, docs, the program alone, no-std, licences, and the boards";

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

/// Returns the tests of what the daemon tells other programs, by programs that others wrote.
pub(crate) fn numbers() -> Vec<Step> {
    vec![build_tests(Which::EndToEnd), numbers_judged()]
}

/// Returns the checks of the emulated board: its program and the host's, then each group of checks.
pub(crate) fn qemu() -> Vec<Step> {
    let mut plan = vec![build_tests(Which::Emulated), build_board(), board_net()];
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

/// Returns the steps that take the pictures of the page in docs anew.
pub(crate) fn page_pictures() -> Vec<Step> {
    let pictures = Step::new("page pictures", BROWSER, |workspace, _| {
        browser::take_pictures(workspace)
    });
    let pictures = pictures.waiting().after(&[BUILD_TESTS]);
    vec![build_tests(Which::EndToEnd), pictures]
}

/// Returns the judgement of a real Home Assistant.
pub(crate) fn home_assistant() -> Vec<Step> {
    const TOOLS: &[&Tool] = &[tools::HOME_ASSISTANT, tools::MOSQUITTO];
    let judge = Step::new("home assistant", TOOLS, |workspace, _| {
        home_assistant::run(workspace)
    });
    vec![
        build_tests(Which::EndToEnd),
        judge.waiting().after(&[BUILD_TESTS]),
    ]
}

/// Returns the steps with which the tests redraw their reference pictures.
pub(crate) fn frames() -> Vec<Step> {
    let accepting = |package: &str, tests: &[&str]| {
        let mut cargo = process::cargo();
        cargo
            .args(["test", "--package", package])
            .args(tests.iter().flat_map(|test| ["--test", test]))
            .env("PULSEWING_ACCEPT_FRAMES", "1");
        cargo
    };
    let screen = accepting("pulsewing-screen", &["frames", "gallery", "pair"]);
    let readme = accepting("pulsewing", &["readme_picture"]);
    vec![Step::new("frames", &[], |_, _| compile([screen, readme]))]
}

/// Returns the step that checks the house rules.
pub(crate) fn tidy() -> Step {
    Step::new("tidy", &[], |workspace, _| tidy::run(workspace)).waiting()
}

/// Returns the proof that board crates need neither std nor alloc.
pub(crate) fn no_std() -> Step {
    Step::new("no-std", &[tools::BARE_TARGET], |workspace, _| {
        no_std::run(workspace)
    })
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
    Step::new("format", &[tools::RUSTFMT], |_, _| {
        process::run(process::cargo().args(["fmt", "--all", "--check"]))
    })
    .waiting()
}

fn build_tests(which: Which) -> Step {
    Step::new(BUILD_TESTS, &[tools::C_COMPILER], move |workspace, _| {
        test_programs::build(workspace, which)
    })
}

/// Returns the tests of every member, one step each.
fn tests(workspace: &Workspace, which: Which) -> impl Iterator<Item = Step> {
    // The host's tests take longest, so they start first.
    let packages = workspace.packages.iter().rev();
    packages
        .filter(move |package| which.has_programs(package))
        .map(move |package| {
            let name = package.name.clone();
            let work = move |workspace: &Workspace, times| {
                test_programs::run(workspace, &name, which, times)
            };
            let tools = match package.name.as_str() {
                "pulsewing-fleet" => TOOLS_OF_FLEET,
                "pulsewing" | "pulsewing-mqtt" => TOOLS_OF_MQTT,
                _ => TOOLS_OF_TESTS,
            };
            Step::new(format!("tests of {}", package.name), tools, work)
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

/// The same, and a broker with a client that sees what it has. The programs are Debian's, and so is the guard.
const TOOLS_OF_MQTT: &[&Tool] = if cfg!(target_os = "linux") {
    &[
        tools::C_COMPILER,
        tools::SYSTEMD_ANALYZE,
        tools::MOSQUITTO,
        tools::FOREIGN_CLIENTS,
    ]
} else {
    TOOLS_OF_TESTS
};

/// The tests of the fleet's store start a server, where there are socket files.
const TOOLS_OF_FLEET: &[&Tool] = if cfg!(unix) {
    &[tools::C_COMPILER, tools::POSTGRESQL]
} else {
    &[tools::C_COMPILER]
};

fn foreign_clients() -> Step {
    Step::new(
        "foreign clients",
        &[tools::FOREIGN_CLIENTS],
        |workspace, _| foreign::run(workspace),
    )
    .waiting()
    .after(&[BUILD_TESTS])
}

/// What is needed to see the page.
const BROWSER: &[&Tool] = &[tools::NODE, tools::CHROMIUM, tools::BROWSER_PACKAGES];

fn browser_tests() -> Step {
    Step::new("browser", BROWSER, browser::run)
        .waiting()
        .after(&[BUILD_TESTS])
}

fn numbers_judged() -> Step {
    const TOOLS: &[&Tool] = &[tools::NUMBERS_JUDGES, tools::PROMETHEUS];
    Step::new("numbers", TOOLS, numbers::run)
        .waiting()
        .after(&[BUILD_TESTS])
}

fn qemu_checks() -> impl Iterator<Item = Step> {
    emulated::GROUPS.iter().map(|group| {
        let tools = &[tools::QEMU, tools::MTOOLS];
        let name = format!("qemu: {}", group.name);
        let work = |workspace: &Workspace, times| emulated::run(workspace, group, times);
        Step::new(name, tools, work)
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
    Step::new("type-check feather-s3", TOOLS, |workspace, _| {
        xtensa::check(workspace)
    })
}

fn board(name: &str, work: fn(&Workspace) -> Result<(), String>) -> Step {
    const TOOLS: &[&Tool] = &[
        tools::C_COMPILER,
        tools::BARE_TARGET,
        tools::CLANG,
        tools::CMAKE,
    ];
    Step::new(name, TOOLS, move |workspace, _| work(workspace))
}

/// Returns the tests of the boards' network code that need no board.
fn board_net() -> Step {
    Step::new("board network tests", &[], |workspace, _| {
        let mut cargo = process::cargo();
        cargo
            .args(["test", "--manifest-path", "firmware/Cargo.toml"])
            .args(["--package", "pulsewing-net", "--no-default-features"])
            .args(["--lib", "--target-dir"])
            .arg(&workspace.target_dir);
        compile([cargo])
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lints {
    Together,
    AndAlone,
}

fn clippy(lints: Lints) -> Step {
    const TOOLS: &[&Tool] = &[tools::CLIPPY, tools::C_COMPILER];
    Step::new("clippy", TOOLS, move |workspace, _| {
        compile(lint_passes(workspace, lints))
    })
}

/// Lints everything in one pass. Built together, one crate's features leak into another's dependencies
/// and hide missing ones, so the libraries of the board crates are linted once more, each alone.
fn lint_passes(workspace: &Workspace, lints: Lints) -> Vec<Command> {
    let lint = |which: &[&str]| {
        let mut cargo = process::cargo();
        cargo.arg("clippy").args(which);
        cargo.args(["--no-deps", "--", "-D", "warnings"]);
        cargo
    };
    let mut passes = vec![lint(&["--workspace", "--all-targets"])];
    if lints == Lints::AndAlone {
        let alone = workspace.no_std_members().into_iter();
        passes.extend(alone.map(|package| lint(&["-p", &package.name, "--lib"])));
    }
    passes
}

/// Lints the program as its users build it: without the features that the tests and their dependencies
/// turn on, without its own, and with all of them.
fn program_alone() -> Step {
    const TOOLS: &[&Tool] = &[tools::CLIPPY, tools::C_COMPILER];
    Step::new("the program alone", TOOLS, |_, _| {
        let lint = |features: &[&str]| {
            let mut cargo = process::cargo();
            cargo.args(["clippy", "-p", "pulsewing", "--lib", "--bins"]);
            cargo.args(features);
            cargo.args(["--no-deps", "--", "-D", "warnings"]);
            cargo
        };
        compile([
            lint(&[]),
            lint(&["--no-default-features"]),
            lint(&["--features", "fleet"]),
        ])
    })
}

/// Runs every fuzz target over its seeds and mutations of them. The targets are a separate workspace; in
/// our target directory most of their dependencies are already built.
fn fuzz_seeds() -> Step {
    Step::new(
        "fuzz targets over seeds",
        &[tools::C_COMPILER],
        |workspace, _| {
            let mut cargo = process::cargo();
            cargo
                .args(["test", "--lib", "--manifest-path", "fuzz/Cargo.toml"])
                .arg("--target-dir")
                .arg(&workspace.target_dir);
            compile([cargo])
        },
    )
}

fn doc_tests() -> Step {
    let arguments = ["test", "--workspace", "--doc", "--no-fail-fast"];
    cargo("doc tests", &[tools::C_COMPILER], &arguments)
}

fn docs() -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["doc", "--workspace", "--no-deps"])
        .args(["--features", "pulsewing/fleet"])
        .env("RUSTDOCFLAGS", "-Dwarnings");
    Step::new("docs", &[tools::C_COMPILER], |_, _| compile([cargo]))
}

fn licences() -> Step {
    Step::new("licences and sources", &[tools::CARGO_DENY], |_, _| {
        let mut deny = process::cargo();
        deny.args(["deny", "--workspace", "check"])
            // A licence that cannot be determined is not one that deny.toml allows.
            .args(["-Dno-license-field", "-Dgather-failure"])
            .args(["licenses", "bans", "sources"]);
        process::run(&mut deny)
    })
    .waiting()
}

fn cargo(name: &str, needs: &'static [&'static Tool], arguments: &[&str]) -> Step {
    let mut command = process::cargo();
    command.args(arguments);
    Step::new(name, needs, |_, _| compile([command]))
}

/// Runs commands that mostly compile, one after the other.
fn compile(commands: impl IntoIterator<Item = Command>) -> Result<(), String> {
    let failed = commands
        .into_iter()
        .filter_map(|mut command| process::compile(&mut command).err());
    all_of(failed.collect())
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
            qemu(),
            browser(),
            numbers(),
            home_assistant(),
            page_pictures(),
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
        let passes = lint_passes(&workspace, Lints::AndAlone);
        assert_eq!(passes.len(), 1 + workspace.no_std_members().len());
    }
}
