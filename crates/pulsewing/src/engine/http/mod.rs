//! Sends the cycle's requests, with limits on time and size.

mod body;
#[cfg(feature = "fleet")]
pub(crate) mod cloud;
pub(crate) mod trouble;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use pulsewing_core::{
    Provider,
    oauth::NoAnswer,
    request::{Endpoint, Method, ReplyHead, RequestView},
};
use pulsewing_files::regular_file;
use reqwest::{
    Client, StatusCode, Url,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect,
};

use self::body::Body;
use crate::{
    config::{EndpointsConfig, endpoints::Endpoints},
    tell::problem::Problem,
};

/// The size limit for reading a file of certificates, in bytes. A whole system's bundle has 200
/// KiB.
pub(crate) const MAX_PEM: u64 = 4 << 20;

/// The longest wait for a connection, including TLS.
const CONNECT_FOR: Duration = Duration::from_secs(10);

/// Speaks HTTP with one provider.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    endpoints: Endpoints,
}

/// The client of each provider, once it is needed. Clones share them, so that many wearers cost one
/// set of connections and certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(Arc<Mutex<[Option<Http>; 2]>>);

impl Clients {
    /// Returns the client of a provider.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub(crate) fn get(
        &self,
        provider: Provider,
        config: &EndpointsConfig,
    ) -> Result<Http, Problem> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [google, fitbit] = &mut *clients;
        let client = match provider {
            Provider::Google => google,
            Provider::Fitbit => fitbit,
        };
        Ok(match client {
            Some(http) => http.clone(),
            none => none.insert(Http::new(provider, config)?).clone(),
        })
    }
}

/// A complete reply.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// The origin that a redirect leads to. The rest of the address may hold something private.
    leads_to: Option<String>,
}

impl Answered {
    /// Returns the target of a redirect, in words.
    pub(crate) fn leads_to(&self) -> Option<String> {
        let origin = self.leads_to.as_ref();
        origin.map(|origin| format!("it redirects to {origin}"))
    }
}

/// The absence of a complete reply.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// The consequence for the request.
    pub cause: NoAnswer,
    /// Details of the error, if known.
    pub detail: Option<String>,
}

impl From<NoAnswer> for Unanswered {
    fn from(cause: NoAnswer) -> Self {
        let detail = None;
        Self { cause, detail }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}", self.cause),
            None => write!(f, "{}", self.cause),
        }
    }
}

impl std::error::Error for Unanswered {}

/// A part of a reply, as it arrives.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    /// Its status and headers.
    Head(ReplyHead),
    /// Bytes of its body.
    Body(&'a [u8]),
}

impl Http {
    /// Builds a client for a provider.
    ///
    /// # Errors
    /// A [`Problem`] with its addresses or certificates.
    pub(crate) fn new(provider: Provider, config: &EndpointsConfig) -> Result<Self, Problem> {
        let endpoints = Endpoints::new(provider, config)?;
        let tls = tls_config(endpoints.need_tls(), "endpoints", config.ca_file.as_deref())?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            // Following a redirect of a token call would send the token to another server.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_FOR)
            // A connection that was idle for a quarter of an hour is dead; and a refresh must not
            // be sent again because a pooled connection broke.
            .pool_idle_timeout(Duration::from_secs(20))
            .user_agent(concat!("pulsewing/", env!("CARGO_PKG_VERSION")));
        if !endpoints.need_tls() {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| Problem::failed("HTTP cannot be set up").caused_by(&error))?;
        Ok(Self { client, endpoints })
    }

    /// Returns the target of an address's redirect, without following it.
    ///
    /// # Errors
    /// A [`Problem`] when it does not redirect.
    #[cfg(feature = "sandbox")]
    pub(crate) async fn redirect_of(&self, url: &str) -> Result<String, Problem> {
        let unanswered = || Problem::failed("the consent page does not answer");
        let reply = self
            .client
            .get(url)
            .timeout(CONNECT_FOR)
            .send()
            .await
            // The error's address holds the sign-in's state.
            .map_err(|error| unanswered().caused_by(&error.without_url()))?;
        reply
            .headers()
            .get(reqwest::header::LOCATION)
            .and_then(|location| location.to_str().ok())
            .map(str::to_owned)
            .ok_or_else(unanswered)
    }

