//! Debian packages, unpacked below the target directory: a tool without installing anything.
//!
//! apt is used with lists and a cache of its own, so that it needs no root, and nothing outside of the
//! checkout changes. Which packages a tool needs is asked of apt: no version is written down here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::process;
use crate::workspace::Workspace;

/// What is to be unpacked.
pub(crate) struct Packages<'a> {
    /// Their names; what they depend on and the machine lacks comes along.
    pub(crate) names: &'a [&'a str],
    /// Taken from this release's backports, where it has any.
    pub(crate) newest: bool,
    /// The parts of a package, by the beginning of its name, that alone are wanted: patterns as `tar`
    /// takes them.
    pub(crate) parts: &'a [(&'a str, &'a [&'a str])],
}

/// Whether this machine has apt.
pub(crate) fn has_apt() -> bool {
    Path::new("/usr/bin/apt-get").exists()
}

/// Downloads the packages and unpacks them into a new directory.
///
/// `finish` is called when everything lies in the directory, which then gets its name: an interrupted run
/// is not taken for a finished one.
///
/// # Errors
///
/// When there is no apt, it does not know the packages, a download fails, or the disk is full.
pub(crate) fn unpack(
    workspace: &Workspace,
    packages: &Packages<'_>,
    dir: &Path,
    finish: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), String> {
    if !has_apt() {
        return Err("there is no apt-get here to get packages with".to_owned());
    }
    let apt = Apt::with_current_lists(workspace)?;
    let unfinished = dir.with_extension("unfinished");
    let downloads = unfinished.join("packages");
    let written = |error: io::Error| format!("cannot write {}: {error}", dir.display());
    for old in [&unfinished, dir] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(written)?;
        }
    }
    fs::create_dir_all(&downloads).map_err(written)?;
    apt.download(packages, &downloads)?;
    let mut files: Vec<PathBuf> = fs::read_dir(&downloads)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(written)?;
    files.sort();
    for file in files {
        unpack_one(&file, packages, &unfinished)?;
    }
    fs::remove_dir_all(&downloads).map_err(written)?;
    fs::rename(&unfinished, dir).map_err(written)?;
    finish(dir).map_err(written)
}

/// The directories below `dir` in which packages keep shared libraries.
pub(crate) fn library_dirs(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in ["usr/lib", "lib"] {
        let Ok(entries) = fs::read_dir(dir.join(root)) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with("-linux-gnu") {
                found.push(entry.path());
            } else if name.starts_with("llvm-") {
                found.push(entry.path().join("lib"));
            }
        }
    }
    found
}

/// apt with lists of its own.
struct Apt {
    options: Vec<String>,
    backports: Option<String>,
}

impl Apt {
    /// The lists are fetched once in a run.
    fn with_current_lists(workspace: &Workspace) -> Result<Self, String> {
        static UPDATED: OnceLock<Result<(), String>> = OnceLock::new();
        let apt = Self::prepare(&workspace.target_dir.join("apt"))
            .map_err(|error| format!("cannot prepare apt's lists: {error}"))?;
        UPDATED
            .get_or_init(|| process::run(apt.command("apt-get").args(["--quiet=2", "update"])))
            .clone()?;
        Ok(apt)
    }

    fn prepare(dir: &Path) -> io::Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(dir.join(part))?;
        }
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let backports = backports_of(&release);
        // The machine's own sources, and the backports behind them.
        let mut sources = fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
        if let Some(suite) = &backports {
            sources.push_str(&format!(
                "\ndeb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
                 http://deb.debian.org/debian {suite} main\n"
            ));
        }
        let list = dir.join("sources.list");
        fs::write(&list, sources)?;
        let option = |name: &str, path: &Path| format!("{name}={}", path.display());
        Ok(Self {
            options: vec![
                option("Dir::Etc::sourcelist", &list),
                option("Dir::State::lists", &dir.join("lists")),
                option("Dir::Cache", &dir.join("cache")),
                "APT::Sandbox::User=root".to_owned(),
            ],
            backports,
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    fn download(&self, packages: &Packages<'_>, to: &Path) -> Result<(), String> {
        let suite = self.backports.as_deref().filter(|_| packages.newest);
        let target = suite.map(|suite| ["--target-release", suite]);
        let simulated = process::output(
            self.command("apt-get")
                .args(["--simulate", "install", "--reinstall"])
                .arg("--no-install-recommends")
                .args(target.iter().flatten())
                .args(packages.names),
        )?;
        process::run(
            self.command("apt-get")
                .args(["--quiet=2", "download"])
                .args(target.iter().flatten())
                .args(to_install(&simulated))
                .current_dir(to),
        )
    }
}

/// The backports of a Debian release that has them, from its `/etc/os-release`.
fn backports_of(release: &str) -> Option<String> {
    let field = |name: &str| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| value.trim_matches('"'))
    };
    let is_debian = field("ID") == Some("debian");
    let name = field("VERSION_CODENAME").filter(|_| is_debian)?;
    Some(format!("{name}-backports"))
}

/// The package names in the answer of `apt-get --simulate install`.
fn to_install(simulated: &str) -> impl Iterator<Item = &str> {
    simulated
        .lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next())
}

fn unpack_one(package: &Path, packages: &Packages<'_>, dir: &Path) -> Result<(), String> {
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    let wanted = packages
        .parts
        .iter()
        .find(|(start, _)| name.starts_with(start));
    let Some((_, parts)) = wanted else {
        return process::run(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(package)
                .arg(dir),
        );
    };
    println!(
        "$ dpkg-deb --fsys-tarfile {name} | tar --extract {}",
        parts.join(" ")
    );
    let failed = |error: io::Error| format!("cannot unpack {name}: {error}");
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stream = archive.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let unpacked = Command::new("tar")
        .args(["--extract", "--wildcards", "--directory"])
        .arg(dir)
        .args(*parts)
        .stdin(stream)
        .status()
        .map_err(failed)?;
    let read = archive.wait().map_err(failed)?;
    if read.success() && unpacked.success() {
        Ok(())
    } else {
        Err(format!(
            "cannot unpack {name}: dpkg-deb {read}, tar {unpacked}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_to_fetch_are_those_that_apt_would_install() {
        let simulated = "Reading package lists...\nRemv rustc [1.63]\n\
            Inst libllvm22 (1:22 Debian:12 [amd64])\nInst rustc-web [1.95] (1.96 Debian)\n\
            Conf libllvm22 (1:22 Debian:12 [amd64])\n";
        let names: Vec<&str> = to_install(simulated).collect();
        assert_eq!(names, ["libllvm22", "rustc-web"]);
    }

    #[test]
    fn only_debian_has_these_backports() {
        let debian = "ID=debian\nVERSION_CODENAME=bookworm\n";
        assert_eq!(backports_of(debian).as_deref(), Some("bookworm-backports"));
        let other = "ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n";
        assert_eq!(backports_of(other), None);
        assert_eq!(backports_of("ID=debian\n"), None);
    }
}
