//! The first page: a card for each wearer of a small fleet, or a list, the worst news first.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{
        IntoResponse, Redirect, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use maud::{Markup, html};
use pulsewing_fleet::{Count, Error, Listed, Order, WearerId};
use serde::Deserialize;
use tokio_stream::{StreamExt as _, wrappers::IntervalStream};

use super::{
    super::{Shared, events::STILL_THERE, family, layout},
    Fleet, list, unavailable,
    visitor::Visitor,
};
use crate::custody::standing::Standing;

/// The most wearers on the family board.
const MOST_ON_BOARD: u64 = 200;

/// The number of wearers on a page of the list.
const ON_A_PAGE: u32 = 100;

/// The interval at which an open first page fetches itself again. Each time, all cards are loaded.
const AGAIN_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cursor {
    /// The state and the id of the last wearer on the page before, as in `signed-in/anna`.
    after: Option<String>,
}

impl Cursor {
    /// Returns where the page begins; the beginning of the list if the query makes no sense.
    fn order(&self) -> Order {
        let place = self.after.as_deref().and_then(|after| {
            let (state, id) = after.split_once('/')?;
            Some((state.to_owned(), id.parse::<WearerId>().ok()?))
        });
        Order::WorstFirst(place)
    }
}

/// Serves the first page.
pub(super) async fn page(
    State(site): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(cursor): Query<Cursor>,
) -> Response {
    let Some(fleet) = &site.fleet else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match shown(&site, fleet, &visitor, &cursor).await {
        Ok(reply) => reply,
        Err(error) => unavailable(false, &error),
    }
}

async fn shown(
    site: &Shared,
    fleet: &Fleet,
    visitor: &Visitor,
    cursor: &Cursor,
) -> Result<Response, Error> {
    let database = fleet.backing.database();
    let access = visitor.access();
    let counts = database.count_states(access).await?;
    let all: u64 = counts.iter().map(|count| count.wearers).sum();
    if visitor.sees_any_rates() && all <= MOST_ON_BOARD {
        let page = database.list(access, &Order::ById(None), 200).await?;
        if visitor.is_wearer()
            && let [own] = page.as_slice()
        {
            return Ok(Redirect::to(&format!("/w/{}/", own.wearer.id)).into_response());
        }
        let wearers = page.into_iter().map(|listed| listed.wearer).collect();
        let loaded = list::snapshots(fleet, visitor, wearers, "/").await?;
        let cards = loaded.into_iter();
        let cards = cards.map(|(wearer, snapshot)| (wearer, Arc::new(snapshot)));
        return Ok(family::board(cards.collect(), &html! {}, site.now()).into_response());
    }
    let page = database.list(access, &cursor.order(), ON_A_PAGE).await?;
    Ok(layout::family("Wearers", &table(&counts, &page, visitor)).into_response())
}

fn table(counts: &[Count], page: &[Listed], visitor: &Visitor) -> Markup {
    let all: u64 = counts.iter().map(|count| count.wearers).sum();
    let is_full = page.len() == ON_A_PAGE as usize;
    html! {
        section.card #now data-live {
            h1 { (all) " wearers" }
            p {
                @for (place, count) in counts.iter().enumerate() {
                    @if place > 0 { " · " }
                    (count.wearers) " " (in_words(&count.state))
                }
            }
            div.scroll tabindex="0" role="region" aria-label="The wearers as a table" {
                table.days {
                    thead { tr { th scope="col" { "Wearer" } th scope="col" { "State" } th scope="col" { "Service" } } }
                    tbody {
                        @for listed in page {
                            @let wearer = &listed.wearer;
                            @let title = if wearer.name.is_empty() { wearer.id.as_str() } else { wearer.name.as_str() };
                            tr {
                                th scope="row" {
                                    @if visitor.sees_rates(wearer) { a href=(format!("/w/{}/", wearer.id)) { (title) } }
                                    @else { (title) }
                                }
                                td { (in_words(listed.state())) }
                                td { (wearer.provider) }
                            }
                        }
                    }
                }
            }
            @if let Some(last) = page.last().filter(|_| is_full) {
                p { a href=(format!("/?after={}/{}", last.state(), last.wearer.id)) rel="next" { "Further wearers" } }
            }
        }
    }
}

/// Returns a state in words for people; an unknown one as it is.
fn in_words(state: &str) -> &str {
    match Standing::named(state) {
        Some(standing) => standing.in_words(),
        None => state,
    }
}

/// Streams an event every minute: the first page fetches itself again. Nothing is in the event.
pub(super) async fn events() -> Response {
    let start = tokio::time::Instant::now() + AGAIN_EVERY;
    let ticks = IntervalStream::new(tokio::time::interval_at(start, AGAIN_EVERY));
    let events = ticks.map(|_| Ok::<_, Infallible>(Event::default().event("now").data("{}")));
    let keep_alive = KeepAlive::new().interval(STILL_THERE).text("still there");
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (headers, Sse::new(events).keep_alive(keep_alive)).into_response()
}
