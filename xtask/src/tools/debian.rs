//! Debian packages, unpacked below the target directory: a tool without installing anything.
//!
//! apt runs with lists and a cache of its own, so that it needs no root and changes nothing outside of
//! the checkout. apt decides which packages a tool needs: no version is written down here.
//!
//! The packages installed on the machine play no part. apt sees an empty machine, so that a tool brings
//! everything it needs except for what apt itself runs on, and works the same everywhere.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{sources, table::once_an_hour};
use crate::{process, workspace::Workspace};

/// The packages to unpack.
pub(crate) struct Packages<'a> {
    /// The directory for them, below that of all tools.
    pub(crate) dir: &'a str,
    /// Their names; their dependencies are included.
    pub(crate) names: &'a [&'a str],
    /// Takes them from this release's backports, if there are any.
    pub(crate) newest: bool,
    /// The only parts to unpack of a package, by the beginning of its name: patterns for `tar`.
    pub(crate) parts: &'a [(&'a str, &'a [&'a str])],
}

impl Packages<'_> {
    /// Returns the directory into which they are unpacked.
    pub(crate) fn dir(&self, workspace: &Workspace) -> PathBuf {
        workspace.target_dir.join("tools").join(self.dir)
    }
}

/// The packages that every machine with apt has, together with their dependencies.
const ALWAYS_THERE: [&str; 6] = ["apt", "bash", "coreutils", "dpkg", "libc-bin", "tar"];

/// Returns whether this machine has apt.
pub(crate) fn has_apt() -> bool {
    Path::new("/usr/bin/apt-get").exists()
}

/// Downloads the packages and unpacks them into a new directory, in place of an old one.
///
/// Calls `finish` when everything lies in the directory and the directory has its final name.
///
/// # Errors
///
/// If there is no apt, it does not know the packages, a download fails, or the disk is full.
pub(crate) fn unpack(
    workspace: &Workspace,
    packages: &Packages<'_>,
    finish: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), String> {
    if !has_apt() {
        return Err("cannot get packages: there is no apt-get here".to_owned());
    }
    let dir = packages.dir(workspace);
    let unfinished = dir.with_extension("unfinished");
    let downloads = unfinished.join("packages");
    let written = |error: io::Error| format!("cannot write {}: {error}", dir.display());
    remove(&unfinished).map_err(written)?;
    fs::create_dir_all(&downloads).map_err(written)?;
    Apt::with_current_lists(workspace)?
        .download(packages, &downloads)
        .or_else(|problem| {
            // The lists can be old, or only half there: `apt-get update` calls a server that it does not
            // reach a warning.
            println!("{problem}; updating the package lists");
            remove(&lists_stamp(workspace)).map_err(written)?;
            Apt::with_current_lists(workspace)?.download(packages, &downloads)
        })?;
    let mut files: Vec<PathBuf> = fs::read_dir(&downloads)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(written)?;
    files.sort();
    for file in files {
        unpack_one(&file, packages, &unfinished)?;
    }
    remove(&downloads).map_err(written)?;
    remove(&dir).map_err(written)?;
    fs::rename(&unfinished, &dir).map_err(written)?;
    finish(&dir).map_err(written)
}

/// Removes a file, or a directory with all that is in it, if there is one.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Returns the file whose age is that of apt's lists.
fn lists_stamp(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("apt/lists-fetched")
}

/// Returns the directories below `dir` in which packages keep shared libraries.
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

/// Writes `bin/NAME` into a directory of unpacked packages: it starts one of their programs with their
/// shared libraries. `first` are its first arguments, and `variables` are added to its environment.
pub(crate) fn write_starter(
    dir: &Path,
    program: &str,
    first: &[&str],
    variables: &[(&str, &Path)],
) -> io::Result<()> {
    let path = dir.join(program);
    let name = path.file_name().unwrap_or_default();
    let libraries = library_dirs(dir);
    let mut script = "#!/bin/sh\n".to_owned();
    for (variable, value) in variables {
        script.push_str(&format!("export {variable}={}\n", quoted(value)));
    }
    let libraries: Vec<String> = libraries.iter().map(|path| quoted(path)).collect();
    script.push_str(&format!(
        "export LD_LIBRARY_PATH={}\"${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\nexec {}{} \"$@\"\n",
        libraries.join(":"),
        quoted(&path),
        first
            .iter()
            .map(|word| format!(" {}", quoted(Path::new(word))))
            .collect::<String>(),
    ));
    fs::create_dir_all(dir.join("bin"))?;
    let starter = dir.join("bin").join(name);
    fs::write(&starter, script)?;
    make_executable(&starter)
}

/// Quotes a path for a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Makes a file executable.
#[cfg(unix)]
pub(crate) fn make_executable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

/// Returns an error: elsewhere there is nothing to start.
#[cfg(not(unix))]
pub(crate) fn make_executable(_: &Path) -> io::Result<()> {
    Err(io::Error::other("Debian's packages run on Linux only"))
}

