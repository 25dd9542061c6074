//! The addresses of the providers, or of a substitute such as the sandbox.

use pulsewing_core::{
    Provider,
    chain::Issuer,
    oauth::token,
    request::{Endpoint, RequestView},
};
use reqwest::Url;

use crate::{config::EndpointsConfig, tell::problem::Problem};

/// The addresses of one provider.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    /// The provider.
    pub provider: Provider,
    /// The consent page.
    pub authorize: Url,
    token: Url,
    revoke: Url,
    api: Url,
}

impl Endpoints {
    /// Returns the provider's own addresses, or those of the configuration.
    ///
    /// # Errors
    /// A [`Problem`] for an invalid address, and for `http://` beyond this machine.
    pub(crate) fn new(provider: Provider, config: &EndpointsConfig) -> Result<Self, Problem> {
        let (auth_origin, auth_path, token_origin, api_origin) = match provider {
            Provider::Google => (
                "https://accounts.google.com",
                "/o/oauth2/v2/auth",
                "https://oauth2.googleapis.com",
                "https://health.googleapis.com",
            ),
            Provider::Fitbit => (
                "https://www.fitbit.com",
                "/oauth2/authorize",
                "https://api.fitbit.com",
                "https://api.fitbit.com",
            ),
        };
        let base = config.base_url.as_deref();
        let parse = |key: &str, text: &str| parse(key, text, config.allow_http);
        // If an address has only an origin, the provider's path is appended.
        let at = |key: &str,
                  configured: &Option<String>,
                  origin: &str,
                  path: &str|
         -> Result<Url, Problem> {
            match configured {
                Some(text) => {
                    let url = parse(key, text)?;
                    match url.path() {
                        "/" => Ok(join(&url, path)),
                        _ => Ok(url),
                    }
                }
                None => Ok(join(&parse("base_url", base.unwrap_or(origin))?, path)),
            }
        };
        let token = at(
            "token_url",
            &config.token_url,
            token_origin,
            token::token_path(provider),
        )?;
        let revoke_base = match (&config.token_url, base) {
            (None, Some(base)) => parse("base_url", base)?,
            _ => origin_of(&token),
        };
        Ok(Self {
            provider,
            authorize: at("auth_url", &config.auth_url, auth_origin, auth_path)?,
            revoke: join(&revoke_base, token::revoke_path(provider)),
            api: match (&config.api_url, base) {
                (Some(api), _) => parse("api_url", api)?,
                (None, base) => parse("base_url", base.unwrap_or(api_origin))?,
            },
            token,
        })
    }

    /// Returns the address of a request.
    pub(crate) fn url(&self, request: &RequestView<'_>) -> Url {
        match request.endpoint {
            Endpoint::Token => self.token.clone(),
            Endpoint::Revoke => self.revoke.clone(),
            Endpoint::Api => join(&self.api, request.target),
        }
    }

    /// Returns the origin that issues tokens.
    pub(crate) fn issuer(&self) -> Issuer {
        let origin = self.token.origin().ascii_serialization();
        // `parse()` has already refused a longer one.
        Issuer::try_from(origin.as_str()).unwrap_or_default()
    }

    /// Returns whether data comes from Fitbit's own, abandoned service.
    pub(crate) fn is_fitbit_itself(&self) -> bool {
        self.api.host_str() == Some("api.fitbit.com")
    }

    /// Returns whether any address needs TLS.
    pub(crate) fn need_tls(&self) -> bool {
        [&self.token, &self.revoke, &self.api]
            .iter()
            .any(|url| url.scheme() == "https")
    }
}

fn parse(key: &str, text: &str, allow_http: bool) -> Result<Url, Problem> {
    let refuse = |why: &str| Problem::failed(format!("[endpoints] {key} {why}"));
    let url = Url::parse(text).map_err(|error| refuse("is not an address").caused_by(&error))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not hold a user name or password"));
    }
    if url.origin().ascii_serialization().len() > 256 {
        return Err(refuse("has a host name that is too long"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => Err(refuse(
            "uses http:// to another machine, so anybody on the way can read the tokens",
        )
        .hint("use https://, or set `allow_http = true` in [endpoints] if you are sure")),
        _ => Err(refuse("is neither https:// nor http://")),
    }
}

/// Returns whether an address always stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn origin_of(url: &Url) -> Url {
    let mut origin = url.clone();
    origin.set_path("/");
    origin.set_query(None);
    origin.set_fragment(None);
    origin
}

/// Appends a path (and query) to a base that may have a path of its own.
fn join(base: &Url, target: &str) -> Url {
    let mut url = base.clone();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(provider: Provider, config: &str) -> Result<Endpoints, Problem> {
        Endpoints::new(provider, &toml::from_str(config).unwrap())
    }

    #[test]
    fn the_providers_own_addresses_are_the_default() {
        let google = endpoints(Provider::Google, "").unwrap();
        assert_eq!(
            google.authorize.as_str(),
            "https://accounts.google.com/o/oauth2/v2/auth"
        );
        assert_eq!(google.token.as_str(), "https://oauth2.googleapis.com/token");
        assert_eq!(
            google.revoke.as_str(),
            "https://oauth2.googleapis.com/revoke"
        );
        assert_eq!(google.issuer().as_str(), "https://oauth2.googleapis.com");
        let fitbit = endpoints(Provider::Fitbit, "").unwrap();
        assert_eq!(
            fitbit.revoke.as_str(),
            "https://api.fitbit.com/oauth2/revoke"
        );
        assert!(fitbit.need_tls());
    }

    #[test]
    fn one_origin_can_stand_for_everything() {
        let google = endpoints(Provider::Google, "base_url = 'http://127.0.0.1:8080/gw/'").unwrap();
        assert_eq!(
            google.authorize.as_str(),
            "http://127.0.0.1:8080/gw/o/oauth2/v2/auth"
        );
        assert_eq!(google.token.as_str(), "http://127.0.0.1:8080/gw/token");
        assert_eq!(google.revoke.as_str(), "http://127.0.0.1:8080/gw/revoke");
        assert!(!google.need_tls());
        let mixed = endpoints(
            Provider::Fitbit,
            "base_url = 'http://[::1]:1'\ntoken_url = 'http://localhost:2/my/token'\nauth_url = 'http://localhost:3'",
        )
        .unwrap();
        assert_eq!(mixed.token.as_str(), "http://localhost:2/my/token");
        assert_eq!(mixed.revoke.as_str(), "http://localhost:2/oauth2/revoke");
        assert_eq!(
            mixed.authorize.as_str(),
            "http://localhost:3/oauth2/authorize"
        );
        assert_eq!(mixed.api.as_str(), "http://[::1]:1/");
    }

    #[test]
    fn plain_http_does_not_leave_the_machine() {
        assert!(endpoints(Provider::Google, "base_url = 'http://192.0.2.1'").is_err());
        assert!(endpoints(Provider::Google, "base_url = 'http://localhost.example'").is_err());
        assert!(
            endpoints(
                Provider::Google,
                "base_url = 'http://192.0.2.1'\nallow_http = true"
            )
            .is_ok()
        );
        assert!(endpoints(Provider::Google, "base_url = 'ftp://localhost'").is_err());
        assert!(endpoints(Provider::Google, "base_url = 'https://a:b@example.com'").is_err());
    }
}
