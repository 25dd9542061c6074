//! The unit's text.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::quote::{self, Unfit};

/// The first line of every unit that we write. We leave other units alone.
pub(crate) const MARK: &str = "# Written by `pulsewing service install`";

/// The first version of systemd that can wait longer after each attempt.
const HAS_BACKOFF: u32 = 254;

/// The contents of a unit.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// The path of this program.
    pub program: PathBuf,
    /// The global options, and those of `run`.
    pub words: Vec<OsString>,
    /// The directories that it writes to. They have to exist when it starts.
    pub written: Vec<PathBuf>,
    /// The files that it reads, which must not be hidden.
    pub read: Vec<PathBuf>,
    /// Environment variables that the user's systemd may lack.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// Whether it shows the picture on a panel.
    pub has_panels: bool,
    /// The version of systemd, if it is known.
    pub systemd: Option<u32>,
}

impl Unit {
    /// Returns the unit's text.
    ///
    /// # Errors
    /// The path that no unit can hold, and the reason.
    pub(crate) fn text(&self) -> Result<String, (PathBuf, Unfit)> {
        let of = |path: &Path| {
            let path = path.to_owned();
            move |unfit| (path, unfit)
        };
        let mut command = quote::program(&self.program).map_err(of(&self.program))?;
        command.push_str(" run");
        for word in &self.words {
            command.push(' ');
            command.push_str(&quote::argument(word).map_err(of(Path::new(word)))?);
        }
        let mut lines = vec![
            MARK.to_owned(),
            "# Installing again replaces this file; `systemctl --user edit pulsewing` keeps your changes.".into(),
            "[Unit]".into(),
            "Description=Pulsewing, a wearer's latest heart rate".into(),
            "Documentation=https://github.com/pulsewing/pulsewing".into(),
            "# Keep trying for as long as it takes.".into(),
            "StartLimitIntervalSec=0".into(),
            String::new(),
            "[Service]".into(),
            "Type=notify".into(),
            format!("ExecStart={command}"),
        ];
        for (name, path) in &self.environment {
            let value = quote::path(path).map_err(of(path))?;
            // The name belongs between the quotes.
            lines.push(format!("Environment=\"{name}={}", &value[1..]));
        }
        lines.extend(STARTS_AND_STOPS.lines().map(str::to_owned));
        if self.systemd.is_some_and(|version| version >= HAS_BACKOFF) {
            lines.push("RestartSteps=6".into());
            lines.push("RestartMaxDelaySec=10min".into());
        }
        lines.push(String::new());
        lines.extend(SANDBOX.lines().map(str::to_owned));
        let mut written = self.written.clone();
        written.sort();
        written.dedup();
        for path in &written {
            lines.push(format!(
                "ReadWritePaths={}",
                quote::path(path).map_err(of(path))?
            ));
        }
        if !self.needs_the_real_tmp() {
            lines.push("PrivateTmp=yes".into());
        }
        if !self.has_panels {
            lines.push("PrivateDevices=yes".into());
        }
        lines.push(String::new());
        lines.push("[Install]".into());
        lines.push("WantedBy=default.target".into());
        lines.push(String::new());
        Ok(lines.join("\n"))
    }

    /// Returns whether one of our paths is where a private `/tmp` would hide it.
    fn needs_the_real_tmp(&self) -> bool {
        let mut paths = self.written.iter().chain(&self.read).chain([&self.program]);
        paths.any(|path| path.starts_with("/tmp") || path.starts_with("/var/tmp"))
    }
}

/// The settings for start, stop and restart.
const STARTS_AND_STOPS: &str = "\
# After a mistake on the command line or in the configuration, a restart would only fail again.
Restart=on-failure
RestartSec=10
RestartPreventExitStatus=1 2
# The program feeds the watchdog only while updates go on, not from a timer.
WatchdogSec=5min
# The program waits up to 30 seconds for the answer to a refresh: it may be the only copy of the new tokens.
TimeoutStopSec=60
KillMode=mixed
KillSignal=SIGTERM";

