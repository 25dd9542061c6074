//! The audit: who looked at whose data, and what was done that cannot be undone. It is only added to.

use jiff::Timestamp;

use crate::{Database, Error, Wearer, WearerId, database::column, random, statement::Statement};

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number; a later line has a higher one.
    pub number: i64,
    /// The server's time.
    pub at: Timestamp,
    /// Who did it: the name of a key, or whatever the caller says.
    pub actor: String,
    /// What was done: `read`, `wearer removed`, `database restored`.
    pub action: String,
    /// The wearer's id; empty if it concerns all.
    pub wearer: String,
    /// What exactly.
    pub detail: String,
}

/// The most lines of one list.
const LONGEST_LIST: i64 = 1_000;

impl Database {
    /// Notes that somebody looked at a wearer's data. To be called before the data are given away.
    ///
    /// # Errors
    /// Those of every operation; then nothing may be given away.
    pub async fn note_read(&self, actor: &str, wearer: &Wearer, what: &str) -> Result<(), Error> {
        const NOTE: &str = "
            insert into audit (tenant, actor, action, wearer, detail, ticket)
            values ($1, $2, 'read', $3, $4, $5) on conflict (ticket) do nothing";
        let (ticket, id) = (random::number()?, wearer.id.as_str());
        let note = Statement::new(NOTE)
            .with(&wearer.tenant)
            .with(&actor)
            .with(&id);
        self.query(note.with(&what).with(&ticket)).await?;
        Ok(())
    }

    /// Notes that somebody looked at the data of several wearers at once. To be called before the data are
    /// given away.
    ///
    /// # Errors
    /// Those of every operation; then nothing may be given away.
    pub async fn note_reads(
        &self,
        actor: &str,
        wearers: &[Wearer],
        what: &str,
    ) -> Result<(), Error> {
        const NOTE: &str = "
            insert into audit (tenant, actor, action, wearer, detail, ticket)
            select tenant, $1, 'read', wearer, $2, ticket
            from unnest($3::text[], $4::text[], $5::int8[]) as n (tenant, wearer, ticket)
            on conflict (ticket) do nothing";
        let column = |of: fn(&Wearer) -> &str| wearers.iter().map(of).collect::<Vec<&str>>();
        let tenants = column(|wearer| &wearer.tenant);
        let ids = column(|wearer| wearer.id.as_str());
        let tickets: Result<Vec<i64>, Error> = wearers.iter().map(|_| random::number()).collect();
        let tickets = tickets?;
        let note = Statement::new(NOTE).with(&actor).with(&what);
        self.query(note.with(&tenants).with(&ids).with(&tickets))
            .await?;
        Ok(())
    }

    /// Lists the audit, the latest lines first, at most 1,000 with numbers below `before`: of one wearer, or
    /// of all.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn audit(
        &self,
        wearer: Option<&WearerId>,
        before: Option<i64>,
    ) -> Result<Vec<AuditLine>, Error> {
        const LIST: &str = "
            select number, at, actor, action, wearer, detail from audit
            where ($1::text is null or wearer = $1) and ($2::int8 is null or number < $2)
                and ($3::text is null or tenant = $3)
            order by number desc limit $4";
        let wearer = wearer.map(WearerId::as_str);
        let tenant = self.options().tenant.as_deref();
        let list = Statement::new(LIST).with(&wearer).with(&before);
        let rows = self.query(list.with(&tenant).with(&LONGEST_LIST)).await?;
        let lines = rows.iter().map(|row| {
            Ok(AuditLine {
                number: column(row, "number")?,
                at: column(row, "at")?,
                actor: column(row, "actor")?,
                action: column(row, "action")?,
                wearer: column(row, "wearer")?,
                detail: column(row, "detail")?,
            })
        });
        lines.collect()
    }
}
