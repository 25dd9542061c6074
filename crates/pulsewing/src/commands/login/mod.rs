//! `pulsewing login`: the sign-in, in the browser of this machine or of any other.

mod client_json;
mod loopback;

use std::{
    io::{BufRead, IsTerminal},
    path::Path,
};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    AuthorizationCode, Provider,
    chain::{Client, Unstored},
    oauth::Redirect,
};

use self::loopback::Loopback;
use super::print;
use crate::{
    app::App,
    cli::{Login, LoginHere},
    config,
    engine::http::Http,
    sign_in::{self, SignIn, person::IfAnother},
    tell::problem::{Exit, Problem},
};

/// The redirect address for a pasted sign-in: nothing has to listen there.
const PASTE_REDIRECT: &str = "http://127.0.0.1:8765/";

/// A refresh token of a client in "Testing" lives for a week.
const TESTING_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24 + 1);

/// The number of attempts to paste.
const PASTES: usize = 3;

pub(super) async fn run(app: &App, options: &LoginHere) -> Result<(), Problem> {
    let (wearer, if_another) = (app.wearer(), IfAnother::new(options.replace));
    let (provider, chain) = sign_in(app, &options.how, async |sign_in, code| {
        let chain = sign_in.finish(code, &wearer, if_another).await?;
        Ok((sign_in.provider(), chain))
    })
    .await?;
    explain(app, provider, &chain);
    Ok(())
}

/// Guides a user through the sign-in, in this machine's browser or by paste, and passes the code to
/// `finish`.
pub(super) async fn sign_in<T>(
    app: &App,
    options: &Login,
    finish: impl AsyncFnOnce(&SignIn, &AuthorizationCode) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let provider = match (options.provider, &options.client_json) {
        (None, Some(_)) => Provider::Google,
        (asked, _) => app.provider(asked),
    };
    let (client, redirects) = client(app, provider, options)?;
    let http = || Http::new(provider, &app.config.endpoints);
    if options.paste {
        let redirect = redirects.paste_target(PASTE_REDIRECT);
        let sign_in = SignIn::new(http()?, client, redirect, app.clock.clone())?;
        let code = by_paste(app, &sign_in).await?;
        finish(&sign_in, &code).await
    } else {
        let loopback = Loopback::bind(redirects.loopback_target()?.as_deref()).await?;
        let redirect = loopback.redirect_uri().to_owned();
        let sign_in = SignIn::new(http()?, client, redirect, app.clock.clone())?;
        show_the_way(app, &sign_in)?;
        loopback.complete(&sign_in, finish).await
    }
}

/// The redirect addresses that a client may use.
enum Redirects {
    /// Any address of this machine.
    Any,
    /// Only the registered ones (Google's "Web application").
    Registered(Vec<String>),
}

impl Redirects {
    fn paste_target(&self, any: &str) -> String {
        match self {
            Self::Registered(registered) => registered.first().map_or(any, |uri| uri).to_owned(),
            Self::Any => any.to_owned(),
        }
    }

    /// Returns the address to listen on, if we cannot choose it.
    fn loopback_target(&self) -> Result<Option<String>, Problem> {
        let Self::Registered(registered) = self else {
            return Ok(None);
        };
        registered
            .iter()
            .find(|uri| reqwest::Url::parse(uri).is_ok_and(|uri| uri.scheme() == "http" && config::endpoints::is_loopback(&uri)))
            .cloned()
            .map(Some)
            .ok_or_else(|| {
                Problem::failed("this client is a \"Web application\", and none of its redirect addresses point to this machine")
                    .hint("create an OAuth client of type \"Desktop app\" and download its JSON: it needs no redirect address")
                    .hint("or use --paste, and paste the address where the browser ends up")
            })
    }
}

/// Returns the client to sign in with: the file's, the configured one, the stored chain's, or one
/// that the user creates with our help.
fn client(app: &App, provider: Provider, options: &Login) -> Result<(Client, Redirects), Problem> {
    if let Some(path) = &options.client_json {
        return from_json(provider, path);
    }
    if let Some(client) = sign_in::client(&app.config, &app.wearer().places(), provider)? {
        return Ok((client, Redirects::Any));
    }
    walk_through(app, provider)
}

fn from_json(provider: Provider, path: &Path) -> Result<(Client, Redirects), Problem> {
    if provider != Provider::Google {
        return Err(Problem::new(
            Exit::Usage,
            "--client-json only accepts the file of a Google client",
        )
        .hint("put Fitbit's client into [fitbit] of the configuration"));
    }
    let file = client_json::read(path)?;
    let client = config::client::client(&file.client_id, Some(&file.client_secret))?;
    let redirects = match file.registered {
        Some(registered) => Redirects::Registered(registered),
        None => Redirects::Any,
    };
    Ok((client, redirects))
}

