//! `board list`: the ports, and the boards that answer there.

use std::path::Path;

use super::print;
use crate::{
    app::App,
    board::{
        self, SessionError, Status,
        find::{self, Found},
        session::GLANCE,
        settle::settle,
    },
    tell::problem::Problem,
};

pub(super) async fn run(app: &App, port: Option<&Path>) -> Result<(), Problem> {
    let ports = match port {
        Some(path) => vec![Found {
            path: path.to_owned(),
            name: None,
            is_plausible: true,
        }],
        None => find::ports(),
    };
    if ports.is_empty() {
        app.console.say(
            "No serial port found. Check that a board is plugged in and that the cable carries data; some only charge.",
        );
        return Ok(());
    }
    let mut text = String::new();
    for found in ports {
        let says = if found.is_plausible {
            ask(app, &found.path).await?
        } else {
            // Another device might mistake our command for one of its own.
            "not asked, because it does not look like a board; try it with `--port`".into()
        };
        text.push_str(&format!("{}\n    {says}\n", found.path.display()));
    }
    print(&text)
}

async fn ask(app: &App, path: &Path) -> Result<String, Problem> {
    match board::open(path, GLANCE, app.console) {
        Ok((mut session, status)) => {
            settle(app.chain_file(), &mut session, &status, app.console).await?;
            Ok(in_words(&status))
        }
        Err(SessionError::Silent) => Ok("no board answers".into()),
        Err(trouble @ SessionError::NoPort(_)) => {
            let cause = std::error::Error::source(&trouble).map(ToString::to_string);
            Ok(format!("{trouble}: {}", cause.unwrap_or_default()))
        }
        Err(trouble) => Ok(trouble.to_string()),
    }
}

fn in_words(status: &Status) -> String {
    let of = |key| status.get(key).unwrap_or("unknown");
    format!(
        "{} {}, firmware {}, network: {}, chain: {}",
        status.board(),
        status.serial(),
        of("firmware"),
        of("network"),
        of("chain")
    )
}
