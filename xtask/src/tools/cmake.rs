//! cmake, which configures Mbed TLS, and make, which it starts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    debian::{self, Packages},
    in_front, joined, pick, scratch,
};
use crate::{process, workspace::Workspace};

pub(super) const PACKAGES: Packages<'_> = Packages {
    dir: "cmake",
    names: &["cmake", "make"],
    newest: false,
    parts: &[],
};

/// A cmake that finds its modules, and a make that builds.
#[derive(Debug)]
pub(crate) struct Cmake {
    /// The directory of both programs, if they were unpacked.
    programs: Option<PathBuf>,
}

impl Cmake {
    /// Finds programs that work.
    ///
    /// # Errors
    ///
    /// If the unpacked ones do not work.
    pub(crate) fn find(workspace: &Workspace) -> Result<Option<Self>, String> {
        let dir = PACKAGES.dir(workspace);
        let unpacked = Self {
            programs: Some(dir.join("bin")),
        };
        pick([Self { programs: None }], &dir, unpacked, Self::try_out)
    }

    /// Unpacks Debian's programs.
    ///
    /// # Errors
    ///
    /// If a package cannot be downloaded.
    pub(crate) fn unpack(workspace: &Workspace) -> Result<(), String> {
        debian::unpack(workspace, &PACKAGES, |dir| {
            debian::write_starter(dir, "usr/bin/cmake", &[], &[])?;
            debian::write_starter(dir, "usr/bin/make", &[], &[])
        })
    }

    /// Puts both into the path of a command.
    pub(crate) fn apply(&self, command: &mut Command) {
        let Some(programs) = &self.programs else {
            return;
        };
        let own = command.get_envs().find(|(name, _)| *name == "PATH");
        let path = match own.and_then(|(_, value)| value) {
            Some(path) => in_front([programs.clone()], path),
            None => joined("PATH", [programs.clone()]),
        };
        command.env("PATH", path);
    }

    /// Configures and builds a project.
    fn try_out(&self) -> Result<(), String> {
        let scratch = scratch()?;
        let project = "cmake_minimum_required(VERSION 3.16)\nproject(try C)\n\
                       add_library(try STATIC try.c)\n";
        for (name, text) in [("CMakeLists.txt", project), ("try.c", "int try_it;\n")] {
            fs::write(scratch.path().join(name), text)
                .map_err(|error| format!("cannot write {name}: {error}"))?;
        }
        let run = |arguments: &[&str], dir: &Path| {
            let mut cmake = Command::new("cmake");
            cmake.args(arguments).arg(dir);
            self.apply(&mut cmake);
            process::output(cmake.current_dir(scratch.path())).map(drop)
        };
        run(&["-B", "built", "-S"], scratch.path())?;
        run(&["--build"], Path::new("built"))
    }
}
