//! The configuration: `config.readable`, `config.permissions`, `config.keys`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use pulsewing_core::chain::UserId;

use super::{Finding, unconfigured};
use crate::{
    config::{Config, endpoints::Endpoints, places},
    tell::problem::Problem,
};

/// Checks the configuration file. `None` when it cannot be used.
pub(super) fn check(named: Option<&Path>, findings: &mut Vec<Finding>) -> Option<Config> {
    let (path, text) = match read(places::config_file(named), named.is_some()) {
        Ok((path, text)) => (path, text),
        Err(finding) => {
            findings.push(finding);
            findings.extend(["config.permissions", "config.keys"].map(unconfigured));
            return None;
        }
    };
    let shown = path.display();
    let Some(text) = text else {
        let found = format!("there is no configuration at {shown}, so the defaults apply");
        findings.push(Finding::ok("config.readable", found));
        for id in ["config.permissions", "config.keys"] {
            findings.push(Finding::skipped(
                id,
                "there is no configuration",
                "nothing to do, unless you want to change something",
            ));
        }
        return Some(Config::default());
    };
    findings.push(Finding::ok(
        "config.readable",
        format!("the configuration {shown} can be read"),
    ));
    findings.push(permissions(&path));
    match parse(&text, &path) {
        Ok(config) => {
            findings.push(Finding::ok(
                "config.keys",
                "every key in the configuration is known, and its value makes sense",
            ));
            Some(config)
        }
        Err(problem) => {
            findings.push(Finding::problem(
                "config.keys",
                &problem,
                &format!("fix it in {shown}"),
            ));
            None
        }
    }
}

/// Returns the file and its text; no text if there is no file and none was named.
fn read(
    place: Result<PathBuf, Problem>,
    was_named: bool,
) -> Result<(PathBuf, Option<String>), Finding> {
    let path = place.map_err(|problem| {
        Finding::problem("config.readable", &problem, "pass one with --config")
    })?;
    match Config::read(&path) {
        Ok(text) => Ok((path, Some(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !was_named => Ok((path, None)),
        Err(error) => {
            let advice = match error.kind() {
                io::ErrorKind::NotFound => "pass another with --config, or leave out --config",
                io::ErrorKind::PermissionDenied => "take ownership of it: `chown` and `chmod 600`",
                _ => "the configuration must be a text file",
            };
            Err(Finding::fail(
                "config.readable",
                format!(
                    "the configuration {} could not be read: {error}",
                    path.display()
                ),
                advice,
            ))
        }
    }
}

/// Parses the file and checks everything that any command would check, even values that matter only
/// for a connection to a provider.
fn parse(text: &str, path: &Path) -> Result<Config, Problem> {
    let mut config = Config::parse(text)?;
    let beside = path.parent().unwrap_or_else(|| Path::new(""));
    // `join` keeps an absolute path as it is.
    config.screen.wallpaper = config.screen.wallpaper.map(|file| beside.join(file));
    for provider in [
        pulsewing_core::Provider::Google,
        pulsewing_core::Provider::Fitbit,
    ] {
        Endpoints::new(provider, &config.endpoints)?;
        let client = config.client(provider);
        client.to_client(provider)?;
        if let Some(id) = &client.user_id
            && UserId::try_from(id.as_str()).is_err()
        {
            return Err(Problem::failed(format!(
                "[{}] user_id is too long",
                provider.name()
            )));
        }
    }
    Ok(config)
}

#[cfg(unix)]
fn permissions(path: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    const ID: &str = "config.permissions";
    let shown = path.display();
    match fs::metadata(path) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => Finding::warn(
            ID,
            format!("others on this machine can read or write {shown}, which may hold a secret"),
            format!("`chmod 600 {shown}`"),
        ),
        Ok(_) => Finding::ok(ID, "nobody else can read the configuration"),
        Err(error) => Finding::warn(
            ID,
            format!("cannot tell who can read {shown}: {error}"),
            "check whether another program is replacing the file right now",
        ),
    }
}

#[cfg(not(unix))]
fn permissions(_: &Path) -> Finding {
    Finding::skipped(
        "config.permissions",
        "who can read the configuration is not checked on this system",
        "make sure that it belongs to you alone",
    )
}
