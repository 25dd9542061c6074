//! Bodies of unsuccessful replies, from both providers.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use proptest::prelude::*;
use pulsewing_core::dialect::{ErrorDecoder, ErrorReason};
use pulsewing_testkit::chunks::{cut, damaged_and_cut, fed};

fn reason_in(chunks: &[&[u8]]) -> ErrorReason {
    fed(ErrorDecoder::new(), chunks, |decoder, chunk| {
        decoder.feed(chunk)
    })
    .finish()
}

fn reason(body: &str) -> ErrorReason {
    reason_in(&[body.as_bytes()])
}

fn other(word: &str) -> ErrorReason {
    ErrorReason::Other(word.try_into().unwrap())
}

fn google(status: &str, info: &str) -> String {
    format!(
        r#"{{"error":{{"code":400,"message":"m","status":"{status}","details":[
            {{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{{"field":"parent","reason":"NO"}}]}},
            {{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"health.googleapis.com",{info}}}]}}}}"#
    )
}

const NOT_LINKED: &str = r#"{"error":{"code":400,"message":"The account is not linked to Google Health.","status":"FAILED_PRECONDITION",
    "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCOUNT_NOT_LINKED","domain":"health.googleapis.com",
    "metadata":{"redirect_uri":"https://fitbit.google.com/auth/signup"}}]}}"#;
const EXPIRED: &str = r#"{"errors":[{"errorType":"expired_token","message":"Access token expired: eyJhbGciOiJIUzI1NiJ9.secret. Visit ..."}],"success":false}"#;

