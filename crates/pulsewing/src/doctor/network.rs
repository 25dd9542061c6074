//! The connection to the provider: `tls.roots`, `provider.reachable`, `provider.gone`,
//! `clock.drift`.
//!
//! We send two requests, one to the data service and one to the token issuer, both without any
//! token. We expect a refusal; any answer is good enough.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Provider,
    cycle::Failure,
    instant::http_date,
    oauth,
    request::{Endpoint, Method, RequestView},
};
use pulsewing_files::regular_file;
use reqwest::{
    Client, StatusCode, Url,
    header::{CONTENT_TYPE, DATE},
    redirect,
};
use tokio::sync::oneshot;

use super::{Finding, Known, Status, unconfigured};
use crate::{
    config::{EndpointsConfig, endpoints::Endpoints},
    engine::{
        clock::Clock,
        http::{Http, MAX_PEM, trouble},
    },
    tell::problem::{Exit, Problem},
};

/// The time limit for all requests together.
pub(crate) const BOUND: Duration = Duration::from_secs(8);

/// The longest wait for a connection: name lookup, TCP and TLS.
const CONNECTED_WITHIN: Duration = Duration::from_secs(4);

/// The longest wait for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

/// The tolerated difference between the machine's clock and a server's: the header has whole
/// seconds, and an answer takes a while.
const DRIFT: SignedDuration = SignedDuration::from_secs(60);

/// The time when Fitbit switched off its Web API, 2026-11-02T00:00:00Z.
const SWITCHED_OFF: Timestamp = Timestamp::constant(1_793_577_600, 0);

const IDS: [&str; 4] = [
    "tls.roots",
    "provider.reachable",
    "provider.gone",
    "clock.drift",
];

/// The result from one address.
#[derive(Debug)]
struct Probe {
    origin: String,
    answer: Result<Answer, NoAnswer>,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    /// Whether it is a page for people; neither service sends one to a program.
    is_page: bool,
    /// The origin that a redirect leads to.
    leads_to: Option<String>,
    /// The server's clock.
    date: Option<Timestamp>,
    /// The machine's clock, at that time.
    came_at: Timestamp,
}

#[derive(Debug)]
enum NoAnswer {
    /// There was no connection: this machine may be offline.
    NoConnection(String),
    /// There was a connection, but no usable answer.
    Broken(String),
}

/// Checks the connection to the provider that an update would use.
pub(super) async fn check(known: &Known, is_offline: bool, findings: &mut Vec<Finding>) {
    let provider = known.provider;
    let prepared = known.config.as_ref().and_then(|config| {
        let endpoints = Endpoints::new(provider, &config.endpoints).ok()?;
        Some((&config.endpoints, endpoints))
    });
    // `config.keys` has already reported the reason.
    let Some((config, endpoints)) = prepared else {
        return findings.extend(IDS.map(unconfigured));
    };
    let roots = roots(config, &endpoints);
    let is_usable = !matches!(roots.status, Status::Fail(_));
    findings.push(roots);
    let probes = if is_offline || !is_usable {
        Vec::new()
    } else {
        ask(config, &endpoints, known.clock.clone()).await
    };
    let why = if is_offline {
        (
            "the network was not checked",
            "run the doctor without --offline",
        )
    } else {
        ("the provider was not asked", "fix the problems above first")
    };
    findings.push(reachable(&probes, why));
    findings.push(gone(
        provider,
        endpoints.is_fitbit_itself(),
        probes.first(),
        known.now(),
        why,
    ));
    findings.push(drift(&probes, why));
}

/// Checks the certificates: builds the client as the program would before its first request.
fn roots(config: &EndpointsConfig, endpoints: &Endpoints) -> Finding {
    const ID: &str = "tls.roots";
    match Http::new(endpoints.provider, config) {
        Err(problem) => Finding::problem(
            ID,
            &problem,
            "install the machine's certificates (the package ca-certificates), or set [endpoints] ca_file to a file of certificates",
        ),
        Ok(_) if !endpoints.need_tls() => Finding::skipped(
            ID,
            "the configured addresses need no certificate",
            "nothing to do",
        ),
        Ok(_) => Finding::ok(
            ID,
            match &config.ca_file {
                Some(file) => format!(
                    "the machine's certificates are trusted, and so are those of {}",
                    file.display()
                ),
                None => "the machine's certificates are trusted".into(),
            },
        ),
    }
}

