//! Limits by project: what all wearers of one registration at a provider may ask for together.
//!
//! A project has one row, a token bucket: `burst` tokens at most, `per_second` new ones, by the server's
//! clock. A smaller bucket inside it, a tenth of each, is for filling up the past: such a request takes
//! from both.

use std::time::Duration;

use crate::{Database, Error, database::column, statement::Statement};

/// The limits of a project.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Requests a second, in the long run. Above 0.
    pub per_second: f64,
    /// Requests at once, at least 1.
    pub burst: f64,
}

/// What requests are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A wearer's current values.
    Current,
    /// The past: at most a tenth of the limit.
    Backfill,
}

/// The part of the limit that [`Priority::Backfill`] may use, in SQL.
macro_rules! low_share {
    () => {
        "0.1"
    };
}

/// The answer to a wish for requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// They may be sent.
    Granted,
    /// None of them may be sent. Ask again after this time, and a little more, not the same for everybody.
    NotBefore(Duration),
}

impl Database {
    /// Sets the limits of a project; with the same limits as before, its state stays as it is.
    ///
    /// # Errors
    /// [`Error::Option`] for limits out of range, and those of every operation.
    pub async fn limit_project(&self, project: &str, limit: Limit) -> Result<(), Error> {
        const SET: &str = concat!(
            "insert into project as p (id, per_second, burst, tokens, low)
            values ($1, $2, $3, $3, $3 * ", low_share!(), ")
            on conflict (id) do update set per_second = $2, burst = $3, tokens = least(p.tokens, $3),
                low = least(p.low, $3 * ", low_share!(), ")
            where (p.per_second, p.burst) <> ($2, $3)"
        );
        let Limit { per_second, burst } = limit;
        let is_usable =
            per_second.is_finite() && per_second > 0.0 && burst.is_finite() && burst >= 1.0;
        if !is_usable {
            return Err(Error::Option(
                "a project's limits are above 0 a second, and at least 1 at once",
            ));
        }
        let set = Statement::new(SET)
            .with(&project)
            .with(&per_second)
            .with(&burst);
        self.query(set).await?;
        Ok(())
    }

    /// Takes `count` requests from a project's bucket, all or none.
    ///
    /// A `count` above what the bucket ever holds is granted when it is full. If the answer is lost, they
    /// are taken twice.
    ///
    /// # Errors
    /// [`Error::NoSuchProject`], and those of every operation.
    pub async fn ask_project(
        &self,
        project: &str,
        count: u32,
        priority: Priority,
    ) -> Result<Grant, Error> {
        // `filled` lies in the future after a 429: nothing is filled in until then.
        const ASK: &str = concat!(
            "with now_full as (
                select *, least(burst, tokens + per_second * age) as level,
                    least(burst * ", low_share!(), ", low + per_second * ", low_share!(), " * age)
                        as low_level
                from (select *, greatest(extract(epoch from now() - filled)::float8, 0) as age
                    from project where id = $1 for update) p),
            wanted as (
                select *, greatest(0,
                    (least($2, burst) - level) / per_second,
                    case when $3 then (least($2, burst * ", low_share!(), ") - low_level)
                        / (per_second * ", low_share!(), ") end,
                    case when slow_until > now() then extract(epoch from slow_until - now())::float8 end
                    ) as wait
                from now_full)
            update project p set filled = greatest(p.filled, now()),
                tokens = w.level - case when w.wait <= 0 then $2 else 0 end,
                low = w.low_level - case when w.wait <= 0 and $3 then $2 else 0 end
            from wanted w where p.id = w.id returning w.wait"
        );
        let (count, is_low) = (f64::from(count), priority == Priority::Backfill);
        let ask = Statement::new(ASK)
            .with(&project)
            .with(&count)
            .with(&is_low);
        let rows = self.query(ask).await?;
        let row = rows
            .first()
            .ok_or_else(|| Error::NoSuchProject(project.to_owned()))?;
        let wait: f64 = column(row, "wait")?;
        match wait > 0.0 {
            true => Ok(Grant::NotBefore(
                Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX),
            )),
            false => Ok(Grant::Granted),
        }
    }

    /// Stops all requests of a project for a time, after the provider answered one of them with 429. The
    /// bucket is empty then, so that they do not begin all at once.
    ///
    /// # Errors
    /// [`Error::NoSuchProject`], and those of every operation.
    pub async fn slow_project(&self, project: &str, pause: Duration) -> Result<(), Error> {
        const SLOW: &str = "
            update project set slow_until = greatest(slow_until, now() + $2 * interval '1 second'),
                filled = greatest(filled, now() + $2 * interval '1 second'),
                tokens = least(tokens, 0), low = least(low, 0)
            where id = $1 returning id";
        // A provider that says more than a day is not believed.
        let seconds = pause.as_secs_f64().min(86_400.0);
        let slow = Statement::new(SLOW).with(&project).with(&seconds);
        match self.query(slow).await?.is_empty() {
            true => Err(Error::NoSuchProject(project.to_owned())),
            false => Ok(()),
        }
    }
}
