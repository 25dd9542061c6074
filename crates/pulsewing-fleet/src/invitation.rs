//! Invitations: a link with which a wearer signs in without a key of their own, once, within seven days.

use crate::{
    Database, Error, Wearer, WearerId,
    access::{OnceShown, hash_of},
    random,
    statement::Statement,
};

impl Database {
    /// Makes an invitation. It ends the wearer's earlier ones.
    ///
    /// # Errors
    /// [`Error::NoSuchWearer`], and those of every operation.
    pub async fn invite(&self, id: &WearerId) -> Result<OnceShown, Error> {
        const END: &str = "delete from invitation where wearer = $1";
        const MAKE: &str = "
            insert into invitation (hash, wearer, expires) values ($2, $1, now() + interval '7 days')";
        let wearer = self.wearer(id).await?;
        let invitation = OnceShown::new()?;
        let hash = hash_of(invitation.digits()).unwrap_or_default();
        let end = Statement::new(END).with(&wearer.number);
        let make = Statement::new(MAKE).with(&wearer.number).with(&hash);
        self.transact(&[end, make]).await?;
        Ok(invitation)
    }

    /// Returns whom an invitation is for, and leaves it as it is: for the page that a link opens, which
    /// other programs also open to look at it. `None`: it is none, is over, or was used.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn check_invitation(&self, digits: &str) -> Result<Option<Wearer>, Error> {
        const CHECK: &str = "
            select w.number, w.tenant, w.id, w.name, w.provider, w.settings
            from invitation i join wearer w on w.number = i.wearer
            where i.hash = $1 and i.expires > now() and i.used_by is null";
        let Some(hash) = hash_of(digits) else {
            return Ok(None);
        };
        let rows = self.query(Statement::new(CHECK).with(&hash)).await?;
        rows.first().map(Wearer::read).transpose()
    }

    /// Uses an invitation up, and returns whom it is for. Of two who do so at once, one gets `None`.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn use_invitation(&self, digits: &str) -> Result<Option<Wearer>, Error> {
        const USE: &str = "
            update invitation i set used_by = $2 from wearer w
            where i.hash = $1 and i.expires > now() and w.number = i.wearer
                and (i.used_by is null or i.used_by = $2)
            returning w.number, w.tenant, w.id, w.name, w.provider, w.settings";
        let Some(hash) = hash_of(digits) else {
            return Ok(None);
        };
        let ticket = random::number()?;
        let rows = self
            .query(Statement::new(USE).with(&hash).with(&ticket))
            .await?;
        rows.first().map(Wearer::read).transpose()
    }
}
