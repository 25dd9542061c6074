//! The commands.

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use embedded_graphics::geometry::OriginDimensions;
use pulsewing_store::{
    MAX_SETTINGS, Settings, StoreError,
    settings::{MAX_NETWORKS, SettingError, WifiNetwork, WifiPassword},
};
use zeroize::Zeroizing;

use super::{Answer, Console, shot};
use crate::{
    button, configuration,
    ports::{Board, Clock},
    screenshot,
    shared::{Ssid, TokensUnstored},
};

/// How long sending a picture may take: nothing is drawn meanwhile.
const SHOT_WITHIN: Duration = Duration::from_secs(60);

/// The lines that `help` prints.
const HELP: [&str; 20] = [
    "status                       show the status",
    "chain                        show the sign-in",
    "log                          show the last errors",
    "poll                         update now",
    "set                          show all settings",
    "set NAME VALUE               change a setting",
    "unset NAME                   reset a setting",
    "wifi                         show the known networks",
    "wifi add SSID PASSWORD       add a network; \"\" for an open one",
    "wifi remove SSID             remove a network",
    "put WHAT LENGTH SHA256HEX12  start to send chain, roots or wallpaper",
    "data BASE64                  send a piece of it, at most 384 bytes",
    "commit                       store what was sent",
    "abort                        discard what was sent",
    "shot                         print the picture as text",
    "shot card                    save the picture to the card",
    "reset                        restart",
    "reset factory yes            erase everything, and restart",
    "help                         show this list",
    "put words with spaces in \"double quotes\"",
];

/// Why the settings were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChangeError {
    #[error("{0}")]
    Setting(#[from] SettingError),
    #[error("there is only room for {MAX_NETWORKS} networks; remove one first")]
    NoRoom,
    #[error("no such network is known")]
    NoNetwork,
    #[error("the settings are from a newer firmware and were left unchanged")]
    Newer,
    #[error("it could not be written to the flash")]
    Flash,
}

impl<B: Board> Console<'_, '_, B> {
    pub(super) async fn obey(&self, words: &[&str]) -> Answer {
        match words {
            ["help"] => {
                for line in HELP {
                    self.say(format_args!("{line}")).await?;
                }
                self.ok().await
            }
            ["status"] => self.status().await,
            ["chain"] => {
                self.chain().await?;
                self.ok().await
            }
            ["log"] => self.log().await,
            ["poll"] => {
                self.shared.requests.poll.set(true);
                self.shared.requests.any.signal(());
                self.ok().await
            }
            ["set"] => self.list_settings().await,
            ["set", name, value] => self.set(name, value).await,
            ["unset", name] => self.set(name, "").await,
            ["wifi"] => self.list_networks().await,
            ["wifi", "add", ssid, password] => {
                let result = self.store_network(ssid, password).await;
                self.changed(result).await
            }
            ["wifi", "remove", ssid] => {
                let result = self.change(|settings| {
                    let network = settings.wifi.iter_mut().find(|known| known.ssid == *ssid);
                    *network.ok_or(ChangeError::NoNetwork)? = WifiNetwork::default();
                    Ok(())
                });
                let result = result.await;
                self.changed(result).await
            }
            ["data", _] | ["commit"] => {
                let what = "nothing is being uploaded; start with \"put\"";
                self.error(format_args!("{what}")).await
            }
            ["abort"] => self.ok().await,
            ["shot"] => self.shot().await,
            ["shot", "card"] => match screenshot::to_card(self.shared).await {
                Ok(name) => {
                    self.say(format_args!("file: {name}")).await?;
                    self.ok().await
                }
                Err(error) => self.error(format_args!("{error}")).await,
            },
            ["reset"] => self.reset().await,
            ["reset", "factory", "yes"] => {
                self.ok().await?;
                button::factory_reset(self.shared).await;
                Ok(())
            }
            ["reset", "factory"] => {
                let what = "this erases everything; to confirm, type \"reset factory yes\"";
                self.error(format_args!("{what}")).await
            }
            _ => {
                let what = "unknown command; \"help\" lists all commands";
                self.error(format_args!("{what}")).await
            }
        }
    }

    async fn list_settings(&self) -> Answer {
        let settings = self.shared.settings.borrow().clone();
        for (name, value) in settings.entries() {
            self.say(format_args!("{name}: {value}")).await?;
        }
        self.ok().await
    }

    async fn list_networks(&self) -> Answer {
        let ssids: heapless::Vec<Ssid, MAX_NETWORKS> = {
            let settings = self.shared.settings.borrow();
            configuration::networks(&settings).cloned().collect()
        };
        for ssid in &ssids {
            self.say(format_args!("{ssid}")).await?;
        }
        self.ok().await
    }

