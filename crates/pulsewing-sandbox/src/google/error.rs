//! Error replies of the Google Health API and of Google's token endpoint.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{message::Reply, oauth::document, quota::GOOGLE_A_MINUTE};

/// Returns a Google API error. Without a reason it has no details.
pub(super) fn reply(
    code: StatusCode,
    reason: Option<&str>,
    message: &str,
    metadata: &Value,
) -> Reply {
    let mut error =
        json!({ "code": code.as_u16(), "message": message, "status": canonical(code, reason) });
    if let (Some(reason), Some(error)) = (reason, error.as_object_mut()) {
        let domain = if GOOGLE_WIDE.contains(&reason) {
            "googleapis.com"
        } else {
            "health.googleapis.com"
        };
        let info = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": domain,
            "metadata": metadata,
        });
        error.insert("details".to_owned(), json!([info]));
    }
    let reply = Reply::json(code, &json!({ "error": error }));
    if code == StatusCode::UNAUTHORIZED {
        let challenge = match reason {
            None => "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"",
            Some(_) => "Bearer realm=\"https://accounts.google.com/\"",
        };
        return reply.with_header("WWW-Authenticate", challenge);
    }
    reply
}

/// Returns a 400 with a reason, the most common kind.
pub(super) fn invalid(reason: &str, message: &str) -> Reply {
    reply(StatusCode::BAD_REQUEST, Some(reason), message, &json!({}))
}

/// Refuses a request with a 400 and a reason.
pub(super) fn refuse<T>(reason: &str, message: &str) -> Result<T, Box<Reply>> {
    Err(Box::new(invalid(reason, message)))
}

/// Returns an error of this body.
fn body(code: StatusCode, message: &str, status: &str, details: Value) -> Reply {
    let error =
        json!({ "code": code.as_u16(), "message": message, "status": status, "details": details });
    Reply::json(code, &json!({ "error": error }))
}

/// Returns an error without details.
pub(super) fn without_details(code: StatusCode, status: &str, message: &str) -> Reply {
    let error = json!({ "code": code.as_u16(), "message": message, "status": status });
    Reply::json(code, &json!({ "error": error }))
}

/// Returns the 400 for a data type that does not exist, or does not exist here.
pub(super) fn unknown_data_type(name: &str) -> Reply {
    let description = format!("The data type ID {name} is not supported.");
    let details = json!([
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "INVALID_PARENT_DATA_TYPE_COLLECTION",
            "domain": SERVICE,
            "metadata": {},
        },
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": "parent", "description": description }],
        },
    ]);
    body(
        StatusCode::BAD_REQUEST,
        INVALID,
        "INVALID_ARGUMENT",
        details,
    )
}

/// Returns the 400 for a body that is not a JSON object.
pub(super) fn invalid_json(problem: Option<&serde_json::Error>) -> Reply {
    // A month written as 01 is the usual mistake, and the only one whose message Google documents.
    let more = match problem.map(ToString::to_string) {
        Some(problem) if problem.starts_with("invalid number") => {
            " Octal/hex numbers are not valid JSON values."
        }
        _ => "",
    };
    let message = format!("Invalid JSON payload received.{more}");
    bad_request(&message, &json!({ "description": message }))
}

/// Returns the 400 for a query parameter that the call does not have.
pub(super) fn unknown_parameter(name: &str) -> Reply {
    let message = format!(
        "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' \
         could not be found in request message."
    );
    let violation = json!({ "description": message });
    bad_request(&message, &violation)
}

/// Returns the 400 for a member of the body that the call does not have.
pub(super) fn unknown_field(name: &str, place: &str) -> Reply {
    let at = match place {
        "" => String::new(),
        place => format!(" at '{place}'"),
    };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.");
    bad_request(&message, &json!({ "field": place, "description": message }))
}

/// Returns the 400 for an invalid selection of fields.
pub(super) fn fields(text: &str, path: Option<&str>) -> Reply {
    let why = match path {
        Some(path) => format!("Cannot find matching fields for path '{path}'."),
        None => "It is not a valid selection.".to_owned(),
    };
    let description = format!("Error expanding 'fields' parameter. {why}");
    let violation = json!({ "field": text, "description": description });
    bad_request(INVALID, &violation)
}

