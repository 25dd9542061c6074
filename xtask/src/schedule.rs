//! Runs a plan, two steps at a time: while one compiles, another waits for its programs. Each is a
//! separate process, so that their output is kept apart.
//!
//! A failed step does not stop the others, so that one run shows every problem; only the steps that
//! depend on it are skipped.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{self, IsTerminal as _, Write as _},
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    process,
    step::{Load, Step},
    table::{self, Finished, Verdict},
    workspace::Workspace,
};

/// The number of steps that run at a time. Two that compile would only wait for each other, and so would
/// two that install.
const AT_ONCE: usize = 2;

/// The parameters of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'a> {
    /// The name of the task: a step's own process builds the plan from it again.
    pub(crate) task: &'a str,
    /// The number of times that each check runs.
    pub(crate) times: u32,
    /// A remark below the table.
    pub(crate) remark: Option<&'static str>,
}

/// Runs every step, then prints how long each took and how many failed; returns whether all passed.
///
/// The closing line, `N passed, N failed`, is the last one printed: programs look for it.
pub(crate) fn run_all(plan: Vec<Step>, workspace: &Workspace, manner: Manner<'_>) -> bool {
    let started = Instant::now();
    let logs = workspace.target_dir.join("xtask/logs");
    if let Err(error) = fs::create_dir_all(&logs) {
        println!("cannot make {}: {error}", logs.display());
        return false;
    }
    let board = Board {
        state: Mutex::new(State {
            pending: plan,
            running: Vec::new(),
            finished: Vec::new(),
        }),
        changed: Condvar::new(),
    };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let hands: Vec<_> = (0..AT_ONCE)
            .map(|_| scope.spawn(|| board.work_off(&logs, manner)))
            .collect();
        if manner.times > 1 {
            for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
                scope.spawn(|| keep_busy(&is_over));
            }
        }
        for hand in hands {
            // A panic in the thread has already been printed.
            let _ = hand.join();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let mut finished = board
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .finished;
    let failed = finished
        .iter()
        .filter(|step| step.verdict != Verdict::Passed)
        .count();
    let times = workspace
        .target_dir
        .join("xtask/times")
        .join(manner.task.replace(' ', "") + ".json");
    let before = table::read_times(&times);
    print!("\n{}", table::draw(&mut finished, &before));
    // A run of a few checks, or of each many times, says nothing about the usual one.
    if manner.times == 1
        && env::var_os("PULSEWING_CHECK").is_none()
        && let Err(error) = table::write_times(&times, &finished, before)
    {
        println!("cannot write {}: {error}", times.display());
    }
    if let Some(remark) = manner.remark {
        println!("{remark}");
    }
    println!("{:.0} s in total", started.elapsed().as_secs_f64());
    println!("{} passed, {failed} failed", finished.len() - failed);
    failed == 0
}

/// Runs one step of a plan in this process and writes its compile time to a file.
///
/// # Errors
///
/// The error of the step.
pub(crate) fn run_one(
    plan: Vec<Step>,
    name: &str,
    report: &Path,
    workspace: &Workspace,
    times: u32,
) -> Result<(), String> {
    let step = plan
        .into_iter()
        .find(|step| step.name == name)
        .ok_or_else(|| format!("there is no step called {name}"))?;
    let outcome = step.run(workspace, times);
    let problem = outcome.as_ref().err().cloned().unwrap_or_default();
    let text = format!("{}\n{problem}", process::compiling().as_millis());
    fs::write(report, text).map_err(|error| format!("{}: {error}", report.display()))?;
    outcome
}

/// Keeps one processor busy, so that a check that depends on speed fails when it is repeated.
fn keep_busy(is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}

/// The pending, running and finished steps.
struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    pending: Vec<Step>,
    running: Vec<(String, Load)>,
    finished: Vec<Finished>,
}

/// The next action of an idle thread.
enum Next {
    Run(Step),
    Skip(Step, String),
    Wait,
    Stop,
}

