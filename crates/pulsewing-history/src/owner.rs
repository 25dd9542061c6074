//! The owner of a history.
//!
//! A history belongs to one person: the first one who signs in and is identified. Everybody who
//! signs in later has to be the same person. If the provider does not identify the user, we accept
//! them.

use pulsewing_core::Provider;
use rusqlite::{Connection, OptionalExtension};

use super::{Batch, History, error::HistoryError, schema};

const PROVIDERS: [Provider; 2] = [Provider::Google, Provider::Fitbit];

/// A person, by a provider's own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The provider.
    pub provider: Provider,
    /// Its id for the person: Fitbit's user id, Google's health user id.
    pub user_id: String,
}

impl Account {
    /// Returns whether a stored id is this one's. Fitbit writes its ids in capitals, people do not
    /// always.
    fn is(&self, user_id: &str) -> bool {
        self.user_id.eq_ignore_ascii_case(user_id)
    }
}

/// The relation of a person to a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is theirs.
    Own,
    /// It knows neither them nor anybody they could be compared with.
    Unknown,
    /// It is another person's.
    Foreign,
}

impl History {
    /// Compares the owner with a person who has these accounts, the best known first. The first
    /// account with a provider for which the history knows the owner decides.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn relation_to(&self, accounts: &[Account]) -> Result<Relation, HistoryError> {
        for account in accounts {
            if let Some(owner) = owner(&self.db, &self.wearer, account.provider)? {
                return Ok(match account.is(&owner) {
                    true => Relation::Own,
                    false => Relation::Foreign,
                });
            }
        }
        Ok(Relation::Unknown)
    }

    /// Returns whether the history has a known owner.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn is_somebodys(&self) -> Result<bool, HistoryError> {
        for provider in PROVIDERS {
            if owner(&self.db, &self.wearer, provider)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Returns all accounts that a damaged file of any version names as its owner.
pub(super) fn named(damaged: &Connection, wearer: &str) -> Vec<Account> {
    let of_provider = |provider| {
        let user_id = stored(damaged, wearer, provider).ok()??;
        Some(Account { provider, user_id })
    };
    PROVIDERS.into_iter().filter_map(of_provider).collect()
}

impl Batch<'_> {
    /// Records this person as the owner of the history.
    ///
    /// # Errors
    /// [`HistoryError::AnotherPerson`] when it is another person's, and others.
    pub fn claim(&self, account: &Account) -> Result<(), HistoryError> {
        match owner(&self.change, self.wearer, account.provider)? {
            Some(owner) if account.is(&owner) => Ok(()),
            Some(_) => Err(HistoryError::AnotherPerson),
            None => {
                self.change.execute(
                    "INSERT INTO owner (wearer, provider, user_id) VALUES (?1, ?2, ?3)",
                    (self.wearer, account.provider.name(), &account.user_id),
                )?;
                Ok(())
            }
        }
    }
}

fn owner(
    db: &Connection,
    wearer: &str,
    provider: Provider,
) -> Result<Option<String>, HistoryError> {
    // A file that is opened only for reading may be an older one.
    if schema::version(db, schema::STEPS)? < schema::WITH_OWNER {
        return Ok(None);
    }
    stored(db, wearer, provider)
}

fn stored(
    db: &Connection,
    wearer: &str,
    provider: Provider,
) -> Result<Option<String>, HistoryError> {
    let mut query = db.prepare("SELECT user_id FROM owner WHERE wearer = ?1 AND provider = ?2")?;
    let owner = query.query_row((wearer, provider.name()), |row| row.get(0));
    Ok(owner.optional()?)
}
