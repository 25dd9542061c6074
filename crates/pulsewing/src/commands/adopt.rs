//! `pulsewing adopt`: takes over the original sketch's settings.toml.

use std::io::Read;

use jiff::Timestamp;
use pulsewing_core::{
    Provider, RefreshToken,
    chain::{Client, Issuer, Unstored, UserId},
    oauth::{Grant, Scopes},
};
use pulsewing_files::regular_file;
use serde::Deserialize;

use crate::{
    app::App,
    cli::Adopt,
    config,
    custody::{Custody as _, roster, state_file::State},
    sign_in::person::{IfAnother, Person},
    tell::problem::Problem,
};

/// The size limit for reading the settings, in bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// The number of a token's characters that the original kept in the board's memory.
const NVM_TOKEN: usize = 64;

/// The keys of the original's settings that matter here. The file has others.
#[derive(Deserialize)]
struct Settings {
    #[serde(rename = "Fitbit_ClientID")]
    client_id: Option<String>,
    #[serde(rename = "Fitbit_First_Refresh_Token")]
    first_refresh_token: Option<String>,
    #[serde(rename = "Fitbit_UserID")]
    user_id: Option<String>,
    #[serde(rename = "CIRCUITPY_WIFI_SSID")]
    wifi_ssid: Option<String>,
}

/// What the original's settings say.
pub(super) struct Adopted {
    /// Its OAuth client.
    pub(super) client: Client,
    /// Its refresh token.
    pub(super) refresh: RefreshToken,
    /// Whose it is.
    pub(super) user_id: Option<UserId>,
    /// Whether it has the settings of a network.
    pub(super) has_wifi: bool,
}

impl Adopted {
    /// Builds the chain that begins with its refresh token.
    pub(super) fn chain(
        self,
        issuer: Issuer,
        replaced: Option<u32>,
        now: Timestamp,
    ) -> Option<Unstored> {
        let grant = Grant {
            refresh: Some(self.refresh),
            user_id: self.user_id,
            ..Grant::default()
        };
        Unstored::signed_in(
            Provider::Fitbit,
            issuer,
            self.client,
            grant,
            Scopes::ALL,
            replaced,
            now,
        )
    }
}

/// Reads the original's settings, and stdin if its token comes from there.
///
/// # Errors
/// A [`Problem`] with the file or the token.
pub(super) fn read(options: &Adopt) -> Result<Adopted, Problem> {
    let path = options.settings.display();
    let text = regular_file::read_text(&options.settings, MAX_BYTES)
        .map_err(|error| Problem::failed(format!("{path} could not be read")).caused_by(&error))?;
    // The error's own text would show the line, which may contain a token.
    let settings: Settings = toml::from_str(&text).map_err(|error| {
        Problem::failed(format!(
            "{path} is not a settings file of the original sketch: {}",
            error.message()
        ))
    })?;
    let missing = |key: &str| {
        Problem::failed(format!("{path} has no {key}"))
            .hint("the original's settings.toml has Fitbit_ClientID, Fitbit_First_Refresh_Token and Fitbit_UserID")
    };
    let client_id = settings
        .client_id
        .ok_or_else(|| missing("Fitbit_ClientID"))?;
    let client = config::client::client(&client_id, None)?;
    let token = if options.nvm {
        nvm_token()?
    } else {
        settings
            .first_refresh_token
            .ok_or_else(|| missing("Fitbit_First_Refresh_Token"))?
    };
    let refresh = RefreshToken::new(token.trim())
        .map_err(|error| Problem::failed("the refresh token is damaged").caused_by(&error))?;
    let user_id = match &settings.user_id {
        Some(id) => Some(
            UserId::try_from(id.as_str())
                .map_err(|_| Problem::failed(format!("the Fitbit_UserID in {path} is too long")))?,
        ),
        None => None,
    };
    Ok(Adopted {
        client,
        refresh,
        user_id,
        has_wifi: settings.wifi_ssid.is_some(),
    })
}

pub(super) async fn run(app: &App, options: &Adopt) -> Result<(), Problem> {
    let adopted = read(options)?;
    let http = app.http(Provider::Fitbit)?;
    let mut files = app.chain_file();
    let replaced = files.open().await?;
    let person = Person::named(Provider::Fitbit, adopted.user_id.as_deref());
    let (wearer, if_another) = (app.wearer(), IfAnother::new(options.replace));
    if if_another == IfAnother::Refuse {
        let replaced = replaced.as_ref().map(|record| &record.chain);
        person.check(replaced, &http, &wearer).await?;
    }
    let has_wifi = adopted.has_wifi;
    let replaced = replaced.map(|record| record.chain.generation());
    let chain = adopted
        .chain(http.endpoints().issuer(), replaced, app.now())
        .ok_or_else(damaged)?;
    let alone = roster::lock(wearer.place.state_dir())?;
    person.check_others(&wearer)?;
    files
        .store_new(&chain)
        .await
        .map_err(|error| Problem::failed("the sign-in could not be saved").caused_by(&error))?;
    State::forget(&app.place, app.console);
    person.move_in(&wearer, if_another)?;
    drop(alone);
    let is_fitbit_itself = http.endpoints().is_fitbit_itself();
    explain(app, options, has_wifi, is_fitbit_itself);
    Ok(())
}

/// Builds the problem for a token that no chain can begin with.
pub(super) fn damaged() -> Problem {
    Problem::failed("the refresh token is damaged")
}

/// Explains what was taken over, and what was not.
pub(super) fn explain(app: &App, options: &Adopt, has_wifi: bool, is_fitbit_itself: bool) {
    app.console
        .say(&app.say_whose("Took over the original's sign-in. `pulsewing once` uses it."));
    if !options.nvm {
        app.console.say(&app.say_whose(
            "Its Fitbit_First_Refresh_Token was probably spent at the sketch's first poll: the sketch kept the later ones in the board's memory. If it is refused, read the first 64 bytes of the board's NVM and pass them on stdin to `pulsewing adopt --nvm`.",
        ));
    }
    if is_fitbit_itself {
        app.console.warn(&app.say_whose(
            "Fitbit's Web API was switched off on 2 November 2026. To see a heart rate today, use `pulsewing login --provider google`; the Fitbit dialect serves gateways and the sandbox ([endpoints] base_url).",
        ));
    }
    if has_wifi {
        app.console
            .say("The Wi-Fi settings were not taken over: this machine uses its own network.");
    }
}

fn nvm_token() -> Result<String, Problem> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(4 * 1_024)
        .read_to_string(&mut text)
        .map_err(Problem::stdin)?;
    let token = text.trim();
    if token.len() != NVM_TOKEN || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::failed(format!(
            "expected a token of {NVM_TOKEN} hexadecimal characters from the board's memory on stdin, but got {} characters",
            token.chars().count()
        ))
        .hint("to print it, run this on the board's console: import microcontroller; print(bytes(microcontroller.nvm[0:64]).decode())"));
    }
    Ok(token.to_owned())
}
