//! Who may ask for what: roles, and the keys of the API.
//!
//! A key is 256 random bits as 64 hex digits. Only its SHA-256 is stored: with that many bits nothing
//! slower is needed, and the table gives nothing away.

use std::fmt;

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::{
    Database, Error, Wearer, WearerId, database::column, error::Failure, hex, random,
    statement::Statement,
};

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything of its own wearer.
    Wearer,
    /// The heart rates and states of others, who have agreed. Each look is to be noted: see
    /// [`Database::note_read`].
    Viewer,
    /// The states of wearers, never their heart rates.
    Operator,
}

impl Role {
    const ALL: [Self; 3] = [Self::Wearer, Self::Viewer, Self::Operator];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wearer => "wearer",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }

    /// Finds a role by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Whom a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// These wearers. When one is removed, it is removed from here too.
    Wearers(Vec<WearerId>),
    /// Every wearer of the tenant, also those to come.
    Tenant,
}

/// What the owner of a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The key's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// The role.
    pub role: Role,
    /// Whom it is good for.
    pub scope: Scope,
}

impl Access {
    /// Returns whether the state of this wearer may be shown.
    #[must_use]
    pub fn covers(&self, wearer: &Wearer) -> bool {
        let is_named = match &self.scope {
            Scope::Wearers(ids) => ids.contains(&wearer.id),
            Scope::Tenant => true,
        };
        is_named && self.tenant == wearer.tenant
    }

    /// Returns whether the heart rates of this wearer may be shown.
    #[must_use]
    pub fn covers_rates(&self, wearer: &Wearer) -> bool {
        self.covers(wearer) && self.role != Role::Operator
    }
}

/// A secret that is shown once, as 64 hex digits. `Debug` does not show it.
pub struct OnceShown(Zeroizing<String>);

impl OnceShown {
    /// Makes a new one.
    pub(crate) fn new() -> Result<Self, Error> {
        let mut secret = Zeroizing::new([0; hex::LENGTH]);
        random::fill(&mut *secret)?;
        Ok(Self(hex::digits_of(&secret)))
    }

    /// Returns the digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OnceShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceShown(_)")
    }
}

/// Returns what is stored of a secret; `None` if these are no digits of one.
pub(crate) fn hash_of(digits: &str) -> Option<Vec<u8>> {
    let secret = hex::secret_of(digits)?;
    Some(digest(&SHA256, &*secret).as_ref().to_vec())
}

impl Database {
    /// Makes a key, under a name by which it can be revoked.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`], [`Error::NoSuchWearer`], [`Error::Option`] for a wearer's key that is not
    /// for exactly one wearer, and those of every operation.
    pub async fn make_api_key(
        &self,
        name: &str,
        role: Role,
        scope: &Scope,
    ) -> Result<OnceShown, Error> {
        const MAKE: &str = "
            insert into api_key (hash, tenant, name, role, whole_tenant) values ($1, $2, $3, $4, $5)
            on conflict (hash) do nothing";
        const FOR: &str = "
            insert into api_key_wearer (hash, wearer)
            select $1, number from wearer where tenant = $2 and id = any($3)
            on conflict do nothing";
        let ids: Vec<String> = match scope {
            Scope::Wearers(ids) => ids.iter().map(ToString::to_string).collect(),
            Scope::Tenant => Vec::new(),
        };
        if role == Role::Wearer && ids.len() != 1 {
            return Err(Error::Option("the key of a wearer is for one wearer"));
        }
        if let Scope::Wearers(ids) = scope {
            for id in ids {
                if self.wearer(id).await?.tenant != self.tenant() {
                    return Err(Error::NoSuchWearer(id.to_string()));
                }
            }
        }
        let key = OnceShown::new()?;
        let hash = hash_of(key.digits()).unwrap_or_default();
        let (tenant, role) = (self.tenant(), role.name());
        let is_whole = *scope == Scope::Tenant;
        let make = Statement::new(MAKE).with(&hash).with(&tenant).with(&name);
        let make = make.with(&role).with(&is_whole);
        let wearers = Statement::new(FOR).with(&hash).with(&tenant).with(&ids);
        match self.transact(&[make, wearers]).await {
            Ok(_) => Ok(key),
            Err(Failure::Unique { constraint, .. }) if constraint == "api_key_name" => {
                Err(Error::DuplicateKey(name.to_owned()))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Finds out what the owner of a key may do. `None`: it is no key, or was revoked.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn check_api_key(&self, digits: &str) -> Result<Option<Access>, Error> {
        const CHECK: &str = "
            select k.name, k.tenant, k.role, k.whole_tenant, array(
                select w.id from api_key_wearer a join wearer w on w.number = a.wearer
                where a.hash = k.hash order by w.id) as wearers
            from api_key k where k.hash = $1";
        let Some(hash) = hash_of(digits) else {
            return Ok(None);
        };
        let rows = self.query(Statement::new(CHECK).with(&hash)).await?;
        rows.first().map(read).transpose()
    }

    /// Returns whether there is any key, of any tenant that this program serves.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn has_api_keys(&self) -> Result<bool, Error> {
        const LOOK: &str = "select exists (select from api_key) as are_there";
        let rows = self.query(Statement::new(LOOK)).await?;
        rows.first()
            .map_or(Ok(false), |row| column(row, "are_there"))
    }

    /// Lists the keys of the tenant.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn api_keys(&self) -> Result<Vec<Access>, Error> {
        const LIST: &str = "
            select k.name, k.tenant, k.role, k.whole_tenant, array(
                select w.id from api_key_wearer a join wearer w on w.number = a.wearer
                where a.hash = k.hash order by w.id) as wearers
            from api_key k where k.tenant = $1 order by k.name";
        let tenant = self.tenant();
        let rows = self.query(Statement::new(LIST).with(&tenant)).await?;
        rows.iter().map(read).collect()
    }

    /// Revokes a key, and returns whether there was one of this name.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn revoke_api_key(&self, name: &str) -> Result<bool, Error> {
        const REVOKE: &str = "delete from api_key where tenant = $1 and name = $2 returning name";
        let tenant = self.tenant();
        let revoke = Statement::new(REVOKE).with(&tenant).with(&name);
        Ok(!self.query(revoke).await?.is_empty())
    }
}

fn read(row: &tokio_postgres::Row) -> Result<Access, Error> {
    let role = Role::named(column(row, "role")?);
    let ids: Vec<String> = column(row, "wearers")?;
    let ids: Result<Vec<WearerId>, Error> = ids.iter().map(|id| id.parse()).collect();
    Ok(Access {
        name: column(row, "name")?,
        tenant: column(row, "tenant")?,
        // A newer program's role is none of ours: such a key opens nothing.
        role: role.ok_or(Error::Option(
            "a key has a role that this program does not know",
        ))?,
        scope: match column(row, "whole_tenant")? {
            true => Scope::Tenant,
            false => Scope::Wearers(ids?),
        },
    })
}
