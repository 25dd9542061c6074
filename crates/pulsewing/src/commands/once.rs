//! `pulsewing once`: one cycle, the newest heart rate in one line, and the report.

use std::time::Duration;

use pulsewing_core::cycle::Deadline;

use super::{cycle_report, outputs, print, style};
use crate::{
    app::App,
    cli::Once,
    daemon::{day_before, keep_last_known},
    engine::stop::Stop,
    faces::{outputs::View, reading_json::ReadingJson},
    tell::{phrases, problem::Problem},
};

/// The whole run ends within 130 seconds, and no try starts after 110.
const DEADLINE: Deadline = Deadline {
    last_try: Duration::from_secs(110),
    end: Duration::from_secs(130),
};

pub(super) async fn run(app: &App, options: &Once) -> Result<(), Problem> {
    let provider = app.provider(None);
    let look = &options.look;
    let mut outputs = outputs(look, options.png.as_deref(), &options.panels.specs)?;
    let mut style = style(&app.config.screen, &app.wearer, app.console, look);
    let mut engine = app.engine(provider, Some(DEADLINE))?;
    engine.next_cycle(&Stop::listen()).await?;
    let Some(reading) = engine.reading() else {
        return Ok(());
    };
    app.history_writer()
        .record(reading, engine.account().as_ref());
    let now = engine.clock().now();
    // After a day without data the picture and the first line keep showing the last known values.
    let mut shown = reading.clone();
    keep_last_known(&mut shown, &app.place, None);
    let of_shown = shown.freshness(now.utc, app.interval(), false);
    let history = app.place.history().ok().flatten();
    let earlier = history.and_then(|history| day_before(&history, &shown));
    let view = View::new(&shown, of_shown, now).with_earlier(earlier.as_ref());
    outputs.show(now.up, |size| style.picture(&view, size))?;
    if options.json {
        let freshness = reading.freshness(now.utc, app.interval(), false);
        return print(&ReadingJson::new(reading, freshness).to_line());
    }
    let report = cycle_report::text(&engine, false);
    if options.report {
        return print(&report);
    }
    let newest = phrases::heart_rate(&shown, of_shown, now.utc);
    let newest = newest.as_deref().unwrap_or("No heart rate for 24 hours");
    print(&format!("{newest}\n{report}"))
}
