//! The daemon and the service: `history.readable`, `daemon.running`, `service.unit`,
//! `service.linger`.

use std::path::Path;

use pulsewing_history::HistoryError;

use super::Finding;
use crate::{
    config::places,
    daemon::Single,
    service::{Existing, UnitFile, program_of, systemctl},
    tell::phrases,
};

const INSTALL: &str = "`pulsewing service install` has it run by itself";

pub(super) fn check(dir: &Path, findings: &mut Vec<Finding>) {
    findings.push(history(dir));
    let installed = installed();
    let is_installed = matches!(installed, Ok(Existing::Ours(_)));
    findings.push(running(dir, is_installed));
    findings.push(unit(installed));
    findings.push(linger(is_installed, systemctl::lingers));
}

fn history(dir: &Path) -> Finding {
    const ID: &str = "history.readable";
    match pulsewing_history::examine(dir, places::WEARER) {
        Ok(None) => Finding::ok(ID, "there is no history yet"),
        Ok(Some(whole)) if !whole.unreadable.is_empty() => Finding::warn(
            ID,
            format!(
                "what the history holds of {} cannot be read; its other {} minutes are whole",
                phrases::days(&whole.unreadable),
                whole.minutes
            ),
            "what is fetched or imported anew of such a day takes its place; `pulsewing export` gives out all the rest",
        ),
        Ok(Some(whole)) if whole.is_damaged => Finding::warn(
            ID,
            format!(
                "the history's file is damaged, but all that was kept can be read; it has {} minutes",
                whole.minutes
            ),
            "`pulsewing once`, `import` and the next start of `run` put it right; nothing is lost",
        ),
        Ok(Some(whole)) if !whole.corrected.is_empty() => Finding::warn(
            ID,
            format!(
                "the history has a resting heart rate or a time zone of {} that cannot be, and leaves it out; it has {} minutes",
                phrases::days(&whole.corrected),
                whole.minutes
            ),
            "nothing has to be done: the minutes are whole, and what is fetched or imported anew of such a day takes its place",
        ),
        Ok(Some(whole)) => Finding::ok(
            ID,
            format!("the history is whole; it has {} minutes", whole.minutes),
        ),
        Err(error @ HistoryError::Busy) => {
            Finding::skipped(ID, error.to_string(), "look again later")
        }
        Err(error @ HistoryError::Newer(_)) => Finding::warn(
            ID,
            error.to_string(),
            "use the newer pulsewing; until then nothing is kept",
        ),
        Err(error @ HistoryError::Damaged(_)) => Finding::warn(
            ID,
            error.in_words(),
            "`pulsewing once` moves a damaged history aside and begins a new one with what can be read of it",
        ),
        Err(error) => Finding::warn(
            ID,
            error.in_words(),
            error
                .advice()
                .unwrap_or("`pulsewing export` shows what can be read"),
        ),
    }
}

fn running(dir: &Path, is_installed: bool) -> Finding {
    const ID: &str = "daemon.running";
    match Single::is_claimed(dir) {
        Ok(true) => Finding::ok(ID, "`pulsewing run` is at work here"),
        Ok(false) if is_installed => Finding::warn(
            ID,
            "the service is installed, and nothing runs",
            "`systemctl --user start pulsewing`; `journalctl --user -u pulsewing` shows why it ended",
        ),
        Ok(false) => Finding::skipped(ID, "nothing runs unattended", INSTALL),
        Err(error) => Finding::skipped(
            ID,
            format!("whether something runs could not be told: {error}"),
            "fix state.directory first",
        ),
    }
}

fn installed() -> Result<Existing, String> {
    let file = UnitFile::for_user().map_err(|problem| problem.message().to_owned())?;
    file.existing().map_err(|error| error.to_string())
}

fn unit(installed: Result<Existing, String>) -> Finding {
    const ID: &str = "service.unit";
    match installed {
        Ok(Existing::None) => Finding::skipped(ID, "no service is installed", INSTALL),
        Ok(Existing::Foreign) => Finding::skipped(
            ID,
            "there is a unit that `pulsewing service install` did not write",
            "look after it yourself",
        ),
        Ok(Existing::Ours(text)) => match program_of(&text) {
            Some(program) if program.is_file() => {
                Finding::ok(ID, format!("the service runs {}", program.display()))
            }
            Some(program) => Finding::fail(
                ID,
                format!("the service runs {}, which is not there", program.display()),
                "`pulsewing service install` writes where pulsewing is now",
            ),
            None => Finding::fail(
                ID,
                "the service's unit names no program",
                "`pulsewing service install` writes it anew",
            ),
        },
        Err(error) => Finding::skipped(
            ID,
            format!("whether a service is installed could not be told: {error}"),
            "look who owns ~/.config/systemd/user",
        ),
    }
}

fn linger(is_installed: bool, lingers: impl Fn() -> Option<bool>) -> Finding {
    const ID: &str = "service.linger";
    const ENABLE: &str =
        "`loginctl enable-linger` has it start with the machine, and go on after you log out";
    if !is_installed {
        return Finding::skipped(ID, "no service is installed", INSTALL);
    }
    match lingers() {
        Some(true) => Finding::ok(ID, "the service runs also while you are not logged in"),
        Some(false) => Finding::warn(ID, "the service runs only while you are logged in", ENABLE),
        None => Finding::skipped(
            ID,
            "whether the service runs without you could not be told",
            ENABLE,
        ),
    }
}
