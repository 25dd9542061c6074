//! The authorize endpoint: its checks, the consent page, and the redirect back to the app.

use std::num::NonZeroU32;

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::{
    Codes, Provider,
    code::{Challenge, Code},
    mint::Mint,
};
use crate::{
    message::{Params, Reply, Request, escaped},
    settings::Settings,
    wearer::Wearer,
};

/// A valid authorization request.
#[derive(Debug)]
pub(crate) struct Consent {
    provider: Provider,
    redirect_uri: String,
    /// Whether the request names its redirect, or relies on the registered one.
    names_redirect: bool,
    state: Option<String>,
    /// The requested scopes, in order, without duplicates.
    scopes: Vec<String>,
    challenge: Option<Challenge>,
    offline: bool,
    prompt_consent: bool,
    auto: bool,
    /// Whose data it is about: the wearer who decides, or who is proposed on the page.
    wearer: Wearer,
    /// How many wearers there are to choose from.
    wearers: NonZeroU32,
}

/// Why an authorization request is refused; each provider has its own wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizeError {
    ClientIdMissing,
    ClientIdUnknown,
    RedirectMissing,
    RedirectNotAllowed,
    ResponseType,
    ScopeMissing,
    ScopeUnknown,
    ChallengeLength,
    ChallengeMethod,
    WearerUnknown,
}

/// A provider's wording of the consent page.
pub(crate) struct Page {
    pub(crate) title: &'static str,
    /// Describes what a scope lets the app see.
    pub(crate) describe: fn(&str) -> &'static str,
    /// The fragment that the provider appends to the redirect address.
    pub(crate) fragment: &'static str,
    /// Whether the redirect contains the granted scopes.
    pub(crate) tells_scope: bool,
}

impl Page {
    /// Returns the page for a refused request; the browser is not sent back to the app.
    pub(crate) fn refusal(title: &str, message: &str) -> Reply {
        let body = format!("<p>{}</p>", escaped(message));
        Reply::html(StatusCode::BAD_REQUEST, document(title, &body))
    }
}

