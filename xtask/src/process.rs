//! Child processes: printed before they run, without input, with a controlled environment.

use std::{
    env,
    ffi::OsStr,
    io::{self, BufRead, BufReader},
    process::{Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Returns a cargo command as a shell would start it.
///
/// Cargo describes the current package in environment variables. If a nested cargo inherited them, they
/// would reach build scripts and cause rebuilds that the same command in a shell would not cause.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Prints the command, runs it with its output on the terminal, and reports how it ended.
///
/// # Errors
///
/// If the program cannot be started, or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    let status = command.stdin(Stdio::null()).status();
    check_status(command, status)
}

/// Like [`run`], but also hands over each line of the standard output.
///
/// # Errors
///
/// If the program cannot be started, or does not succeed.
pub(crate) fn run_heard(command: &mut Command, mut hear: impl FnMut(&str)) -> Result<(), String> {
    println!("$ {}", shown(command));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, &error))?;
    if let Some(output) = child.stdout.take() {
        // A line of a board may be anything, UTF-8 or not.
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            println!("{line}");
            hear(line);
        }
    }
    check_status(command, child.wait())
}

/// Like [`run`], for a command that compiles: its time is counted as compiling.
///
/// # Errors
///
/// If the program cannot be started, or does not succeed.
pub(crate) fn compile(command: &mut Command) -> Result<(), String> {
    compile_for(command.stdout(Stdio::inherit())).map(drop)
}

/// Like [`compile`], but returns the command's standard output unless that is redirected.
///
/// # Errors
///
/// If the program cannot be started, or does not succeed.
pub(crate) fn compile_for(command: &mut Command) -> Result<String, String> {
    println!("$ {}", shown(command));
    let started = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(command, &error))?;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    COMPILING_MS.fetch_add(took, Ordering::Relaxed);
    check_status(command, Ok(output.status))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns the time that this process has spent waiting for compilers.
pub(crate) fn compiling() -> Duration {
    Duration::from_millis(COMPILING_MS.load(Ordering::Relaxed))
}

static COMPILING_MS: AtomicU64 = AtomicU64::new(0);

/// Runs a command silently and returns its standard output.
///
/// # Errors
///
/// If the program cannot be started, or does not succeed; the text holds its error output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{}`: {}", shown(command), complaint.trim()))
    }
}

fn check_status(command: &Command, status: io::Result<ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", program(command))),
        Err(error) => Err(not_started(command, &error)),
    }
}

fn not_started(command: &Command, error: &io::Error) -> String {
    format!("cannot start `{}`: {error}", program(command))
}

/// Returns whether a command can be started and succeeds; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Returns the command as a person would type it: variables that it sets, program, arguments.
fn shown(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{}={}", name.display(), quoted(value)))
    });
    let arguments = command.get_args().map(quoted);
    set.chain([program(command)])
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn program(command: &Command) -> String {
    let path = std::path::Path::new(command.get_program());
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_=./:,+@\u{1f}".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.replace('\u{1f}', " ")
    } else {
        format!("'{word}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_person_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command
            .args(["bench", "--bench", "*"])
            .env("RUSTC", "/x/rustc");
        command.env_remove("HOME");
        assert_eq!(shown(&command), "RUSTC=/x/rustc cargo bench --bench '*'");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_with_its_name() {
        let complaint = run(&mut Command::new("/nowhere/pulsewing-none")).unwrap_err();
        assert!(complaint.contains("pulsewing-none"), "{complaint}");
    }

    #[cfg(unix)]
    #[test]
    fn a_failing_program_is_an_error_with_its_status() {
        let complaint = run(&mut Command::new("false")).unwrap_err();
        assert_eq!(complaint, "`false` ended with exit status: 1");
        assert!(!succeeds(&mut Command::new("false")));
    }
}
