//! `pulsewing once`: one cycle, what the heart did last in one line, and the report.

use std::time::Duration;

use jiff::Timestamp;
use pulsewing_core::{cycle::Deadline, reading::Reading};

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
    words,
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
        .record(reading);
        let now = engine.clock().now();
        let freshness = reading.freshness(now.utc, app.interval(), false);
        outputs.show(&View::of(reading, freshness, now))?;
    }
    print(&output(app, &engine, options))
}

fn output(app: &App, engine: &Engine, options: &Once) -> String {
    let Some(reading) = engine.reading() else {
        return String::new();
    };
    let now = engine.clock().now().utc;
    if options.json {
        let freshness = reading.freshness(now, app.interval(), false);
        return ReadingJson::new(reading, freshness).to_line();
    }
    let report = cycle_report::of(engine, false);
    if options.report {
        return report;
    }
    format!("{}\n{report}", newest(reading, now))
}

/// The newest heart rate, for a person.
fn newest(reading: &Reading, now: Timestamp) -> String {
    match reading.latest().zip(reading.heart_zone()) {
        Some((sample, zone)) => words::heart_rate(sample, zone, now),
        None => "No heart rate for 24 hours".to_owned(),
    }
}