    async fn set(&self, name: &str, value: &str) -> Answer {
        let result = self.change(|settings| Ok(settings.set(name, value)?)).await;
        self.changed(result).await
    }

    /// Adds a network to the known ones, before all others.
    pub(super) async fn store_network(
        &self,
        ssid: &str,
        password: &str,
    ) -> Result<Effect, ChangeError> {
        let known = || -> Result<WifiNetwork, SettingError> {
            Ok(WifiNetwork {
                ssid: Ssid::try_from(ssid).map_err(|_| SettingError::TooLong(32))?,
                password: match password {
                    "" => None,
                    password => Some(WifiPassword::new(password)?),
                },
            })
        };
        let network = known()?;
        if network.ssid.is_empty() || ssid.chars().any(char::is_control) {
            return Err(SettingError::Text.into());
        }
        self.change(|settings| {
            let place = settings
                .wifi
                .iter()
                .position(|known| known.ssid == network.ssid)
                .or_else(|| settings.wifi.iter().position(|known| known.ssid.is_empty()))
                .ok_or(ChangeError::NoRoom)?;
            if let Some(before) = settings.wifi.get_mut(..=place) {
                before.rotate_right(1);
            }
            if let Some(first) = settings.wifi.first_mut() {
                *first = network;
            }
            Ok(())
        })
        .await
    }

    /// Changes the settings in the store, and applies the change.
    async fn change(
        &self,
        how: impl FnOnce(&mut Settings) -> Result<(), ChangeError>,
    ) -> Result<Effect, ChangeError> {
        let shared = self.shared;
        let before = shared.settings.borrow().clone();
        let mut after = before.clone();
        how(&mut after)?;
        if after == before {
            return Ok(Effect::AtOnce);
        }
        {
            let mut buffer = Zeroizing::new([0; MAX_SETTINGS]);
            let mut store = shared.store.lock().await;
            store
                .save_settings(&after, &mut buffer[..])
                .await
                .map_err(|error| match error {
                    StoreError::Newer(_) => ChangeError::Newer,
                    _ => ChangeError::Flash,
                })?;
        }
        let effect = if configuration::need_restart(&before, &after) {
            Effect::WithRestart
        } else {
            Effect::AtOnce
        };
        if configuration::differ_for_the_cycle(&before, &after) {
            shared.requests.settings.set(true);
        }
        *shared.settings.borrow_mut() = after;
        shared.note(|facts| facts.settings_fault = None);
        shared.requests.any.signal(());
        shared.watch.look_now();
        Ok(effect)
    }

    async fn changed(&self, result: Result<Effect, ChangeError>) -> Answer {
        match result {
            Ok(Effect::AtOnce) => self.ok().await,
            Ok(Effect::WithRestart) => {
                self.say(format_args!("restarting to apply this")).await?;
                self.reset().await
            }
            Err(error) => self.error(format_args!("{error}")).await,
        }
    }

    pub(super) async fn reset(&self) -> Answer {
        if self.shared.facts.borrow().holds_unstored {
            return self.error(format_args!("{TokensUnstored}")).await;
        }
        self.ok().await?;
        let Err(error) = self.shared.restart().await;
        self.shared
            .serial_queue
            .log(format_args!("no restart: {error}"));
        Ok(())
    }

    async fn shot(&self) -> Answer {
        let shared = self.shared;
        let picture = shared.picture.lock().await;
        let Some((frame, colours)) = picture.shown() else {
            let what = "there is no picture in the board's memory";
            return self.error(format_args!("{what}")).await;
        };
        let size = frame.size();
        self.say(format_args!("frame {} {}", size.width, size.height))
            .await?;
        let mut line: heapless::String<{ 7 * 16 }> = heapless::String::new();
        for [red, green, blue] in colours.rgb888() {
            use core::fmt::Write as _;
            // Sixteen of seven characters fit.
            let _ = write!(line, " {red:02x}{green:02x}{blue:02x}");
        }
        self.say(format_args!("palette{line}")).await?;
        let late_at = shared.after(SHOT_WITHIN);
        let width = usize::try_from(size.width).unwrap_or(usize::MAX);
        for place in 0..usize::try_from(size.height).unwrap_or(0) {
            let mut buffer = [0; shot::MAX_ROW * 4 / 3 + 4];
            let row = shot::row(frame, width, place);
            let Some(text) = row
                .as_ref()
                .and_then(|row| Base64::encode(row, &mut buffer).ok())
            else {
                let what = "the picture is too wide for the serial line";
                return self.error(format_args!("{what}")).await;
            };
            self.say(format_args!("row {text}")).await?;
            if shared.clock.up() > late_at {
                let what = "the picture was read too slowly; the board has to draw again";
                return self.error(format_args!("{what}")).await;
            }
        }
        self.ok().await
    }
}

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    AtOnce,
    WithRestart,
}
