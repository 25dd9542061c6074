//! `pulsewing wearer`: adds, lists and removes wearers.

mod token;

use std::{fs, io, time::Duration};

use serde::Serialize;

use super::{
    logout::{self, SignedOut},
    print,
};
use crate::{
    app::{App, Household},
    cli::{Wearer, WearerAdd, WearerList, WearerRemove},
    config::{places::Place, wearer::WearerConfig},
    custody::{
        Custody as _,
        roster::{self, Added, AddedWearer},
        standing::Standing,
    },
    daemon::Single,
    tell::problem::{Exit, Problem},
};

/// The longest wait for a daemon to notice that a wearer was removed.
const LET_GO_WITHIN: Duration = Duration::from_secs(20);

/// The interval between looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn run(household: &Household, action: &Wearer) -> Result<(), Problem> {
    match action {
        Wearer::Add(options) => add(household, options),
        Wearer::List(options) => list(household, options),
        Wearer::Remove(options) => remove(household, options).await,
        #[cfg(feature = "fleet")]
        Wearer::Invite(_) => Err(Problem::new(
            Exit::Usage,
            "invitations are for a database of many wearers",
        )
        .hint("here a wearer signs in on the page of `pulsewing run`, at /w/ID/sign-in")),
        Wearer::Token(options) => token::run(household, options),
    }
}

fn add(household: &Household, options: &WearerAdd) -> Result<(), Problem> {
    let id = &options.id;
    if household.roster.find(id).is_ok() {
        return Err(
            Problem::failed(format!("there is already a wearer \"{id}\""))
                .hint("choose another id"),
        );
    }
    let state_dir = &household.state_dir;
    let change = Added::change(state_dir)?;
    change.add(AddedWearer {
        id: id.clone(),
        name: options.name.clone(),
        provider: options.provider,
    })?;
    let console = household.console;
    console.say(&format!("Added the wearer {id}."));
    console.say(&format!("Sign in with `pulsewing login --wearer {id}`, or on the page of `pulsewing run` at /w/{id}/sign-in."));
    Ok(())
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: Option<&'a str>,
    provider: &'static str,
    state: Standing,
}

fn list(household: &Household, options: &WearerList) -> Result<(), Problem> {
    let apps = household.all();
    let rows: Vec<Row<'_>> = apps
        .iter()
        .map(|app| Row {
            id: app.wearer.id.as_str(),
            name: app.wearer.name.as_deref(),
            provider: app.provider(None).name(),
            state: Standing::at(&app.place),
        })
        .collect();
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

async fn remove(household: &Household, options: &WearerRemove) -> Result<(), Problem> {
    let id = &options.id;
    let state_dir = &household.state_dir;
    let place = Place::new(state_dir, id);
    let app = match household.roster.find(id) {
        Ok(wearer) => household.app(wearer),
        // Taken out of the configuration before.
        Err(_) if roster::is_wearers(&place) => household.app(&WearerConfig {
            id: id.clone(),
            ..WearerConfig::default()
        }),
        Err(problem) => return Err(problem),
    };
    let is_configured = household.roster.is_configured(id);
    if is_configured && Single::is_claimed(&place.dir).unwrap_or(false) {
        return Err(Problem::failed(format!(
            "a running pulsewing polls \"{id}\", who is in the configuration"
        ))
        .hint("take them out there, start that pulsewing again, and repeat this command; nothing was removed"));
    }
    let signed_out = sign_out(&app, options.force).await?;
    // From now on a daemon does not poll this wearer any more.
    Added::change(state_dir)?.remove(id)?;
    let single = let_go(&app).await?;
    let days = days(&app);
    match fs::remove_dir_all(&place.dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(
                Problem::failed(format!("{} could not be deleted", place.dir.display()))
                    .caused_by_file(&error)
                    .hint("delete it by hand; the sign-in in it is erased already"),
            );
        }
        _ => {}
    }
    drop(single);
    let sign_in = match signed_out {
        SignedOut::Nobody => "there was no sign-in",
        SignedOut::Revoked => "the sign-in was revoked and erased",
        SignedOut::Erased => "the sign-in was erased, but the provider does not know",
    };
    let history = match days {
        Some(days) => format!("{days} of history deleted"),
        None => "there was no history".to_owned(),
    };
    print(&format!("Removed {id}: {sign_in}, and {history}.\n"))?;
    if is_configured {
        household.console.warn(&format!(
            "\"{id}\" is still in the configuration: take it out there as well"
        ));
    }
    Ok(())
}

/// Signs the wearer out; with `force`, erases the sign-in even if the provider cannot be told.
async fn sign_out(app: &App, force: bool) -> Result<SignedOut, Problem> {
    match logout::sign_out(app).await {
        Err(problem) if !force => {
            Err(problem.hint("nothing was removed; --force removes the wearer even so"))
        }
        Err(problem) => {
            app.console.warn(&format!(
                "{}; removing the wearer even so",
                problem.message()
            ));
            let mut files = app.chain_file();
            files.open().await?;
            files.erase().await.map_err(|error| {
                Problem::failed("the sign-in could not be erased").caused_by_file(&error)
            })?;
            Ok(SignedOut::Erased)
        }
        signed_out => signed_out,
    }
}

/// Waits until no daemon polls the wearer, and keeps others from starting to.
async fn let_go(app: &App) -> Result<Single, Problem> {
    let give_up = tokio::time::Instant::now() + LET_GO_WITHIN;
    loop {
        let claimed = Single::claim(&app.place.dir)
            .map_err(|error| Problem::failed("cannot use the state directory").caused_by(&error))?;
        match claimed {
            Some(single) => return Ok(single),
            None if tokio::time::Instant::now() >= give_up => {
                return Err(Problem::new(
                    Exit::Temporary,
                    "the wearer was signed out, but a running pulsewing still uses their history",
                )
                .hint("stop it, then repeat this command"));
            }
            None => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// Returns the number of days in the history, in words, if there are any.
fn days(app: &App) -> Option<String> {
    let history = app.place.history().ok().flatten();
    let span = history.and_then(|history| history.span().ok().flatten());
    match span?.days {
        0 => None,
        1 => Some("1 day".to_owned()),
        days => Some(format!("{days} days")),
    }
}