impl Board {
    fn work_off(&self, logs: &Path, manner: Manner<'_>) {
        let mut state = self.lock();
        loop {
            match state.next() {
                Next::Stop => return,
                Next::Wait => {
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Next::Skip(step, why) => {
                    println!("\n=== {}: not tried, {why}", step.name);
                    state.finished.push(Finished {
                        name: step.name,
                        took: Duration::ZERO,
                        compiling: Duration::ZERO,
                        verdict: Verdict::Failed(why),
                    });
                    self.changed.notify_all();
                }
                Next::Run(step) => {
                    state.running.push((step.name.clone(), step.load));
                    println!("... {}", step.name);
                    drop(state);
                    let (finished, said) = run_apart(&step.name, logs, manner);
                    state = self.lock();
                    show(&finished, &said);
                    state.running.retain(|(name, _)| *name != finished.name);
                    state.finished.push(finished);
                    self.changed.notify_all();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> Next {
        let mut choice = None;
        for (index, step) in self.pending.iter().enumerate() {
            if let Some(failed) = self.failed_before(step) {
                let why = format!("it needs \"{failed}\"");
                return Next::Skip(self.pending.remove(index), why);
            }
            let is_locked =
                step.load != Load::Waits && self.running.iter().any(|(_, load)| *load == step.load);
            if is_locked || self.waits_for(step).next().is_some() {
                continue;
            }
            // Other steps wait for compiled ones, and the processors are used for nothing else.
            if step.load == Load::Compiles {
                choice = Some(index);
                break;
            }
            choice = choice.or(Some(index));
        }
        match choice {
            Some(index) => Next::Run(self.pending.remove(index)),
            None if self.pending.is_empty() => Next::Stop,
            None => Next::Wait,
        }
    }

    /// Returns the unfinished steps that this one has to wait for.
    fn waits_for<'s>(&'s self, step: &'s Step) -> impl Iterator<Item = &'s str> {
        let unfinished = self.pending.iter().map(|step| step.name.as_str());
        let running = self.running.iter().map(|(name, _)| name.as_str());
        unfinished
            .chain(running)
            .filter(|name| step.comes_after(name))
    }

    /// Returns a required step that failed. A missing tool is reported by the step itself.
    fn failed_before(&self, step: &Step) -> Option<&str> {
        self.finished
            .iter()
            .filter(|finished| finished.verdict != Verdict::Passed)
            .map(|finished| finished.name.as_str())
            .find(|name| step.after.contains(name))
    }
}

impl Step {
    fn comes_after(&self, name: &str) -> bool {
        self.after.contains(&name) || self.needs.iter().any(|tool| tool.setup_name() == name)
    }
}

/// Runs a step as a separate process; returns the result and the file of its output.
fn run_apart(name: &str, logs: &Path, manner: Manner<'_>) -> (Finished, PathBuf) {
    let file_name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let log = logs.join(format!("{file_name}.log"));
    let report = logs.join(format!("{file_name}.report"));
    let _ = fs::remove_file(&report);
    let started = Instant::now();
    let outcome = start(name, &log, &report, manner);
    let said = fs::read_to_string(&report).unwrap_or_default();
    let (compiling, problem) = said.split_once('\n').unwrap_or_default();
    let verdict = match outcome {
        Ok(true) => Verdict::Passed,
        Ok(false) if problem.is_empty() => Verdict::Failed("it ended without output".to_owned()),
        Ok(false) => Verdict::Failed(problem.to_owned()),
        Err(error) => Verdict::Failed(format!("it cannot be started: {error}")),
    };
    let finished = Finished {
        name: name.to_owned(),
        took: started.elapsed(),
        compiling: Duration::from_millis(compiling.parse().unwrap_or_default()),
        verdict,
    };
    (finished, log)
}

fn start(name: &str, log: &Path, report: &Path, manner: Manner<'_>) -> io::Result<bool> {
    let output = File::create(log)?;
    let mut command = Command::new(env::current_exe()?);
    command
        .args(manner.task.split(' '))
        .args(["--repeat", &manner.times.to_string()])
        .args(["--step", name, "--report"])
        .arg(report)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    if io::stdout().is_terminal() && env::var_os("CARGO_TERM_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    Ok(command.status()?.success())
}

/// Prints the output of a step, all of it at once.
fn show(finished: &Finished, log: &Path) {
    let mut out = io::stdout().lock();
    let said = fs::read(log).unwrap_or_default();
    let seconds = finished.took.as_secs_f64();
    let verdict = match &finished.verdict {
        Verdict::Passed => "ok".to_owned(),
        Verdict::Failed(why) => format!("FAILED: {why}"),
    };
    // If our output is closed, nobody is left to report it to.
    let _ = writeln!(out, "\n=== {}", finished.name);
    let _ = out.write_all(&said);
    let _ = writeln!(out, "--- {}: {verdict}, {seconds:.1} s", finished.name);
}

/// Durations by the names of steps.
pub(crate) type Times = BTreeMap<String, f64>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    fn step(name: &str) -> Step {
        Step::new(name, &[], |_, _| Ok(()))
    }

    fn state(pending: Vec<Step>) -> State {
        State {
            pending,
            running: Vec::new(),
            finished: Vec::new(),
        }
    }

    fn name(next: &Next) -> &str {
        match next {
            Next::Run(step) => &step.name,
            Next::Skip(..) => "skip",
            Next::Wait => "wait",
            Next::Stop => "stop",
        }
    }

    fn finish(state: &mut State, name: &str, verdict: Verdict) {
        state.running.retain(|(running, _)| running != name);
        state.finished.push(Finished {
            name: name.to_owned(),
            took: Duration::ZERO,
            compiling: Duration::ZERO,
            verdict,
        });
    }

    #[test]
    fn one_compiles_while_another_waits() {
        let mut state = state(vec![step("a"), step("b"), step("c").waiting()]);
        assert_eq!(name(&state.next()), "a");
        state.running.push(("a".to_owned(), Load::Compiles));
        assert_eq!(name(&state.next()), "c");
        state.running.push(("c".to_owned(), Load::Waits));
        assert_eq!(name(&state.next()), "wait");
        finish(&mut state, "a", Verdict::Passed);
        assert_eq!(name(&state.next()), "b");
        assert_eq!(name(&state.next()), "stop");
    }

    #[test]
    fn what_compiles_comes_before_what_waits() {
        let mut state = state(vec![step("a").waiting(), step("b").waiting(), step("c")]);
        assert_eq!(name(&state.next()), "c");
        state.running.push(("c".to_owned(), Load::Compiles));
        assert_eq!(name(&state.next()), "a");
    }

    #[test]
    fn a_step_begins_after_those_that_it_is_made_of_and_its_tools() {
        let tool = tools::QEMU;
        let mut state = state(vec![
            step(&tool.setup_name()).waiting(),
            Step::new("check", &[tools::QEMU], |_, _| Ok(()))
                .waiting()
                .after(&["build"]),
            step("build"),
        ]);
        assert_eq!(name(&state.next()), "build");
        state.running.push(("build".to_owned(), Load::Compiles));
        assert_eq!(name(&state.next()), tool.setup_name());
        state.running.push((tool.setup_name(), Load::Waits));
        finish(&mut state, &tool.setup_name(), Verdict::Passed);
        assert_eq!(name(&state.next()), "wait");
        finish(&mut state, "build", Verdict::Passed);
        assert_eq!(name(&state.next()), "check");
    }

    #[test]
    fn what_is_made_of_something_that_failed_is_not_tried_and_the_rest_is() {
        let mut state = state(vec![step("check").after(&["build"]), step("other")]);
        finish(&mut state, "build", Verdict::Failed("no".to_owned()));
        assert!(matches!(state.next(), Next::Skip(step, why)
            if step.name == "check" && why.contains("build")));
        assert_eq!(name(&state.next()), "other");
    }
}
