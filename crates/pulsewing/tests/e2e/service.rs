//! `service`: a systemd user unit, checked by systemd itself, and the calls to the user's systemd, which
//! here is a script that records them.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    process::Command,
};

use crate::harness::hermetic::{Finished, Home, words};

/// A home whose `systemctl` records its calls and answers as set by the test.
struct Managed {
    home: Home,
}

impl Managed {
    fn new() -> Self {
        let managed = Self { home: Home::new() };
        managed.answer("");
        managed
    }

    /// Makes `systemctl` run this first for everything but its version, such as `exit 1`.
    fn answer(&self, commands: &str) {
        let calls = self.calls_file();
        self.program(
            "systemctl",
            &format!(
                "[ \"$1\" = --version ] && {{ echo 'systemd 252 (252.38)'; exit 0; }}\necho \"$*\" >> '{}'\n{commands}\n",
                calls.display()
            ),
        );
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.home.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn calls_file(&self) -> PathBuf {
        self.home.path("tmp/calls")
    }

    /// Returns the calls since the last look.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.calls_file()).unwrap_or_default();
        let _ = fs::remove_file(self.calls_file());
        calls.lines().map(str::to_owned).collect()
    }

    fn unit(&self) -> PathBuf {
        self.home.path("config/systemd/user/pulsewing.service")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.unit()).unwrap()
    }

    fn service(&self, args: &[&str]) -> Finished {
        self.home.run(&[&["service"], args].concat())
    }

    fn install(&self, args: &[&str]) -> Finished {
        self.service(&[&["install"], args].concat())
    }
}

/// Returns the values of a unit's setting.
fn values(text: &str, key: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .map(str::to_owned)
        .collect()
}

