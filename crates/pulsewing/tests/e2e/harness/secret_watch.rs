//! Finds what no output may contain: tokens and codes by their shapes, so that even those are found that
//! no test ever saw; client secrets by their text.

use pulsewing_sandbox::{FITBIT_APP, GOOGLE_APP};

/// Minimum length of a run of letters that counts as a secret. A fingerprint has 12, the state of a
/// sign-in 32.
const LONG: usize = 36;

/// The beginnings of both providers' secrets, plain and as they appear in an address.
const BEGINNINGS: [&str; 7] = [
    // Google's access tokens, refresh tokens and codes.
    "ya29.",
    "1//0",
    "1%2F%2F0",
    "4/0",
    "4%2F0",
    // Fitbit's access tokens: `{"alg":"HS256"}`.
    "eyJhbGciOiJIUzI1NiJ9",
    "Basic ",
];

/// Panics if there is a secret in a text.
pub(crate) fn assert_clean(what: &str, text: &str) {
    if let Some(secret) = find(text) {
        panic!("{what} holds a secret, {secret}:\n{text}");
    }
}

fn find(text: &str) -> Option<String> {
    for secret in [FITBIT_APP.client_secret, GOOGLE_APP.client_secret] {
        if text.contains(secret) {
            return Some(format!("the client secret {secret}"));
        }
    }
    // Fitbit's refresh tokens and codes consist only of hexadecimal digits.
    let mut words = text.split(|c: char| !c.is_ascii_hexdigit());
    if let Some(word) = words.find(|word| word.len() >= LONG) {
        return Some(word.to_owned());
    }
    BEGINNINGS.into_iter().find_map(|beginning| {
        text.match_indices(beginning).find_map(|(at, _)| {
            let secret: String = text[at + beginning.len()..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
                .collect();
            (secret.len() >= LONG).then(|| format!("{beginning}{secret}"))
        })
    })
}

#[test]
fn every_kind_of_secret_is_found_and_nothing_else() {
    let long = "aB3-_".repeat(9);
    for secret in [
        FITBIT_APP.client_secret.to_owned(),
        GOOGLE_APP.client_secret.to_owned(),
        "0123456789abcdef".repeat(4),
        format!("?code={}#_=_", "0123456789".repeat(4)),
        format!("ya29.{long}"),
        format!("token=1//0{long}"),
        format!("code=4%2F0{long}&state=1"),
        format!("Bearer eyJhbGciOiJIUzI1NiJ9.{long}.{long}"),
    ] {
        assert!(find(&format!("error: {secret}\n")).is_some(), "{secret}");
    }
    for harmless in [
        "generation 4, fingerprint 0123456789ab",
        "http://127.0.0.1:4/o/oauth2/v2/auth?state=0123456789abcdef0123456789abcdef&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly",
    ] {
        assert_eq!(find(harmless), None);
    }
}
