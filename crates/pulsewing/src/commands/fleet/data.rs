//! `pulsewing once`, `status` and `export` on a database.

use std::time::Duration;

use pulsewing_fleet::Due;
use pulsewing_history::{
    Dates, MemoryHistory,
    archive::import::{Settings, Summary},
};

use crate::{
    cli,
    commands::{
        cycle_report, export as of_history, import as into_history, outputs, print,
        status as of_wearer, style,
    },
    custody::leased_chain::LeasedChain,
    engine::stop::Stop,
    faces::{outputs::View, reading_json::ReadingJson},
    fleet::{End, Fleet, Kept, Turn, WITHIN},
    tell::{
        phrases,
        problem::{Exit, Problem},
    },
};

pub(super) async fn once(fleet: &Fleet, options: &cli::Once) -> Result<(), Problem> {
    let wearer = fleet.named().await?;
    let app = fleet.app(&wearer);
    let look = &options.look;
    let mut outputs = outputs(look, options.png.as_deref(), &options.panels.specs)?;
    let mut style = style(&app.config.screen, &app.wearer, app.console, look);
    fleet.limit(app.provider(None)).await?;
    let lease = fleet.take(&wearer, WITHIN).await?;
    let mut shown = None;
    let ended = Turn::new(fleet, lease)
        .run(&Stop::listen(), |engine| {
            let reading = engine.reading().cloned();
            shown = reading.map(|reading| (reading, cycle_report::text(engine, false)));
        })
        .await?;
    match ended {
        End::Cycle(result) => result?,
        End::TooEarly => {
            return Err(Problem::new(
                Exit::Temporary,
                "the provider is receiving too many requests; try again later",
            ));
        }
        End::Lost => return Err(lost()),
        End::Stopped => {
            return Err(Problem::new(
                Exit::Interrupted,
                "stopped before the update was complete",
            ));
        }
    }
    let Some((reading, report)) = shown else {
        return Ok(());
    };
    let now = app.clock.now();
    let freshness = reading.freshness(now.utc, app.interval(), false);
    let view = View::new(&reading, freshness, now);
    outputs.show(now.up, |size| style.picture(&view, size))?;
    if options.json {
        return print(&ReadingJson::new(&reading, freshness).to_line());
    }
    if options.report {
        return print(&report);
    }
    let newest = phrases::heart_rate(&reading, freshness, now.utc);
    let newest = newest.as_deref().unwrap_or("No heart rate for 24 hours");
    print(&format!("{newest}\n{report}"))
}

pub(super) async fn status(fleet: &Fleet, options: &cli::Status) -> Result<(), Problem> {
    let wearer = fleet.named().await?;
    let kept = fleet.kept(&wearer).await?;
    let history = fleet.newest(&wearer, &kept.state).await?;
    let (span, bytes) = fleet.extent(&wearer).await?;
    of_wearer::print_status(
        &kept.app,
        of_wearer::Parts {
            place: "the database".to_owned(),
            record: kept.record.as_ref(),
            state: Ok(kept.state.clone()),
            newest: Some(history.history()),
            history: of_wearer::Kept::new(Ok(span), bytes, Vec::new()),
            is_polled: true,
        },
        options.json,
    )
}

pub(super) async fn import(fleet: &Fleet, options: &cli::Import) -> Result<(), Problem> {
    let wearer = fleet.named().await?;
    let kept = fleet.kept(&wearer).await?;
    let settings = into_history::settings(&kept.app, kept.state.zone_facts(), options)?;
    let lease = fleet.take(&wearer, WITHIN).await?;
    let chain = fleet.chain(lease);
    let imported = tokio::select! {
        biased;
        imported = import_under(fleet, &chain, &kept, options, &settings) => imported,
        () = chain.keep() => Err(lost()),
    };
    // The wearer stays due as before: the lease is short, and gives no time.
    if let Some(lease) = chain.give_back().await {
        fleet
            .database()
            .release(lease, Due::After(Duration::ZERO))
            .await?;
    }
    into_history::verdict(&imported?)
}

async fn import_under(
    fleet: &Fleet,
    chain: &LeasedChain,
    kept: &Kept,
    options: &cli::Import,
    settings: &Settings,
) -> Result<Summary, Problem> {
    let lease = chain.lease().lock().await;
    let rows = fleet.database().load_history(&lease, Dates::ALL).await?;
    let mut history = MemoryHistory::new(Dates::ALL, rows).map_err(of_history::unusable)?;
    let summary = into_history::import_into(&kept.app, history.history_mut(), options, settings)?;
    let changes = history.take_changes().map_err(of_history::unusable)?;
    fleet.database().store_history(&lease, &changes).await?;
    Ok(summary)
}

pub(super) async fn export(fleet: &Fleet, options: &cli::Export) -> Result<(), Problem> {
    let wearer = fleet.named().await?;
    let app = fleet.app(&wearer);
    // An export may be of any days, and those around them share their hours.
    let history = fleet.history(&wearer, Dates::ALL).await?;
    of_history::export_from(history.history(), app.console, options)
}

fn lost() -> Problem {
    Problem::new(
        Exit::Temporary,
        "another process has taken over this wearer",
    )
    .hint("try again in a minute")
}