    /// Returns the addresses.
    pub(crate) const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Builds the HTTP request, so that its parts may be dropped before it is sent.
    pub(crate) fn prepare(&self, request: &RequestView<'_>, timeout: Duration) -> Outgoing {
        let url = self.endpoints.url(request);
        let mut builder = match request.method {
            Method::Get => self.client.get(url.clone()),
            Method::Post => self.client.post(url.clone()).body(request.body.to_vec()),
        };
        // If a token reply is cut off, we want to read the part that arrived; plain text is the
        // safest for that.
        let encoding = match request.endpoint {
            Endpoint::Api => "gzip",
            Endpoint::Token | Endpoint::Revoke => "identity",
        };
        builder = builder
            .timeout(timeout)
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, encoding);
        if let Some(content_type) = request.content_type {
            builder = builder.header(CONTENT_TYPE, content_type);
        }
        if let Some(token) = request.bearer
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}"))
        {
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let path = request.target.split('?').next().unwrap_or_default();
        Outgoing {
            builder,
            proxied: self.endpoints.need_tls().then_some(url),
            label: format!("{} {path}", request.method.name()),
            timeout,
        }
    }
}

/// A request that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    builder: reqwest::RequestBuilder,
    /// Its address, if it may go through a proxy.
    proxied: Option<Url>,
    label: String,
    timeout: Duration,
}

impl Outgoing {
    /// Returns the time limit from the connection to the end of the reply.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns the method and path, for a log. Leaves out the query, which may hold a filter or a
    /// page token.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Sends the request, and hands over the reply as it arrives. A compressed body is unpacked.
    ///
    /// # Errors
    /// The reason why there was no complete reply.
    pub(crate) async fn send(
        self,
        now: Timestamp,
        mut take: impl FnMut(Part<'_>),
    ) -> Result<Answered, Unanswered> {
        let proxied = self.proxied;
        let lost =
            |error: reqwest::Error| trouble::unanswered(&error.without_url(), proxied.as_ref());
        let mut response = self.builder.send().await.map_err(lost)?;
        let mut head = ReplyHead::new(response.status().as_u16());
        for (name, value) in response.headers() {
            head.header(name.as_str(), value.as_bytes(), now);
        }
        take(Part::Head(head));
        let answered = Answered {
            status: response.status(),
            leads_to: trouble::target_of(response.status(), response.url(), response.headers()),
        };
        let mut body = Body::new(response.headers())?;
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            body.take(&chunk, |bytes| take(Part::Body(bytes)))?;
        }
        body.end(|bytes| take(Part::Body(bytes)))?;
        Ok(answered)
    }
}

/// Returns how to speak TLS with a server, such as a database's.
///
/// # Errors
/// A [`Problem`] with the certificates.
pub(crate) fn tls_to(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, Problem> {
    tls_config(true, "endpoints", ca_file)
}

/// Returns how to speak TLS, if it is needed at all. `ca_file` is that of a table of the configuration.
///
/// # Errors
/// A [`Problem`] with the certificates.
pub(crate) fn tls_config(
    need_tls: bool,
    table: &str,
    ca_file: Option<&Path>,
) -> Result<rustls::ClientConfig, Problem> {
    let unusable = |error: &rustls::Error| Problem::failed("TLS cannot be set up").caused_by(error);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    if !need_tls {
        // Trust no certificates: nothing here speaks TLS, and loading the machine's certificates
        // takes time and memory.
        return Ok(builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth());
    }
    let extra = match ca_file {
        Some(path) => certificates(table, path)?,
        None => Vec::new(),
    };
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider)
        .map_err(|error| unusable(&error))?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn certificates(
    table: &str,
    path: &Path,
) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, Problem> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let refuse = |error: &(dyn std::error::Error + 'static)| {
        Problem::failed(format!(
            "[{table}] ca_file {} cannot be used",
            path.display()
        ))
        .caused_by(error)
    };
    let pem = regular_file::read(path, MAX_PEM).map_err(|error| refuse(&error))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| refuse(&error))?;
    if certificates.is_empty() {
        return Err(Problem::failed(format!(
            "[{table}] ca_file {} contains no certificate",
            path.display()
        )));
    }
    Ok(certificates)
}
