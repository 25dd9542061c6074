//! What is done to all chains at once: a new key, and a restored backup.

use crate::{
    Database, Error, Keys, Wearer, WearerId, chain::unseal, database::column, random, seal::Place,
    statement::Statement,
};

/// The result of [`Database::rekey`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// The number of chains that were sealed anew.
    pub resealed: u64,
    /// The number of chains that are still sealed with an older key: those that are listed, and those that
    /// a collector without the newest key keeps writing. While there are any, their keys are needed.
    pub left: u64,
    /// The chains that did not unseal, and why.
    pub unreadable: Vec<(String, Error)>,
}

/// Chains read at once.
const BATCH: i64 = 100;

/// The most walks over all chains: a second one finds what was written with an old key during the first.
const WALKS: usize = 3;

impl Database {
    /// Checks that these are the keys under which the chains are sealed: for each of them, that it opens
    /// one of a few chains that name it. A key file of something else has keys with the same ids.
    ///
    /// # Errors
    /// [`Error::WrongKey`], and those of every operation.
    pub async fn check_keys(&self, keys: &Keys) -> Result<(), Error> {
        // More than one, because a row may be damaged.
        const SOME: &str = "
            select w.number, w.tenant, w.id, w.name, w.provider, w.settings,
                c.generation, c.revision, c.record, c.key_id
            from chain c join wearer w on w.number = c.wearer where c.key_id = $1 limit 5";
        for key in keys.ids() {
            let id = i32::from(key);
            let rows = self.query(Statement::new(SOME).with(&id)).await?;
            let mut opens = rows.is_empty();
            for row in &rows {
                let wearer = Wearer::read(row)?;
                let generation: i64 = column(row, "generation")?;
                let place = Place {
                    generation: u32::try_from(generation).unwrap_or(u32::MAX),
                    revision: column(row, "revision")?,
                    ..Place::of(&wearer)
                };
                opens |= unseal(keys, id, column(row, "record")?, &place).is_ok();
            }
            if !opens {
                return Err(Error::WrongKey(key));
            }
        }
        Ok(())
    }

    /// Seals every chain with the newest of these keys. Collectors go on meanwhile: a chain that one of
    /// them writes first is not touched. It may be stopped at any time, and called again to go on.
    ///
    /// # Errors
    /// Those of every operation. A chain that does not unseal is listed, and no error.
    pub async fn rekey(&self, keys: &Keys) -> Result<Rekeyed, Error> {
        const OLD: &str = "
            select w.number, w.tenant, w.id, w.name, w.provider, w.settings,
                c.generation, c.revision, c.record, c.key_id
            from chain c join wearer w on w.number = c.wearer
            where c.key_id <> $1 and c.wearer > $2 order by c.wearer limit $3";
        const COUNT: &str = "select count(*) as left from chain where key_id <> $1";
        let newest = i32::from(keys.newest_id());
        let mut rekeyed = Rekeyed::default();
        for _ in 0..WALKS {
            let before = rekeyed.resealed;
            rekeyed.unreadable.clear();
            let mut after = 0_i64;
            loop {
                let old = Statement::new(OLD).with(&newest).with(&after).with(&BATCH);
                let rows = self.query(old).await?;
                for row in &rows {
                    let wearer = Wearer::read(row)?;
                    after = wearer.number;
                    let (revision, key) = (column(row, "revision")?, column(row, "key_id")?);
                    let generation: i64 = column(row, "generation")?;
                    let place = Place {
                        generation: u32::try_from(generation).unwrap_or(u32::MAX),
                        revision,
                        ..Place::of(&wearer)
                    };
                    match unseal(keys, key, column(row, "record")?, &place) {
                        Ok(record) => {
                            let (_, sealed) = keys.seal(&record, &place)?;
                            rekeyed.resealed += self.exchange(&place, key, newest, sealed).await?;
                        }
                        Err(error) => rekeyed.unreadable.push((wearer.id.to_string(), error)),
                    }
                }
                if rows.is_empty() {
                    break;
                }
            }
            if rekeyed.resealed == before {
                break;
            }
        }
        let rows = self.query(Statement::new(COUNT).with(&newest)).await?;
        let left = rows
            .first()
            .map_or(Ok(0), |row| column::<i64>(row, "left"))?;
        rekeyed.left = u64::try_from(left).unwrap_or(0);
        Ok(rekeyed)
    }

    /// Exchanges the sealed bytes of a record that is still the same: a revision is written once.
    async fn exchange(
        &self,
        place: &Place<'_>,
        old: i32,
        newest: i32,
        sealed: Vec<u8>,
    ) -> Result<u64, Error> {
        const EXCHANGE: &str = "
            update chain set record = $4, key_id = $5
            where wearer = $1 and revision = $2 and key_id in ($3, $5) returning wearer";
        let exchange = Statement::new(EXCHANGE)
            .with(&place.number)
            .with(&place.revision);
        let rows = self
            .query(exchange.with(&old).with(&sealed).with(&newest))
            .await?;
        Ok(rows.len() as u64)
    }

    /// Says that the database was restored from a backup, or that a standby took over which may have missed
    /// transactions, and by whom: every rotating chain must prove itself
    /// before use, since its tokens may have been spent after the backup. All leases end, and no fence
    /// that was given out after the backup will be given out again. To be called before any collector
    /// is started; returns the number of chains that were marked.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn restored(&self, by: &str) -> Result<u64, Error> {
        const LEASES: &str = "
            update lease set owner = null, until = null, intent_until = null, fence = fence + $1";
        const CHAINS: &str = "update chain set verify = true where rotates returning wearer";
        const LINE: &str = "
            insert into audit (tenant, actor, action, wearer, detail, ticket)
            values ('', $1, 'database restored', '', '{}', $2) on conflict (ticket) do nothing";
        // Random: two restorations of the same backup must not lead to the same fences.
        let ticket = random::number()?;
        let jump = (1 << 32) + random::number()?.rem_euclid(1 << 46);
        let statements = [
            Statement::new(LEASES).with(&jump),
            Statement::new(CHAINS),
            Statement::new(LINE).with(&by).with(&ticket),
        ];
        let results = self.transact(&statements).await?;
        Ok(results.get(1).map_or(0, Vec::len) as u64)
    }

    /// Returns the wearers whose rotating chain must still be verified, at most 1,000.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn to_verify(&self) -> Result<Vec<WearerId>, Error> {
        const LIST: &str = "
            select w.id from chain c join wearer w on w.number = c.wearer
            where c.verify order by w.id limit 1000";
        let rows = self.query(Statement::new(LIST)).await?;
        rows.iter()
            .map(|row| column::<&str>(row, "id")?.parse())
            .collect()
    }
}