/// The restrictions on the service. In a user's systemd the directives that change its view of the
/// file system need a user namespace, which newer versions create by themselves.
/// `ProtectKernelTunables=` and `ProtectKernelLogs=` are left out: with either of them the service
/// fails with 226/NAMESPACE under a user's systemd 252.
const SANDBOX: &str = "\
UMask=0077
PrivateUsers=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateMounts=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
KeyringMode=private
ProtectProc=invisible
ProcSubset=pid
LimitCORE=0
MemoryMax=256M
TasksMax=64";

/// Returns the program that a unit runs, if the text is one of ours.
pub(crate) fn program_of(text: &str) -> Option<PathBuf> {
    let command = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=\""))?;
    let (program, _) = command.split_once('"')?;
    // A program's path has no quotation marks and no backslashes, and systemd expands no variables
    // in it.
    Some(PathBuf::from(program.replace("%%", "%")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::quote::tests::read;

    fn unit() -> Unit {
        Unit {
            program: "/opt/pulse wing/bin/pulsewing".into(),
            words: vec!["--state-dir=/home/ada/a \"b\" 100% $HOME".into()],
            written: vec![
                "/home/ada/s".into(),
                "/home/ada/p".into(),
                "/home/ada/s".into(),
            ],
            read: Vec::new(),
            environment: vec![("XDG_CONFIG_HOME", "/home/ada/c %h".into())],
            has_panels: false,
            systemd: Some(252),
        }
    }

    fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
        text.lines()
            .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .collect()
    }

    #[test]
    fn the_command_is_this_program_with_its_options() {
        let text = unit().text().unwrap();
        let command = read(values(&text, "ExecStart")[0], true);
        assert_eq!(
            command,
            [
                "/opt/pulse wing/bin/pulsewing",
                "run",
                "--state-dir=/home/ada/a \"b\" 100% $HOME"
            ]
        );
        assert_eq!(program_of(&text), Some(unit().program));
        let environment = read(values(&text, "Environment")[0], false);
        assert_eq!(environment, ["XDG_CONFIG_HOME=/home/ada/c %h"]);
        assert!(text.starts_with(MARK));
    }

    #[test]
    fn only_what_is_named_can_be_written_to() {
        let text = unit().text().unwrap();
        assert_eq!(
            values(&text, "ReadWritePaths"),
            ["\"/home/ada/p\"", "\"/home/ada/s\""]
        );
    }

    #[test]
    fn a_private_directory_hides_nothing_that_is_needed() {
        let has = |unit: &Unit, line: &str| unit.text().unwrap().lines().any(|it| it == line);
        assert!(has(&unit(), "PrivateTmp=yes") && has(&unit(), "PrivateDevices=yes"));
        let mut shown = unit();
        shown.written.push("/tmp/pictures".into());
        assert!(!has(&shown, "PrivateTmp=yes"));
        let mut read = unit();
        read.read.push("/var/tmp/config.toml".into());
        assert!(!has(&read, "PrivateTmp=yes"));
        let mut panel = unit();
        panel.has_panels = true;
        assert!(!has(&panel, "PrivateDevices=yes"));
    }

    #[test]
    fn older_systemds_are_not_told_what_they_do_not_know() {
        let text = |systemd| Unit { systemd, ..unit() }.text().unwrap();
        assert!(text(Some(254)).contains("RestartSteps="));
        assert!(!text(Some(253)).contains("RestartSteps="));
        assert!(!text(None).contains("RestartSteps="));
    }

    #[test]
    fn a_path_that_no_unit_can_hold_is_named() {
        let mut unit = unit();
        unit.written.push("/a\nb".into());
        assert_eq!(unit.text(), Err(("/a\nb".into(), Unfit::Control)));
    }
}
