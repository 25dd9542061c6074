//! The daemon and the service: `history.readable`, `daemon.running`, `service.unit`,
//! `service.linger`.

use std::path::Path;

use pulsewing_history::HistoryError;

use super::Finding;
use crate::{
    config::places::Place,
    daemon::Single,
    service::{Existing, UnitFile, program_of, systemctl},
    tell::phrases,
};

const INSTALL: &str = "to have it run unattended, use `pulsewing service install`";

pub(super) fn check(place: &Place, findings: &mut Vec<Finding>) {
    findings.push(history(place));
    let is_installed = matches!(installed(), Ok(Existing::Ours(_)));
    findings.push(running(&place.dir, is_installed));
}

pub(super) fn check_service(findings: &mut Vec<Finding>) {
    let installed = installed();
    let is_installed = matches!(installed, Ok(Existing::Ours(_)));
    findings.push(unit(installed));
    findings.push(linger(is_installed, systemctl::lingers));
}

fn history(place: &Place) -> Finding {
    const ID: &str = "history.readable";
    match pulsewing_history::examine(&place.dir, place.wearer.as_str()) {
        Ok(None) => Finding::ok(ID, "there is no history yet"),
        Ok(Some(whole)) if !whole.unreadable.is_empty() => Finding::warn(
            ID,
            format!(
                "the history's data for {} cannot be read; its other {} minutes are intact",
                phrases::days(&whole.unreadable),
                whole.minutes
            ),
            "fetching or importing such a day again replaces it; `pulsewing export` exports everything else",
        ),
        Ok(Some(whole)) if whole.is_damaged => Finding::warn(
            ID,
            format!(
                "the history's file is damaged, but everything in it can be read; it has {} minutes",
                whole.minutes
            ),
            "`pulsewing once`, `import` or the next start of `run` repairs it; nothing is lost",
        ),
        Ok(Some(whole)) if !whole.corrected.is_empty() => Finding::warn(
            ID,
            format!(
                "the history has an impossible resting heart rate or time zone for {}, and leaves it out; it has {} minutes",
                phrases::days(&whole.corrected),
                whole.minutes
            ),
            "nothing to do: the minutes are intact, and fetching or importing such a day again replaces the rest",
        ),
        Ok(Some(whole)) => Finding::ok(
            ID,
            format!("the history is intact; it has {} minutes", whole.minutes),
        ),
        Err(error @ HistoryError::Busy) => {
            Finding::skipped(ID, error.to_string(), "check again later")
        }
        Err(error @ HistoryError::Newer(_)) => Finding::warn(
            ID,
            error.to_string(),
            "use the newer pulsewing; until then nothing is added to the history",
        ),
        Err(error @ HistoryError::Damaged(_)) => Finding::warn(
            ID,
            error.in_words(),
            "`pulsewing once` moves a damaged history aside and starts a new one with everything that can be read",
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
        Ok(true) => Finding::ok(ID, "`pulsewing run` is running with this state directory"),
        Ok(false) if is_installed => Finding::warn(
            ID,
            "the service is installed, but nothing is running",
            "start it with `systemctl --user start pulsewing`; `journalctl --user -u pulsewing` shows why it ended",
        ),
        Ok(false) => Finding::skipped(ID, "nothing is running unattended", INSTALL),
        Err(error) => Finding::skipped(
            ID,
            format!("cannot tell whether a daemon is running: {error}"),
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
            "the installed unit was not written by `pulsewing service install`",
            "maintain it yourself",
        ),
        Ok(Existing::Ours(text)) => match program_of(&text) {
            Some(program) if program.is_file() => {
                Finding::ok(ID, format!("the service runs {}", program.display()))
            }
            Some(program) => Finding::fail(
                ID,
                format!(
                    "the service runs {}, which does not exist",
                    program.display()
                ),
                "run `pulsewing service install` to update the path",
            ),
            None => Finding::fail(
                ID,
                "the service's unit does not name a program",
                "run `pulsewing service install` to write it again",
            ),
        },
        Err(error) => Finding::skipped(
            ID,
            format!("cannot tell whether a service is installed: {error}"),
            "check who owns ~/.config/systemd/user",
        ),
    }
}

fn linger(is_installed: bool, lingers: impl Fn() -> Option<bool>) -> Finding {
    const ID: &str = "service.linger";
    const ENABLE: &str = "to have it start with the machine and keep running after you log out, run `loginctl enable-linger`";
    if !is_installed {
        return Finding::skipped(ID, "no service is installed", INSTALL);
    }
    match lingers() {
        Some(true) => Finding::ok(ID, "the service runs even while you are not logged in"),
        Some(false) => Finding::warn(ID, "the service runs only while you are logged in", ENABLE),
        None => Finding::skipped(
            ID,
            "cannot tell whether the service runs while you are not logged in",
            ENABLE,
        ),
    }
}
