//! Asking the user's systemd, with its own programs.

use std::process::{Command, Stdio};

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It did what it was told to.
    Done,
    /// There is no such program.
    NoProgram,
    /// It said that it could not, in these words.
    Refused(String),
}

/// Has the user's systemd do something.
#[must_use]
pub(crate) fn ask(words: &[&str]) -> Answer {
    let called = Command::new("systemctl")
        .arg("--user")
        .args(words)
        .stdin(Stdio::null())
        .output();
    match called {
        Ok(output) if output.status.success() => Answer::Done,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Answer::Refused(said.trim().replace('\n', "; "))
        }
        Err(_) => Answer::NoProgram,
    }
}

/// The version of systemd.
#[must_use]
pub(crate) fn version() -> Option<u32> {
    // "systemd 252 (252.38-1~deb12u1)"
    let text = said("systemctl", &["--version"])?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// Whether this user's services run also while the user is not logged in; `None` when nobody can tell.
#[must_use]
pub(crate) fn lingers() -> Option<bool> {
    let user = user();
    match said(
        "loginctl",
        &["show-user", &user, "--property=Linger", "--value"],
    )?
    .as_str()
    {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Whether this is root.
#[must_use]
pub(crate) fn is_root() -> bool {
    user() == "0"
}

/// The number of this user.
#[cfg(unix)]
fn user() -> String {
    rustix::process::geteuid().as_raw().to_string()
}

#[cfg(not(unix))]
fn user() -> String {
    String::new()
}

fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    // Not being active is told by the exit code too.
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
