//! Error replies of the Fitbit Web API (Troubleshooting Guide, Error Messages).

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::message::Reply;

/// Returns an error reply with one error in it.
pub(super) fn reply(status: StatusCode, error_type: &str, message: &str) -> Reply {
    let error = json!({ "errorType": error_type, "message": message });
    body(status, error)
}

/// Returns an error reply that names the field of the request that caused it.
pub(super) fn field(status: StatusCode, error_type: &str, field: &str, message: &str) -> Reply {
    let error = json!({ "errorType": error_type, "fieldName": field, "message": message });
    body(status, error)
}

/// Returns an OAuth error, which ends with a pointer to the documentation.
///
/// Like the real service, callers put the offending token into `message`.
pub(super) fn oauth(status: StatusCode, error_type: &str, message: &str) -> Reply {
    let message = format!(
        "{message}. Visit https://dev.fitbit.com/docs/oauth2 for more information on the Fitbit Web API \
         authorization process."
    );
    let reply = reply(status, error_type, &message);
    if error_type == "invalid_client" {
        return reply.with_header("WWW-Authenticate", "Basic realm=\"api.fitbit.com\"");
    }
    reply
}

/// Returns the reply to a path that does not exist. The real one lacks `success`.
pub(super) fn not_found() -> Reply {
    let error = json!({
        "errorType": "not_found",
        "fieldName": "n/a",
        "message": "The API you are requesting could not be found."
    });
    Reply::json(StatusCode::NOT_FOUND, &json!({ "errors": [error] }))
}

/// Returns the reply to a `POST` without a length.
pub(super) fn length_required() -> Reply {
    let message = "A POST request needs a Content-Length header.";
    field(StatusCode::LENGTH_REQUIRED, "request", "n/a", message)
}

/// Returns the reply of a service that has been switched off.
pub(super) fn gone() -> Reply {
    let message = "The Fitbit Web API is no longer available.";
    reply(StatusCode::GONE, "request", message)
}

/// Returns the reply to a request beyond the quota.
pub(super) fn too_many_requests() -> Reply {
    let status = StatusCode::TOO_MANY_REQUESTS;
    field(status, "system", "n/a", "Too Many Requests")
}

/// Returns the error body for a status that a fault asks for.
pub(super) fn for_status(status: StatusCode) -> Reply {
    match status.as_u16() {
        404 => not_found(),
        410 => gone(),
        411 => length_required(),
        429 => too_many_requests(),
        401 => for_reason("invalid_token"),
        403 => for_reason("insufficient_permissions"),
        409 => reply(
            status,
            "request",
            "Conflict: multiple clients are attempting to refresh the same access token.",
        ),
        code @ 500.. => {
            let message = "An error occurred with the Fitbit Web API while processing the request. Error id: 5b0d1e00";
            field(status, "request", &code.to_string(), message)
        }
        200..=399 => Reply::json(status, &json!({})),
        _ => {
            let message = "The request could not be processed.";
            field(status, "request", "n/a", message)
        }
    }
}

/// Returns an error in Google's form, as some of Fitbit's endpoints sent it in 2026.
fn google_style(status: StatusCode, canonical: &str) -> Reply {
    let message = match status.as_u16() {
        403 => "The caller does not have permission",
        401 => "Request had invalid authentication credentials.",
        429 => "Resource has been exhausted (e.g. check quota).",
        _ => "Internal error encountered.",
    };
    let error = json!({ "code": status.as_u16(), "message": message, "status": canonical });
    Reply::json(status, &json!({ "error": error }))
}

/// Returns the error with a given type, with the status that type usually has.
///
/// A type in capitals is one of Google's, and so is the form of its body.
pub(super) fn for_reason(error_type: &str) -> Reply {
    let googles = match error_type {
        "PERMISSION_DENIED" => Some(StatusCode::FORBIDDEN),
        "UNAUTHENTICATED" => Some(StatusCode::UNAUTHORIZED),
        "RESOURCE_EXHAUSTED" => Some(StatusCode::TOO_MANY_REQUESTS),
        "INTERNAL" => Some(StatusCode::INTERNAL_SERVER_ERROR),
        _ => None,
    };
    if let Some(status) = googles {
        return google_style(status, error_type);
    }
    let (status, message) = match error_type {
        "invalid_grant" => (StatusCode::BAD_REQUEST, "Refresh token invalid"),
        "invalid_client" => (
            StatusCode::UNAUTHORIZED,
            "Invalid authorization header. Client secret invalid",
        ),
        "expired_token" => (StatusCode::UNAUTHORIZED, "Access token expired"),
        "invalid_token" => (StatusCode::UNAUTHORIZED, "Access token invalid"),
        "insufficient_scope" => (
            StatusCode::FORBIDDEN,
            "This application does not have permission to access the requested data",
        ),
        "insufficient_permissions" => (
            StatusCode::FORBIDDEN,
            "API client is not authorized by Fitbit to access the resource requested",
        ),
        "not_found" => return not_found(),
        "system" => return too_many_requests(),
        _ => (
            StatusCode::BAD_REQUEST,
            "The request could not be processed",
        ),
    };
    oauth(status, error_type, message)
}

fn body(status: StatusCode, error: Value) -> Reply {
    Reply::json(status, &json!({ "errors": [error], "success": false }))
}
