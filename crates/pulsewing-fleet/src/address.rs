//! The database's URL, which may hold a password, and the trust that it asks for.

use std::{fmt, net::IpAddr};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

use crate::Error;

/// Where the database is, and as whom to ask it. `Debug` shows neither password nor URL.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
}

impl Address {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/NAME?PARAMETERS`, as PostgreSQL's own programs write it.
    ///
    /// `sslmode` differs in two points, both to the safe side. Encryption always verifies the server, so
    /// that `require`, `verify-ca` and `verify-full` are one. And if the URL is silent, the connection must
    /// be encrypted, unless it stays on this machine.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(Error::Url("it does not begin with postgres://"));
        }
        let (known, verified) = without_verify(url);
        // The driver's own message may quote a part of the URL, and so of the password.
        let mut config: Config = known.parse().map_err(|_| {
            Error::Url(
                "it is not postgres://USER@HOST/NAME?PARAMETERS, with a parameter that is known",
            )
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(Error::Url("it names no host"));
        }
        let is_silent = !known.contains("sslmode=");
        if verified || (is_silent && !stays_here(&config)) {
            config.ssl_mode(SslMode::Require);
        }
        Ok(Self { config })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("hosts", &self.config.get_hosts())
            .field("name", &self.config.get_dbname())
            .finish_non_exhaustive()
    }
}

/// Returns the URL with the verifying modes, which the driver does not know, written as `require`.
fn without_verify(url: &str) -> (String, bool) {
    let Some((front, query)) = url.split_once('?') else {
        return (url.to_owned(), false);
    };
    let mut verified = false;
    let parts: Vec<&str> = query
        .split('&')
        .map(|part| match part {
            "sslmode=verify-ca" | "sslmode=verify-full" => {
                verified = true;
                "sslmode=require"
            }
            other => other,
        })
        .collect();
    (format!("{front}?{}", parts.join("&")), verified)
}

/// Returns whether every host is a socket file or this machine's loopback.
fn stays_here(config: &Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    named && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        Address::parse(url).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_the_url_says_otherwise() {
        assert_eq!(mode("postgres://u@db.example/p"), SslMode::Require);
        assert_eq!(
            mode("postgres://u@db.example/p?sslmode=prefer"),
            SslMode::Prefer
        );
        assert_eq!(
            mode("postgres://u@db.example/p?sslmode=disable"),
            SslMode::Disable
        );
        assert_eq!(
            mode("postgres://u@127.0.0.1,db.example/p"),
            SslMode::Require
        );
        for here in ["localhost", "127.0.0.1", "%2Frun%2Fpostgresql"] {
            assert_eq!(
                mode(&format!("postgres://u@{here}/p")),
                SslMode::Prefer,
                "{here}"
            );
            let full = format!("postgres://u@{here}/p?connect_timeout=3&sslmode=verify-full");
            assert_eq!(mode(&full), SslMode::Require, "{here}");
        }
        assert_eq!(
            mode("postgres:///p?host=/run/postgresql&user=u"),
            SslMode::Prefer
        );
    }

    #[test]
    fn neither_a_bad_url_nor_a_good_one_shows_its_password() {
        for bad in [
            "postgres://u:hunter2@h:port/p",
            "postgres://u:a@b?hunter2",
            "postgres://u:x@h/p?hunter2=1",
            "mysql://u:hunter2@h/p",
            "postgres:///p?password=hunter2",
        ] {
            let error = Address::parse(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{bad}");
        }
        let good = Address::parse("postgres://u:hunter2@h/p").unwrap();
        assert!(!format!("{good:?}").contains("hunter2"));
        assert_eq!(good.config.get_password(), Some(b"hunter2".as_slice()));
    }
}
