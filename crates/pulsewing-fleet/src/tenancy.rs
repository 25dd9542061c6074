//! Tenants: the second wall between them, which the server keeps.
//!
//! The first wall is the program's: [`Access::covers`](crate::Access::covers). Behind it, a program that
//! serves one tenant connects as a user of the server to whom the tables do not belong, and names the
//! tenant in each transaction; the policies of the tables (`migrations`) then hide all other rows, whatever the
//! program asks. Collectors connect as the owner, and serve everybody.

use crate::{Database, Error, database::column, error::Failure, statement::Statement};

/// What such a user may do: nothing with limits, and to the audit it may only add.
const GRANTS: &str = "
    grant select on pulsewing_schema to ROLE;
    grant select, insert, update, delete on
        wearer, person, lease, chain, state, api_key, api_key_wearer, invitation,
        day, asked, doubted to ROLE;
    grant select, insert on audit to ROLE;";

impl Database {
    /// Lets a user of the server use the tables, behind the second wall. To be called by the owner.
    ///
    /// # Errors
    /// [`Error::Option`] if the name is not `[a-z_][a-z0-9_]{0,62}`, if there is no such user, or if the
    /// server would let it pass the wall; and those of every operation.
    pub async fn admit_user(&self, user: &str) -> Result<(), Error> {
        const LOOK: &str = "
            select r.rolsuper or r.rolbypassrls or pg_has_role(r.oid, c.relowner, 'usage') as passes
            from pg_roles r, pg_class c where r.rolname = $1 and c.oid = 'wearer'::regclass";
        let is_start = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let is_name = (1..=63).contains(&user.len())
            && user.bytes().next().is_some_and(is_start)
            && user
                .bytes()
                .all(|byte| is_start(byte) || byte.is_ascii_digit());
        if !is_name {
            return Err(Error::Option("a user's name is a-z, 0-9 and _"));
        }
        let rows = self.query(Statement::new(LOOK).with(&user)).await?;
        match rows.first() {
            None => return Err(Error::Option("the server has no such user")),
            Some(row) if column(row, "passes")? => {
                return Err(Error::Option(
                    "this user passes the row-level security: it needs NOBYPASSRLS, and must not own the tables",
                ));
            }
            Some(_) => {}
        }
        let grants = GRANTS.replace("ROLE", &format!("\"{user}\""));
        let limit = self.options().patience;
        let granted = self.with_session(limit, async |session| session.script(&grants).await);
        granted.await.map_err(Failure::into_error)
    }

    /// Refuses to name a tenant to a server that would not listen.
    pub(crate) async fn check_wall(&self) -> Result<(), Error> {
        const LOOK: &str = "select row_security_active('wearer') as is_active";
        if self.options().tenant.is_none() {
            return Ok(());
        }
        let rows = self.query(Statement::new(LOOK)).await?;
        match rows.first() {
            Some(row) if column(row, "is_active")? => Ok(()),
            _ => Err(Error::Option(
                "a program for one tenant must connect as a user whom the row-level security holds",
            )),
        }
    }
}
