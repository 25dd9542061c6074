//! The tokens of the programs that push samples for a wearer.
//!
//! They are in `sources.json` in the wearer's directory, which only the owner may read: a name and a digest
//! each. A token has 256 random bits, so a plain digest is enough, and nobody can guess one.

use std::{
    io::{self, Write as _},
    path::Path,
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jiff::Timestamp;
use pulsewing_files::{Replacement, private, regular_file};
use pulsewing_intake::SourceName;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::roster;
use crate::{config::places::Place, tell::problem::Problem};

/// The name of the file.
pub(super) const NAME: &str = "sources.json";

/// The size limit for reading the file, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// The number of tokens of a wearer: as many as the intake takes sources.
const MOST: usize = 16;

/// The tokens of a wearer's sources.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SourceTokens {
    sources: Vec<SourceToken>,
}

/// A source with its token's digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SourceToken {
    /// The name of the source.
    pub name: SourceName,
    /// When the token was made.
    pub made_at: Timestamp,
    digest: String,
}

impl SourceTokens {
    /// Reads the tokens of a wearer. A missing file has none.
    ///
    /// # Errors
    /// When the file cannot be read: it is never taken for empty then.
    pub(crate) fn load(place: &Place) -> io::Result<Self> {
        match regular_file::read(&place.dir.join(NAME), MAX_BYTES) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Returns the sources, in the order of their names.
    pub(crate) fn all(&self) -> &[SourceToken] {
        &self.sources
    }

    /// Returns the source that a token belongs to. The time taken does not depend on where it differs.
    pub(crate) fn source_of(&self, token: &[u8]) -> Option<&SourceName> {
        let digest = digest(token);
        let mut found = None;
        for source in &self.sources {
            if bool::from(source.digest.as_bytes().ct_eq(digest.as_bytes())) {
                found = Some(&source.name);
            }
        }
        found
    }

    /// Makes a token for a source; returns it. It replaces the source's earlier one.
    ///
    /// # Errors
    /// A [`Problem`] when there are too many, or the file cannot be written.
    pub(crate) fn make(
        place: &Place,
        name: &SourceName,
        now: Timestamp,
    ) -> Result<Zeroizing<String>, Problem> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut_slice()).map_err(Problem::no_random_numbers)?;
        let token: Zeroizing<String> =
            Zeroizing::new(secret.iter().map(|byte| format!("{byte:02x}")).collect());
        change(place, |tokens| {
            tokens.sources.retain(|source| source.name != *name);
            if tokens.sources.len() >= MOST {
                return Err(Problem::failed(format!(
                    "{} has tokens for {MOST} sources, and there can be no more",
                    place.wearer
                ))
                .hint(
                    "revoke one that is not used: `pulsewing wearer token ID --list` lists them",
                ));
            }
            tokens.sources.push(SourceToken {
                name: name.clone(),
                made_at: now,
                digest: digest(token.as_bytes()),
            });
            tokens
                .sources
                .sort_by(|one, other| one.name.cmp(&other.name));
            Ok(())
        })?;
        Ok(token)
    }

    /// Revokes the token of a source; returns whether there was one.
    ///
    /// # Errors
    /// A [`Problem`] when the file cannot be written.
    pub(crate) fn revoke(place: &Place, name: &str) -> Result<bool, Problem> {
        let mut was_there = false;
        change(place, |tokens| {
            let before = tokens.sources.len();
            tokens.sources.retain(|source| source.name.as_str() != name);
            was_there = tokens.sources.len() < before;
            Ok(())
        })?;
        Ok(was_there)
    }
}

/// Changes the file, while no other process does.
fn change(
    place: &Place,
    change: impl FnOnce(&mut SourceTokens) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let _lock = roster::lock(place.state_dir())?;
    let path = place.dir.join(NAME);
    let mut tokens = SourceTokens::load(place).map_err(|error| unreadable(&path, &error))?;
    change(&mut tokens)?;
    let write = || {
        private::make_dir(&place.dir)?;
        let text = serde_json::to_vec(&tokens)?;
        Replacement::new(&path)
            .durable()
            .private()
            .write(|file| file.write_all(&text))
    };
    write().map_err(|error: io::Error| {
        Problem::failed("the list of tokens could not be written, so it was not changed")
            .caused_by_file(&error)
            .hint(
                "free up disk space, or make the state directory writable, and repeat this command",
            )
    })
}

/// Builds the problem of a list that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::failed(format!(
        "the list of tokens, {}, cannot be read",
        path.display()
    ))
    .caused_by_file(error)
    .hint("remove the file and make new tokens")
}

/// Returns where the tokens of a wearer are.
pub(crate) fn path(place: &Place) -> std::path::PathBuf {
    place.dir.join(NAME)
}

fn digest(token: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::wearer::WearerId;

    fn place(dir: &Path) -> Place {
        Place::new(dir, &WearerId::default())
    }

    fn name(text: &str) -> SourceName {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_names_its_source_until_it_is_replaced_or_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let at = Timestamp::UNIX_EPOCH;
        let source_of = |token: &str| {
            let tokens = SourceTokens::load(&place).unwrap();
            tokens.source_of(token.as_bytes()).cloned()
        };
        assert_eq!(source_of(""), None);
        let strap = SourceTokens::make(&place, &name("strap"), at).unwrap();
        let watch = SourceTokens::make(&place, &name("watch"), at).unwrap();
        assert_eq!(source_of(&strap), Some(name("strap")));
        assert_eq!(source_of(&watch), Some(name("watch")));
        assert_eq!(source_of(&strap[1..]), None);
        let newer = SourceTokens::make(&place, &name("strap"), at).unwrap();
        assert_eq!(source_of(&strap), None);
        assert_eq!(source_of(&newer), Some(name("strap")));
        assert!(SourceTokens::revoke(&place, "strap").unwrap());
        assert!(!SourceTokens::revoke(&place, "strap").unwrap());
        assert_eq!(source_of(&newer), None);
        assert_eq!(source_of(&watch), Some(name("watch")));
    }

    #[test]
    fn the_file_has_no_token_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let token = SourceTokens::make(&place, &name("strap"), Timestamp::UNIX_EPOCH).unwrap();
        let text = fs::read_to_string(path(&place)).unwrap();
        assert!(text.contains("strap") && !text.contains(token.as_str()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(path(&place)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // The digest itself is no token.
        let digest = text.split("\"digest\":\"").nth(1).unwrap();
        let digest = digest.split('"').next().unwrap();
        let tokens = SourceTokens::load(&place).unwrap();
        assert_eq!(tokens.source_of(digest.as_bytes()), None);
    }

    #[test]
    fn a_damaged_list_is_an_error_and_there_is_a_limit() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        for number in 0..MOST {
            SourceTokens::make(&place, &name(&format!("s{number}")), Timestamp::UNIX_EPOCH)
                .unwrap();
        }
        let one_more = SourceTokens::make(&place, &name("more"), Timestamp::UNIX_EPOCH);
        assert!(one_more.unwrap_err().to_string().contains("no more"));
        fs::write(path(&place), "{").unwrap();
        assert!(SourceTokens::load(&place).is_err());
        assert!(SourceTokens::make(&place, &name("s1"), Timestamp::UNIX_EPOCH).is_err());
        assert_eq!(fs::read_to_string(path(&place)).unwrap(), "{");
    }
}
