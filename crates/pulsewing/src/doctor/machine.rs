//! The machine: `clock.sane`, `state.directory`, `state.space`, `zone.known`, and the result of the
//! last update: `update.last`.

use std::{fs, path::Path};

use jiff::{SignedDuration, Timestamp, tz};
use pulsewing_core::dialect::ZoneFacts;
use pulsewing_files::regular_file;

use super::{Finding, Known, MADE, nearest};
use crate::custody::{Loaded, Unavailable};

/// The tolerated difference between two correct clocks.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Below this much free space a refresh may not be able to write its answer, in bytes.
const TOO_LITTLE: u64 = 1 << 20;

/// Below this much free space the disk may soon be full, in bytes.
const LITTLE: u64 = 50 << 20;

/// The age at which the last reading indicates a problem.
const OLD: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn check_clock(known: &Known, loaded: &Result<Loaded, Unavailable>) -> Finding {
    let record = loaded.as_ref().ok().and_then(|it| it.record.as_ref());
    let obtained_at = record.map(|record| record.chain.obtained_at());
    let latest = obtained_at.into_iter().chain(known.state.last_update).max();
    clock(known.now(), latest)
}

fn clock(now: Timestamp, latest: Option<Timestamp>) -> Finding {
    const ID: &str = "clock.sane";
    const SET: &str = "set the clock; `sudo timedatectl set-ntp true` keeps it right";
    if now < MADE {
        return Finding::fail(
            ID,
            format!("the clock shows {now:.0}, which is before this program was built"),
            SET,
        );
    }
    match latest {
        Some(at) if at.duration_since(now) > TOLERANCE => Finding::warn(
            ID,
            format!(
                "the clock shows {now:.0}, which is before the last sign-in or update at {at:.0}"
            ),
            SET,
        ),
        _ => Finding::ok(ID, format!("the clock shows {now:.0}")),
    }
}

pub(super) fn check_state(dir: &Path, findings: &mut Vec<Finding>) {
    findings.push(directory(dir));
    findings.push(space_for(dir));
}

fn directory(dir: &Path) -> Finding {
    const ID: &str = "state.directory";
    const OTHER: &str = "choose another directory with --state-dir, or take ownership of this one: `sudo chown -R $USER DIR; chmod 700 DIR`";
    let there = nearest(dir);
    let shown = there.display();
    if !there.is_dir() {
        return Finding::fail(
            ID,
            format!("{shown} is in the way: it is not a directory"),
            OTHER,
        );
    }
    if let Err(why) = may_write(&there) {
        return Finding::fail(ID, format!("{shown} cannot be written to: {why}"), OTHER);
    }
    if there != std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()) {
        let found = format!(
            "{} will be created when there is something to store",
            dir.display()
        );
        return Finding::ok(ID, found);
    }
    if let Some(finding) = in_the_way(dir) {
        return finding;
    }
    match open_to_others(dir) {
        Some((path, mode)) => Finding::warn(
            ID,
            format!("others on this machine have access to {path}"),
            format!("`chmod {mode} {path}`"),
        ),
        None => Finding::ok(ID, format!("{shown} can be written to, and only by you")),
    }
}

/// Finds something else in place of a file that no other check covers.
fn in_the_way(dir: &Path) -> Option<Finding> {
    // Without the lock nothing can be fetched; without the remembered state the program still
    // works.
    type Make = fn(&'static str, String, &'static str) -> Finding;
    let files: [(&str, Make); 2] = [("chain.lock", Finding::fail), ("state.json", Finding::warn)];
    files.into_iter().find_map(|(name, finding)| {
        let path = dir.join(name);
        let error = regular_file::check(&path).err()?;
        let shown = path.display().to_string();
        let what = match error.to_string() {
            what if what.contains(&shown) => what,
            what => format!("{shown} cannot be used: {what}"),
        };
        let away = "move it out of the way: pulsewing keeps a file there";
        Some(finding("state.directory", what, away))
    })
}

#[cfg(unix)]
fn may_write(dir: &Path) -> std::io::Result<()> {
    use rustix::fs::Access;
    let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(dir, wanted).map_err(Into::into)
}

