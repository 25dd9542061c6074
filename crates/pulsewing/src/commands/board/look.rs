//! The read-only commands: `board status`, `board log`, `board shot`.

use std::{fmt::Write, path::Path};

use pulsewing_files::Replacement;
use serde_json::{Map, Value, json};

use super::{open, print};
use crate::{
    app::App,
    board::{self, Command, Status, shot, status::BoardChain},
    cli::{BoardStatus, Shot},
    tell::problem::Problem,
};

pub(super) async fn status(
    app: &App,
    port: Option<&Path>,
    options: &BoardStatus,
) -> Result<(), Problem> {
    let status = open(app, port).await?.status;
    if options.json {
        return print(&format!("{}\n", as_json(&status)));
    }
    let mut text = String::new();
    for (key, value) in status.rows() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<16}{value}", format!("{key}:"));
    }
    print(&text)
}

/// Returns the board's keys with their values as text, and the parts of the chain.
fn as_json(status: &Status) -> Value {
    let mut object: Map<String, Value> = status
        .rows()
        .map(|(key, value)| (key.replace(' ', "_"), json!(value)))
        .collect();
    let chain = match status.chain() {
        BoardChain::Missing => Value::Null,
        BoardChain::Held(held) => json!({
            "provider": held.provider.name(),
            "generation": held.generation,
            "standing": held.standing,
            "refresh_token_fingerprint": held.fingerprint,
        }),
        BoardChain::Unclear(text) => json!({ "unclear": text }),
    };
    object.insert("chain".into(), chain);
    Value::Object(object)
}

pub(super) async fn log(app: &App, port: Option<&Path>) -> Result<(), Problem> {
    let mut session = open(app, port).await?.session;
    let lines = board::explained(session.ask(&Command::new("log")), &session)?;
    if lines.is_empty() {
        app.console.say("The board has recorded no errors.");
    }
    let lines = lines.into_iter().map(|line| line + "\n");
    print(&lines.collect::<String>())
}

pub(super) async fn shot(app: &App, port: Option<&Path>, options: &Shot) -> Result<(), Problem> {
    let mut session = open(app, port).await?.session;
    let lines = session.ask(&Command::new("shot"));
    let shot = lines.and_then(|lines| shot::Shot::parse(&lines));
    let shot = board::explained(shot, &session)?;
    let path = options.file.display();
    Replacement::new(&options.file)
        .write(|file| shot.encode(file))
        .map_err(|error| {
            Problem::failed(format!("the picture {path} could not be written")).caused_by(&error)
        })?;
    let (width, height) = shot.size();
    app.console.say(&format!(
        "Wrote {path}: {width}x{height} pixels, as shown on the board."
    ));
    Ok(())
}
