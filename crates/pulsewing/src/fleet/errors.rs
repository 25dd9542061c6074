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
        let problem = Self::new(exit, error.to_string());
        match error {
            Error::Url(_) => problem.hint("write it like postgres://pulsewing@db.example/pulsewing"),
            Error::Unreachable(_) => {
                problem.hint("nothing is lost; it works again once the database answers")
            }
            Error::Untrusted(_) => problem.hint(
                "name the database by the name in its certificate, and its authority with ca_file under [endpoints] if it is your own",
            ),
            Error::Refused(_) => problem.hint("check the user, the password and the database's name in the address"),
            Error::NoSuchWearer(_) => problem.hint("`pulsewing wearer list` lists the wearers"),
            Error::Busy { .. } => problem.hint("try again in a minute"),
            Error::SamePersonTwice { .. } => {
                problem.hint("sign in with the account of the person whose place this is; nothing was changed")
            }
            Error::AnotherPerson { .. } => problem.hint(
                "sign in with the previous account, or add another wearer for this person; nothing was changed",
            ),
            Error::MissingKey { .. } => {
                problem.hint("put that key back into the key file: without it the sign-in cannot be read")
            }
            _ => problem,
        }
    }
}
