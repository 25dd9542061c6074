//! Virtual environments with packages from PyPI, each below the target directory, for drivers in Python.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{process, workspace::Workspace};

/// Fails unless every package of the given lists is installed in the version that it names, and every file
/// of every installed package is there.
const ARE_INSTALLED: &str = "\
import sys
from importlib.metadata import distributions, version
for path in sys.argv[1:]:
    for line in open(path, encoding='utf-8'):
        name, _, wanted = line.partition('#')[0].strip().partition('==')
        if name and version(name) != wanted:
            sys.exit(1)
for package in distributions():
    for file in package.files or []:
        if file.suffix != '.pyc' and not file.locate().exists():
            sys.exit(1)
";

/// A virtual environment.
pub(crate) struct Environment {
    /// The name of its directory, below the target directory.
    pub(crate) name: &'static str,
    /// The directory of the driver and the lists, relative to the root of the checkout.
    pub(crate) driver: &'static str,
    /// The list of packages that are installed with what they require.
    pub(crate) list: &'static str,
    /// A list of packages that are installed alone, without regard to the Python that they ask for.
    pub(crate) alone: Option<&'static str>,
}

impl Environment {
    /// Returns whether the environment has every package in the required version.
    pub(crate) fn is_ready(&self, workspace: &Workspace) -> bool {
        let python = self.python(workspace);
        python.exists()
            && process::succeeds(
                Command::new(&python)
                    .args(["-c", ARE_INSTALLED])
                    .args(self.lists(workspace)),
            )
            && process::succeeds(Command::new(python).args(["-m", "pip", "check"]))
    }

    /// Creates an empty environment, in place of an old one: pip would not notice that a file is gone.
    ///
    /// # Errors
    ///
    /// If Python is missing, or comes without its `venv`, as Debian packages it.
    pub(crate) fn make(&self, workspace: &Workspace) -> Result<(), String> {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"])
            .arg(workspace.target_dir.join(self.name));
        process::run(&mut venv)
    }

    /// Installs the packages from PyPI into the environment.
    ///
    /// # Errors
    ///
    /// If a package cannot be installed.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<(), String> {
        let pip = |more: &[&str], list: &str| {
            let mut pip = Command::new(self.python(workspace));
            pip.args(["-m", "pip", "install", "--quiet"])
                .args(["--disable-pip-version-check", "--no-compile"])
                .args(more)
                .arg("--requirement")
                .arg(self.dir(workspace).join(list));
            process::run(&mut pip)
        };
        pip(&[], self.list)?;
        match self.alone {
            Some(list) => pip(&["--no-deps", "--ignore-requires-python"], list),
            None => Ok(()),
        }
    }

    /// Returns a command that starts the driver.
    pub(crate) fn driver(&self, workspace: &Workspace) -> Command {
        let mut driver = Command::new(self.python(workspace));
        // Without -B, Python would leave its compiled modules in the checkout.
        driver.arg("-B").arg(self.dir(workspace).join("drive.py"));
        driver
    }

    fn dir(&self, workspace: &Workspace) -> PathBuf {
        workspace.root.join(self.driver)
    }

    fn lists(&self, workspace: &Workspace) -> Vec<PathBuf> {
        let lists = [self.list].into_iter().chain(self.alone);
        lists.map(|name| self.dir(workspace).join(name)).collect()
    }

    fn python(&self, workspace: &Workspace) -> PathBuf {
        let name = if cfg!(windows) {
            "Scripts/python.exe"
        } else {
            "bin/python"
        };
        workspace.target_dir.join(self.name).join(Path::new(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{foreign, numbers};

    #[test]
    fn the_drivers_and_their_requirements_are_there_and_every_version_is_pinned() {
        let workspace = Workspace::load().unwrap();
        for environment in [&foreign::ENVIRONMENT, &numbers::ENVIRONMENT] {
            assert!(environment.dir(&workspace).join("drive.py").is_file());
            for list in environment.lists(&workspace) {
                let text = std::fs::read_to_string(list).unwrap();
                let packages: Vec<&str> = text
                    .lines()
                    .filter(|line| !line.is_empty() && !line.starts_with('#'))
                    .collect();
                assert!(!packages.is_empty());
                assert!(packages.iter().all(|package| package.contains("==")));
            }
        }
    }
}
