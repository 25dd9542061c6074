//! Prometheus, which scrapes the daemon and evaluates the rules and the dashboard, and promtool.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    debian::{self, Packages},
    pick, scratch,
};
use crate::{process, workspace::Workspace};

const PACKAGES: Packages<'_> = Packages {
    dir: "prometheus",
    names: &["prometheus"],
    newest: false,
    // The rest are its web page and a service.
    parts: &[("prometheus_", &["./usr/bin/*"])],
};

/// A group of rules to try it out with.
const RULES: &str =
    "groups: [{ name: a, rules: [{ record: 'a:b', expr: 'present_over_time(up[1d])' }] }]";

/// Its two programs, as commands to start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Programs {
    pub(crate) prometheus: PathBuf,
    pub(crate) promtool: PathBuf,
}

impl Programs {
    fn beside(dir: &Path) -> Self {
        Self {
            prometheus: dir.join("prometheus"),
            promtool: dir.join("promtool"),
        }
    }
}

/// Finds a Prometheus that works.
///
/// # Errors
///
/// If the unpacked one does not work.
pub(crate) fn find(workspace: &Workspace) -> Result<Option<Programs>, String> {
    let dir = PACKAGES.dir(workspace);
    let unpacked = Programs::beside(&dir.join("bin"));
    pick(
        [Programs::beside(Path::new(""))],
        &dir,
        unpacked,
        |programs| {
            process::output(Command::new(&programs.prometheus).arg("--version"))?;
            let scratch = scratch()?;
            let rules = scratch.path().join("rules.yml");
            fs::write(&rules, RULES).map_err(|error| error.to_string())?;
            let mut check = Command::new(&programs.promtool);
            process::output(check.args(["check", "rules"]).arg(rules)).map(drop)
        },
    )
}

/// Unpacks Debian's Prometheus.
///
/// # Errors
///
/// If the package cannot be downloaded.
pub(super) fn unpack(workspace: &Workspace) -> Result<(), String> {
    debian::unpack(workspace, &PACKAGES, |dir| {
        for program in ["usr/bin/prometheus", "usr/bin/promtool"] {
            debian::write_starter(dir, program, &[], &[])?;
        }
        Ok(())
    })
}