/// Asks both addresses at once, and returns within [`BOUND`] in any case. A name lookup may take
/// longer and cannot be cancelled, so it runs on a thread that we may leave behind.
async fn ask(config: &EndpointsConfig, endpoints: &Endpoints, clock: Clock) -> Vec<Probe> {
    let request = |endpoint| RequestView {
        method: Method::Get,
        endpoint,
        target: match endpoints.provider {
            Provider::Google => "/v4/users/me/settings",
            Provider::Fitbit => "/1/user/-/profile.json",
        },
        bearer: None,
        content_type: None,
        body: &[],
    };
    let urls = [Endpoint::Api, Endpoint::Token].map(|it| endpoints.url(&request(it)));
    let origins = urls.clone().map(|url| url.origin().ascii_serialization());
    let none = |why: String| {
        origins
            .clone()
            .into_iter()
            .map(|origin| Probe {
                origin,
                answer: Err(NoAnswer::NoConnection(why.clone())),
            })
            .collect()
    };
    let client = match client(config, endpoints) {
        Ok(client) => client,
        Err(error) => return none(trouble::last_cause(&error)),
    };
    let is_proxied = endpoints.need_tls();
    let (sender, receiver) = oneshot::channel();
    let spawned = std::thread::Builder::new().spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else {
            return;
        };
        let answers = runtime.block_on(async {
            let [api, token] = urls.map(|url| probe(&client, url, is_proxied, || clock.now().utc));
            tokio::join!(api, token)
        });
        // The receiver may have given up already.
        let _ = sender.send(answers);
        runtime.shutdown_background();
    });
    if let Err(error) = spawned {
        return none(error.to_string());
    }
    match tokio::time::timeout(BOUND, receiver).await {
        Ok(Ok((api, token))) => vec![api, token],
        _ => none(format!("no answer within {} s", BOUND.as_secs())),
    }
}

/// Builds a client that trusts the same certificates as the program, and gives more details on
/// errors.
fn client(config: &EndpointsConfig, endpoints: &Endpoints) -> reqwest::Result<Client> {
    // The library uses the process's default provider. If one is installed already, that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECTED_WITHIN)
        .timeout(ANSWER_WITHIN)
        .user_agent(concat!("pulsewing/", env!("CARGO_PKG_VERSION")));
    if !endpoints.need_tls() {
        return builder.no_proxy().tls_certs_only([]).build();
    }
    let file = config.ca_file.as_ref();
    let pem = file
        .and_then(|path| regular_file::read(path, MAX_PEM).ok())
        .unwrap_or_default();
    builder
        .tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem)?)
        .build()
}

async fn probe(client: &Client, url: Url, is_proxied: bool, now: impl Fn() -> Timestamp) -> Probe {
    let origin = url.origin().ascii_serialization();
    let answer = match client.get(url.clone()).send().await {
        Ok(reply) => {
            let header = |name| {
                let value = reply.headers().get(name);
                value.and_then(|value| value.to_str().ok())
            };
            Ok(Answer {
                status: reply.status(),
                is_page: header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")),
                leads_to: trouble::target_of(reply.status(), reply.url(), reply.headers()),
                date: header(DATE).and_then(http_date),
                came_at: now(),
            })
        }
        Err(error) => {
            let error = error.without_url();
            let why = trouble::no_connection(&error, is_proxied.then_some(&url));
            let is_broken = !error.is_connect()
                || trouble::is_about_tls(&error)
                || trouble::is_proxys_word(&error);
            Err(if is_broken {
                NoAnswer::Broken(why)
            } else {
                NoAnswer::NoConnection(why)
            })
        }
    };
    Probe { origin, answer }
}

