//! The wearers, and the persons behind them.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use tokio_postgres::Row;

use crate::{
    Database, Error, Lease, database::column, error::Failure, random, statement::Statement,
};

/// A wearer's id: 1 to 32 of `a-z`, `0-9` and `-`, the same for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WearerId(String);

impl WearerId {
    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WearerId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        match (1..=32).contains(&text.len()) && text.bytes().all(is_known) {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::WearerId),
        }
    }
}

impl fmt::Display for WearerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is said of a wearer when it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWearer {
    /// The id.
    pub id: WearerId,
    /// The name for people.
    pub name: String,
    /// The provider, as the caller calls it.
    pub provider: String,
    /// The other settings, as JSON or whatever else the caller reads back.
    pub settings: String,
}

/// A change of a wearer: what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WearerChange {
    /// The new name.
    pub name: Option<String>,
    /// The new provider.
    pub provider: Option<String>,
    /// The new settings.
    pub settings: Option<String>,
}

/// A wearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wearer {
    pub(crate) number: i64,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The id.
    pub id: WearerId,
    /// The name for people.
    pub name: String,
    /// The provider, as the caller calls it.
    pub provider: String,
    /// The other settings, as they were given.
    pub settings: String,
}

impl Wearer {
    pub(crate) fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            number: column(row, "number")?,
            tenant: column(row, "tenant")?,
            id: WearerId(column(row, "id")?),
            name: column(row, "name")?,
            provider: column(row, "provider")?,
            settings: column(row, "settings")?,
        })
    }
}

/// The proof that a wearer was removed: the line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The wearer's id.
    pub wearer: String,
    /// The server's time.
    pub at: Timestamp,
    /// Who removed it.
    pub by: String,
    /// What was removed: a JSON object with the provider, and the number of rows by table.
    pub removed: String,
}

impl Database {
    /// Adds a wearer. It is not due until it signs in.
    ///
    /// # Errors
    /// [`Error::DuplicateWearer`], and those of every operation: [`Error::Unreachable`],
    /// [`Error::Refused`], [`Error::Untrusted`], [`Error::Database`].
    pub async fn add_wearer(&self, new: &NewWearer) -> Result<Wearer, Error> {
        const ADD: &str = "
            insert into wearer (tenant, id, name, provider, settings, ticket)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (id) do update set ticket = excluded.ticket
                where wearer.ticket = excluded.ticket
            returning number, tenant, id, name, provider, settings";
        // Apart: the policy of `lease` must see the wearer, and a statement does not see its own rows.
        const LEASE: &str = "
            insert into lease (wearer, due) select number, 'infinity' from wearer
            where id = $1 and ticket = $2 on conflict do nothing";
        let tenant = self.tenant();
        let ticket = random::number()?;
        let add = Statement::new(ADD)
            .with(&tenant)
            .with(&new.id.0)
            .with(&new.name);
        let add = add.with(&new.provider).with(&new.settings).with(&ticket);
        let duplicate = || Error::DuplicateWearer(new.id.0.clone());
        let lease = Statement::new(LEASE).with(&new.id.0).with(&ticket);
        let results = match self.transact(&[add, lease]).await {
            // The row in its place is behind the wall between tenants.
            Err(Failure::Final(Error::Database { code, .. })) if code == "42501" => {
                return Err(duplicate());
            }
            answer => answer?,
        };
        let added = results.first().and_then(|rows| rows.first());
        added.map_or_else(|| Err(duplicate()), Wearer::read)
    }

    /// Finds a wearer.
    ///
    /// # Errors
    /// [`Error::NoSuchWearer`], and those of every operation.
    pub async fn wearer(&self, id: &WearerId) -> Result<Wearer, Error> {
        const FIND: &str =
            "select number, tenant, id, name, provider, settings from wearer where id = $1";
        let rows = self.query(Statement::new(FIND).with(&id.0)).await?;
        self.only(&rows, id)
    }

    /// Changes a wearer.
    ///
    /// # Errors
    /// [`Error::NoSuchWearer`], and those of every operation.
    pub async fn change_wearer(
        &self,
        id: &WearerId,
        change: &WearerChange,
    ) -> Result<Wearer, Error> {
        const CHANGE: &str = "
            update wearer set name = coalesce($2, name), provider = coalesce($3, provider),
                settings = coalesce($4, settings)
            where id = $1 returning number, tenant, id, name, provider, settings";
        let statement = Statement::new(CHANGE).with(&id.0).with(&change.name);
        let statement = statement.with(&change.provider).with(&change.settings);
        let rows = self.query(statement).await?;
        self.only(&rows, id)
    }

