//! The checks of `pulsewing doctor`: everything that Pulsewing depends on.
//!
//! The checks change nothing: no file is written, the chain's lock is not taken, no token is sent,
//! and no pin is driven. Network requests carry no tokens, and end within [`network::BOUND`].
//!
//! The ids of the checks and the shape of the JSON are stable across releases.

mod chain;
mod daemon;
mod machine;
pub(crate) mod network;
mod report;
mod screen;
mod settings;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pulsewing_core::Provider;
use pulsewing_panels::PanelSpec;
use serde::Serialize;

pub(crate) use report::{in_colours, in_json, in_words};

use crate::{
    config::{
        Config,
        places::{self, Place},
        wearer::{WearerConfig, WearerId, WearersConfig},
    },
    custody::{chain_file::ChainFile, roster::Roster, state_file::State},
    engine::clock::{Clock, StartTime},
    tell::{
        console::Console,
        problem::{Exit, Problem, command_for},
    },
};

/// The date of this version, 2026-11-01: a clock before that is wrong. Each release updates it.
pub(crate) const MADE: Timestamp = Timestamp::constant(1_793_491_200, 0);

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The check's stable name, such as `chain.present`.
    pub id: String,
    /// The status of the check.
    pub status: Status,
    /// The finding, in one sentence.
    pub found: String,
    /// The suggested next step, in one sentence.
    pub advice: String,
    /// The wearer it is about, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wearer: Option<String>,
}

/// The status of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing has to be done.
    Ok,
    /// It works, but a user should look at it.
    Warn,
    /// It does not work; a command that runs into this ends with this exit.
    Fail(Exit),
    /// It could not be checked, or does not apply.
    Skipped,
}

impl Status {
    /// Returns its word: ok, warn, fail or skipped.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail(_) => "fail",
            Self::Skipped => "skipped",
        }
    }
}

impl Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Finding {
    fn new(
        id: impl Into<String>,
        status: Status,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            status,
            found: found.into(),
            advice: advice.into(),
            wearer: None,
        }
    }

    /// Returns its id and, if there are several, its wearer.
    fn title(&self) -> String {
        match &self.wearer {
            Some(wearer) => format!("{} ({wearer})", self.id),
            None => self.id.clone(),
        }
    }

    fn ok(id: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(id, Status::Ok, found, "nothing to do")
    }

    fn warn(id: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(id, Status::Warn, found, advice)
    }

    /// Builds a failure of the program, the machine or the configuration.
    fn fail(id: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(id, Status::Fail(Exit::Failed), found, advice)
    }

    fn skipped(id: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(id, Status::Skipped, found, advice)
    }

    /// Builds a failure that a command would report as this problem. `otherwise` is the advice if
    /// the problem has no hint.
    fn problem(id: impl Into<String>, problem: &Problem, otherwise: &str) -> Self {
        let mut found = problem.message().to_owned();
        let mut advice = Vec::new();
        for line in problem.to_string().lines() {
            if let Some(cause) = line.strip_prefix("caused by: ") {
                found.push_str(": ");
                found.push_str(cause);
            } else if let Some(details) = line.strip_prefix("details: ") {
                found.push_str(&format!(" ({details})"));
            } else if let Some(hint) = line.strip_prefix("hint: ") {
                advice.push(hint.to_owned());
            }
        }
        if advice.is_empty() {
            advice.push(otherwise.to_owned());
        }
        Self::new(id, Status::Fail(problem.exit()), found, advice.join("; "))
    }
}

/// Returns the result of the program after these findings: success unless a check failed, else the
/// exit code of the failure that has to be fixed first.
pub(crate) fn verdict(findings: &[Finding]) -> Option<Problem> {
    let failed: Vec<(String, Exit)> = findings
        .iter()
        .filter_map(|finding| match finding.status {
            Status::Fail(exit) => Some((finding.title(), exit)),
            _ => None,
        })
        .collect();
    let worst = failed
        .iter()
        .map(|(_, exit)| *exit)
        .min_by_key(|exit| order(*exit))?;
    let ids: Vec<&str> = failed.iter().map(|(title, _)| title.as_str()).collect();
    let (what, ids) = (count(ids.len(), "check"), ids.join(", "));
    Some(Problem::new(worst, format!("{what} failed: {ids}")))
}

