//! Samples that programs push: `POST /api/v1/wearers/ID/samples`.
//!
//! The token of a source opens this call, and nothing else does: neither the passphrase nor a session. The
//! token opens no other call.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, RawPathParams, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use pulsewing_intake::{Format, MOST_BYTES, MOST_SAMPLES, Precision, SourceName};
use serde::Serialize;

use super::{Shared, api};
use crate::{
    custody::source_tokens::SourceTokens,
    daemon::{
        Member,
        intake::{self, Accepted, NotAccepted},
    },
};

/// The time within which a body has to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Adds the call of the only wearer, or of each of several.
pub(super) fn route(router: Router<Shared>, base: &str) -> Router<Shared> {
    // The limit of the one that is judged here is told in words.
    let limit = DefaultBodyLimit::max(MOST_BYTES);
    router.route(&format!("{base}/samples"), post(push).layer(limit))
}

/// Returns whether a request is this call, which has a token of its own.
pub(super) fn is_call(method: &Method, path: &str) -> bool {
    let rest = path.strip_prefix("/api/v1/");
    let is_path = rest.is_some_and(|rest| {
        rest == "samples"
            || rest
                .strip_prefix("wearers/")
                .and_then(|rest| rest.strip_suffix("/samples"))
                .is_some_and(|id| !id.is_empty() && !id.contains('/'))
    });
    method == Method::POST && is_path
}

async fn push(
    State(site): State<Shared>,
    params: RawPathParams,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let mut params = params.iter();
    let id = params
        .find(|(name, _)| *name == "wearer")
        .map(|(_, id)| id.to_owned());
    let (member, source) = match authenticate(&site, id, request.headers()).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    let format = match format(request.headers(), query.as_deref()) {
        Ok(format) => format,
        Err(error) => return error.into_response(),
    };
    let body = match tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return error(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "the body is larger than {MOST_BYTES} bytes; send at most {MOST_SAMPLES} samples in one call"
                ),
            );
        }
        Ok(Err(_)) => {
            return error(
                StatusCode::BAD_REQUEST,
                "the body did not arrive completely",
            );
        }
        Err(_) => {
            return error(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            );
        }
    };
    let accepted = intake::accept(
        &site.members,
        &member.wearer.id,
        source.clone(),
        body.into(),
        format,
    );
    match accepted.await {
        Ok(accepted) => told(&source, &accepted),
        Err(why) => refused(&why),
    }
}

/// Finds the wearer and the source of a request. Whoever has no token learns nothing, not even who
/// the wearers are.
async fn authenticate(
    site: &Shared,
    id: Option<String>,
    headers: &HeaderMap,
) -> Result<(Member, SourceName), Response> {
    let all = site.members.all();
    let member = match &id {
        Some(id) => all.iter().find(|member| member.wearer.id.as_str() == id),
        None => match all.as_slice() {
            [only] => Some(only),
            _ => None,
        },
    };
    let Some((member, token)) = member.cloned().zip(bearer(headers)) else {
        return Err(unauthorised());
    };
    let token = token.to_owned();
    let place = member.broadcast.place().clone();
    let read = tokio::task::spawn_blocking(move || {
        let tokens = SourceTokens::load(&place)?;
        std::io::Result::Ok(tokens.source_of(token.as_bytes()).cloned())
    });
    match read.await {
        Ok(Ok(Some(source))) => Ok((member, source)),
        Ok(Ok(None)) => Err(unauthorised()),
        Ok(Err(_)) | Err(_) => Err(error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the tokens cannot be read; see the log",
        )),
    }
}

/// Returns the token of a request (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn unauthorised() -> Response {
    let mut reply = error(
        StatusCode::UNAUTHORIZED,
        "the token of a source is missing or wrong: send \"Authorization: Bearer TOKEN\"; `pulsewing wearer token ID --source NAME` makes one for a wearer",
    );
    let ask = HeaderValue::from_static("Bearer realm=\"Pulsewing samples\"");
    reply.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    reply
}

/// Returns the form of a body.
fn format(headers: &HeaderMap, query: Option<&str>) -> Result<Format, api::Error> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(Format::Json);
    }
    let is_lines = ["text/plain", "application/vnd.influxdata.line-protocol"];
    if !is_lines.iter().any(|it| kind.eq_ignore_ascii_case(it)) {
        return Err(api::Error::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json, or line protocol as text/plain, and say so in Content-Type",
        ));
    }
    let named = query.unwrap_or_default().split('&');
    let named = named
        .filter_map(|pair| pair.strip_prefix("precision="))
        .next();
    match named.map_or_else(|| Ok(Precision::default()), str::parse) {
        Ok(precision) => Ok(Format::LineProtocol(precision)),
        Err(()) => Err(api::Error::new(
            StatusCode::BAD_REQUEST,
            "precision is ns, us, ms or s",
        )),
    }
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    source: &'a str,
    accepted: usize,
    known: usize,
    refused: usize,
    reasons: Vec<Why>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Why {
    reason: &'static str,
    count: usize,
    first: usize,
    words: String,
}

fn told(source: &SourceName, accepted: &Accepted) -> Response {
    let refused = accepted.refused.total();
    let is_all_refused = refused > 0 && accepted.new + accepted.known == 0;
    let reasons = accepted.refused.reasons();
    let told = Told {
        source: source.as_str(),
        accepted: accepted.new,
        known: accepted.known,
        refused,
        reasons: reasons
            .map(|(reason, count, first)| Why {
                reason: reason.name(),
                count,
                first,
                words: reason.to_string(),
            })
            .collect(),
        error: is_all_refused.then_some("every sample was refused; see reasons"),
    };
    let status = match is_all_refused {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    api::json(status, &told)
}

fn refused(why: &NotAccepted) -> Response {
    let status = match why {
        NotAccepted::NoWearer => StatusCode::NOT_FOUND,
        NotAccepted::Malformed(
            pulsewing_intake::Malformed::TooLarge | pulsewing_intake::Malformed::TooMany,
        ) => StatusCode::PAYLOAD_TOO_LARGE,
        NotAccepted::Malformed(_) => StatusCode::BAD_REQUEST,
        NotAccepted::TooOften { .. } | NotAccepted::TooManySources => StatusCode::TOO_MANY_REQUESTS,
        NotAccepted::NotStored => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut reply = error(status, why.to_string());
    if let NotAccepted::TooOften { retry_after } = why {
        let seconds = HeaderValue::from(retry_after.as_secs() + 1);
        reply.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    reply
}

fn error(status: StatusCode, words: impl Into<String>) -> Response {
    api::Error::new(status, words).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_call_is_open_without_the_passphrase() {
        for (method, path, expected) in [
            (Method::POST, "/api/v1/samples", true),
            (Method::POST, "/api/v1/wearers/anna/samples", true),
            (Method::GET, "/api/v1/wearers/anna/samples", false),
            (Method::POST, "/api/v1/wearers//samples", false),
            (Method::POST, "/api/v1/wearers/samples", false),
            (Method::POST, "/api/v1/wearers/anna/now/samples", false),
            (Method::POST, "/api/v1/wearers/anna/samples/", false),
            (Method::POST, "/update", false),
            (Method::POST, "/w/anna/samples", false),
        ] {
            assert_eq!(is_call(&method, path), expected, "{method} {path}");
        }
    }
}
