//! `pulsewing service`: the daemon as a systemd user service.

use std::{fs, io, path::Path};

use pulsewing_files::private;
use pulsewing_panels::PanelSpec;

use super::{print, run::pictured};
use crate::{
    app::Household,
    cli::{Global, Passed, Service},
    config::{places, wearer::WearerId},
    service::{
        Existing, NAME, Unit, UnitFile, Written,
        systemctl::{self, Answer},
    },
    tell::{console::Console, problem::Problem},
};

/// The command to read the service's log.
const LOOK: &str =
    "`journalctl --user -u pulsewing` shows its log, and `pulsewing doctor` shows what is wrong";

pub(super) fn run(action: &Service, global: &Global, console: Console) -> Result<(), Problem> {
    match action {
        Service::Install(options) => install(options, global, console),
        Service::Uninstall => uninstall(global, console),
        Service::Show(options) => {
            let household = Household::new(&global.surroundings(), console)?;
            print(&text(&unit(&household, options, global)?)?)
        }
    }
}

fn install(options: &Passed, global: &Global, console: Console) -> Result<(), Problem> {
    refuse_sudo()?;
    let household = Household::new(&global.surroundings(), console)?;
    let unit = unit(&household, options, global)?;
    let text = text(&unit)?;
    for dir in &unit.written {
        if dir.starts_with(&household.state_dir) {
            private::make_dir(dir).map_err(|error| {
                Problem::failed(format!("cannot create {}", dir.display()))
                    .caused_by(&error)
                    .hint("choose another directory with --state-dir")
            })?;
        } else if !dir.is_dir() {
            return Err(
                Problem::failed(format!("{} is not a directory", dir.display()))
                    .hint("create it first: the service may write in it, but not above it"),
            );
        }
    }
    let file = UnitFile::for_user()?;
    let path = file.path();
    let shown = path.display();
    let written = file.write(&text).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            foreign(&path)
        } else {
            Problem::failed(format!("{shown} could not be written")).caused_by(&error)
        }
    })?;
    console.say(&match written {
        Written::New => format!("Wrote {shown}."),
        Written::Replaced => format!("Replaced {shown}."),
        Written::Unchanged => format!("{shown} is up to date."),
    });
    if systemctl::is_root() {
        console.warn("this service runs with all of root's rights and needs none of them; install it as an ordinary user instead");
    }
    // `enable --now` does not restart a running service.
    let start = match written {
        Written::Replaced => [&["enable", NAME][..], &["restart", NAME]],
        Written::New | Written::Unchanged => [&["enable", "--now", NAME][..], &[]],
    };
    start_it(&start, console)?;
    tell_linger(console);
    Ok(())
}

fn start_it(start: &[&[&str]], console: Console) -> Result<(), Problem> {
    let start = start.iter().copied().filter(|words| !words.is_empty());
    match systemctl::ask(&["daemon-reload"]) {
        Answer::Done => {}
        answer => {
            let why = match answer {
                Answer::Refused(why) if !why.is_empty() => format!(": {why}"),
                _ => String::new(),
            };
            let commands = [&["daemon-reload"][..]].into_iter().chain(start);
            let commands: Vec<String> = commands
                .map(|words| format!("systemctl --user {}", words.join(" ")))
                .collect();
            console.warn(&format!("cannot reach your systemd from here{why}"));
            console.say(&format!(
                "To start the service, log in as yourself and run: {}",
                commands.join(" && ")
            ));
            return Ok(());
        }
    }
    for words in start {
        if let Answer::Refused(why) = systemctl::ask(words) {
            let problem = Problem::failed(format!(
                "the service is installed, but `systemctl --user {}` failed",
                words.join(" ")
            ));
            let problem = match why.as_str() {
                "" => problem,
                why => problem.caused_by(&io::Error::other(why.to_owned())),
            };
            return Err(problem.hint(LOOK));
        }
    }
    console.say(&format!("The service is running; {LOOK}."));
    Ok(())
}

fn tell_linger(console: Console) {
    if systemctl::lingers() != Some(true) {
        console.say(
            "It runs while you are logged in. To have it start with the machine and keep running after you log out, run `loginctl enable-linger`.",
        );
    }
}

