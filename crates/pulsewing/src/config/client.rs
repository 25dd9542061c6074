//! An OAuth client, as the configuration names it.

use pulsewing_core::{
    ClientSecret, Provider,
    chain::{Client, ClientId},
};
use serde::{Deserialize, Deserializer};

use crate::tell::problem::Problem;

/// An OAuth client.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientConfig {
    /// Its id.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// The wearer to ask about (Fitbit); if absent, the user who signed in.
    pub user_id: Option<String>,
}

impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConfig")
            .field("client_id", &self.client_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl ClientConfig {
    /// Returns this provider's client, if one is configured.
    ///
    /// # Errors
    /// A [`Problem`] when it is too long to be valid.
    pub(crate) fn to_client(&self, provider: Provider) -> Result<Option<Client>, Problem> {
        let Some(id) = &self.client_id else {
            return Ok(None);
        };
        let client = client(id, self.client_secret.as_deref()).map_err(|problem| {
            problem.hint(format!("check [{}] in the configuration", provider.name()))
        })?;
        Ok(Some(client))
    }
}

/// Builds an OAuth client from an id and a secret.
///
/// # Errors
/// A [`Problem`] when one of them is not valid.
pub(crate) fn client(id: &str, secret: Option<&str>) -> Result<Client, Problem> {
    let id = ClientId::try_from(id.trim())
        .ok()
        .filter(|id| !id.is_empty())
        .ok_or_else(|| Problem::failed("the OAuth client's id is empty or too long"))?;
    let secret = secret
        .map(str::trim)
        .filter(|secret| !secret.is_empty())
        .map(|secret| {
            ClientSecret::new(secret).map_err(|error| {
                Problem::failed("the OAuth client's secret is not valid").caused_by(&error)
            })
        })
        .transpose()?;
    Ok(Client { id, secret })
}

/// Reads Google's client, which is nobody's in particular: whose data it is, the token says.
pub(super) fn google<'de, D: Deserializer<'de>>(from: D) -> Result<ClientConfig, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Google {
        client_id: Option<String>,
        client_secret: Option<String>,
    }
    let client = Google::deserialize(from)?;
    Ok(ClientConfig {
        client_id: client.client_id,
        client_secret: client.client_secret,
        user_id: None,
    })
}
