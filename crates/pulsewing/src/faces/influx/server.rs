//! A batch on its way to InfluxDB, and what the answer means.
//!
//! `POST /api/v2/write` is of InfluxDB 2, and InfluxDB 3 and 1.8 take it as well:
//! <https://docs.influxdata.com/influxdb/v2/api/v2/#operation/PostWrite>.

use std::{path::Path, time::Duration};

use pulsewing_history::HistoryError;
use reqwest::{
    Client, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect,
};
use sha2::{Digest as _, Sha256};

use crate::{
    config::{InfluxConfig, InfluxToken},
    engine::{
        clock::Clock,
        http::{tls_config, trouble::no_connection},
    },
    tell::problem::Problem,
};

/// The longest wait for a connection, including TLS.
const CONNECT_FOR: Duration = Duration::from_secs(10);

/// The time limit from the connection to the end of the reply, in the program's time.
const ANSWER_FOR: Duration = Duration::from_secs(30);

/// The longest wait that a server may ask for.
const MOST_PATIENCE: Duration = Duration::from_secs(3_600);

/// The size limit for reading an error, in bytes.
const MAX_ERROR: usize = 4_096;

/// The size limit for telling an error, in characters.
const MAX_WORDS: usize = 200;

/// An InfluxDB.
#[derive(Debug)]
pub(super) struct Server {
    client: Client,
    url: Url,
    token: Option<InfluxToken>,
}

/// The reply to a batch that is done with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// All of it was written.
    Written,
    /// The server will never take some of it, such as points that are older than it keeps any.
    Dropped(String),
}

/// The reason why a batch has to be sent again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// In words, without a secret.
    pub(super) why: String,
    /// How long the server asks to wait.
    pub(super) after: Option<Duration>,
    /// Whether it concerns one wearer's history, so that others can be copied all the same.
    pub(super) is_of_history: bool,
}

impl Trouble {
    fn new(why: String) -> Self {
        Self {
            why,
            after: None,
            is_of_history: false,
        }
    }

    /// Builds the trouble with a history that cannot be read now.
    pub(super) fn of_history(error: &HistoryError) -> Self {
        Self {
            is_of_history: true,
            ..Self::new(format!("a history cannot be read ({error})"))
        }
    }
}

impl Server {
    /// Prepares for the InfluxDB in the configuration; returns `None` if there is none. `ca_file` has
    /// certificates to trust in addition to the machine's.
    ///
    /// # Errors
    /// A [`Problem`] with the token or the certificates.
    pub(super) fn new(
        config: &InfluxConfig,
        ca_file: Option<&Path>,
    ) -> Result<Option<Self>, Problem> {
        let Some(base) = &config.url else {
            return Ok(None);
        };
        let needs_tls = base.scheme() == "https";
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls_config(needs_tls, "endpoints", ca_file)?)
            // Following a redirect would send the token to another server.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_FOR)
            .pool_idle_timeout(Duration::from_secs(20))
            .user_agent(concat!("pulsewing/", env!("CARGO_PKG_VERSION")));
        if !needs_tls {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| Problem::failed("HTTP cannot be set up").caused_by(&error))?;
        Ok(Some(Self {
            client,
            url: write_url(base, config),
            token: config.token()?,
        }))
    }

    /// Returns a name for a cursor: another one for any other place that points can be written to. It tells
    /// nothing of the address.
    pub(super) fn name(&self) -> String {
        let digest = Sha256::digest(self.url.as_str());
        let bytes = digest.iter().take(8);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    /// Sends lines.
    ///
    /// # Errors
    /// [`Trouble`], when they have to be sent again.
    pub(super) async fn write(&self, lines: &str, clock: &Clock) -> Result<Answer, Trouble> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(lines.to_owned());
        if let Some(header) = self.token.as_ref().and_then(InfluxToken::header) {
            request = request.header(AUTHORIZATION, header);
        }
        let until = clock.now().up + ANSWER_FOR;
        tokio::select! {
            answer = self.exchange(request) => answer,
            () = clock.sleep_until(until) => Err(Trouble::new(format!(
                "no answer within {} s", ANSWER_FOR.as_secs()
            ))),
        }
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Answer, Trouble> {
        let mut reply = request.send().await.map_err(|error| {
            let error = error.without_url();
            Trouble::new(match error.is_connect() {
                true => no_connection(&error, Some(&self.url)),
                false => "the connection was lost".to_owned(),
            })
        })?;
        let status = reply.status();
        if status.is_success() {
            return Ok(Answer::Written);
        }
        let after = patience(reply.headers());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = reply.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ERROR {
                break;
            }
        }
        meaning(status, after, &body, self.token.as_ref())
    }
}