/// Shows the steps to create an OAuth client, and prompts for its file if a user can answer.
fn walk_through(app: &App, provider: Provider) -> Result<(Client, Redirects), Problem> {
    let missing = Problem::failed(format!("there is no OAuth client for {provider} yet"));
    if provider == Provider::Fitbit {
        return Err(missing
            .hint("Fitbit has accepted no new clients since spring 2026, and its Web API was switched off on 2 November 2026")
            .hint("sign in with Google Health instead: `pulsewing login --provider google`")
            .hint("for a gateway or the sandbox, set client_id in [fitbit] of the configuration"));
    }
    let steps = [
        "Google requires an OAuth client of your own. It is free and takes a few minutes:",
        "",
        "  1. Create a project:       https://console.cloud.google.com/projectcreate",
        "  2. Enable the API:        https://console.cloud.google.com/apis/library/health.googleapis.com",
        "  3. Set up the sign-in:    https://console.cloud.google.com/auth/overview (audience: External)",
        "  4. Publish it:            https://console.cloud.google.com/auth/audience (\"Publish app\"; in \"Testing\" a sign-in lasts seven days)",
        "  5. Create a client:       https://console.cloud.google.com/auth/clients (type \"Desktop app\"), and download its JSON",
        "",
        "docs/accounts.md shows every step.",
    ];
    for step in steps {
        app.console.say(step);
    }
    if !std::io::stdin().is_terminal() {
        return Err(missing
            .hint("once you have the file, run `pulsewing login --client-json FILE`")
            .hint("or set client_id and client_secret in [google] of the configuration"));
    }
    app.console.say("");
    app.console.say("Path of the downloaded JSON file:");
    let path = read_line()?.ok_or(missing)?;
    from_json(provider, Path::new(path.trim_matches(['"', '\''])))
}

/// Opens the consent page in this machine's browser, or prints its address.
fn show_the_way(app: &App, sign_in: &SignIn) -> Result<(), Problem> {
    let url = sign_in.url()?;
    let opened = open::that_detached(&url).is_ok();
    app.console.say(if opened {
        "Opening a browser for the sign-in. If none opens, open this address on this machine:"
    } else {
        "Open this address in a browser on this machine:"
    });
    app.console.say(&url);
    app.console
        .detail(|| format!("waiting at {}", sign_in.redirect_uri()));
    Ok(())
}

async fn by_paste(app: &App, sign_in: &SignIn) -> Result<AuthorizationCode, Problem> {
    app.console.say("Open the next line in a browser on any machine and sign in. The browser ends up at an address that it cannot open; copy that address and paste it here:");
    print(&format!("{}\n", sign_in.url()?))?;
    for _ in 0..PASTES {
        let Some(pasted) = read_line()? else {
            return Err(
                Problem::new(Exit::ConsentNeeded, "nothing was pasted").hint(
                    "paste the address where the browser ended up, or its code, and press Enter",
                ),
            );
        };
        match Redirect::parse(&pasted) {
            Ok(redirect) if sign_in.is_ours(&redirect) => {
                return redirect.answer.map_err(|error| sign_in.denied(error));
            }
            Ok(_) => app.console.warn(
                "that address belongs to another sign-in; paste the one where this sign-in ended up",
            ),
            Err(error) => app.console.warn(&format!(
                "{error}; {}, and press Enter",
                sign_in.what_to_paste()
            )),
        }
    }
    Err(Problem::new(
        Exit::ConsentNeeded,
        "no address from this sign-in was pasted",
    )
    .hint("run the command again: each run starts a new sign-in with a new address"))
}

/// Reads a line from stdin; `None` at its end.
pub(super) fn read_line() -> Result<Option<String>, Problem> {
    let mut line = String::new();
    let length = std::io::Read::take(std::io::stdin().lock(), 16 * 1_024)
        .read_line(&mut line)
        .map_err(Problem::stdin)?;
    Ok((length > 0).then(|| line.trim().to_owned()))
}

/// Explains what the sign-in grants, and what is missing.
pub(super) fn explain(app: &App, provider: Provider, chain: &Unstored) {
    let console = app.console;
    console.say(&format!("Signed in with {provider}."));
    let scopes = chain.scopes();
    if !scopes.has_settings() {
        console.warn("access to the tracker's battery and last sync was not given on the consent page, so they stay unknown; sign in again to allow it");
    }
    if !scopes.has_time_zone(provider) {
        console.warn("access to the time zone was not given on the consent page; Pulsewing uses the configured one, or else this machine's");
    }
    if let Some(ends) = chain.refresh_expires_at() {
        console.warn(&expiry(ends, app.now()));
    }
    console.say(&app.say_whose("`pulsewing once` shows the heart rate."));
}

fn expiry(ends: Timestamp, now: Timestamp) -> String {
    let whole = Timestamp::from_second(ends.as_second()).unwrap_or(ends);
    if ends.duration_since(now) <= TESTING_LIFETIME {
        format!(
            "this sign-in ends on {whole}: the OAuth client's publishing status is \"Testing\", where a sign-in lasts seven days. Publish it at https://console.cloud.google.com/auth/audience and sign in again"
        )
    } else {
        format!("this sign-in ends on {whole}, as chosen on the consent page")
    }
}
