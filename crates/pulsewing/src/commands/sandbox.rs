//! `pulsewing sandbox`: the stand-in for both clouds, until stopped.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use pulsewing_files::{Replacement, regular_file};
use pulsewing_sandbox::{Fault, Recording, Sandbox, SandboxConfig};

use super::print;
use crate::{
    cli::{Global, SandboxArgs},
    commands::byte_order_mark,
    engine::stop::Stop,
    tell::problem::Problem,
};

/// The size limit for reading a file, in bytes: that of a recording of four months with one sample
/// per second.
const MAX_BYTES: u64 = 256 << 20;

pub(super) async fn run(options: &SandboxArgs, global: &Global) -> Result<(), Problem> {
    let zone = TimeZone::get(&options.zone).map_err(|error| {
        Problem::failed(format!("there is no time zone \"{}\"", options.zone))
            .caused_by(&error)
            .hint("use a name such as Europe/Berlin")
    })?;
    let faults = match &options.script {
        Some(path) => {
            let script = read(path)?;
            Fault::parse_script(byte_order_mark::without_in(&script)).map_err(|error| {
                Problem::failed(format!("cannot use the script {}", path.display()))
                    .caused_by(&error)
            })?
        }
        None => Vec::new(),
    };
    let sandbox = Sandbox::start(SandboxConfig {
        listen: options.listen,
        wearers: options.wearers,
        data: recordings(&options.data, &zone)?,
        zone,
        token_life: options.token_life,
        now: global.now.map(|start| start.at),
        faults,
        tls_names: options.tls.as_deref().map_or(Ok(Vec::new()), tls_names)?,
        ..SandboxConfig::default()
    })
    .await
    .map_err(|error| Problem::failed("cannot start the sandbox").caused_by(&error))?;
    if let (Some(dir), Some(ca_pem)) = (&options.tls, sandbox.ca_pem()) {
        write_ca(dir, ca_pem)?;
    }
    // A program that has read the line may send a stop signal at once.
    let stop = Stop::listen();
    print(&format!("{}\n", sandbox.ready_line()))?;
    stop.requested().await;
    sandbox.stop().await;
    Ok(())
}

/// Reads recordings.
pub(super) fn recordings(paths: &[PathBuf], zone: &TimeZone) -> Result<Vec<Recording>, Problem> {
    paths
        .iter()
        .map(|path| {
            Recording::from_csv(&read(path)?, zone).map_err(|error| {
                Problem::failed(format!("cannot use the recording {}", path.display()))
                    .caused_by(&error)
            })
        })
        .collect()
}

/// Reads the names to serve https for: one per line in the file `names`; without that file,
/// localhost.
fn tls_names(dir: &Path) -> Result<Vec<String>, Problem> {
    let path = dir.join("names");
    let text = match regular_file::read_text(&path, MAX_BYTES) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(["localhost", "127.0.0.1", "::1"]
                .map(str::to_owned)
                .to_vec());
        }
        read => read.map_err(|error| unread(&path, &error))?,
    };
    let names: Vec<String> = byte_order_mark::without_in(&text)
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return Err(
            Problem::failed(format!("{} contains no names", path.display()))
                .hint("write one name per line, or remove the file to serve localhost"),
        );
    }
    Ok(names)
}

/// Writes the certificate for clients to trust. Atomically, because others wait for the file.
fn write_ca(dir: &Path, ca_pem: &str) -> Result<(), Problem> {
    let path = dir.join("ca.pem");
    fs::create_dir_all(dir)
        .and_then(|()| {
            Replacement::new(&path)
                .of_anything()
                .write(|file| file.write_all(ca_pem.as_bytes()))
        })
        .map_err(|error| {
            Problem::failed(format!("{} could not be written", path.display())).caused_by(&error)
        })
}

fn read(path: &Path) -> Result<String, Problem> {
    regular_file::read_text(path, MAX_BYTES).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &io::Error) -> Problem {
    Problem::failed(format!("{} could not be read", path.display())).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_for_localhost_unless_names_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        let names = || tls_names(dir.path());
        assert_eq!(names().unwrap(), ["localhost", "127.0.0.1", "::1"]);
        let list = dir.path().join("names");
        fs::write(
            &list,
            "\u{feff}# the providers\nhealth.example\n\n 10.0.2.2  # qemu\n",
        )
        .unwrap();
        assert_eq!(names().unwrap(), ["health.example", "10.0.2.2"]);
        fs::write(&list, "# none\n").unwrap();
        assert!(names().is_err());
        fs::remove_file(&list).unwrap();
        fs::create_dir(&list).unwrap();
        assert!(names().is_err());
    }

    #[test]
    fn the_certificate_replaces_an_older_one_and_its_directory_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let tls = dir.path().join("deep").join("tls");
        for text in ["first", "second"] {
            write_ca(&tls, text).unwrap();
            assert_eq!(fs::read_to_string(tls.join("ca.pem")).unwrap(), text);
        }
        assert_eq!(fs::read_dir(&tls).unwrap().count(), 1);
    }
}