/// Returns the address to write to.
fn write_url(base: &Url, config: &InfluxConfig) -> Url {
    let mut url = base.clone();
    let path = format!("{}/api/v2/write", base.path().trim_end_matches('/'));
    url.set_path(&path);
    {
        let mut query = url.query_pairs_mut();
        if let Some(org) = &config.org {
            query.append_pair("org", org);
        }
        if let Some(bucket) = &config.bucket {
            query.append_pair("bucket", bucket);
        }
        query.append_pair("precision", "s");
    }
    url
}

/// Returns how long a reply asks to wait. A date in place of seconds is not understood, and our own wait holds.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(MOST_PATIENCE))
}

/// Interprets a reply other than success.
///
/// 422 is about the points, and sending them again changes nothing. Any other one may be about the token, the
/// bucket or the settings, which a person can mend: then nothing is skipped.
fn meaning(
    status: StatusCode,
    after: Option<Duration>,
    body: &[u8],
    token: Option<&InfluxToken>,
) -> Result<Answer, Trouble> {
    let code = status.as_u16();
    let why = match words(body, token) {
        Some(words) => format!("it answers {code}: {words}"),
        None => format!("it answers {code}"),
    };
    match status {
        StatusCode::UNPROCESSABLE_ENTITY => Ok(Answer::Dropped(why)),
        _ => Err(Trouble {
            after,
            ..Trouble::new(why)
        }),
    }
}

/// Returns what an error says, on one line and without the token.
fn words(body: &[u8], token: Option<&InfluxToken>) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let message = value.get("message").or_else(|| value.get("error"))?;
    let message = message.as_str()?;
    if token.is_some_and(|token| token.is_in(message)) {
        return None;
    }
    let words = message.chars().take(MAX_WORDS).collect::<String>();
    Some(words.escape_debug().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> InfluxConfig {
        InfluxConfig {
            url: Some(Url::parse(url).unwrap()),
            org: Some("my home".into()),
            bucket: Some("a&b".into()),
            ..InfluxConfig::default()
        }
    }

    #[test]
    fn the_address_has_organisation_bucket_and_precision() {
        for (base, path) in [
            ("http://127.0.0.1:8086", "http://127.0.0.1:8086"),
            ("https://example.org/influx/", "https://example.org/influx"),
        ] {
            let config = config(base);
            let url = write_url(config.url.as_ref().unwrap(), &config);
            let expected = format!("{path}/api/v2/write?org=my+home&bucket=a%26b&precision=s");
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn another_bucket_is_another_copy() {
        let one = Server::new(&config("http://127.0.0.1:8086"), None)
            .unwrap()
            .unwrap();
        let mut other = config("http://127.0.0.1:8086");
        other.bucket = Some("c".into());
        let other = Server::new(&other, None).unwrap().unwrap();
        assert_ne!(one.name(), other.name());
    }

    #[test]
    fn only_points_that_will_never_fit_are_given_up() {
        let mean = |code, body: &str| {
            let status = StatusCode::from_u16(code).unwrap();
            meaning(status, None, body.as_bytes(), None)
        };
        let dropped = mean(422, "{\"message\":\"outside of the retention\"}").unwrap();
        assert_eq!(
            dropped,
            Answer::Dropped("it answers 422: outside of the retention".into())
        );
        for code in [301, 400, 401, 403, 404, 413, 429, 500, 503] {
            let trouble = mean(code, "<html>").unwrap_err();
            assert_eq!(trouble.why, format!("it answers {code}"));
        }
    }

    #[test]
    fn an_error_that_repeats_the_token_is_not_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "hush").unwrap();
        let config = InfluxConfig {
            token_file: Some(file),
            ..InfluxConfig::default()
        };
        let token = config.token().unwrap();
        let body = b"{\"message\":\"Token hush is unknown\"}";
        let trouble = meaning(StatusCode::UNAUTHORIZED, None, body, token.as_ref()).unwrap_err();
        assert_eq!(trouble.why, "it answers 401");
        let body = b"{\"message\":\"who\\nare you\"}";
        let trouble = meaning(StatusCode::UNAUTHORIZED, None, body, token.as_ref()).unwrap_err();
        assert_eq!(trouble.why, "it answers 401: who\\nare you");
    }

    #[test]
    fn a_server_may_ask_for_patience_within_bounds() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            patience(&headers)
        };
        assert_eq!(asked("30"), Some(Duration::from_secs(30)));
        assert_eq!(asked("999999999"), Some(MOST_PATIENCE));
        assert_eq!(asked("tomorrow"), None);
    }
}
