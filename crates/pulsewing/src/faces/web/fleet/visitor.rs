//! Who asks, and what they may see.

use std::{fmt, sync::Arc};

use pulsewing_fleet::{Access, Database, Error, Role, Wearer};
use zeroize::Zeroizing;

/// A visitor whom the door has let in.
#[derive(Clone, Debug)]
pub(super) enum Visitor {
    /// Somebody on this machine, while nobody has made a key and no other machine can ask.
    Local,
    /// The owner of a key.
    Owner(Arc<Owner>),
}

/// The owner of a key. `Debug` does not show the key.
pub(super) struct Owner {
    pub(super) access: Access,
    pub(super) key: Zeroizing<String>,
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = &self.access;
        f.debug_struct("Owner")
            .field("access", access)
            .finish_non_exhaustive()
    }
}

impl Visitor {
    /// Returns what the visitor's key is good for; `None` for everything.
    pub(super) fn access(&self) -> Option<&Access> {
        match self {
            Self::Local => None,
            Self::Owner(owner) => Some(&owner.access),
        }
    }

    fn role(&self) -> Option<Role> {
        self.access().map(|access| access.role)
    }

    /// Returns whether the visitor may know of this wearer.
    pub(super) fn knows(&self, wearer: &Wearer) -> bool {
        self.access().is_none_or(|access| access.covers(wearer))
    }

    /// Returns whether the visitor may see this wearer's heart rate.
    pub(super) fn sees_rates(&self, wearer: &Wearer) -> bool {
        self.access()
            .is_none_or(|access| access.covers_rates(wearer))
    }

    /// Returns whether the visitor may see heart rates at all.
    pub(super) fn sees_any_rates(&self) -> bool {
        self.role() != Some(Role::Operator)
    }

    /// Returns whether the visitor runs the fleet, and so may know how its work goes.
    pub(super) fn runs_the_fleet(&self) -> bool {
        matches!(self.role(), None | Some(Role::Operator))
    }

    /// Returns whether the visitor is a wearer, who sees nobody else.
    pub(super) fn is_wearer(&self) -> bool {
        self.role() == Some(Role::Wearer)
    }

    /// Notes that the visitor looks at these wearers' data, if they are others'. To be called before
    /// the data are given away.
    ///
    /// # Errors
    /// The database's; then nothing may be given away.
    pub(super) async fn note(
        &self,
        database: &Database,
        wearers: &[Wearer],
        what: &str,
    ) -> Result<(), Error> {
        match self {
            Self::Owner(owner) if owner.access.role == Role::Viewer && !wearers.is_empty() => {
                let name = owner.access.name.as_str();
                database.note_reads(name, wearers, what).await
            }
            _ => Ok(()),
        }
    }

    /// Returns whether the visitor may still see this wearer's heart rate: the key may have been revoked
    /// since.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn still_sees(
        &self,
        database: &Database,
        wearer: &Wearer,
    ) -> Result<bool, Error> {
        match self {
            // Until the first key is made.
            Self::Local => Ok(!database.has_api_keys().await?),
            Self::Owner(owner) => {
                let access = database.check_api_key(&owner.key).await?;
                Ok(access.is_some_and(|access| access.covers_rates(wearer)))
            }
        }
    }
}