#[cfg(not(unix))]
fn may_write(dir: &Path) -> std::io::Result<()> {
    if fs::metadata(dir)?.permissions().readonly() {
        return Err(std::io::ErrorKind::ReadOnlyFilesystem.into());
    }
    Ok(())
}

/// Returns the directory, or a file in it, that others can access, with the mode that it should
/// have.
#[cfg(unix)]
fn open_to_others(dir: &Path) -> Option<(String, &'static str)> {
    use std::os::unix::fs::PermissionsExt;
    let is_open = |path: &Path| {
        fs::symlink_metadata(path).is_ok_and(|it| it.is_dir() || it.is_file())
            && fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o077 != 0)
    };
    if is_open(dir) {
        return Some((dir.display().to_string(), "700"));
    }
    let files = fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let mut open = files.map(|file| file.path()).filter(|path| is_open(path));
    Some((open.next()?.display().to_string(), "600"))
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<(String, &'static str)> {
    None
}

#[cfg(unix)]
fn space_for(dir: &Path) -> Finding {
    match rustix::fs::statvfs(nearest(dir)) {
        Ok(disk) => space(
            disk.f_bavail.saturating_mul(disk.f_frsize),
            disk.f_files > 0 && disk.f_favail == 0,
        ),
        Err(error) => Finding::skipped(
            "state.space",
            format!("cannot tell how much disk space is left: {error}"),
            "check it with `df`",
        ),
    }
}

#[cfg(not(unix))]
fn space_for(_: &Path) -> Finding {
    Finding::skipped(
        "state.space",
        "disk space is not checked on this system",
        "make sure that the disk is not full",
    )
}

#[cfg_attr(not(unix), allow(dead_code, reason = "only Unix is asked for it"))]
fn space(bytes: u64, is_out_of_files: bool) -> Finding {
    const ID: &str = "state.space";
    const ROOM: &str =
        "free up disk space: Pulsewing does not refresh a token when it cannot store the new one";
    if is_out_of_files {
        return Finding::fail(ID, "the disk has no room for another file", ROOM);
    }
    let left = if bytes < 10 << 20 {
        format!("{} KiB", bytes >> 10)
    } else {
        format!("{} MiB", bytes >> 20)
    };
    let found = format!("{left} of disk space are free");
    match bytes {
        ..TOO_LITTLE => Finding::fail(ID, found, ROOM),
        TOO_LITTLE..LITTLE => Finding::warn(ID, found, ROOM),
        LITTLE.. => Finding::ok(ID, found),
    }
}

pub(super) fn check_zone(known: &Known) -> Finding {
    let configured = known.wearer.time_zone.as_deref();
    zone(&known.state.zone_facts().unwrap_or_default(), configured)
}

/// Decides in the same way as [`crate::engine::zone::resolve`].
fn zone(facts: &ZoneFacts, configured: Option<&str>) -> Finding {
    const ID: &str = "zone.known";
    const NAME: &str = "set the wearer's time_zone in the configuration, for when the provider does not report one";
    let is_known = |name: &str| tz::TimeZone::get(name).is_ok();
    if let Some(name) = facts.name.as_ref().filter(|name| is_known(name)) {
        return Finding::ok(ID, format!("the provider reports {name}"));
    }
    if let Some(offset) = facts.offset {
        let name = facts.name.as_deref().unwrap_or("without a name");
        return Finding::warn(
            ID,
            format!(
                "the provider's time zone {name} is not known here, so UTC{offset} is used all year"
            ),
            "update this machine's time zones (the package tzdata)",
        );
    }
    if let Some(name) = configured.filter(|name| is_known(name)) {
        return Finding::ok(ID, format!("the configuration says {name}"));
    }
    match tz::TimeZone::try_system() {
        Ok(machine) => {
            let name = machine.iana_name().unwrap_or("without a name");
            Finding::warn(
                ID,
                format!("only this machine's own time zone is known: {name}"),
                NAME,
            )
        }
        Err(error) => Finding::fail(
            ID,
            format!("not even this machine's own time zone is known: {error}"),
            NAME,
        ),
    }
}

