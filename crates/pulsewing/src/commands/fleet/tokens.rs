//! `pulsewing wearer token`: the keys of a fleet's page and API.

use pulsewing_fleet::{Access, Error, Role, Scope};
use serde::Serialize;

use crate::{
    cli::{KeyRole, WearerToken},
    commands::print,
    fleet::{Fleet, known},
    tell::problem::{Exit, Problem},
};

pub(super) async fn run(fleet: &Fleet, options: &WearerToken) -> Result<(), Problem> {
    if options.source.is_some() {
        return Err(Problem::new(
            Exit::Usage,
            "programs send samples to a household's daemon, not to a database of many wearers",
        )
        .hint("leave out --store, PULSEWING_STORE and [store] url"));
    }
    if !options.ids.is_empty() && (options.list || options.revoke.is_some()) {
        return Err(Problem::new(
            Exit::Usage,
            "the keys of a database are listed and revoked without a wearer",
        ));
    }
    if options.list {
        return list(fleet, options.json).await;
    }
    if let Some(name) = &options.revoke {
        return revoke(fleet, name).await;
    }
    let ids: Result<Vec<_>, Problem> = options.ids.iter().map(known).collect();
    let ids = ids?;
    let (role, scope) = match (&options.operator, options.role) {
        (Some(_), _) => (Role::Operator, Scope::Tenant),
        (None, Some(KeyRole::Viewer)) if options.all => (Role::Viewer, Scope::Tenant),
        (None, Some(KeyRole::Viewer)) => (Role::Viewer, Scope::Wearers(ids)),
        (None, Some(KeyRole::Wearer)) if ids.len() == 1 => (Role::Wearer, Scope::Wearers(ids)),
        (None, Some(KeyRole::Wearer)) => {
            return Err(Problem::new(
                Exit::Usage,
                "the key of a wearer is for one wearer",
            ));
        }
        (None, None) => {
            return Err(Problem::new(Exit::Usage, "say what the key is good for")
                .hint("--role wearer for their own data, --role viewer for somebody else who may see them"));
        }
    };
    let name = match (&options.operator, &options.name, &scope) {
        (Some(name), _, _) | (None, Some(name), _) => name.clone(),
        (None, None, Scope::Wearers(ids)) => {
            let ids: Vec<&str> = ids.iter().map(pulsewing_fleet::WearerId::as_str).collect();
            format!("{} {}", role.name(), ids.join(" "))
        }
        (None, None, Scope::Tenant) => format!("{} all", role.name()),
    };
    let made = fleet.database().make_api_key(&name, role, &scope).await;
    let key = match made {
        Err(Error::DuplicateKey(name)) => {
            return Err(
                Problem::failed(format!("there is already a key with the name \"{name}\""))
                    .hint("choose another name with --name, or revoke that one with `pulsewing wearer token --revoke NAME`"),
            );
        }
        made => made?,
    };
    let console = fleet.household().console;
    console.say(&format!(
        "The key \"{name}\" {}. It is shown this once; only its digest is kept.",
        good_for(role, &scope)
    ));
    print(&format!("{}\n", key.digits()))
}

fn good_for(role: Role, scope: &Scope) -> String {
    let whom = match scope {
        Scope::Tenant => "everybody".to_owned(),
        Scope::Wearers(ids) => {
            let ids: Vec<&str> = ids.iter().map(pulsewing_fleet::WearerId::as_str).collect();
            ids.join(", ")
        }
    };
    match role {
        Role::Wearer => format!("shows {whom} their own data"),
        Role::Viewer => {
            format!("shows the heart rates and states of {whom}, and each look is noted")
        }
        Role::Operator => format!("shows the states of {whom}, never heart rates"),
    }
}

#[derive(Serialize)]
struct Row {
    name: String,
    role: &'static str,
    /// `null`: all.
    wearers: Option<Vec<String>>,
}

impl From<Access> for Row {
    fn from(access: Access) -> Self {
        Self {
            name: access.name,
            role: access.role.name(),
            wearers: match access.scope {
                Scope::Tenant => None,
                Scope::Wearers(ids) => Some(ids.iter().map(ToString::to_string).collect()),
            },
        }
    }
}

async fn list(fleet: &Fleet, as_json: bool) -> Result<(), Problem> {
    let keys = fleet.database().api_keys().await?;
    let rows: Vec<Row> = keys.into_iter().map(Row::from).collect();
    if as_json {
        let json = serde_json::to_string(&rows)
            .map_err(|error| Problem::failed("cannot print the keys").caused_by(&error))?;
        return print(&format!("{json}\n"));
    }
    let lines = rows.iter().map(|row| {
        let whom = match &row.wearers {
            None => "everybody".to_owned(),
            Some(ids) => ids.join(", "),
        };
        format!("{}  {}: {whom}\n", row.name, row.role)
    });
    print(&lines.collect::<String>())
}

async fn revoke(fleet: &Fleet, name: &str) -> Result<(), Problem> {
    match fleet.database().revoke_api_key(name).await? {
        true => {
            let words = format!("Revoked the key \"{name}\".");
            fleet.household().console.say(&words);
            Ok(())
        }
        false => Err(
            Problem::failed(format!("there is no key with the name \"{name}\""))
                .hint("`pulsewing wearer token --list` lists them"),
        ),
    }
}