#[test]
fn googles_reasons_are_known() {
    use ErrorReason as R;
    assert_eq!(reason(NOT_LINKED), R::AccountNotLinked);
    for (word, expected) in [
        ("RESOURCE_PERMISSION_DENIED", R::ResourcePermissionDenied),
        ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", R::ScopeInsufficient),
        ("MISSING_OAUTH_SCOPE", R::ScopeInsufficient),
        ("SERVICE_DISABLED", R::ServiceDisabled),
    ] {
        let body = google("PERMISSION_DENIED", &format!(r#""reason":"{word}""#));
        assert_eq!(reason(&body), expected, "{word}");
    }
    for (status, info, expected) in [
        (
            "RESOURCE_EXHAUSTED",
            r#""reason":"RATE_LIMIT_EXCEEDED""#,
            R::RateLimited,
        ),
        (
            "UNAUTHENTICATED",
            r#""reason":"CREDENTIALS_MISSING""#,
            other("CREDENTIALS_MISSING"),
        ),
        (
            "INVALID_ARGUMENT",
            r#""reason":"INVALID_ROLLUP_WINDOW""#,
            other("INVALID_ROLLUP_WINDOW"),
        ),
        (
            "INVALID_ARGUMENT",
            r#""metadata":{"detailedReasons":"INVALID_TIME_RANGE, X"},"reason":"INVALID_DATA_POINT_FILTER""#,
            other("INVALID_TIME_RANGE"),
        ),
        (
            "PERMISSION_DENIED",
            r#""reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","metadata":{"detailedReasons":"MORE"}"#,
            R::ScopeInsufficient,
        ),
    ] {
        assert_eq!(reason(&google(status, info)), expected, "{info}");
    }
}

#[test]
fn without_a_reason_googles_status_says_something() {
    for (status, expected) in [
        ("UNAUTHENTICATED", ErrorReason::InvalidToken),
        ("RESOURCE_EXHAUSTED", ErrorReason::RateLimited),
        ("PERMISSION_DENIED", other("PERMISSION_DENIED")),
    ] {
        let body = format!(
            r#"{{"error":{{"message":"The caller does not have permission","status":"{status}"}}}}"#
        );
        assert_eq!(reason(&body), expected);
    }
}

#[test]
fn fitbits_error_types_are_known() {
    assert_eq!(reason(EXPIRED), ErrorReason::ExpiredToken);
    for (error_type, expected) in [
        ("invalid_token", ErrorReason::InvalidToken),
        ("insufficient_scope", ErrorReason::ScopeInsufficient),
        ("insufficient_permissions", ErrorReason::IntradayNotAllowed),
        ("not_found", other("not_found")),
        ("system", other("system")),
    ] {
        let list = format!(
            r#"{{"errors":[{{"errorType":"{error_type}","fieldName":"n/a","message":"m"}}]}}"#
        );
        assert_eq!(reason(&list), expected);
        let bare = format!(r#"{{"errorType":"{error_type}","message":"m"}}"#);
        assert_eq!(reason(&bare), expected);
    }
    let limited = r#"{"errors":[{"errorType":"system","fieldName":"n/a","message":"Too Many Requests"}],"success":false}"#;
    assert_eq!(reason(limited), ErrorReason::RateLimited);
    assert_eq!(
        reason(r#"{"error":"invalid_token","error_description":"x"}"#),
        ErrorReason::InvalidToken
    );
}

#[test]
fn a_reason_with_an_action_beats_one_without() {
    let body = r#"{"errors":[{"errorType":"validation"},{"errorType":"insufficient_scope"},{"errorType":"request"}]}"#;
    assert_eq!(reason(body), ErrorReason::ScopeInsufficient);
}

#[test]
fn a_report_that_says_nothing_is_unknown() {
    for body in [
        r#"{"error":null}"#,
        r#"{"errors":{}}"#,
        r#"{"error":{"status":null,"details":{}}}"#,
        r#"{"errors":[{"errorType":"a word that was made up"}]}"#,
        r#"{"errors":[{"errorType":""}]}"#,
    ] {
        assert_eq!(reason(body), ErrorReason::Unknown, "{body}");
    }
    let long = format!(r#"{{"errorType":"{}"}}"#, "x".repeat(65));
    assert_eq!(reason(&long), ErrorReason::Unknown);
}

#[test]
fn what_is_no_report_of_either_providers_is_foreign() {
    for body in [
        "",
        "<html><body>502 Bad Gateway</body></html>",
        "[]",
        "null",
        "{}",
        r#"{"message":"Forbidden"}"#,
        r#"{"message":{"error":"invalid_token"}}"#,
        r#""error""#,
        "\u{feff}{",
    ] {
        assert_eq!(reason(body), ErrorReason::Foreign, "{body}");
    }
}

#[test]
fn the_words_of_googles_older_apis_are_known() {
    for (word, expected) in [
        ("userRateLimitExceeded", ErrorReason::RateLimited),
        ("rateLimitExceeded", ErrorReason::RateLimited),
        ("dailyLimitExceeded", ErrorReason::RateLimited),
        ("accessNotConfigured", ErrorReason::ServiceDisabled),
        ("insufficientPermissions", ErrorReason::ScopeInsufficient),
        ("forbidden", other("forbidden")),
    ] {
        let body = format!(
            r#"{{"error":{{"errors":[{{"domain":"usageLimits","reason":"{word}","message":"m"}}],"code":403,"message":"m"}}}}"#
        );
        assert_eq!(reason(&body), expected);
    }
}

#[test]
fn a_project_that_is_gone_is_told_by_a_reason_or_by_the_message_alone() {
    for info in [
        "CONSUMER_INVALID",
        "CONSUMER_SUSPENDED",
        "USER_PROJECT_DENIED",
    ] {
        let body = google("PERMISSION_DENIED", &format!(r#""reason":"{info}""#));
        assert_eq!(reason(&body), ErrorReason::ProjectGone, "{info}");
    }
    let deleted = r#"{"error":{"code":403,"message":"Project #100200300400 has been deleted.","status":"PERMISSION_DENIED"}}"#;
    assert_eq!(reason(deleted), ErrorReason::ProjectGone);
    let another = r#"{"error":{"code":403,"message":"Your post has been deleted.","status":"PERMISSION_DENIED"}}"#;
    assert_eq!(reason(another), other("PERMISSION_DENIED"));
}

#[test]
fn half_a_report_says_what_it_could() {
    let end = NOT_LINKED.find("\"domain\"").unwrap();
    assert_eq!(reason(&NOT_LINKED[..end]), ErrorReason::AccountNotLinked);
}

#[test]
fn a_message_is_never_kept() {
    let body = r#"{"errors":[{"message":"invalid_token","errorType":"x"},{"message":"SECRET"}],"error":{"message":"SECRET"}}"#;
    let reason = reason(body);
    assert_eq!(reason, other("x"));
    assert!(!format!("{reason:?} {reason}").contains("SECRET"));
}

#[test]
fn its_state_is_below_one_kibibyte() {
    assert!(size_of::<ErrorDecoder>() < 512);
}

const BODIES: &[&str] = &[
    NOT_LINKED,
    EXPIRED,
    r#"{"error":"invalid_token"}"#,
    "<html>",
];

proptest! {
    #[test]
    fn how_a_body_is_cut_does_not_matter((body, places) in damaged_and_cut(BODIES)) {
        prop_assert_eq!(reason_in(&cut(&body, &places)), reason_in(&[&body]));
    }

    #[test]
    fn no_bytes_do_harm(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = reason_in(&[&body]);
    }
}