fn reachable(probes: &[Probe], why: (&str, &str)) -> Finding {
    const ID: &str = "provider.reachable";
    let origins: Vec<&str> = probes.iter().map(|it| it.origin.as_str()).collect();
    if origins.is_empty() {
        return Finding::skipped(ID, why.0, why.1);
    }
    let later = |found: String, advice: &str| {
        Finding::new(ID, Status::Fail(Exit::Temporary), found, advice)
    };
    // A broken connection is more informative than a missing one.
    for probe in probes {
        let origin = &probe.origin;
        match &probe.answer {
            Err(NoAnswer::Broken(why)) => {
                return later(
                    format!("{origin} gave an unexpected answer: {why}"),
                    "check whether a proxy or the network's login page is in between, and check [endpoints] in the configuration",
                );
            }
            Ok(answer) if answer.status.is_redirection() => {
                let status = answer.status;
                let target = answer.leads_to.as_deref();
                let found = match target {
                    Some(target) => format!("{origin} redirects elsewhere: to {target} ({status})"),
                    None => format!("{origin} redirects elsewhere ({status})"),
                };
                let advice = "Pulsewing does not follow redirects: if this address comes from [endpoints] in the configuration, use the one it redirects to; if not, a network's login page is in between";
                let has_moved = oauth::NoAnswer::Redirected(status.as_u16()).has_moved();
                return match has_moved {
                    true => Finding::fail(ID, found, advice),
                    false => later(found, advice),
                };
            }
            Ok(answer) if answer.is_page && matches!(answer.status.as_u16(), 403 | 407 | 451) => {
                return later(
                    format!(
                        "something on the way answers instead of {origin}: a page with status {}",
                        answer.status
                    ),
                    "check whether this network has a login page of its own, or whether a proxy or firewall blocks the service",
                );
            }
            Ok(answer) if answer.status == 511 => {
                return later(
                    format!(
                        "a network's login page answers instead of {origin} ({})",
                        answer.status
                    ),
                    "open any web page in a browser on this network, and sign in there",
                );
            }
            Ok(answer) if answer.status.is_server_error() || answer.status == 429 => {
                return later(
                    format!("{origin} answers {}", answer.status),
                    "nothing is lost; it works again once the service does",
                );
            }
            _ => {}
        }
    }
    for probe in probes {
        if let Err(NoAnswer::NoConnection(why)) = &probe.answer {
            return Finding::warn(
                ID,
                format!("there is no connection to {}: {why}", probe.origin),
                "check whether this machine is online; only updates need it",
            );
        }
    }
    let mut origins = origins;
    origins.dedup();
    let verb = if origins.len() == 1 {
        "answers"
    } else {
        "answer"
    };
    Finding::ok(ID, format!("{} {verb}", origins.join(" and ")))
}

fn gone(
    provider: Provider,
    is_fitbit_itself: bool,
    api: Option<&Probe>,
    now: Timestamp,
    why: (&str, &str),
) -> Finding {
    const ID: &str = "provider.gone";
    if provider == Provider::Google {
        return Finding::ok(
            ID,
            "data comes from Google Health, not from Fitbit's Web API",
        );
    }
    let problem = Problem::from_failure(Failure::Gone, provider);
    match api.and_then(|probe| probe.answer.as_ref().ok()) {
        Some(answer) if answer.status == StatusCode::GONE => Finding::problem(ID, &problem, ""),
        Some(_) if !is_fitbit_itself => {
            Finding::ok(ID, "the service that stands in for Fitbit's is there")
        }
        None if is_fitbit_itself && now >= SWITCHED_OFF => {
            let mut finding = Finding::problem(ID, &problem, "");
            finding.found =
                "the configuration asks Fitbit's own service for data, but it has been switched off".into();
            finding
        }
        None if !is_fitbit_itself => Finding::skipped(ID, why.0, why.1),
        _ => Finding::warn(
            ID,
            "Fitbit's own service will be switched off on 2 November 2026",
            "move to Google Health before that: `pulsewing login --provider google` (docs/accounts.md)",
        ),
    }
}

fn drift(probes: &[Probe], why: (&str, &str)) -> Finding {
    const ID: &str = "clock.drift";
    if probes.is_empty() {
        return Finding::skipped(ID, why.0, why.1);
    }
    let dated = probes.iter().find_map(|probe| {
        let answer = probe.answer.as_ref().ok()?;
        Some((&probe.origin, answer.came_at.duration_since(answer.date?)))
    });
    let Some((origin, ahead)) = dated else {
        return Finding::skipped(
            ID,
            "no server reported the time",
            "try again once the provider can be reached",
        );
    };
    let seconds = ahead.as_secs().unsigned_abs();
    let side = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    let found = format!("the clock is {seconds} s {side} that of {origin}");
    if ahead.abs() <= DRIFT {
        Finding::ok(ID, found)
    } else {
        Finding::warn(
            ID,
            found,
            "set the clock; `sudo timedatectl set-ntp true` keeps it right",
        )
    }
}
