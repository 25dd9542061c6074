//! `pulsewing fleet audit` and `fleet admit`: who looked at whose data, and the second wall.

use serde::Serialize;

use crate::{
    cli::FleetAudit,
    commands::print,
    fleet::{Fleet, known},
    tell::problem::{Exit, Problem},
};

#[derive(Serialize)]
struct Line {
    number: i64,
    at: String,
    actor: String,
    action: String,
    wearer: String,
    detail: String,
}

/// Prints the audit, the latest lines first.
pub(super) async fn audit(fleet: &Fleet, options: &FleetAudit) -> Result<(), Problem> {
    let wearer = match fleet.household().chosen.as_slice() {
        [] => None,
        [id] => Some(known(id)?),
        _ => {
            return Err(Problem::new(
                Exit::Usage,
                "the audit is of one wearer or of all; name only one with --wearer",
            ));
        }
    };
    let mut before = None;
    loop {
        let page = fleet.database().audit(wearer.as_ref(), before).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        before = Some(last.number);
        let mut text = String::new();
        for line in page {
            let line = Line {
                number: line.number,
                at: format!("{:.0}", line.at),
                actor: line.actor,
                action: line.action,
                wearer: line.wearer,
                detail: line.detail,
            };
            if options.json {
                let json = serde_json::to_string(&line)
                    .map_err(|error| Problem::failed("cannot print the audit").caused_by(&error))?;
                text.push_str(&json);
            } else {
                let whom = match line.wearer.as_str() {
                    "" => "all",
                    wearer => wearer,
                };
                // A name may hold anything, also what a terminal would obey.
                let actor = line.actor.escape_debug();
                let (at, action) = (&line.at, &line.action);
                let detail = line.detail.escape_debug();
                text.push_str(&format!("{at}  {actor}: {action}, {whom}, {detail}"));
            }
            text.push('\n');
        }
        print(&text)?;
    }
}

/// Lets a user of the server use the tables, behind the row-level security.
pub(super) async fn admit(fleet: &Fleet, user: &str) -> Result<(), Problem> {
    let admitted = fleet.database().admit_user(user).await;
    admitted.map_err(|error| {
        Problem::from(error).hint(
            "make one first, as an administrator of the server: create role NAME login nobypassrls password '...'",
        )
    })?;
    let console = fleet.household().console;
    console.say(&format!(
        "The user {user} may use the tables, and sees the rows of one tenant at a time."
    ));
    console.say("For that tenant's page, put the user into url and the tenant's name into tenant under [store], and start `pulsewing run` there.");
    Ok(())
}
