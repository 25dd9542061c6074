//! `pulsewing wearer` on a database.

use pulsewing_core::Provider;
use pulsewing_fleet::{Listed, NewWearer};
use serde::Serialize;

use super::{sign_in, tokens};
use crate::{
    cli::{Wearer, WearerAdd, WearerInvite, WearerList, WearerRemove},
    commands::print,
    custody::standing::Standing,
    faces::web,
    fleet::{Fleet, WITHIN, known},
    tell::problem::Problem,
};

pub(super) async fn run(fleet: &Fleet, action: &Wearer) -> Result<(), Problem> {
    match action {
        Wearer::Add(options) => add(fleet, options).await,
        Wearer::List(options) => list(fleet, options).await,
        Wearer::Remove(options) => remove(fleet, options).await,
        Wearer::Invite(options) => invite(fleet, options).await,
        Wearer::Token(options) => tokens::run(fleet, options).await,
    }
}

async fn add(fleet: &Fleet, options: &WearerAdd) -> Result<(), Problem> {
    let id = &options.id;
    let configured = fleet.household().config.provider;
    let provider = options.provider.or(configured).unwrap_or(Provider::Google);
    let new = NewWearer {
        id: known(id)?,
        name: options.name.clone().unwrap_or_default(),
        provider: provider.name().to_owned(),
        settings: "{}".to_owned(),
    };
    fleet.database().add_wearer(&new).await?;
    let console = fleet.household().console;
    console.say(&format!("Added the wearer {id}."));
    console.say(&format!("Sign in with `pulsewing login --wearer {id}`, or invite them with `pulsewing wearer invite {id}`."));
    Ok(())
}

/// Prints a link with which the wearer signs in on their own phone.
async fn invite(fleet: &Fleet, options: &WearerInvite) -> Result<(), Problem> {
    let id = known(&options.id)?;
    let invitation = fleet.database().invite(&id).await?;
    let household = fleet.household();
    let console = household.console;
    let configured = &household.config.web;
    let origin = match &configured.public_url {
        Some(public) => public.to_string(),
        None => {
            let address = configured.listen.unwrap_or(web::LISTEN);
            console.warn(&format!("the link works only where http://{address} opens the page; set public_url under [web] for phones elsewhere"));
            format!("http://{address}")
        }
    };
    console.say(&format!("With this link {id} can sign in, once, within seven days. Earlier ones have ended. Give it to nobody else."));
    print(&format!("{origin}/invitation/{}\n", invitation.digits()))
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: Option<&'a str>,
    provider: &'a str,
    state: Standing,
}

impl<'a> Row<'a> {
    fn new(listed: &'a Listed) -> Self {
        let wearer = &listed.wearer;
        Self {
            id: wearer.id.as_str(),
            name: Some(wearer.name.as_str()).filter(|name| !name.is_empty()),
            provider: &wearer.provider,
            state: Standing::named(listed.state()).unwrap_or(Standing::SignedIn),
        }
    }
}

async fn list(fleet: &Fleet, options: &WearerList) -> Result<(), Problem> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = fleet.database().wearers(after.as_ref()).await?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.wearer.id.clone());
        rows.extend(page);
    }
    let rows: Vec<Row<'_>> = rows.iter().map(Row::new).collect();
    if options.json {
        let json = serde_json::to_string(&rows)
            .map_err(|error| Problem::failed("cannot print the wearers").caused_by(&error))?;
        return print(&format!("{json}\n"));
    }
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|row| {
        let name = row
            .name
            .map_or_else(String::new, |name| format!(", {name}"));
        let (id, provider, state) = (row.id, row.provider, row.state.in_words());
        format!("{id:<width$}  {state} ({provider}){name}\n")
    });
    print(&lines.collect::<String>())
}

async fn remove(fleet: &Fleet, options: &WearerRemove) -> Result<(), Problem> {
    let id = known(&options.id)?;
    let wearer = fleet.database().wearer(&id).await?;
    let lease = fleet.take(&wearer, WITHIN).await?;
    let sign_in = match sign_in::end(fleet, lease).await {
        Err(problem) if !options.force => {
            return Err(problem.hint("nothing was removed; --force removes the wearer even so"));
        }
        Err(problem) => {
            let words = format!("{}; removing the wearer even so", problem.message());
            fleet.household().console.warn(&words);
            "the sign-in was erased, but the provider does not know"
        }
        Ok(None) => "there was no sign-in",
        Ok(Some((_, true))) => "the sign-in was revoked and erased",
        Ok(Some((_, false))) => "the sign-in was erased, but the provider does not know",
    };
    let removal = fleet.database().remove_wearer(&id, &operator()).await?;
    print(&format!(
        "Removed {} at {:.0} by {}: {sign_in}; {}\n",
        removal.wearer, removal.at, removal.by, removal.removed
    ))
}

/// Returns who runs this command, for the audit.
pub(super) fn operator() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
    #[cfg(unix)]
    let machine = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    #[cfg(not(unix))]
    let machine = "a machine".to_owned();
    format!("{user}@{machine}")
}
