//! The command line of `pulsewing board`.

use std::path::PathBuf;

use clap::{Args, Subcommand, builder::FalseyValueParser};
use pulsewing_core::Provider;
use pulsewing_screen::{Palette, Theme};

use crate::cli::Login;

/// Options of `board`.
#[derive(Debug, Args)]
pub struct Board {
    /// The board's serial port; needed only if there is more than one
    #[arg(long, global = true, value_name = "P", env = "PULSEWING_PORT")]
    pub port: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: BoardCommand,
}

/// What to do with a board.
#[derive(Debug, Subcommand)]
pub enum BoardCommand {
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
pub struct Provision {
    /// Add this Wi-Fi network; its password is asked for, or read from stdin
    #[arg(long, value_name = "SSID", env = "PULSEWING_WIFI")]
    pub wifi: Option<String>,
    /// Read the network's password from this file instead
    #[arg(
        long,
        value_name = "FILE",
        requires = "wifi",
        env = "PULSEWING_WIFI_PASSWORD_FILE"
    )]
    pub wifi_password_file: Option<PathBuf>,
    /// Whom to ask for the heart rate: google or fitbit
    #[arg(long, value_name = "P", env = "PULSEWING_PROVIDER")]
    pub provider: Option<Provider>,
    /// The screen's theme: desk or classic
    #[arg(long, value_name = "T", env = "PULSEWING_THEME")]
    pub theme: Option<Theme>,
    /// The screen's colours: day, dim or night
    #[arg(long, value_name = "P", env = "PULSEWING_PALETTE")]
    pub palette: Option<Palette>,
    /// The picture for when there is no heart rate to show, a PNG or BMP
    #[arg(long, value_name = "FILE", env = "PULSEWING_WALLPAPER")]
    pub wallpaper: Option<PathBuf>,
    /// Change any other setting of the board; an empty value takes it back
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value, env = "PULSEWING_SET")]
    pub set: Vec<(String, String)>,
    /// Move this machine's sign-in to the board; it is erased here
    #[arg(
        long,
        conflicts_with = "copy_chain",
        env = "PULSEWING_MOVE_CHAIN",
        value_parser = FalseyValueParser::new()
    )]
    pub move_chain: bool,
    /// Copy this machine's sign-in to the board (Google)
    #[arg(long, env = "PULSEWING_COPY_CHAIN", value_parser = FalseyValueParser::new())]
    pub copy_chain: bool,
    /// Put the sign-in in place of the one that the board uses
    #[arg(long, env = "PULSEWING_REPLACE", value_parser = FalseyValueParser::new())]
    pub replace: bool,
}

/// Options of `board status`.
#[derive(Debug, Args)]
pub struct BoardStatus {
    /// Print it as JSON
    #[arg(long, env = "PULSEWING_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Options of `board shot`.
#[derive(Debug, Args)]
pub struct Shot {
    /// Where to write the picture
    #[arg(value_name = "FILE.png")]
    pub file: PathBuf,
}

/// Options of `board reset`.
#[derive(Debug, Args)]
pub struct Reset {
    /// Erase everything first: networks, settings, sign-in, wallpaper
    #[arg(long, env = "PULSEWING_FACTORY", value_parser = FalseyValueParser::new())]
    pub factory: bool,
    /// Do not ask back
    #[arg(long, env = "PULSEWING_YES", value_parser = FalseyValueParser::new())]
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
    use clap::CommandFactory;

    use crate::cli::Cli;

    #[test]
    fn every_option_has_a_variable() {
        let cli = Cli::command();
        let board = cli.find_subcommand("board").unwrap();
        for sub in board.get_subcommands().chain([board]) {
            for option in sub.get_opts().chain(sub.get_arguments()) {
                let id = option.get_id().as_str();
                if !option.is_positional() && !["help", "version"].contains(&id) {
                    assert!(option.get_env().is_some(), "{} --{id}", sub.get_name());
                }
            }
        }
    }

    #[test]
    fn no_password_can_be_given_as_an_argument() {
        use clap::Parser;
        let line = [
            "pulsewing",
            "board",
            "provision",
            "--wifi",
            "home",
            "--wifi-password",
            "hush",
        ];
        assert!(Cli::try_parse_from(line).is_err());
    }
}