pub(super) fn check_update(known: &Known) -> Finding {
    let state = &known.state;
    let error = state
        .last_error
        .as_ref()
        .map(|error| match &state.last_details {
            Some(details) => format!("{error} ({details})"),
            None => error.clone(),
        });
    let (tried, succeeded) = (state.last_update, state.last_success);
    update(tried, succeeded, error.as_deref(), known.now())
}

fn update(
    tried: Option<Timestamp>,
    succeeded: Option<Timestamp>,
    error: Option<&str>,
    now: Timestamp,
) -> Finding {
    const ID: &str = "update.last";
    const ONCE: &str = "to update now and see what is wrong, run `pulsewing once`";
    match (tried, succeeded, error) {
        (None, ..) => Finding::skipped(ID, "there has been no update yet", ONCE),
        (Some(at), _, Some(error)) => Finding::warn(
            ID,
            format!("the last update, at {at:.0}, failed: {error}"),
            ONCE,
        ),
        (Some(at), None, None) => Finding::warn(
            ID,
            format!("no update has succeeded; the last was at {at:.0}"),
            ONCE,
        ),
        (_, Some(at), None) if now.duration_since(at) > OLD => {
            Finding::warn(ID, format!("nothing has been fetched since {at:.0}"), ONCE)
        }
        (_, Some(at), None) => Finding::ok(ID, format!("the last update, at {at:.0}, succeeded")),
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_testkit::at;

    use super::*;

    #[test]
    fn a_clock_is_not_behind_what_has_happened() {
        assert_eq!(MADE, at("2026-11-01T00:00:00Z"));
        let now = at("2026-11-22T12:00:00Z");
        for (now, latest, word) in [
            (now, None, "ok"),
            (now, Some(at("2026-11-22T11:00:00Z")), "ok"),
            (now, Some(at("2026-11-22T12:04:00Z")), "ok"),
            (now, Some(at("2026-11-22T12:06:00Z")), "warn"),
            (at("2026-10-31T23:59:59Z"), None, "fail"),
            (Timestamp::MIN, Some(now), "fail"),
            (Timestamp::MAX, Some(Timestamp::MIN), "ok"),
        ] {
            assert_eq!(clock(now, latest).status.word(), word, "{now} {latest:?}");
        }
    }

    #[test]
    fn little_room_is_told_before_there_is_none() {
        for (bytes, word, left) in [
            (0, "fail", "0 KiB"),
            (TOO_LITTLE - 1, "fail", "1023 KiB"),
            (TOO_LITTLE, "warn", "1024 KiB"),
            (LITTLE - 1, "warn", "49 MiB"),
            (LITTLE, "ok", "50 MiB"),
            (u64::MAX, "ok", "MiB"),
        ] {
            let finding = space(bytes, false);
            assert_eq!(finding.status.word(), word, "{bytes}");
            assert!(finding.found.contains(left), "{finding:?}");
        }
        assert_eq!(space(u64::MAX, true).status.word(), "fail");
    }

    #[test]
    fn an_offset_without_a_known_zone_is_a_warning() {
        let facts = ZoneFacts {
            name: "Mars/Olympus".try_into().ok(),
            offset: Some(tz::Offset::constant(3)),
        };
        let finding = zone(&facts, Some("Europe/Berlin"));
        assert_eq!(finding.status.word(), "warn");
        assert!(finding.found.contains("UTC+03"), "{finding:?}");
    }

    #[test]
    fn an_update_is_good_for_a_day() {
        let done = at("2026-11-22T12:00:00Z");
        for (tried, succeeded, error, now, word) in [
            (None, None, None, "2026-11-22T12:00:00Z", "skipped"),
            (Some(done), Some(done), None, "2026-11-23T12:00:00Z", "ok"),
            (Some(done), Some(done), None, "2026-11-23T12:00:01Z", "warn"),
            (
                Some(done),
                Some(done),
                Some("no"),
                "2026-11-22T12:00:00Z",
                "warn",
            ),
            (Some(done), None, None, "2026-11-22T12:00:00Z", "warn"),
        ] {
            assert_eq!(update(tried, succeeded, error, at(now)).status.word(), word);
        }
    }
}