impl Consent {
    /// Checks an authorization request. `registered` is the redirect of an app that may omit it.
    pub(crate) fn read(
        provider: Provider,
        request: &Request,
        is_scope: fn(&str) -> bool,
        registered: Option<&str>,
        wearers: NonZeroU32,
    ) -> Result<Self, AuthorizeError> {
        let params = &request.query_params();
        let client_id = params
            .get("client_id")
            .ok_or(AuthorizeError::ClientIdMissing)?;
        if client_id != provider.app().client_id {
            return Err(AuthorizeError::ClientIdUnknown);
        }
        let named = params.get("redirect_uri");
        let redirect_uri = named
            .or(registered)
            .ok_or(AuthorizeError::RedirectMissing)?;
        if !is_loopback(redirect_uri) {
            return Err(AuthorizeError::RedirectNotAllowed);
        }
        if params.get("response_type") != Some("code") {
            return Err(AuthorizeError::ResponseType);
        }
        let mut scopes: Vec<String> = Vec::new();
        for scope in params.get("scope").unwrap_or_default().split_whitespace() {
            if !is_scope(scope) {
                return Err(AuthorizeError::ScopeUnknown);
            }
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        if scopes.is_empty() {
            return Err(AuthorizeError::ScopeMissing);
        }
        let prompt = params.get("prompt").unwrap_or_default();
        Ok(Self {
            provider,
            redirect_uri: redirect_uri.to_owned(),
            names_redirect: named.is_some(),
            state: params.get("state").map(str::to_owned),
            scopes,
            challenge: challenge(params)?,
            offline: params.get("access_type") == Some("offline"),
            // The second form is that of Google's older address.
            prompt_consent: prompt.split_whitespace().any(|word| word == "consent")
                || params.get("approval_prompt") == Some("force"),
            auto: is_auto(params),
            wearer: named_wearer(request, wearers)?,
            wearers,
        })
    }

    /// Returns whose data it is about.
    pub(crate) fn wearer(&self) -> Wearer {
        self.wearer
    }

    /// Returns the address that the browser is sent back to.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Answers the browser: with the page, or with the redirect once the wearer has decided.
    ///
    /// `has_grant` is whether the app already has a refresh token of the wearer.
    pub(crate) fn answer(
        self,
        request: &Request,
        page: &Page,
        has_grant: bool,
        settings: &Settings,
        (codes, mint): (&mut Codes, &mut Mint),
        now: Timestamp,
    ) -> Reply {
        let granted: Vec<String> = if request.method == Method::POST {
            let form = request.form();
            if form.get("decision") != Some("allow") {
                return self.back(&[("error", "access_denied")], page);
            }
            self.scopes
                .iter()
                .filter(|scope| form.all("scope").any(|s| s == *scope))
                .cloned()
                .collect()
        } else if self.auto {
            self.scopes.clone()
        } else {
            return self.show(&request.path, &request.query, page);
        };
        let granted: Vec<String> = granted
            .into_iter()
            .filter(|scope| settings.allows(scope))
            .collect();
        if granted.is_empty() {
            return self.back(&[("error", "access_denied")], page);
        }
        let text = match self.provider {
            Provider::Fitbit => mint.fitbit_code(),
            Provider::Google => mint.google_code(),
        };
        let scope = granted.join(" ");
        let mut params = vec![("code", text.as_str())];
        if page.tells_scope {
            params.push(("scope", &scope));
        }
        let reply = self.back(&params, page);
        let code = Code {
            provider: self.provider,
            wearer: self.wearer,
            redirect_uri: self.redirect_uri,
            names_redirect: self.names_redirect,
            scopes: granted,
            challenge: self.challenge,
            offline: self.offline && (self.prompt_consent || !has_grant),
            issued_at: now,
        };
        codes.add(text, code);
        reply
    }

    fn back(&self, params: &[(&str, &str)], page: &Page) -> Reply {
        let state = self.state.as_deref().map(|state| ("state", state));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(params.iter().copied().chain(state))
            .finish();
        let separator = if self.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        Reply::found(format!(
            "{}{separator}{query}{}",
            self.redirect_uri, page.fragment
        ))
    }

    fn show(&self, path: &str, query: &str, page: &Page) -> Reply {
        let boxes: String = self
            .scopes
            .iter()
            .map(|scope| {
                format!(
                    "<p><label><input type=\"checkbox\" name=\"scope\" value=\"{0}\" checked> {1}</label>\
                     <br><small>{0}</small></p>\n",
                    escaped(scope),
                    escaped((page.describe)(scope)),
                )
            })
            .collect();
        let body = format!(
            "<form method=\"post\" action=\"{}?{}\">\n<fieldset><legend>The app <strong>{}</strong> asks \
             to see</legend>\n{boxes}</fieldset>\n{}<p>\
             <button name=\"decision\" value=\"allow\" autofocus>Allow</button>\n\
             <button name=\"decision\" value=\"deny\">Deny</button></p>\n</form>\n\
             <p>Afterwards the browser goes to <code>{}</code>.</p>",
            escaped(path),
            escaped(query),
            escaped(self.provider.app().client_id),
            self.choice(),
            escaped(&self.redirect_uri),
        );
        Reply::html(StatusCode::OK, document(page.title, &body))
            .with_header("Cache-Control", "no-store")
    }
}

impl Consent {
    /// Returns the choice of a wearer, if there are several.
    fn choice(&self) -> String {
        let most = self.wearers.get();
        let chosen = self.wearer.number();
        let field = match most {
            1 => return String::new(),
            2..=MOST_LISTED => {
                let option = |number: u32| {
                    let selected = if number == chosen { " selected" } else { "" };
                    format!("<option{selected}>{number}</option>")
                };
                let options: String = (1..=most).map(option).collect();
                format!("<select name=\"user\">{options}</select>")
            }
            _ => format!(
                "<input type=\"number\" name=\"user\" min=\"1\" max=\"{most}\" value=\"{chosen}\" required>"
            ),
        };
        format!("<p><label>Whose data? {field}</label> <small>of {most} wearers</small></p>\n")
    }
}

/// Returns the wearer for whom an authorization request decides, if it does.
pub(crate) fn chosen_wearer(request: &Request, wearers: NonZeroU32) -> Option<Wearer> {
    let decides = request.method == Method::POST || is_auto(&request.query_params());
    let named = named_wearer(request, wearers).ok();
    named.filter(|_| decides)
}

/// Returns the wearer that the form or the query names; without a name, the first.
fn named_wearer(request: &Request, wearers: NonZeroU32) -> Result<Wearer, AuthorizeError> {
    let params = match request.method {
        Method::POST => request.form().and(request.query_params()),
        _ => request.query_params(),
    };
    let Some(user) = params.get("user") else {
        return Ok(Wearer::FIRST);
    };
    let number = user.parse().ok();
    let wearer = number.and_then(|number| Wearer::numbered(number, wearers));
    wearer.ok_or(AuthorizeError::WearerUnknown)
}

fn is_auto(params: &Params) -> bool {
    params.get("auto") == Some("1")
}

/// Up to this many wearers are offered as a list; of more, the number is typed.
const MOST_LISTED: u32 = 1_000;

/// Returns a small HTML page. `body` is HTML, `title` is not.
pub(crate) fn document(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;\
         color-scheme:light dark}}small{{opacity:.75}}code{{overflow-wrap:anywhere}}\
         button{{font:inherit;padding:.4rem 1.2rem}}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n\
         <p><small>This is the Pulsewing sandbox. It stands in for the real service; nothing here is a real \
         account.</small></p>\n</main>\n</body>\n</html>\n"
    )
}

fn challenge(params: &Params) -> Result<Option<Challenge>, AuthorizeError> {
    let Some(text) = params.get("code_challenge") else {
        return Ok(None);
    };
    if !(43..=128).contains(&text.len()) {
        return Err(AuthorizeError::ChallengeLength);
    }
    match params.get("code_challenge_method") {
        None | Some("plain") => Ok(Some(Challenge::Plain(text.to_owned()))),
        Some("S256") => Ok(Some(Challenge::S256(text.to_owned()))),
        Some(_) => Err(AuthorizeError::ChallengeMethod),
    }
}

/// Returns whether an address points to this computer, on any port and path.
pub(crate) fn is_loopback(redirect_uri: &str) -> bool {
    let Some(("http" | "https", rest)) = redirect_uri.split_once("://") else {
        return false;
    };
    // Characters that could break out of the Location header or mislead a reader of the address.
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#');
    if rest.contains(odd) || percent_decode_str(rest).any(|byte| byte < b' ') {
        return false;
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let port = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .find_map(|host| authority.strip_prefix(host));
    match port {
        Some("") => true,
        Some(port) => port
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_redirects_are_allowed() {
        for good in [
            "http://127.0.0.1:8721/callback",
            "http://127.0.0.1",
            "http://localhost:1/a/b?c=d",
            "http://[::1]:65535/",
            "https://localhost:8080/@me",
        ] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "ftp://127.0.0.1/",
            "http://127.0.0.2/",
            "http://localhost.example.com/",
            "http://127.0.0.1@example.com/",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:80\r\nX: y/",
            "http://127.0.0.1/%0d%0aX:y",
            "http://localhost:8080#fragment",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
