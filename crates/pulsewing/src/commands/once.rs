//! `pulsewing once`: one cycle, and its report.

use std::time::Duration;

use pulsewing_core::cycle::Deadline;

use super::{cycle_report, print};
use crate::{
    app::App,
    cli::Once,
    engine::Engine,
    history::Keeper,
    outputs::{Outputs, View},
    problem::Problem,
    reading_json::ReadingJson,
    stop::Stop,
};

/// The whole run ends within 130 seconds, and no try starts after 110.
const DEADLINE: Deadline = Deadline {
    last_try: Duration::from_secs(110),
    end: Duration::from_secs(130),
};

pub(super) async fn run(app: &App, options: &Once) -> Result<(), Problem> {
    let provider = app.provider(None)?;
    let mut outputs = Outputs::open(
        app,
        &options.look,
        options.png.clone(),
        &options.panels.specs,
    )?;
    let mut engine = app.engine(provider, Some(DEADLINE))?;
    engine.next_cycle(&mut Stop::listen()).await?;
    if let Some(reading) = engine.reading() {
        Keeper::new(
            app.state_dir().clone(),
            app.config.history.keep,
            app.console,
        )
        .record(reading, engine.account().as_ref());
        let now = engine.clock().now();
        let freshness = reading.freshness(now.utc, app.interval(), false);
        outputs.show(&View::of(reading, freshness, now))?;
    }
    print(&output(app, &engine, options.json)?)
}

fn output(app: &App, engine: &Engine, as_json: bool) -> Result<String, Problem> {
    let Some(reading) = engine.reading() else {
        return Ok(String::new());
    };
    let now = engine.clock().now();
    if as_json {
        let freshness = reading.freshness(now.utc, app.interval(), false);
        return Ok(ReadingJson::new(reading, freshness).to_line());
    }
    Ok(cycle_report::of(engine, false))
}
