//! `pulsewing run` on a database: a collector.

use pulsewing_core::Provider;

use crate::{
    cli::Run,
    engine::stop::Stop,
    fleet::{Collector, Fleet},
    tell::problem::{Exit, Problem},
};

pub(super) async fn run(fleet: Fleet, options: &Run) -> Result<(), Problem> {
    if options.png.is_some() || !options.panels.specs.is_empty() {
        return Err(
            Problem::new(Exit::Usage, "a collector of many wearers draws no pictures")
                .hint("draw one with `pulsewing once --wearer ID --png FILE`"),
        );
    }
    let stop = Stop::listen();
    for provider in [Provider::Google, Provider::Fitbit] {
        fleet.limit(provider).await?;
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        at_once = fleet.at_once(),
        "started"
    );
    Collector::new(fleet).run(&stop).await;
    tracing::info!("stopped");
    Ok(())
}
