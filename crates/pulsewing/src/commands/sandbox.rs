//! `pulsewing sandbox`: the stand-in for both clouds, until stopped.

use std::{fs, path::PathBuf};

use jiff::tz::TimeZone;
use pulsewing_sandbox::{Fault, Recording, Sandbox, SandboxConfig};

use super::print;
use crate::{
    cli::{Global, SandboxArgs},
    problem::Problem,
    stop::Stop,
};

pub(super) async fn run(options: &SandboxArgs, global: &Global) -> Result<(), Problem> {
    let zone = TimeZone::get(&options.zone).map_err(|error| {
        Problem::failed(format!("there is no time zone \"{}\"", options.zone))
            .caused_by(&error)
            .hint("zones have names such as Europe/Berlin")
    })?;
    let faults = match &options.script {
        Some(path) => {
            let script = read(path)?;
            Fault::parse_script(&script).map_err(|error| {
                Problem::failed(format!("the script {} cannot be used", path.display()))
                    .caused_by(&error)
            })?
        }
        None => Vec::new(),
    };
    let sandbox = Sandbox::start(SandboxConfig {
        listen: options.listen,
        data: recordings(&options.data, &zone)?,
        zone,
        token_life: options.token_life,
        now: global.now.map(|start| start.at),
        faults,
        ..SandboxConfig::default()
    })
    .await
    .map_err(|error| Problem::failed("the sandbox cannot start").caused_by(&error))?;
    print(&format!("{}\n", sandbox.ready_line()))?;
    Stop::listen().requested().await;
    sandbox.stop().await;
    Ok(())
}

/// Reads recordings.
pub(super) fn recordings(paths: &[PathBuf], zone: &TimeZone) -> Result<Vec<Recording>, Problem> {
    paths
        .iter()
        .map(|path| {
            Recording::from_csv(&read(path)?, zone).map_err(|error| {
                Problem::failed(format!("the recording {} cannot be used", path.display()))
                    .caused_by(&error)
            })
        })
        .collect()
}

fn read(path: &PathBuf) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| {
        Problem::failed(format!("{} could not be read", path.display())).caused_by(&error)
    })
}