/// Returns the result of systemd's own check of a unit. It needs no running systemd.
fn analyze(home: &Home, args: &[&str]) -> (bool, String) {
    let output = Command::new("systemd-analyze")
        .args(args)
        .env("XDG_RUNTIME_DIR", home.path("tmp"))
        .env("HOME", home.path("home"))
        .output()
        .expect("this test needs systemd-analyze, of Debian's package systemd");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn installing_writes_a_unit_starts_it_and_may_be_repeated() {
    let managed = Managed::new();
    managed
        .install(&[])
        .exits(0)
        .says("Wrote ")
        .says("The service is running")
        .says("loginctl enable-linger");
    assert_eq!(
        managed.calls(),
        [
            "--user daemon-reload",
            "--user enable --now pulsewing.service"
        ]
    );
    let text = managed.text();
    let state = managed.home.path("state/pulsewing");
    let config = managed.home.path("config");
    assert_eq!(
        values(&text, "ExecStart"),
        [format!(
            "\"{}\" run \"--state-dir={}\"",
            fs::canonicalize(env!("CARGO_BIN_EXE_pulsewing"))
                .unwrap()
                .display(),
            state.display()
        )]
    );
    assert_eq!(
        values(&text, "Environment"),
        [format!("\"XDG_CONFIG_HOME={}\"", config.display())]
    );
    assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
    managed.install(&[]).exits(0).says("is up to date");
    assert_eq!(
        managed.calls(),
        [
            "--user daemon-reload",
            "--user enable --now pulsewing.service"
        ]
    );
    assert_eq!(managed.text(), text);
    // A running service has to be restarted.
    managed
        .install(&["--theme", "classic"])
        .exits(0)
        .says("Replaced ");
    assert_eq!(
        managed.calls(),
        [
            "--user daemon-reload",
            "--user enable pulsewing.service",
            "--user restart pulsewing.service"
        ]
    );
    assert!(values(&managed.text(), "ExecStart")[0].ends_with(" \"--theme=classic\""));
    let beside = fs::read_dir(managed.home.path("config/systemd/user")).unwrap();
    assert_eq!(beside.count(), 1);
}

#[test]
fn the_options_of_run_and_of_every_command_are_passed_on_with_whole_paths() {
    let managed = Managed::new();
    let config = managed.home.write("mine.toml", "provider = \"fitbit\"\n");
    fs::create_dir(managed.home.work("pictures")).unwrap();
    let shown = managed
        .home
        .program(&words(
            "service show --config mine.toml --state-dir s -v --no-web",
        ))
        .env("PULSEWING_PNG", "pictures/a.png")
        .env("PULSEWING_PALETTE", "night")
        .run()
        .exits(0)
        .stdout;
    let work = managed.home.path("work");
    let work = work.display();
    let command = &values(&shown, "ExecStart")[0];
    for word in [
        format!("\"--config={config}\""),
        format!("\"--state-dir={work}/s\""),
        "\"--verbose\"".to_owned(),
        format!("\"--png={work}/pictures/a.png\""),
        "\"--palette=night\"".to_owned(),
        "\"--no-web\"".to_owned(),
    ] {
        assert!(command.contains(&word), "{word}: {command}");
    }
    assert_eq!(
        values(&shown, "ReadWritePaths"),
        [format!("\"{work}/pictures\""), format!("\"{work}/s\"")]
    );
    // Showing does not install.
    assert!(!managed.unit().exists() && !managed.home.work("s").exists());
    assert_eq!(managed.calls(), [""; 0]);
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit_whatever_its_paths_are() {
    for dir in [
        "plain",
        "with space",
        "100% $HOME ${x}",
        "q\"uote's;#",
        "b\\s %h",
    ] {
        let managed = Managed::new();
        let place = managed.home.work(dir);
        fs::create_dir(&place).unwrap();
        let state = place.join("state");
        let png = place.join("a.png");
        managed
            .install(&[
                "--state-dir",
                state.to_str().unwrap(),
                "--png",
                png.to_str().unwrap(),
                "--panel",
                "fb:/dev/fb1,rotate=90",
            ])
            .exits(0);
        assert!(state.is_dir());
        let unit = managed.unit();
        let unit = unit.to_str().unwrap();
        let (is_good, said) = analyze(&managed.home, &["verify", "--user", "--man=no", unit]);
        assert!(
            is_good && said.is_empty(),
            "{dir}: {said}\n{}",
            managed.text()
        );
    }
}

#[test]
fn systemd_calls_the_exposure_low() {
    let managed = Managed::new();
    // As on a machine where none of the paths lies in a directory for temporary files.
    let shown = managed.service(&["show"]).exits(0).stdout;
    let usual = if shown.contains("PrivateTmp=yes") {
        shown
    } else {
        shown.replace("PrivateDevices=yes", "PrivateTmp=yes\nPrivateDevices=yes")
    };
    let unit = managed.home.write("pulsewing.service", &usual);
    let (is_good, said) = analyze(
        &managed.home,
        &[
            "security",
            "--offline=true",
            "--user",
            "--no-pager",
            "--threshold=20",
            &unit,
        ],
    );
    assert!(is_good, "{said}");
    assert!(said.contains("Overall exposure level"), "{said}");
}

#[test]
fn where_no_systemd_answers_it_is_said_what_to_type() {
    let managed = Managed::new();
    managed.answer("echo 'Failed to connect to bus: No medium found' >&2; exit 1");
    managed
        .install(&[])
        .exits(0)
        .says("cannot reach your systemd from here: Failed to connect to bus")
        .says("systemctl --user daemon-reload && systemctl --user enable --now pulsewing.service");
    assert!(managed.unit().exists());
    managed
        .service(&["uninstall"])
        .exits(0)
        .says("systemctl --user stop");
    assert!(!managed.unit().exists());
    fs::remove_file(managed.home.path("bin/systemctl")).unwrap();
    managed.install(&[]).exits(0).says("To start the service");
}

#[test]
fn a_service_that_does_not_start_is_told_with_systemds_words() {
    let managed = Managed::new();
    managed.answer("case \"$*\" in *enable*) echo 'Job failed.' >&2; exit 1;; esac");
    managed
        .install(&[])
        .exits(1)
        .says("`systemctl --user enable --now pulsewing.service` failed")
        .says("Job failed.")
        .says("journalctl --user -u pulsewing");
}

#[test]
fn uninstalling_stops_and_removes_it_and_leaves_the_state() {
    let managed = Managed::new();
    managed.install(&[]).exits(0);
    let keepsake = managed.home.path("state/pulsewing/keepsake");
    fs::write(&keepsake, "mine").unwrap();
    fs::set_permissions(&keepsake, fs::Permissions::from_mode(0o600)).unwrap();
    managed.calls();
    managed
        .service(&["uninstall"])
        .exits(0)
        .says("Removed ")
        .says("The sign-in and the history are still in ");
    assert_eq!(
        managed.calls(),
        [
            "--user disable --now pulsewing.service",
            "--user daemon-reload"
        ]
    );
    assert!(!managed.unit().exists() && keepsake.exists());
    managed
        .service(&["uninstall"])
        .exits(0)
        .says("No service is installed.");
    assert_eq!(managed.calls(), [""; 0]);
}

#[test]
fn somebody_elses_unit_is_left_alone() {
    let managed = Managed::new();
    fs::create_dir_all(managed.unit().parent().unwrap()).unwrap();
    fs::write(managed.unit(), "[Service]\nExecStart=/usr/bin/mine\n").unwrap();
    for action in ["install", "uninstall"] {
        managed
            .service(&[action])
            .exits(1)
            .says("was not written by `pulsewing service install`");
    }
    assert!(managed.text().contains("/usr/bin/mine"));
    assert_eq!(managed.calls(), [""; 0]);
}

#[test]
fn lingering_is_advised_only_where_it_is_not_so_already() {
    let managed = Managed::new();
    managed.program("loginctl", "echo yes");
    managed
        .install(&[])
        .exits(0)
        .says_nothing_of("enable-linger");
    managed.program("loginctl", "echo no");
    managed.install(&[]).exits(0).says("enable-linger");
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_written() {
    let managed = Managed::new();
    for (args, words) in [
        (
            &["--now", "2026-11-22T14:07:00Z"][..],
            "the machine's clock",
        ),
        (&["--panel", "fb:fb1"], "is not an absolute path"),
        (&["--png", "no/such/a.png"], "is not a directory"),
        (&["--config", "no-such.toml"], "no-such.toml"),
        (&["--state-dir", "a\nb"], "a unit cannot name"),
    ] {
        managed.install(args).exits(1).says(words);
    }
    managed
        .install(&["--theme", "plaid"])
        .exits(2)
        .says("plaid");
    managed.home.configure("[screeen]\n");
    managed
        .install(&[])
        .exits(1)
        .says("the nearest key is \"screen\"");
    assert!(!managed.unit().exists());
    assert_eq!(managed.calls(), [""; 0]);
}

#[test]
fn root_is_warned_and_sudo_refused() {
    let managed = Managed::new();
    let is_root = rustix::process::geteuid().is_root();
    let install = |user: &str| {
        managed
            .home
            .program(&["service", "install"])
            .env("SUDO_USER", user)
            .run()
    };
    if is_root {
        install("ada").exits(1).says("run it as ada, without sudo");
        assert!(!managed.unit().exists());
        install("root").exits(0).says("all of root's rights");
    } else {
        install("ada").exits(0).says_nothing_of("root's rights");
    }
}