/// Returns the 400 for a request body or parameter that cannot be read.
pub(super) fn malformed(field: &str, description: &str) -> Reply {
    bad_request(
        &format!("Invalid value at '{field}': {description}"),
        &json!({ "field": field, "description": description }),
    )
}

fn bad_request(message: &str, violation: &Value) -> Reply {
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [violation],
    }]);
    body(
        StatusCode::BAD_REQUEST,
        message,
        "INVALID_ARGUMENT",
        details,
    )
}

/// Returns the reply to a call without credentials.
pub(super) fn credentials_missing(method: &str) -> Reply {
    without_token(
        method,
        "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or \
         other valid authentication credential.",
    )
}

/// Returns the reply to a call whose credential is an API key.
pub(super) fn api_key(method: &str) -> Reply {
    without_token(
        method,
        "API keys are not supported by this API. Expected OAuth2 access token or other authentication \
         credentials that assert a principal.",
    )
}

fn without_token(method: &str, message: &str) -> Reply {
    reply(
        StatusCode::UNAUTHORIZED,
        Some("CREDENTIALS_MISSING"),
        message,
        &json!({
            "service": SERVICE,
            "method": format!("google.devicesandservices.health.v4.{method}"),
        }),
    )
}

/// Returns the reply to an access token that is expired, revoked or unknown.
pub(super) fn unauthenticated() -> Reply {
    reply(
        StatusCode::UNAUTHORIZED,
        None,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
         valid authentication credential.",
        &json!({}),
    )
}

/// Returns the HTML page that answers a `POST` without a length.
pub(super) fn length_required() -> Reply {
    let body =
        "<p><strong>411.</strong> A POST request needs a <code>Content-Length</code> header.</p>";
    let page = document("Error 411 (Length Required)", body);
    Reply::html(StatusCode::LENGTH_REQUIRED, page)
}

/// Returns the HTML page of a path or verb that does not exist.
pub(super) fn not_found(path: &str) -> Reply {
    let path = crate::message::escaped(path);
    let body = format!(
        "<p><strong>404.</strong> The requested URL <code>{path}</code> was not found.</p>"
    );
    let page = document("Error 404 (Not Found)", &body);
    Reply::html(StatusCode::NOT_FOUND, page)
}

/// Returns an error of the token or revoke endpoint (RFC 6749).
pub(super) fn oauth(code: StatusCode, error: &str, description: &str) -> Reply {
    Reply::json(
        code,
        &json!({ "error": error, "error_description": description }),
    )
}

/// Returns the error body for a status that a fault asks for.
pub(super) fn for_status(code: StatusCode, on_token: bool) -> Reply {
    if code.is_success() || code.is_redirection() {
        return Reply::json(code, &json!({}));
    }
    if on_token {
        return match code.as_u16() {
            401 => oauth(code, "invalid_client", "Unauthorized"),
            500.. => oauth(code, "internal_failure", "Backend Error"),
            _ => oauth(code, "invalid_request", "Bad Request"),
        };
    }
    let message = match code.as_u16() {
        401 => return unauthenticated(),
        403 => return for_reason("RESOURCE_PERMISSION_DENIED"),
        429 => return for_reason("RATE_LIMIT_EXCEEDED"),
        412 => "Precondition check failed.",
        503 => "The service is currently unavailable.",
        504 => "Deadline expired before operation could complete.",
        500.. => "Internal error encountered.",
        _ => INVALID,
    };
    reply(code, None, message, &json!({}))
}

