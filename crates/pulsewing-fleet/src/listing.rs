//! Lists of the wearers that somebody may know of, for pages and programs.

use tokio_postgres::Row;

use crate::{
    Access, Database, Error, Scope, Wearer, WearerId, database::column, statement::Statement,
};

/// A wearer in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The wearer.
    pub wearer: Wearer,
    /// The word that the last [`Database::save_state`] gave; `None` if there was none.
    pub standing: Option<String>,
    /// Whether there is a token chain.
    pub has_chain: bool,
    /// The collector or command that holds the lease now.
    pub held_by: Option<String>,
}

impl Listed {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            wearer: Wearer::read(row)?,
            standing: column(row, "standing")?,
            has_chain: column(row, "has_chain")?,
            held_by: column(row, "held_by")?,
        })
    }

    /// Returns the wearer's state in one word: `new` without a token chain, else the word of the last turn.
    #[must_use]
    pub fn state(&self) -> &str {
        match (self.has_chain, &self.standing) {
            (false, _) => NEW,
            (true, Some(standing)) => standing,
            (true, None) => SIGNED_IN,
        }
    }
}

/// Where a list begins, and in which order it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// By the ids, from behind this one.
    ById(Option<WearerId>),
    /// The worst state first, then by the ids; from behind a wearer of this state and id.
    WorstFirst(Option<(String, WearerId)>),
}

/// The number of wearers in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The state, as [`Listed::state`].
    pub state: String,
    /// How many are in it.
    pub wearers: u64,
}

const NEW: &str = "new";
const SIGNED_IN: &str = "signed-in";

/// The states, the worst first. One that is not here is worse than all of them: nobody knows it yet.
const WORST_FIRST: [&str; 5] = ["sign-in-needed", "gone", "moved", NEW, SIGNED_IN];

/// The most rows of one list.
pub(crate) const LONGEST_LIST: u32 = 1_000;

/// The wearers of tenant `$1`, of all if it is null; of the ids `$2`, of all if they are null.
macro_rules! of_whom {
    () => {
        "with listed as (
            select w.number, w.tenant, w.id, w.name, w.provider, w.settings, s.standing,
                c.wearer is not null as has_chain,
                case when l.until >= now() then l.owner end as held_by,
                case when c.wearer is null then 'new' else coalesce(s.standing, 'signed-in') end as state
            from wearer w join lease l on l.wearer = w.number
            left join state s on s.wearer = w.number
            left join chain c on c.wearer = w.number
            where ($1::text is null or w.tenant = $1) and ($2::text[] is null or w.id = any($2)))"
    };
}

/// The part of the wearers that a list is about.
struct Whom {
    tenant: Option<String>,
    ids: Option<Vec<String>>,
}

impl Database {
    /// Lists wearers, at most `limit` and at most 1,000: those that the owner of a key may know of, or all.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn list(
        &self,
        access: Option<&Access>,
        order: &Order,
        limit: u32,
    ) -> Result<Vec<Listed>, Error> {
        const BY_ID: &str = concat!(
            of_whom!(),
            " select * from listed where id > $3 order by id limit $4"
        );
        const WORST: &str = concat!(
            of_whom!(),
            ", ranked as (select *, coalesce(array_position($5::text[], state), 0) as rank from listed)
            select * from ranked where (rank, id) > ($6, $3) order by rank, id limit $4"
        );
        let whom = self.whom(access);
        let limit = i64::from(limit.min(LONGEST_LIST));
        let words = WORST_FIRST.to_vec();
        let (after, rank) = match order {
            Order::ById(after) => (after.as_ref().map_or("", WearerId::as_str), None),
            Order::WorstFirst(None) => ("", Some(-1)),
            Order::WorstFirst(Some((state, id))) => (id.as_str(), Some(rank_of(state))),
        };
        let list = |sql| {
            Statement::new(sql)
                .with(&whom.tenant)
                .with(&whom.ids)
                .with(&after)
                .with(&limit)
        };
        let rows = match &rank {
            None => self.query(list(BY_ID)).await?,
            Some(rank) => self.query(list(WORST).with(&words).with(rank)).await?,
        };
        rows.iter().map(Listed::read).collect()
    }

    /// Lists wearers by their ids, at most 1,000, from behind `after`.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn wearers(&self, after: Option<&WearerId>) -> Result<Vec<Listed>, Error> {
        let order = Order::ById(after.cloned());
        self.list(None, &order, LONGEST_LIST).await
    }

    /// Counts wearers by their states: those that the owner of a key may know of, or all.
    ///
    /// # Errors
    /// Those of every operation.
    pub async fn count_states(&self, access: Option<&Access>) -> Result<Vec<Count>, Error> {
        const COUNT: &str = concat!(
            of_whom!(),
            " select state, count(*) as wearers from listed group by state order by state"
        );
        let whom = self.whom(access);
        let count = Statement::new(COUNT).with(&whom.tenant).with(&whom.ids);
        let rows = self.query(count).await?;
        let counts = rows.iter().map(|row| {
            Ok(Count {
                state: column(row, "state")?,
                wearers: u64::try_from(column::<i64>(row, "wearers")?).unwrap_or(0),
            })
        });
        counts.collect()
    }

    fn whom(&self, access: Option<&Access>) -> Whom {
        let ids = access.and_then(|access| match &access.scope {
            Scope::Wearers(ids) => Some(ids.iter().map(ToString::to_string).collect()),
            Scope::Tenant => None,
        });
        Whom {
            tenant: match access {
                Some(access) => Some(access.tenant.clone()),
                None => self.options().tenant.clone(),
            },
            ids,
        }
    }
}

/// Returns the place of a state in [`WORST_FIRST`], from 1 as the server counts.
fn rank_of(state: &str) -> i32 {
    let place = WORST_FIRST.iter().position(|known| *known == state);
    place.map_or(0, |place| i32::try_from(place + 1).unwrap_or(i32::MAX))
}
