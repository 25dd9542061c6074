//! What is remembered of a wearer between two cycles, as JSON.

use crate::{Database, Error, Lease, Wearer, database::column, statement::Statement};

impl Database {
    /// Returns what was last saved of a wearer. No lease is needed to look.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn load_state(&self, wearer: &Wearer) -> Result<Option<String>, Error> {
        const LOAD: &str = "select document from state where wearer = $1";
        let rows = self
            .query(Statement::new(LOAD).with(&wearer.number))
            .await?;
        rows.first().map(|row| column(row, "document")).transpose()
    }

    /// Saves what is to be remembered of a wearer, and a word for lists, such as `signed-in`.
    ///
    /// # Errors
    /// [`Error::Fenced`], and those of every operation.
    pub async fn save_state(
        &self,
        lease: &mut Lease,
        document: &str,
        standing: &str,
    ) -> Result<(), Error> {
        // The last condition keeps out a save of our own that was overtaken by a later one.
        const SAVE: &str = "
            with held as (select wearer from lease where wearer = $1 and fence = $2 for share)
            insert into state as s (wearer, document, standing, fence, revision)
            select wearer, $4, $5, $2, $3 from held
            on conflict (wearer) do update set document = excluded.document,
                standing = excluded.standing, fence = excluded.fence, revision = excluded.revision,
                changed = now()
            where (s.fence, s.revision) <= (excluded.fence, excluded.revision)
            returning wearer";
        let revision = lease.next_write();
        let save = Statement::new(SAVE)
            .with(&lease.wearer().number)
            .with(&lease.fence);
        let save = save.with(&revision).with(&document).with(&standing);
        match self.query(save).await?.is_empty() {
            true => Err(lease.fenced()),
            false => Ok(()),
        }
    }
}
