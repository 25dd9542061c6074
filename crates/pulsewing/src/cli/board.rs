//! The command line of `pulsewing board`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pulsewing_core::Provider;
use pulsewing_screen::{Palette, Theme};

use super::Login;

/// Options of `board`.
#[derive(Debug, Args)]
pub(crate) struct Board {
    /// The board's serial port; needed only if there is more than one
    #[arg(long, global = true, value_name = "P")]
    pub port: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: BoardCommand,
}

/// What to do with a board.
#[derive(Debug, Subcommand)]
pub(crate) enum BoardCommand {
    /// Show the serial ports, and which boards answer there
    List,
    /// Set a board up: network, settings, wallpaper, sign-in
    Provision(Box<Provision>),
    /// Sign in for a board; the tokens are stored there alone
    Login(Login),
    /// Show what a board says of itself
    Status(BoardStatus),
    /// Show the last errors that a board remembers
    Log,
    /// Take a picture of a board's screen
    Shot(Shot),
    /// Restart a board
    Reset(Reset),
}

/// Options of `board provision`. What is not given comes from the configuration.
#[derive(Debug, Args)]
pub(crate) struct Provision {
    /// Add this Wi-Fi network; its password is asked for, or read from stdin
    #[arg(long, value_name = "SSID")]
    pub wifi: Option<String>,
    /// Read the network's password from this file instead
    #[arg(long, value_name = "FILE", requires = "wifi")]
    pub wifi_password_file: Option<PathBuf>,
    /// Whom to ask for the heart rate: google or fitbit
    #[arg(long, value_name = "P")]
    pub provider: Option<Provider>,
    /// The screen's theme: desk or classic
    #[arg(long, value_name = "T")]
    pub theme: Option<Theme>,
    /// The screen's colours: day, dim or night
    #[arg(long, value_name = "P")]
    pub palette: Option<Palette>,
    /// The picture for when there is no heart rate to show, a PNG or BMP
    #[arg(long, value_name = "FILE")]
    pub wallpaper: Option<PathBuf>,
    /// Change any other setting of the board; an empty value takes it back
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub set: Vec<(String, String)>,
    /// Move this machine's sign-in to the board; it is erased here
    #[arg(long, conflicts_with = "copy_chain")]
    pub move_chain: bool,
    /// Copy this machine's sign-in to the board (Google)
    #[arg(long)]
    pub copy_chain: bool,
    /// Put the sign-in in place of the one that the board uses
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
    /// Do not ask back
    #[arg(long)]
    pub yes: bool,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err(format!("\"{text}\" is no setting such as wearer_name=Ada")),
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
