//! The host program, used as by a person at the same machine.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::clouds::Clouds;

/// A home directory for the program, with a configuration.
pub struct Host {
    program: PathBuf,
    dir: PathBuf,
}

/// The result of a run of the program.
pub struct Finished {
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
}

impl Host {
    /// Sets up a program that finds the clouds, with its files in a directory.
    pub fn new(program: &Path, dir: &Path, clouds: &Clouds, provider: &str) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let client = &clouds.ready[provider];
        let word = |key: &str| client[key].as_str().unwrap_or_default().to_owned();
        let user = match provider {
            "fitbit" => format!("user_id = \"{}\"\n", word("user_id")),
            _ => String::new(),
        };
        let config = format!(
            "provider = \"{provider}\"\n\
             [{provider}]\nclient_id = \"{}\"\nclient_secret = \"{}\"\n{user}\
             [endpoints]\nbase_url = \"{}\"\nca_file = \"{}\"\n\
             [wearer]\ntime_zone = \"UTC\"\n",
            word("client_id"),
            word("client_secret"),
            clouds.url(),
            clouds.ca_file.display(),
        );
        let path = dir.join("config.toml");
        fs::write(&path, config).with_context(|| dir.display().to_string())?;
        private(&path).with_context(|| dir.display().to_string())?;
        Ok(Self {
            program: program.to_owned(),
            dir: dir.to_owned(),
        })
    }

    /// Returns the directory of its files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .arg("--config")
            .arg(self.dir.join("config.toml"))
            .arg("--state-dir")
            .arg(self.dir.join("state"))
            .current_dir(&self.dir)
            .env("TZ", "UTC")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program, and expects it to succeed.
    pub fn run(&self, arguments: &[&str]) -> Result<Finished> {
        let finished = self.try_run(arguments)?;
        match finished.code {
            Some(0) => Ok(finished),
            code => bail!(
                "`pulsewing {}` ends with {code:?}: {}",
                arguments.join(" "),
                finished.stderr.trim()
            ),
        }
    }

    /// Runs the program, and returns its result in any case.
    pub fn try_run(&self, arguments: &[&str]) -> Result<Finished> {
        let output = self
            .command(arguments)
            .stdin(Stdio::null())
            .output()
            .context("pulsewing does not start")?;
        Ok(Finished {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        })
    }

    /// Signs in by pasting the address, as a user who allows everything: `login` or `board login`.
    pub fn sign_in(&self, arguments: &[&str], clouds: &Clouds) -> Result<()> {
        let mut process = self
            .command(&[arguments, &["--paste"]].concat())
            .stdin(Stdio::piped())
            .spawn()
            .context("pulsewing login")?;
        let mut url = String::new();
        if let Some(stdout) = &mut process.stdout {
            BufReader::new(stdout)
                .read_line(&mut url)
                .context("pulsewing login")?;
        }
        let pasted = clouds.approve(url.trim());
        if let (Ok(pasted), Some(mut stdin)) = (&pasted, process.stdin.take()) {
            writeln!(stdin, "{pasted}").context("pulsewing login")?;
        }
        let mut said = String::new();
        if let Some(mut stderr) = process.stderr.take() {
            stderr
                .read_to_string(&mut said)
                .context("pulsewing login")?;
        }
        let status = process.wait().context("pulsewing login")?;
        let why = pasted
            .err()
            .map_or_else(String::new, |why| format!(" {why:#}"));
        ensure!(
            status.success(),
            "`pulsewing {}` ends with {status}: {}{why}",
            arguments.join(" "),
            said.trim()
        );
        Ok(())
    }
}

/// Makes the file private: it holds a client secret.
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}
