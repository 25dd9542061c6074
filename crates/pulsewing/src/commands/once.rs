//! `pulsewing once`: one cycle, what the heart did last in one line, and the report.

use std::time::Duration;

use jiff::Timestamp;
use pulsewing_core::{cycle::Deadline, reading::Reading};

use super::{cycle_report, print};
use crate::{
    app::App,
    cli::Once,
    daemon::keep_last_known,
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
    engine.next_cycle(&Stop::listen()).await?;
    let Some(reading) = engine.reading() else {
        return Ok(());
    };
    Keeper::new(
        app.state_dir().clone(),
        app.config.history.keep,
        app.console,
    )
    .record(reading, engine.account().as_ref());
    let now = engine.clock().now();
    let freshness = reading.freshness(now.utc, app.interval(), false);
    // After a day of silence the picture and the first line go on showing what was last known.
    let mut shown = reading.clone();
    keep_last_known(&mut shown, app.state_dir(), None);
    outputs.show(&View::of(&shown, freshness, now))?;
    if options.json {
        return print(&ReadingJson::new(reading, freshness).to_line());
    }
    let report = cycle_report::of(&engine, false);
    if options.report {
        return print(&report);
    }
    print(&format!("{}\n{report}", newest(&shown, now.utc)))
}

/// The newest heart rate, for a person.
fn newest(reading: &Reading, now: Timestamp) -> String {
    match reading.latest().zip(reading.heart_zone()) {
        Some((sample, zone)) => words::heart_rate(sample, zone, now),
        None => "No heart rate for 24 hours".to_owned(),
    }
}
