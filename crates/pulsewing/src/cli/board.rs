//! The command line of `pulsewing board`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pulsewing_core::Provider;
use pulsewing_screen::{Palette, Theme};

use super::Login;

/// Options of `board`.
#[derive(Debug, Args)]
pub(crate) struct Board {
    /// The board's serial port; only needed if there is more than one
    #[arg(long, global = true, value_name = "P")]
    pub port: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: BoardCommand,
}

/// What to do with a board.
#[derive(Debug, Subcommand)]
pub(crate) enum BoardCommand {
    /// List the serial ports and the boards that answer
    List,
    /// Set up a board: network, settings, wallpaper, sign-in
    Provision(Box<Provision>),
    /// Sign in for a board; the tokens are stored only on the board
    Login(Login),
    /// Show a board's status
    Status(BoardStatus),
    /// Show a board's recent errors
    Log,
    /// Save a picture of a board's screen
    Shot(Shot),
    /// Restart a board
    Reset(Reset),
}

/// Options of `board provision`. What is not given comes from the configuration.
#[derive(Debug, Args)]
pub(crate) struct Provision {
    /// Add this Wi-Fi network; asks for its password, or reads it from stdin
    #[arg(long, value_name = "SSID")]
    pub wifi: Option<String>,
    /// Read the network's password from this file instead
    #[arg(long, value_name = "FILE", requires = "wifi")]
    pub wifi_password_file: Option<PathBuf>,
    /// The provider of the heart rate: google or fitbit
    #[arg(long, value_name = "P")]
    pub provider: Option<Provider>,
    /// The screen's theme: desk, classic or big
    #[arg(long, value_name = "T")]
    pub theme: Option<Theme>,
    /// The screen's colours: day, dim or night
    #[arg(long, value_name = "P")]
    pub palette: Option<Palette>,
    /// The PNG or BMP to show when there is no heart rate
    #[arg(long, value_name = "FILE")]
    pub wallpaper: Option<PathBuf>,
    /// Change any other setting of the board; an empty value resets it
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub set: Vec<(String, String)>,
    /// Move this machine's sign-in to the board and erase it here
    #[arg(long, conflicts_with = "copy_chain")]
    pub move_chain: bool,
    /// Copy this machine's sign-in to the board (Google)
    #[arg(long)]
    pub copy_chain: bool,
    /// Replace the sign-in that the board uses
    #[arg(long)]
    pub replace: bool,
}

/// Options of `board status`.
#[derive(Debug, Args)]
pub(crate) struct BoardStatus {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `board shot`.
#[derive(Debug, Args)]
pub(crate) struct Shot {
    /// Where to write the picture
    #[arg(value_name = "FILE.png")]
    pub file: PathBuf,
}

/// Options of `board reset`.
#[derive(Debug, Args)]
pub(crate) struct Reset {
    /// Erase everything first: networks, settings, sign-in, wallpaper
    #[arg(long)]
    pub factory: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err(format!(
            "\"{text}\" is not a setting; write it like wearer_name=Ada"
        )),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_password_can_be_given_as_an_argument() {
        let line = [
            "pulsewing",
            "board",
            "provision",
            "--wifi",
            "home",
            "--wifi-password",
            "hush",
        ];
        assert!(crate::cli::command().try_get_matches_from(line).is_err());
    }
}