/// apt with lists of its own, for an empty machine.
struct Apt {
    options: Vec<String>,
    backports: Option<String>,
}

impl Apt {
    fn with_current_lists(workspace: &Workspace) -> Result<Self, String> {
        let dir = workspace.target_dir.join("apt");
        let apt =
            Self::prepare(&dir).map_err(|error| format!("cannot prepare apt's lists: {error}"))?;
        once_an_hour(&lists_stamp(workspace), || {
            process::run(apt.command("apt-get").args(["--quiet=2", "update"]))
        })?;
        Ok(apt)
    }

    fn prepare(dir: &Path) -> io::Result<Self> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let backports = backports_of(&release);
        // The machine's own sources, followed by the backports.
        let mut sources = fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
        let others = configured(Path::new("/etc/apt/sources.list.d"));
        let all = format!("{sources}\n\n{others}");
        sources.extend(
            backports
                .as_ref()
                .and_then(|suite| missing_source(&all, suite)),
        );
        Self::with_sources(dir, &sources, backports)
    }

    /// Creates an apt whose files are in `dir`.
    fn with_sources(dir: &Path, sources: &str, backports: Option<String>) -> io::Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(dir.join(part))?;
        }
        let (list, empty) = (dir.join("sources.list"), dir.join("nothing-installed"));
        fs::write(&list, sources)?;
        fs::write(&empty, "")?;
        let option = |name: &str, path: &Path| format!("{name}={}", path.display());
        Ok(Self {
            options: vec![
                option("Dir::Etc::sourcelist", &list),
                option("Dir::State::lists", &dir.join("lists")),
                option("Dir::Cache", &dir.join("cache")),
                option("Dir::State::status", &empty),
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
        process::run(
            self.command("apt-get")
                .args(["--quiet=2", "download"])
                .args(self.release_options(packages))
                .args(self.needed(packages)?)
                .current_dir(to),
        )
    }

    /// Returns the packages of the tool: everything it needs on an empty machine, except for what is on
    /// every machine.
    fn needed(&self, packages: &Packages<'_>) -> Result<BTreeSet<String>, String> {
        let mut needed = self.closure(packages.names, self.release_options(packages))?;
        for there in self.closure(&ALWAYS_THERE, None)? {
            needed.remove(&there);
        }
        Ok(needed)
    }

    /// Returns these packages and all their dependencies.
    fn closure(
        &self,
        names: &[&str],
        options: impl IntoIterator<Item = String>,
    ) -> Result<BTreeSet<String>, String> {
        let simulated = process::output(
            self.command("apt-get")
                .args(["--simulate", "--no-install-recommends", "install"])
                .args(options)
                .args(names),
        )?;
        Ok(to_install(&simulated).map(str::to_owned).collect())
    }

    fn release_options(&self, packages: &Packages<'_>) -> Option<String> {
        let suite = self.backports.as_deref().filter(|_| packages.newest)?;
        Some(format!("--target-release={suite}"))
    }
}

/// Returns the backports of a Debian release that has them, from its `/etc/os-release`.
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

/// Returns the text of all files that describe sources to apt.
fn configured(dir: &Path) -> String {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files
        .map(|file| file.path())
        .filter(|file| {
            let kind = file.extension().unwrap_or_default();
            kind == "list" || kind == "sources"
        })
        .filter_map(|file| fs::read_to_string(file).ok())
        .map(|text| text + "\n\n")
        .collect()
}

/// Returns the description of a suite of Debian's, unless these descriptions of sources have it.
fn missing_source(descriptions: &str, suite: &str) -> Option<String> {
    let known: Vec<_> = sources::with_suite(descriptions, suite).collect();
    if known.iter().any(|source| source.offers("main")) {
        return None;
    }
    // A second source of the same suite with other keys would be an error.
    let options = match known.first() {
        None => "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ".to_owned(),
        Some(source) => source
            .signed_by
            .map_or_else(String::new, |keys| format!("[signed-by={keys}] ")),
    };
    Some(format!(
        "\ndeb {options}http://deb.debian.org/debian {suite} main\n"
    ))
}

/// Returns the package names in the answer of `apt-get --simulate install`.
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
        let mut extract = Command::new("dpkg-deb");
        extract.arg("--extract").arg(package).arg(dir);
        return process::output(&mut extract).map(drop);
    };
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
    use crate::tools::{bare_rust, clang, cmake, mosquitto, mtools, qemu};

    /// Each tool's packages. Here each depends on two others, as real ones do: cmake does not work
    /// without cmake-data.
    const TOOLS: [&Packages<'_>; 6] = [
        &bare_rust::PACKAGES,
        &clang::PACKAGES,
        &cmake::PACKAGES,
        &mosquitto::PACKAGES,
        &mtools::PACKAGES,
        &qemu::PACKAGES,
    ];

    /// Creates an archive on this disk with all of these packages, and with those on every machine.
    fn archive(dir: &Path) -> String {
        let mut index = String::new();
        let mut add = |name: &str, depends: &str| {
            index.push_str(&format!(
                "Package: {name}\nVersion: 2\nArchitecture: all\nMaintainer: us\n\
                 Filename: ./{name}.deb\nSize: 1\nDepends: {depends}\nDescription: {name}\n\n"
            ));
        };
        for name in ALWAYS_THERE {
            add(name, "libc6");
        }
        add("libc6", "libgcc-s1");
        add("libgcc-s1", "libc6");
        for name in TOOLS.iter().flat_map(|packages| packages.names) {
            add(name, &format!("{name}-data, lib{name} (>= 2), libc6"));
            add(&format!("{name}-data"), "libc6");
            add(&format!("lib{name}"), "libc6");
        }
        fs::write(dir.join("Packages"), index).unwrap();
        format!("deb [trusted=yes] file:{} ./\n", dir.display())
    }

    /// Describes a machine on which these packages are installed.
    fn status(file: &Path, installed: &[String]) {
        let text: String = installed
            .iter()
            .map(|name| {
                format!(
                    "Package: {name}\nStatus: install ok installed\nVersion: 2\n\
                     Architecture: all\nMaintainer: us\nDescription: {name}\n\n"
                )
            })
            .collect();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn a_tool_is_whole_whatever_the_machine_has_of_it() {
        if !has_apt() {
            return;
        }
        let scratch = tempfile::tempdir().unwrap();
        let sources = archive(scratch.path());
        let mut apt = Apt::with_sources(&scratch.path().join("apt"), &sources, None).unwrap();
        // The machine's own settings, as they would stand before ours.
        let machine = scratch.path().join("status");
        let own = [
            format!("Dir::State::status={}", machine.display()),
            "Dir::Etc::sourceparts=-".to_owned(),
        ];
        apt.options.splice(0..0, own);
        status(&machine, &[]);
        process::output(apt.command("apt-get").args(["--quiet=2", "update"])).unwrap();
        for packages in TOOLS {
            let whole: BTreeSet<String> = packages
                .names
                .iter()
                .flat_map(|name| {
                    [
                        (*name).to_owned(),
                        format!("{name}-data"),
                        format!("lib{name}"),
                    ]
                })
                .collect();
            let all: Vec<String> = whole.iter().cloned().collect();
            let half: Vec<String> = all.iter().step_by(2).cloned().collect();
            let data: Vec<String> = packages
                .names
                .iter()
                .map(|name| format!("{name}-data"))
                .collect();
            for installed in [&all, &half, &data, &Vec::new()] {
                status(&machine, installed);
                let needed = apt.needed(packages).unwrap();
                assert_eq!(needed, whole, "with {installed:?}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_starter_starts_its_program_with_its_libraries_and_the_callers() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("it's here");
        for part in ["usr/bin", "usr/lib/x86_64-linux-gnu"] {
            fs::create_dir_all(dir.join(part)).unwrap();
        }
        let program = dir.join("usr/bin/tell");
        fs::write(&program, "#!/bin/sh\necho \"$LD_LIBRARY_PATH|$PART|$*\"\n").unwrap();
        make_executable(&program).unwrap();
        write_starter(
            &dir,
            "usr/bin/tell",
            &["-L", "a b"],
            &[("PART", Path::new("/p"))],
        )
        .unwrap();
        let mut starter = Command::new(dir.join("bin/tell"));
        starter.arg("c").env("LD_LIBRARY_PATH", "/own");
        let libraries = dir.join("usr/lib/x86_64-linux-gnu");
        assert_eq!(
            process::output(&mut starter).unwrap(),
            format!("{}:/own|/p|-L a b c\n", libraries.display())
        );
    }

    #[test]
    fn the_packages_to_fetch_are_those_that_apt_would_install() {
        let simulated = "Reading package lists...\nRemv rustc [1.63]\n\
            Inst libllvm22 (1:22 Debian:12 [amd64])\nInst rustc-web [1.95] (1.96 Debian)\n\
            Conf libllvm22 (1:22 Debian:12 [amd64])\n";
        let names: Vec<&str> = to_install(simulated).collect();
        assert_eq!(names, ["libllvm22", "rustc-web"]);
    }

    #[test]
    fn backports_are_added_unless_the_machine_takes_its_packages_from_them() {
        let added = |sources| missing_source(sources, "bookworm-backports");
        let own = "Types: deb\nURIs: http://a\nSuites: bookworm-backports\nComponents: main\n";
        assert_eq!(added(own), None);
        let disabled = format!("Enabled: no\n{own}");
        assert_eq!(added(&disabled), added(""));
        let contrib = "deb [signed-by=/k] http://a bookworm-backports contrib\n";
        assert_eq!(
            added(contrib).as_deref(),
            Some("\ndeb [signed-by=/k] http://deb.debian.org/debian bookworm-backports main\n")
        );
    }

    #[test]
    fn whatever_is_in_the_way_is_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("tool");
        remove(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        remove(&path).unwrap();
        fs::create_dir_all(path.join("bin")).unwrap();
        remove(&path).unwrap();
        assert!(fs::symlink_metadata(&path).is_err());
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
