//! Requests to Google that are about the project, and not about a wearer: its subscribers, their keys.

use std::time::Duration;

use pulsewing_core::Provider;
use reqwest::{
    Client, Method, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect,
};
use zeroize::Zeroizing;

use super::{CONNECT_FOR, tls_to};
use crate::{
    config::{EndpointsConfig, endpoints::Endpoints},
    tell::problem::{Exit, Problem},
};

/// The time limit for a request. Google verifies an endpoint, with two requests, before it answers.
const WITHIN: Duration = Duration::from_secs(60);

/// Speaks HTTP with Google, or with what stands in for it.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    client: Client,
    /// The origin that is asked instead.
    instead: Option<Url>,
}

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The verb.
    pub method: &'a str,
    /// The whole address at Google.
    pub url: &'a str,
    /// The value of the header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The body, with its type.
    pub body: Option<(&'static str, &'a str)>,
}

impl Cloud {
    /// Builds a client.
    ///
    /// # Errors
    /// A [`Problem`] with the addresses or certificates in the configuration.
    pub(crate) fn new(config: &EndpointsConfig) -> Result<Self, Problem> {
        // Says what is wrong with an address.
        let endpoints = Endpoints::new(Provider::Google, config)?;
        let instead = config.base_url.as_deref().map(Url::parse).transpose();
        let instead = instead.map_err(|error| {
            Problem::failed("[endpoints] base_url is not an address").caused_by(&error)
        })?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls_to(config.ca_file.as_deref())?)
            // Following a redirect would send the token to another server.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_FOR)
            .timeout(WITHIN)
            .user_agent(concat!("pulsewing/", env!("CARGO_PKG_VERSION")));
        if instead.is_some() && !endpoints.need_tls() {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| Problem::failed("HTTP cannot be set up").caused_by(&error))?;
        Ok(Self { client, instead })
    }

    /// Sends a request, and returns the status and the body, of which no more than `limit` bytes are read.
    ///
    /// # Errors
    /// A [`Problem`] when there is no answer.
    pub(crate) async fn ask(
        &self,
        asked: Asked<'_>,
        limit: usize,
    ) -> Result<(u16, Zeroizing<Vec<u8>>), Problem> {
        let unanswered = |error: reqwest::Error| {
            // What was sent may be in the error's address.
            Problem::new(Exit::Temporary, "Google does not answer").caused_by(&error.without_url())
        };
        let url = self.address_of(asked.url)?;
        let method = Method::from_bytes(asked.method.as_bytes()).unwrap_or(Method::GET);
        let mut builder = self.client.request(method, url);
        if let Some(value) = asked.authorization
            && let Ok(mut value) = HeaderValue::from_str(value)
        {
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        if let Some((kind, body)) = asked.body {
            builder = builder.header(CONTENT_TYPE, kind).body(body.to_owned());
        }
        let mut response = builder.send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            if body.len() + chunk.len() > limit {
                return Err(Problem::new(
                    Exit::Temporary,
                    "Google's answer is longer than it should be",
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }

    fn address_of(&self, text: &str) -> Result<Url, Problem> {
        let url = Url::parse(text)
            .map_err(|error| Problem::failed("this is not an address").caused_by(&error))?;
        Ok(match &self.instead {
            None => url,
            Some(instead) => {
                let mut address = instead.clone();
                address.set_path(url.path());
                address.set_query(url.query());
                address
            }
        })
    }
}
