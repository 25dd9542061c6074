//! The database's errors in words.

use pulsewing_fleet::Error;

use crate::tell::problem::{Exit, Problem};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let exit = match &error {
            _ if error.is_temporary() => Exit::Temporary,
            Error::NoSuchWearer(_) | Error::WearerId => Exit::Usage,
            _ => Exit::Failed,
        };
        let problem = Self::new(exit, in_words(&error));
        match error {
            Error::Url(_) => problem.hint("write it like postgres://pulsewing@db.example/pulsewing"),
            Error::Unreachable(_) => {
                problem.hint("nothing is lost; it works again once the database answers")
            }
            Error::Untrusted(_) => problem.hint(
                "name the database by the name in its certificate, and its authority with ca_file under [endpoints] if it is your own",
            ),
            Error::Refused(_) => problem.hint("check the user, the password and the database's name in the address"),
            Error::NoSuchWearer(id) => {
                problem.hint(format!("add one with `pulsewing wearer add {id}`"))
            }
            Error::DuplicateWearer(_) => problem.hint("choose another id"),
            Error::Busy { .. } => problem.hint("try again in a minute"),
            // The page of an invitation shows no causes: its reader is not to learn the other's id.
            Error::SamePersonTwice { other } => problem
                .because(format!("that wearer is \"{other}\""))
                .hint("sign in with the account of the person whose place this is; nothing was changed"),
            Error::AnotherPerson { .. } => problem.hint(
                "sign in with the previous account, or add another wearer for this person; nothing was changed",
            ),
            Error::WrongKey(_) => problem.hint(
                "name the key file that the other collectors have; nothing was changed",
            ),
            Error::MissingKey { .. } => {
                problem.hint("put that key back into the key file: without it the sign-in cannot be read")
            }
            _ => problem,
        }
    }
}

/// Returns the words of an error; those of a household where it knows the same error.
fn in_words(error: &Error) -> String {
    match error {
        Error::NoSuchWearer(id) => format!("there is no wearer \"{id}\""),
        Error::DuplicateWearer(id) => format!("there is already a wearer \"{id}\""),
        Error::SamePersonTwice { .. } => {
            "this person is already another wearer, so this sign-in was not kept".to_owned()
        }
        Error::AnotherPerson { wearer } => {
            format!("\"{wearer}\" is another person, so this sign-in was not kept")
        }
        Error::MissingKey { wearer, key } => format!(
            "the sign-in of \"{wearer}\" is sealed with key {key}, which is not in the key file"
        ),
        error => error.to_string(),
    }
}