    /// Removes a wearer and everything that is kept of it, and leaves a line in the audit. Whoever holds
    /// its lease loses it. The access at the provider must have been revoked before.
    ///
    /// # Errors
    /// [`Error::NoSuchWearer`], and those of every operation.
    pub async fn remove_wearer(&self, id: &WearerId, by: &str) -> Result<Removal, Error> {
        // A part that inserts or deletes sees the tables as they were before the statement: the counts are
        // those of what the cascade removes.
        const REMOVE: &str = "
            with doomed as (select number, tenant, id, provider from wearer where id = $1 for update),
            line as (
                insert into audit (tenant, actor, action, wearer, detail, ticket)
                select tenant, $2, 'wearer removed', id, json_build_object('provider', provider,
                    'persons', (select count(*) from person where wearer = number),
                    'chains', (select count(*) from chain where wearer = number),
                    'states', (select count(*) from state where wearer = number),
                    'days', (select count(*) from day where wearer = number))::text, $3
                from doomed returning wearer, at, actor, detail),
            gone as (delete from wearer w using doomed d where w.number = d.number)
            select * from line";
        // The answer to a removal that was carried out before its confirmation was lost.
        const DONE: &str = "select wearer, at, actor, detail from audit where ticket = $1";
        let ticket = random::number()?;
        let remove = Statement::new(REMOVE).with(&id.0).with(&by).with(&ticket);
        let mut rows = self.query(remove).await?;
        if rows.is_empty() {
            rows = self.query(Statement::new(DONE).with(&ticket)).await?;
        }
        match rows.first() {
            Some(row) => Ok(Removal {
                wearer: column(row, "wearer")?,
                at: column(row, "at")?,
                by: column(row, "actor")?,
                removed: column(row, "detail")?,
            }),
            None => Err(Error::NoSuchWearer(id.0.clone())),
        }
    }

    /// Says who the wearer of this lease is to a provider, at a sign-in. Saying it again is fine.
    ///
    /// # Errors
    /// [`Error::SamePersonTwice`] if the person is another wearer, [`Error::AnotherPerson`] if the wearer
    /// is another person, [`Error::Fenced`], and those of every operation.
    pub async fn claim_person(
        &self,
        lease: &Lease,
        provider: &str,
        user_id: &str,
    ) -> Result<(), Error> {
        const CLAIM: &str = "
            with held as (select wearer from lease where wearer = $1 and fence = $2 for share)
            insert into person as p (wearer, provider, user_id) select wearer, $3, $4 from held
            on conflict (wearer, provider) do update set user_id = p.user_id
            returning user_id";
        let wearer = lease.wearer();
        let claim = Statement::new(CLAIM)
            .with(&wearer.number)
            .with(&lease.fence);
        let rows = match self.query(claim.with(&provider).with(&user_id)).await {
            Err(Failure::Unique { constraint, error }) if constraint == "person_once" => {
                let other = self.find_person(provider, user_id).await?;
                return Err(
                    other.map_or(error, |other| Error::SamePersonTwice { other: other.id.0 })
                );
            }
            answer => answer?,
        };
        let Some(row) = rows.first() else {
            return Err(lease.fenced());
        };
        match column::<&str>(row, "user_id")? == user_id {
            true => Ok(()),
            false => Err(Error::AnotherPerson {
                wearer: wearer.id.0.clone(),
            }),
        }
    }

    /// Finds the wearer who is this person to a provider. Exactly this one: whoever is not found is nobody.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn find_person(
        &self,
        provider: &str,
        user_id: &str,
    ) -> Result<Option<Wearer>, Error> {
        const FIND: &str = "
            select w.number, w.tenant, w.id, w.name, w.provider, w.settings
            from person p join wearer w on w.number = p.wearer
            where p.provider = $1 and p.user_id = $2";
        let rows = self
            .query(Statement::new(FIND).with(&provider).with(&user_id))
            .await?;
        rows.first().map(Wearer::read).transpose()
    }

    fn only(&self, rows: &[Row], id: &WearerId) -> Result<Wearer, Error> {
        match rows.first() {
            Some(row) => Wearer::read(row),
            None => Err(Error::NoSuchWearer(id.0.clone())),
        }
    }

    /// Returns the tenant of new wearers.
    pub(crate) fn tenant(&self) -> &str {
        self.options().tenant.as_deref().unwrap_or("default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_its_rule_says() {
        for good in ["a", "anna-2", &"x".repeat(32)] {
            assert_eq!(good.parse::<WearerId>().unwrap().as_str(), good);
        }
        for bad in ["", "Anna", "a b", "ä", "a_b", &"x".repeat(33)] {
            assert_eq!(bad.parse::<WearerId>(), Err(Error::WearerId), "{bad}");
        }
    }
}
