//! The closing table: the duration of each step, the part of it spent compiling, and the steps that
//! became slower.

use std::{fs, io, path::Path, time::Duration};

use crate::schedule::Times;

/// A finished step.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) name: String,
    pub(crate) took: Duration,
    /// The part of the duration spent waiting for a compiler.
    pub(crate) compiling: Duration,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed(String),
}

/// A step grew if it takes a fifth longer than last time, and more than the clock's noise.
const GROWN: f64 = 1.2;
const WHIMS_S: f64 = 2.0;

/// Sorts the steps by duration and draws the table, one line per step.
pub(crate) fn draw(finished: &mut [Finished], before: &Times) -> String {
    finished.sort_by_key(|step| std::cmp::Reverse(step.took));
    let widest = finished.iter().map(|step| step.name.len()).max();
    let widest = widest.unwrap_or_default();
    let mut text = format!("{:widest$}        time  compiling\n", "");
    for step in finished.iter() {
        let seconds = step.took.as_secs_f64();
        let (word, why) = match &step.verdict {
            Verdict::Passed => ("ok", ""),
            Verdict::Failed(problem) => ("FAILED", problem.as_str()),
        };
        let share = match step.compiling.as_secs_f64() / seconds {
            share if share >= 0.005 => format!("{:.0} %", share.min(1.0) * 100.0),
            _ => String::new(),
        };
        let line = format!(
            "{:widest$}  {seconds:8.1} s  {share:>9}  {word:6}  {why}",
            step.name
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for step in finished.iter() {
        let seconds = step.took.as_secs_f64();
        // The duration of an installation is not a measure of our code.
        let Some(last) = before.get(&step.name).filter(|_| !is_setup(&step.name)) else {
            continue;
        };
        if seconds > last * GROWN && seconds > last + WHIMS_S {
            text.push_str(&format!(
                "slower than last time: {}, {last:.1} s -> {seconds:.1} s\n",
                step.name
            ));
        }
    }
    text
}

fn is_setup(name: &str) -> bool {
    name.starts_with("setup: ")
}

/// Reads the durations of the last run; empty if there are none.
pub(crate) fn read_times(path: &Path) -> Times {
    fs::read_to_string(path)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// Writes the durations of the passed steps; the others keep their last ones.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn write_times(path: &Path, finished: &[Finished], mut times: Times) -> io::Result<()> {
    for step in finished {
        if step.verdict == Verdict::Passed {
            times.insert(step.name.clone(), step.took.as_secs_f64());
        }
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, serde_json::to_string_pretty(&times)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, took_ms: u64, compiling_ms: u64, verdict: Verdict) -> Finished {
        Finished {
            name: name.to_owned(),
            took: Duration::from_millis(took_ms),
            compiling: Duration::from_millis(compiling_ms),
            verdict,
        }
    }

    #[test]
    fn the_longest_step_comes_first_and_every_line_says_time_share_verdict_and_reason() {
        let mut steps = [
            step("tidy", 1_250, 0, Verdict::Passed),
            step(
                "doc tests",
                10_000,
                7_500,
                Verdict::Failed("2 broken".to_owned()),
            ),
        ];
        assert_eq!(
            draw(&mut steps, &Times::new()),
            "                 time  compiling\n\
             doc tests      10.0 s       75 %  FAILED  2 broken\n\
             tidy            1.2 s             ok\n"
        );
    }

    #[test]
    fn a_step_that_grew_by_a_fifth_is_named() {
        let mut steps = [
            step("grew", 12_100, 0, Verdict::Passed),
            step("grew a little", 11_900, 0, Verdict::Passed),
            step("short", 1_000, 0, Verdict::Passed),
            step("new", 5_000, 0, Verdict::Passed),
            step("setup: mtools", 60_000, 0, Verdict::Passed),
        ];
        let before = [
            ("grew", 10.0),
            ("grew a little", 10.0),
            ("short", 0.1),
            ("setup: mtools", 1.0),
        ];
        let before = before.map(|(name, took)| (name.to_owned(), took)).into();
        let text = draw(&mut steps, &before);
        let slower: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("slower"))
            .collect();
        assert_eq!(slower, ["slower than last time: grew, 10.0 s -> 12.1 s"]);
    }

    #[test]
    fn a_failed_step_keeps_its_last_time() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("times/test.json");
        assert_eq!(read_times(&path), Times::new());
        let first = [step("a", 1_000, 0, Verdict::Passed)];
        write_times(&path, &first, read_times(&path)).unwrap();
        let failed = Verdict::Failed("no".to_owned());
        let second = [
            step("a", 9_000, 0, failed),
            step("b", 2_000, 0, Verdict::Passed),
        ];
        write_times(&path, &second, read_times(&path)).unwrap();
        let times: Vec<(String, f64)> = read_times(&path).into_iter().collect();
        assert_eq!(times, [("a".to_owned(), 1.0), ("b".to_owned(), 2.0)]);
    }
}
