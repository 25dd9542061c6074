//! Calls to the user's systemd, through its own programs.

use std::process::{Command, Stdio};

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It succeeded.
    Done,
    /// The program does not exist.
    NoProgram,
    /// It failed with this message.
    Refused(String),
}

/// Runs `systemctl --user` with these words.
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

/// Returns the version of systemd.
pub(crate) fn version() -> Option<u32> {
    // "systemd 252 (252.38-1~deb12u1)"
    let text = said("systemctl", &["--version"])?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// Returns whether this user's services run even while the user is not logged in; `None` if that is
/// unknown.
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

/// Returns whether we run as root.
pub(crate) fn is_root() -> bool {
    user() == "0"
}

/// Returns this user's numeric id.
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
    // The exit code is not an error here: it also reports an inactive unit.
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
