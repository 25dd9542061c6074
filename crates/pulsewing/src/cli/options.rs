//! The options of each command, in the order of `pulsewing --help`; those of `board` are in `board.rs`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use pulsewing_core::Provider;
use pulsewing_history::archive::{export, import};
use pulsewing_panels::PanelSpec;
use pulsewing_screen::{Palette, Theme};

use super::Passed;
use crate::faces::outputs::PictureSize;

/// Options of `demo`.
#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Whose dialect to speak: google or fitbit
    #[arg(long, value_name = "P", default_value = "google")]
    pub provider: Provider,
    /// End after one cycle
    #[arg(long)]
    pub once: bool,
    /// Show this recording (time,bpm) instead of a made-up wearer
    #[arg(long, value_name = "FILE.csv")]
    pub data: Option<PathBuf>,
    /// Where the page listens; 127.0.0.1:7373 or the next free port unless told
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<std::net::SocketAddr>,
    /// How many times as fast as time the demo's clock runs
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub speed: u32,
    /// The picture's colours: day, dim or night
    #[arg(long, value_name = "P")]
    pub palette: Option<Palette>,
    /// Where else to show the picture.
    #[command(flatten)]
    pub panels: Panels,
}

/// Options of `login`.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Whom to sign in with: google or fitbit
    #[arg(long, value_name = "P")]
    pub provider: Option<Provider>,
    /// Open the address in a browser anywhere, and paste the address it ends at
    #[arg(long)]
    pub paste: bool,
    /// The file with the OAuth client that Google's console lets one download
    #[arg(long, value_name = "FILE")]
    pub client_json: Option<PathBuf>,
}

/// Options of `login`, which signs this machine in.
#[derive(Debug, Args)]
pub(crate) struct LoginHere {
    /// How to sign in.
    #[command(flatten)]
    pub how: Login,
    /// Begin anew, such as for another person: set the history so far aside, under a dated name
    #[arg(long)]
    pub replace: bool,
}

/// Options of `adopt`.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The original's settings
    #[arg(value_name = "SETTINGS.toml")]
    pub settings: PathBuf,
    /// Read the refresh token, 64 characters of the board's non-volatile memory, from stdin
    #[arg(long)]
    pub nvm: bool,
    /// Begin anew, such as for another person: set the history so far aside, under a dated name
    #[arg(long)]
    pub replace: bool,
}

/// Options of `once`.
#[derive(Debug, Args)]
pub(crate) struct Once {
    /// Print the reading as JSON
    #[arg(long)]
    pub json: bool,
    /// Print the report alone, as the original sketch did
    #[arg(long, conflicts_with = "json")]
    pub report: bool,
    /// Draw the picture to this file
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Where else to show the picture.
    #[command(flatten)]
    pub panels: Panels,
    /// How the picture looks.
    #[command(flatten)]
    pub look: Look,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Draw the picture to this file, every minute anew
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Where the page listens; 127.0.0.1:7373 unless the configuration says otherwise
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<std::net::SocketAddr>,
    /// Serve no page
    #[arg(long, conflicts_with = "listen")]
    pub no_web: bool,
    /// Where else to show the picture.
    #[command(flatten)]
    pub panels: Panels,
    /// How the picture looks.
    #[command(flatten)]
    pub look: Look,
}

/// What to do about the service.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Install it and start it; again, with what is different now
    Install(Passed),
    /// Stop it and remove it; the sign-in and the history stay
    Uninstall,
    /// Print the unit that would be installed
    Show(Passed),
}

/// Options of `status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `render`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("output").args(["png", "panel"]).required(true).multiple(true))]
pub(crate) struct Render {
    /// Whose replies they are: google or fitbit
    #[arg(long, value_name = "P")]
    pub provider: Provider,
    /// The reply with the heart rate: a rollUp or a list of samples, or a Fitbit day
    #[arg(long, value_name = "BODY")]
    pub heart: PathBuf,
    /// The reply with the paired devices
    #[arg(long, value_name = "BODY")]
    pub devices: Option<PathBuf>,
    /// The reply with the time zone: Google's settings, or Fitbit's profile
    #[arg(long, value_name = "BODY")]
    pub settings: Option<PathBuf>,
    /// Draw the picture to this file
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Where else to show the picture.
    #[command(flatten)]
    pub panels: Panels,
    /// How the picture looks.
    #[command(flatten)]
    pub look: Look,
}

/// How a picture looks.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Look {
    /// The picture's theme: desk or classic
    #[arg(long, value_name = "T")]
    pub theme: Option<Theme>,
    /// The picture's size in pixels
    #[arg(long, value_name = "WxH", default_value = "480x320")]
    pub size: PictureSize,
    /// The picture's colours: day, dim or night
    #[arg(long, value_name = "P")]
    pub palette: Option<Palette>,
}

/// Panels that show the picture.
#[derive(Clone, Debug, Args)]
pub(crate) struct Panels {
    /// Show the picture on this panel, in its own size: fb:/dev/fb1 or spi:/dev/spidev0.0,dc=gpiochip0:25
    ///
    /// May stand several times; in the variable a semicolon separates panels. A framebuffer takes
    /// rotate=0|90|180|270; an SPI panel with an HX8357D takes dc=CHIP:LINE, reset=CHIP:LINE,
    /// backlight=CHIP:LINE, hz=N and rotate=0|90|180|270.
    #[arg(
        long = "panel",
        id = "panel",
        value_name = "SPEC",
        value_delimiter = ';'
    )]
    pub specs: Vec<PanelSpec>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// Leave the network out
    #[arg(long)]
    pub offline: bool,
    /// Which panels to look at.
    #[command(flatten)]
    pub panels: Panels,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command whose page to print, such as `once` or `board status`; without it, the program's
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Zip files, .tgz files, directories or single files of an export
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The zone whose days they are; without it, the wearer's as far as it is known
    #[arg(long, value_name = "IANA")]
    pub zone: Option<String>,
    /// Which clock wrote the times of the JSON files, which name no offset
    #[arg(long, value_enum, default_value_t, value_name = "CLOCK")]
    pub json_times: JsonTimes,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The first day, such as 2026-11-22; without it, the first there is
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// The last day; without it, the last there is
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// How it is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// Options of `sandbox`.
#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// A recording (time,bpm) instead of a made-up wearer; several files are several days
    #[arg(long, value_name = "FILE.csv")]
    pub data: Vec<PathBuf>,
    /// The wearer's time zone
    #[arg(long, value_name = "IANA", default_value = "UTC")]
    pub zone: String,
    /// For how many seconds an access token lives, instead of as long as the provider's do
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..))]
    pub token_life: Option<u32>,
    /// Faults to play, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Serve https for the names in DIR/names, or else localhost, and write DIR/ca.pem to trust
    #[arg(long, value_name = "DIR")]
    pub tls: Option<PathBuf>,
}

/// Which clock wrote the times of JSON files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum JsonTimes {
    /// UTC's.
    #[default]
    Utc,
    /// The wearer's.
    Local,
}

impl From<JsonTimes> for import::JsonTimes {
    fn from(times: JsonTimes) -> Self {
        match times {
            JsonTimes::Utc => Self::Utc,
            JsonTimes::Local => Self::Local,
        }
    }
}

/// How the history is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns: `time,bpm,offset,zone,resting_bpm`.
    #[default]
    Csv,
    /// One object a line: `{"time":"...","bpm":N,"zone":"..."}`.
    Json,
}

impl From<Format> for export::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Json => Self::Json,
        }
    }
}
