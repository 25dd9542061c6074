//! `pulsewing run` on a database: a collector, and the page.

use std::{net::SocketAddr, sync::Arc};

use pulsewing_core::Provider;

use crate::{
    cli::Run,
    commands::run::served,
    engine::stop::Stop,
    faces::web::{self, Listener},
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
    let household = fleet.household();
    if household.config.influx.url.is_some() {
        return Err(Problem::new(
            Exit::Usage,
            "[influx] copies histories in files, and a fleet's are in its database",
        )
        .hint("remove [influx] from the configuration"));
    }
    let collects = household.config.store.tenant.is_none();
    if !collects && options.no_web {
        return Err(Problem::new(
            Exit::Usage,
            "with tenant under [store] this program serves only the page, so --no-web leaves nothing to do",
        ));
    }
    let listener = match options.no_web {
        true => None,
        false => Some(listen(&fleet, options.listen).await?),
    };
    let stop = Stop::listen();
    if collects {
        for provider in [Provider::Google, Provider::Fitbit] {
            fleet.limit(provider).await?;
        }
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        at_once = fleet.at_once(),
        collects,
        "started"
    );
    let page = listener.map(|listener| -> Result<_, Problem> {
        let address = listener.address();
        tracing::info!(page = %format_args!("http://{address}/"), "listening");
        let household = fleet.household();
        let (config, clock) = (Arc::clone(&household.config), household.clock.clone());
        let backing = Arc::new(fleet.clone());
        web::serve_fleet(config, household.console, clock, backing, listener)
    });
    let page = page.transpose()?;
    let work = async {
        match collects {
            true => Collector::new(fleet).run(&stop).await,
            false => stop.requested().await,
        }
    };
    tokio::select! {
        biased;
        () = work => {}
        () = served(page) => {}
    }
    tracing::info!("stopped");
    Ok(())
}

/// Listens on the page's address. Whoever can reach it needs a key.
async fn listen(fleet: &Fleet, asked: Option<SocketAddr>) -> Result<Listener, Problem> {
    let household = fleet.household();
    let configured = &household.config.web;
    if configured.passphrase.is_some() {
        household.console.warn("the passphrase under [web] is for a household: a fleet's page asks for keys, which `pulsewing wearer token` makes");
    }
    let address = asked.or(configured.listen).unwrap_or(web::LISTEN);
    let listener = Listener::bind(address).await.map_err(Problem::may_pass)?;
    if configured.is_reachable_at(listener.address()) && !fleet.database().has_api_keys().await? {
        household.console.warn("nobody can see the page yet, because there is no key; make one with `pulsewing wearer token`");
    }
    Ok(listener)
}