/// Returns the order in which failures have to be fixed: a sign-in does not help while the
/// configuration is wrong, or if the service is gone; temporary failures come last.
const fn order(exit: Exit) -> u8 {
    match exit {
        Exit::Failed | Exit::Usage | Exit::Interrupted => 0,
        Exit::Gone => 1,
        Exit::ConsentNeeded => 2,
        Exit::Temporary => 3,
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The installation to check, and the optional parts of the checkup.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'s> {
    /// The configuration file, if one was named.
    pub config: Option<&'s Path>,
    /// The state directory, if one was named.
    pub state_dir: Option<&'s Path>,
    /// The wearers that were named.
    pub wearers: &'s [WearerId],
    /// The start time of the clock, if not now.
    pub start: Option<StartTime>,
    /// Whether the network is left out.
    pub is_offline: bool,
    /// The panels to check.
    pub panels: &'s [PanelSpec],
}

/// The installation, as far as several checks depend on it.
struct Known {
    /// The configuration; `None` if it cannot be used.
    config: Option<Config>,
    /// The wearer.
    wearer: WearerConfig,
    /// Where the wearer's files are.
    place: Place,
    /// The provider that an update would ask.
    provider: Provider,
    /// The state that is remembered between runs.
    state: State,
    clock: Clock,
}

impl Known {
    fn new(
        config: Option<Config>,
        wearer: WearerConfig,
        state_dir: &Path,
        clock: Clock,
        console: Console,
    ) -> Self {
        let place = Place::new(state_dir, &wearer.id);
        let configured = config.as_ref().and_then(|config| config.provider);
        let configured = wearer.provider.or(configured);
        Self {
            provider: ChainFile::new(place.clone()).provider(configured),
            state: State::load_or_warn(&place.dir, console),
            config,
            wearer,
            place,
            clock,
        }
    }

    fn files(&self) -> ChainFile {
        ChainFile::new(self.place.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now().utc
    }
}

/// Runs all checks, in the order in which they are shown.
///
/// # Errors
/// A [`Problem`] when the state directory cannot be determined.
pub(crate) async fn examine(scope: &Scope<'_>, console: Console) -> Result<Vec<Finding>, Problem> {
    let state_dir = places::state_dir(scope.state_dir)?;
    let mut findings = Vec::new();
    let config = settings::check(scope.config, &mut findings);
    let wearers = wearers(scope, config.as_ref(), &state_dir, &mut findings)?;
    let clock = Clock::new(scope.start);
    let all: Vec<Known> = wearers
        .into_iter()
        .map(|wearer| Known::new(config.clone(), wearer, &state_dir, clock.clone(), console))
        .collect();
    let are_several = all.len() > 1;
    let about = |known: &Known, found: Vec<Finding>| -> Vec<Finding> {
        let wearer = are_several.then(|| known.wearer.id.to_string());
        let name = |finding: Finding| match &wearer {
            Some(id) => Finding {
                advice: command_for(&finding.advice, id),
                wearer: Some(id.clone()),
                ..finding
            },
            None => finding,
        };
        found.into_iter().map(name).collect()
    };

    let Some(any) = all.first() else {
        return Ok(findings);
    };
    findings.push(machine::check_clock(any, &any.files().look()));
    for known in &all {
        let mut found = Vec::new();
        machine::check_state(&known.place.dir, &mut found);
        chain::check(known, known.files().look(), &mut found);
        findings.extend(about(known, found));
    }
    // Of several wearers with the same provider, one is enough.
    let mut checked = Vec::new();
    for known in &all {
        if !checked.contains(&known.provider) {
            checked.push(known.provider);
            network::check(known, scope.is_offline, &mut findings).await;
        }
    }
    for known in &all {
        let mut found = vec![machine::check_zone(known), machine::check_update(known)];
        daemon::check(&known.place, &mut found);
        findings.extend(about(known, found));
    }
    daemon::check_service(&mut findings);
    findings.push(screen::check_wallpaper(any));
    for panel in scope.panels {
        findings.push(screen::check_panel(panel));
        findings.extend(screen::check_backlight(panel));
    }
    Ok(findings)
}

/// Returns the wearers to check: those that were named, else all.
///
/// # Errors
/// A [`Problem`] when one of the named does not exist.
fn wearers(
    scope: &Scope<'_>,
    config: Option<&Config>,
    state_dir: &Path,
    findings: &mut Vec<Finding>,
) -> Result<Vec<WearerConfig>, Problem> {
    let default = WearersConfig::default();
    let configured = config.map_or(&default, |config| &config.wearer);
    let roster = match Roster::load(configured, state_dir) {
        Ok(roster) => roster,
        Err(problem) => {
            let otherwise = "correct or remove the file";
            findings.push(Finding::problem("wearers.list", &problem, otherwise));
            return Ok(vec![WearerConfig::default()]);
        }
    };
    for id in roster.forgotten(state_dir) {
        findings.push(Finding::warn(
            "wearers.list",
            format!("there is a sign-in or a history of \"{id}\", who is not one of the wearers, so nobody polls it"),
            format!("make them a wearer with `pulsewing wearer add {id}`, or erase everything with `pulsewing wearer remove {id}`"),
        ));
    }
    if scope.wearers.is_empty() {
        return Ok(roster.all().to_vec());
    }
    let named = scope.wearers.iter().map(|id| roster.find(id).cloned());
    named.collect()
}

/// Builds the finding for a check that needs the configuration.
fn unconfigured(id: &str) -> Finding {
    Finding::skipped(
        id,
        "the configuration cannot be used, so this is not known",
        "fix the configuration first",
    )
}

/// Returns the path itself, or the nearest directory above it that exists.
fn nearest(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors()
        .find(|path| path.exists())
        .unwrap_or(&path)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_failure_decides_and_warnings_do_not() {
        let fail = |id: &str, exit| Finding::new(id, Status::Fail(exit), "", "");
        let warn = Finding::warn("a.b", "", "");
        assert!(verdict(&[warn.clone(), Finding::ok("b.c", "")]).is_none());
        let (temporary, consent) = (fail("t", Exit::Temporary), fail("c", Exit::ConsentNeeded));
        let (gone, failed) = (fail("g", Exit::Gone), fail("f", Exit::Failed));
        for (findings, code, words) in [
            (vec![warn, temporary.clone()], 5, "1 check failed: t"),
            (
                vec![temporary.clone(), consent.clone()],
                3,
                "2 checks failed: t, c",
            ),
            (
                vec![consent.clone(), gone.clone()],
                4,
                "2 checks failed: c, g",
            ),
            (
                vec![gone, failed, temporary, consent],
                1,
                "4 checks failed: g, f, t, c",
            ),
        ] {
            let problem = verdict(&findings).unwrap();
            assert_eq!((problem.exit().code(), problem.message()), (code, words));
        }
    }

    #[test]
    fn a_problem_becomes_what_was_found_and_what_to_do() {
        let problem = Problem::failed("the panel is dark")
            .caused_by(&std::io::Error::other("no light"))
            .hint("plug it in");
        let finding = Finding::problem("panel.x", &problem, "look at it");
        assert_eq!(finding.found, "the panel is dark: no light");
        assert_eq!(finding.advice, "plug it in");
        let bare = Finding::problem("panel.x", &Problem::failed("dark"), "look at it");
        assert_eq!(bare.advice, "look at it");
    }
}
