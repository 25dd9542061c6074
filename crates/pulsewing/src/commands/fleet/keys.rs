//! `pulsewing fleet`: the keys under which sign-ins are sealed, and a restored backup.

use std::path::Path;

use super::{oversight, subscribe};
use crate::{
    app::Household,
    cli,
    commands::print,
    fleet::{Fleet, read_keys},
    tell::problem::Problem,
};

pub(super) async fn run(household: Household, action: &cli::Fleet) -> Result<(), Problem> {
    match action {
        // Needs neither a configuration nor a database.
        cli::Fleet::Key => Ok(()),
        cli::Fleet::Rekey => rekey(&Fleet::connect(household).await?).await,
        cli::Fleet::Secret => subscribe::secret(),
        cli::Fleet::Subscribe(options) => subscribe::run(&household, options).await,
        cli::Fleet::Audit(options) => {
            oversight::audit(&Fleet::connect(household).await?, options).await
        }
        cli::Fleet::Admit(options) => {
            oversight::admit(&Fleet::connect(household).await?, &options.user).await
        }
        cli::Fleet::Restored => restored(&Fleet::connect(household).await?).await,
    }
}

/// Prints a new key; with a key file, one that is newer than those in it. The configuration does not
/// count: `pulsewing fleet key > pulsewing.keys` has emptied the file that it may name.
pub(super) fn key(key_file: Option<&Path>) -> Result<(), Problem> {
    let is_empty = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() == 0);
    if key_file.is_some_and(is_empty) {
        return Err(Problem::failed("the key file is empty")
            .hint("a single > empties a file: put its keys back from your copy, then append the new one with >>"));
    }
    let older = key_file.map(read_keys).transpose()?;
    let line = pulsewing_fleet::Keys::generate(older.as_ref())?;
    print(&line)
}

async fn rekey(fleet: &Fleet) -> Result<(), Problem> {
    let rekeyed = fleet.database().rekey(fleet.keys()).await?;
    let newest = fleet.keys().newest_id();
    for (wearer, error) in rekeyed.unreadable {
        let problem = Problem::from(error);
        fleet.household().console.warn(&format!(
            "the sign-in of \"{wearer}\" was left as it is: {}",
            problem.message()
        ));
    }
    let sealed = counted(rekeyed.resealed);
    match rekeyed.left {
        0 => print(&format!("Sealed {sealed} with key {newest}.\n")),
        left => Err(Problem::failed(format!(
            "sealed {sealed} with key {newest}, but {left} still need an older one"
        ))
        .hint("keep the older keys in the key file; give every collector the new one, and repeat this command")),
    }
}

async fn restored(fleet: &Fleet) -> Result<(), Problem> {
    let marked = fleet
        .database()
        .restored(&super::wearers::operator())
        .await?;
    print(&format!(
        "Marked {}: each is renewed before it is used.\n",
        counted(marked)
    ))?;
    fleet.household().console.say("A sign-in that was renewed after the backup was made is spent; its wearer has to sign in again. `pulsewing wearer list` shows who.");
    Ok(())
}

fn counted(sign_ins: u64) -> String {
    match sign_ins {
        1 => "1 sign-in".to_owned(),
        _ => format!("{sign_ins} sign-ins"),
    }
}