/// Returns the error with a given reason, with the status that reason has.
pub(super) fn for_reason(reason: &str) -> Reply {
    let (code, message, metadata) = match reason {
        "UBERMINT" => return legacy_account(),
        "rateLimitExceeded" | "userRateLimitExceeded" => return older_limit(reason),
        "CREDENTIALS_MISSING" => return credentials_missing("DataPointsService.ListDataPoints"),
        "ACCOUNT_NOT_LINKED" => (
            StatusCode::BAD_REQUEST,
            "The account is not linked to Google Health.",
            json!({ "redirect_uri": "https://fitbit.google.com/auth/signup" }),
        ),
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "MISSING_OAUTH_SCOPE" => (
            StatusCode::FORBIDDEN,
            "Request had insufficient authentication scopes.",
            json!({ "service": SERVICE }),
        ),
        "RESOURCE_PERMISSION_DENIED" => (StatusCode::FORBIDDEN, NO_PERMISSION, json!({})),
        "SERVICE_DISABLED" => (
            StatusCode::FORBIDDEN,
            "Google Health API has not been used in project 100200300400 before or it is disabled. Enable it \
             by visiting https://console.developers.google.com/apis/api/health.googleapis.com/overview?\
             project=100200300400 then retry.",
            json!({
                "service": SERVICE,
                "serviceTitle": "Google Health API",
                "consumer": PROJECT,
                "activationUrl": "https://console.developers.google.com/apis/api/health.googleapis.com/overview?project=100200300400",
            }),
        ),
        "CONSUMER_INVALID" => (
            StatusCode::FORBIDDEN,
            "Project #100200300400 has been deleted.",
            json!({ "service": SERVICE, "consumer": PROJECT }),
        ),
        "RATE_LIMIT_EXCEEDED" => (
            StatusCode::TOO_MANY_REQUESTS,
            "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute per user' of service \
             'health.googleapis.com' for consumer 'project_number:100200300400'.",
            json!({
                "service": SERVICE,
                "consumer": PROJECT,
                "quota_limit": "RequestsPerMinutePerUser",
                "quota_limit_value": GOOGLE_A_MINUTE.to_string(),
            }),
        ),
        _ => (StatusCode::BAD_REQUEST, INVALID, json!({})),
    };
    reply(code, Some(reason), message, &metadata)
}

/// Returns the 403 for a legacy Fitbit account that was let in; it has no reason of its own.
fn legacy_account() -> Reply {
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.DebugInfo",
        "detail": "Could not mint UberMint from GaiaMint.",
    }]);
    body(
        StatusCode::FORBIDDEN,
        NO_PERMISSION,
        "PERMISSION_DENIED",
        details,
    )
}

/// Returns the 403 by which Google's older APIs reject a request beyond the quota.
fn older_limit(reason: &str) -> Reply {
    let error = json!({
        "errors": [{
            "domain": "usageLimits",
            "reason": reason,
            "message": "User rate limit exceeded.",
        }],
        "code": 403,
        "message": "User rate limit exceeded.",
    });
    Reply::json(StatusCode::FORBIDDEN, &json!({ "error": error }))
}

/// Returns the OAuth error with a given code, with the status that code has.
pub(super) fn for_oauth_reason(error: &str) -> Reply {
    let (code, description) = match error {
        "invalid_grant" => (
            StatusCode::BAD_REQUEST,
            "Token has been expired or revoked.",
        ),
        "invalid_client" => (StatusCode::UNAUTHORIZED, "Unauthorized"),
        "deleted_client" => (StatusCode::UNAUTHORIZED, "The OAuth client was deleted."),
        "disabled_client" => (StatusCode::UNAUTHORIZED, "The OAuth client was disabled."),
        "org_internal" | "access_denied" => (StatusCode::FORBIDDEN, "Access denied."),
        "internal_failure" => (StatusCode::INTERNAL_SERVER_ERROR, "Backend Error"),
        _ => (StatusCode::BAD_REQUEST, "Bad Request"),
    };
    oauth(code, error, description)
}

const INVALID: &str = "Request contains an invalid argument.";
const NO_PERMISSION: &str = "The caller does not have permission";

/// Reasons that any Google API can return; the others are specific to this API.
const GOOGLE_WIDE: [&str; 5] = [
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "CONSUMER_INVALID",
    "CREDENTIALS_MISSING",
    "RATE_LIMIT_EXCEEDED",
    "SERVICE_DISABLED",
];

const SERVICE: &str = "health.googleapis.com";
/// The project that the registered app belongs to.
const PROJECT: &str = "projects/100200300400";

fn canonical(code: StatusCode, reason: Option<&str>) -> &'static str {
    match (code.as_u16(), reason) {
        (400, Some("ACCOUNT_NOT_LINKED")) | (412, _) => "FAILED_PRECONDITION",
        (401, _) => "UNAUTHENTICATED",
        (403, _) => "PERMISSION_DENIED",
        (404, _) => "NOT_FOUND",
        (409, _) => "ABORTED",
        (429, _) => "RESOURCE_EXHAUSTED",
        (503, _) => "UNAVAILABLE",
        (504, _) => "DEADLINE_EXCEEDED",
        (500.., _) => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}