fn uninstall(global: &Global, console: Console) -> Result<(), Problem> {
    refuse_sudo()?;
    let file = UnitFile::for_user()?;
    let path = file.path();
    let shown = path.display();
    let read =
        |error: io::Error| Problem::failed(format!("{shown} could not be read")).caused_by(&error);
    match file.existing().map_err(read)? {
        Existing::Foreign => return Err(foreign(&path)),
        Existing::None => {
            console.say("No service is installed.");
            return Ok(());
        }
        Existing::Ours(_) => {}
    }
    let stopped = systemctl::ask(&["disable", "--now", NAME]);
    file.remove().map_err(|error| {
        Problem::failed(format!("{shown} could not be removed")).caused_by(&error)
    })?;
    console.say(&format!("Removed {shown}."));
    match stopped {
        Answer::Done => {
            // The unit remains only in systemd's memory.
            let _ = systemctl::ask(&["daemon-reload"]);
        }
        Answer::NoProgram | Answer::Refused(_) => console.warn(
            "cannot reach your systemd from here; if the service is still running, log in as yourself and run: systemctl --user stop pulsewing.service && systemctl --user daemon-reload",
        ),
    }
    let state = places::state_dir(global.state_dir.as_deref())?;
    console.say(&format!(
        "The sign-in and the history are still in {}.",
        state.display()
    ));
    Ok(())
}

/// Refuses sudo: it would become root's service, in root's home.
fn refuse_sudo() -> Result<(), Problem> {
    let by_sudo = ["SUDO_USER", "DOAS_USER"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|user| user != "root" && systemctl::is_root());
    match by_sudo {
        Some(user) => Err(Problem::failed(
            "with sudo, the service would belong to root and would not find your sign-in",
        )
        .hint(format!("run it as {user}, without sudo"))),
        None => Ok(()),
    }
}

fn foreign(path: &Path) -> Problem {
    Problem::failed(format!(
        "{} was not written by `pulsewing service install`, so it is left alone",
        path.display()
    ))
    .hint("move it out of the way, or maintain it yourself: `pulsewing service show` prints what would be installed")
}

/// Builds the unit for these options.
fn unit(household: &Household, options: &Passed, global: &Global) -> Result<Unit, Problem> {
    if global.now.is_some() {
        return Err(
            Problem::failed("a service always uses the machine's clock").hint("remove --now")
        );
    }
    let specs = &options.run.panels.specs;
    // It would not start.
    pictured(household, options.run.png.is_some() || !specs.is_empty())?;
    for spec in specs {
        let (PanelSpec::Framebuffer(pulsewing_panels::FramebufferSpec { device, .. })
        | PanelSpec::Spi(pulsewing_panels::SpiSpec { device, .. })) = spec;
        if !device.is_absolute() {
            return Err(Problem::failed(format!(
                "the panel's device {} is not an absolute path",
                device.display()
            ))
            .hint("a service starts in another directory, so the path must begin with /"));
        }
    }
    let program = std::env::current_exe().map_err(|error| {
        Problem::failed("cannot find out where this program is").caused_by(&error)
    })?;
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut words = Vec::new();
    let mut word = |name: &str, path: &Path| {
        let mut word = std::ffi::OsString::from(name);
        word.push(path);
        words.push(word);
    };
    let mut read = Vec::new();
    let mut environment = Vec::new();
    match &global.config {
        Some(path) => {
            word("--config=", &absolute(path));
            read.push(absolute(path));
        }
        None => {
            let path = absolute(&places::config_file(None)?);
            if path.exists() {
                word("--config=", &path);
            } else if std::env::var_os("XDG_CONFIG_HOME").is_some() {
                // So that a configuration file that is written later is found.
                environment.push(("XDG_CONFIG_HOME", absolute(&places::config_home()?)));
            }
            read.push(path);
        }
    }
    let state = absolute(&household.state_dir);
    word("--state-dir=", &state);
    if !household.chosen.is_empty() {
        let ids: Vec<&str> = household.chosen.iter().map(WearerId::as_str).collect();
        words.push(format!("--wearer={}", ids.join(",")).into());
    }
    if global.verbose {
        words.push("--verbose".into());
    }
    words.extend(options.words.iter().cloned());
    let mut written = vec![state];
    if let Some(png) = &options.run.png {
        let dir = absolute(png);
        written.push(dir.parent().unwrap_or(&dir).to_owned());
    }
    read.extend(household.config.endpoints.ca_file.as_deref().map(absolute));
    let mqtt = &household.config.mqtt;
    read.extend(mqtt.files().map(absolute));
    read.extend(household.config.screen.wallpaper.as_deref().map(absolute));
    Ok(Unit {
        program: fs::canonicalize(&program).unwrap_or(program),
        words,
        written,
        read,
        environment,
        has_panels: !options.run.panels.specs.is_empty(),
        systemd: systemctl::version(),
    })
}

fn text(unit: &Unit) -> Result<String, Problem> {
    unit.text().map_err(|(path, unfit)| {
        Problem::failed(format!("a unit cannot name {}", path.display()))
            .caused_by(&unfit)
            .hint("move it to a path without special characters")
    })
}
