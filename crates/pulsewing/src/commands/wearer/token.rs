//! `pulsewing wearer token`: the tokens of the programs that push samples for a wearer.

use jiff::Timestamp;
use pulsewing_intake::SourceName;
use serde::Serialize;

use crate::{
    app::{App, Household},
    cli::WearerToken,
    commands::print,
    custody::source_tokens::{self, SourceTokens},
    tell::problem::{Exit, Problem},
};

pub(super) fn run(household: &Household, options: &WearerToken) -> Result<(), Problem> {
    let apps = match options.ids.as_slice() {
        [] if options.list => household.all(),
        [id] => vec![household.app(household.roster.find(id)?)],
        _ => {
            return Err(
                Problem::new(Exit::Usage, "name the one wearer that it is about")
                    .hint("such as `pulsewing wearer token anna --source strap`"),
            );
        }
    };
    if options.list {
        return list(&apps, options.json);
    }
    let Some(app) = apps.first() else {
        return Ok(());
    };
    match (&options.source, &options.revoke) {
        (Some(source), _) => make(app, source),
        (None, Some(name)) => revoke(app, name),
        (None, None) => Err(Problem::new(Exit::Usage, "name the source that the token is for")
            .hint(format!("such as `pulsewing wearer token {} --source strap`", app.wearer.id))
            .hint("keys with a role are for a database of many wearers; a household's page has a passphrase")),
    }
}

fn make(app: &App, source: &SourceName) -> Result<(), Problem> {
    let is_new = {
        let known = SourceTokens::load(&app.place).unwrap_or_default();
        known.all().iter().all(|known| known.name != *source)
    };
    let token = SourceTokens::make(&app.place, source, app.now())?;
    let id = &app.wearer.id;
    app.console.say(&format!(
        "With it \"{source}\" may send samples of {id} to /api/v1/wearers/{id}/samples, and nothing else. It is shown this once; only its digest is kept.{}",
        match is_new {
            true => "",
            false => " The earlier one is not accepted any more.",
        }
    ));
    print(&format!("token: {}\n", token.as_str()))
}

#[derive(Serialize)]
struct Row {
    wearer: String,
    source: String,
    made_at: Timestamp,
}

fn list(apps: &[App], as_json: bool) -> Result<(), Problem> {
    let mut rows: Vec<Row> = Vec::new();
    for app in apps {
        let tokens = SourceTokens::load(&app.place)
            .map_err(|error| source_tokens::unreadable(&source_tokens::path(&app.place), &error))?;
        rows.extend(tokens.all().iter().map(|source| Row {
            wearer: app.wearer.id.to_string(),
            source: source.name.to_string(),
            made_at: source.made_at,
        }));
    }
    if as_json {
        let json = serde_json::to_string(&rows)
            .map_err(|error| Problem::failed("cannot print the tokens").caused_by(&error))?;
        return print(&format!("{json}\n"));
    }
    let lines = rows.iter().map(|row| {
        let (wearer, source) = (&row.wearer, &row.source);
        format!("{wearer}  {source}, made {:.0}\n", row.made_at)
    });
    print(&lines.collect::<String>())
}

fn revoke(app: &App, name: &str) -> Result<(), Problem> {
    let id = &app.wearer.id;
    match SourceTokens::revoke(&app.place, name)? {
        true => {
            app.console
                .say(&format!("Revoked the token of \"{name}\" of {id}."));
            Ok(())
        }
        false => Err(
            Problem::failed(format!("{id} has no token for a source \"{name}\""))
                .hint(format!("`pulsewing wearer token {id} --list` lists them")),
        ),
    }
}
