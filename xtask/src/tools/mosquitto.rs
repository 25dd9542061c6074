//! Mosquitto, the broker with which MQTT is tested. It is unpacked: installed from Debian it would run from then on.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    debian::{self, Packages},
    pick, scratch,
};
use crate::{process, workspace::Workspace};

pub(super) const PACKAGES: Packages<'_> = Packages {
    // Where the tests look for it.
    dir: "mosquitto",
    names: &["mosquitto"],
    newest: false,
    parts: &[],
};

/// The time that a broker has to start, on a busy machine.
const START: Duration = Duration::from_secs(20);

/// Finds the directory of a Mosquitto that works.
///
/// # Errors
///
/// If the unpacked one does not work.
pub(crate) fn find(workspace: &Workspace) -> Result<Option<PathBuf>, String> {
    let dir = PACKAGES.dir(workspace);
    let unpacked = dir.join("bin");
    // Debian keeps the broker where only root's path goes.
    let installed = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"].map(PathBuf::from);
    pick(installed, &dir, unpacked, |dir| try_out(dir))
}

/// Lets it listen, and makes a list of passwords.
fn try_out(dir: &Path) -> Result<(), String> {
    let scratch = scratch()?;
    let beside = dir.with_file_name("bin").join("mosquitto_passwd");
    let passwords = scratch.path().join("passwords");
    let mut make = Command::new(beside);
    make.arg("-b").arg("-c").arg(&passwords);
    process::output(make.args(["somebody", "secret"]))?;
    let failed = |error: std::io::Error| format!("cannot try it out: {error}");
    let free = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    let port = free.local_addr().map_err(failed)?.port();
    drop(free);
    let mut broker = Command::new(dir.join("mosquitto"))
        .args(["-p", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let since = Instant::now();
    let listens = loop {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break true;
        }
        if since.elapsed() > START || !matches!(broker.try_wait(), Ok(None)) {
            break false;
        }
        thread::park_timeout(Duration::from_millis(20));
    };
    let _ = broker.kill();
    let _ = broker.wait();
    match listens {
        true => Ok(()),
        false => Err("it does not listen".to_owned()),
    }
}

/// Unpacks Debian's Mosquitto.
///
/// # Errors
///
/// If the package cannot be downloaded.
pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
    debian::unpack(workspace, &PACKAGES, |dir| {
        debian::write_starter(dir, "usr/sbin/mosquitto", &[], &[])?;
        debian::write_starter(dir, "usr/bin/mosquitto_passwd", &[], &[])
    })
}
