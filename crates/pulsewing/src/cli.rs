//! The command line.

use std::path::PathBuf;

use clap::{
    ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand, builder::Resettable,
};
use jiff::{Timestamp, civil::Date, tz::Offset};
use pulsewing_core::Provider;
use pulsewing_screen::{Palette, Theme};

use crate::{
    archive::{export::Format, import::JsonTimes},
    board::options::Board,
    console::Colour,
    panel::PanelSpec,
    service::Passed,
};

/// Shows a wearer's latest heart rate.
///
/// No medical device: what it shows lags the body by a quarter to three quarters of an hour.
#[derive(Debug, Parser)]
#[command(
    name = "pulsewing",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads this program's arguments and its environment; ends the program if they are no command.
    #[must_use]
    pub fn read() -> Self {
        let matches = without_empty_variables(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// A variable that is set to nothing counts as unset: scripts and units write `PULSEWING_NOW=` for that.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|it| it.is_empty());
    command
        .mut_args(|arg| {
            if arg.get_env().is_some_and(is_empty) {
                arg.env(Resettable::Reset)
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty_variables)
}

/// Options of every command; they stand before or after it.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "PULSEWING_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the sign-in and what is remembered are kept
    #[arg(long, global = true, value_name = "DIR", env = "PULSEWING_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Start the program's clock at this time, such as 2026-11-22T14:07:00+01:00
    #[arg(long, global = true, value_name = "RFC3339", env = "PULSEWING_NOW", value_parser = StartTime::parse)]
    pub now: Option<StartTime>,
    /// Show what is sent and what comes back
    #[arg(short, long, global = true, env = "PULSEWING_VERBOSE", value_parser = clap::builder::FalseyValueParser::new())]
    pub verbose: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        env = "PULSEWING_COLOR"
    )]
    pub color: Colour,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try the whole system without an account: a stand-in for the cloud, a sign-in, the picture
    #[cfg(feature = "sandbox")]
    Demo(Demo),
    /// Sign in
    Login(LoginHere),
    /// Sign out: give the grant back and erase the tokens
    Logout,
    /// Take over the original sketch's settings.toml
    Adopt(Adopt),
    /// Fetch once and print the heart rate and the report
    Once(Once),
    /// Run unattended: an update every quarter of an hour, a history, pictures
    Run(Run),
    /// Have it run unattended from now on: a systemd service of yours
    #[command(subcommand)]
    Service(Service),
    /// Show the heart rate in this terminal, live
    Show,
    /// Show what is stored and how the last update went
    Status(Status),
    /// Draw saved API replies, offline
    Render(Render),
    /// Take exports of earlier years into the history: Google Takeout's, Fitbit's, Apple Health's, or CSV
    Import(Import),
    /// Print the history, minute by minute
    Export(Export),
    /// Set a board up over its serial port, and look after it
    Board(Board),
    /// Look at everything that Pulsewing needs, and say what to fix; changes nothing
    Doctor(Doctor),
    /// Print the completions of a shell, for it to read
    Completions(Completions),
    /// Print the manual page
    Man(Man),
    /// Run a stand-in for both clouds until stopped
    #[cfg(feature = "sandbox")]
    Sandbox(SandboxArgs),
}

/// Options of `demo`.
#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub struct Demo {
    /// Whose dialect to speak: google or fitbit
    #[arg(
        long,
        value_name = "P",
        default_value = "google",
        env = "PULSEWING_PROVIDER"
    )]
    pub provider: Provider,
    /// End after one cycle
    #[arg(long, env = "PULSEWING_ONCE", value_parser = clap::builder::FalseyValueParser::new())]
    pub once: bool,
    /// Show this recording (time,bpm) instead of a made-up wearer
    #[arg(long, value_name = "FILE.csv", env = "PULSEWING_DATA")]
    pub data: Option<PathBuf>,
    /// Where the page listens; 127.0.0.1:7373 or the next free port unless told
    #[arg(long, value_name = "ADDR", env = "PULSEWING_LISTEN")]
    pub listen: Option<std::net::SocketAddr>,
    /// How many times as fast as time the demo's clock runs
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600), env = "PULSEWING_SPEED")]
    pub speed: u32,
    /// The picture's colours: day, dim or night
    #[arg(long, value_name = "P", env = "PULSEWING_PALETTE")]
    pub palette: Option<Palette>,
    /// Where else to show the picture.
    #[command(flatten)]
    pub panels: Panels,
}

/// Options of `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// Whom to sign in with: google or fitbit
    #[arg(long, value_name = "P", env = "PULSEWING_PROVIDER")]
    pub provider: Option<Provider>,
    /// Open the address in a browser anywhere, and paste the address it ends at
    #[arg(long, env = "PULSEWING_PASTE", value_parser = clap::builder::FalseyValueParser::new())]
    pub paste: bool,
    /// The file with the OAuth client that Google's console lets one download
    #[arg(long, value_name = "FILE", env = "PULSEWING_CLIENT_JSON")]
    pub client_json: Option<PathBuf>,
}

/// Options of `login`, which signs this machine in.
#[derive(Debug, Args)]
pub struct LoginHere {
    /// How to sign in.
    #[command(flatten)]
    pub how: Login,
    /// Begin anew, such as for another person: set the history so far aside, under a dated name
    #[arg(long, env = "PULSEWING_REPLACE", value_parser = clap::builder::FalseyValueParser::new())]
    pub replace: bool,
}

/// Options of `adopt`.
#[derive(Debug, Args)]
pub struct Adopt {
    /// The original's settings
    #[arg(value_name = "SETTINGS.toml")]
    pub settings: PathBuf,
    /// Read the refresh token, 64 characters of the board's non-volatile memory, from stdin
    #[arg(long, env = "PULSEWING_NVM", value_parser = clap::builder::FalseyValueParser::new())]
    pub nvm: bool,
    /// Begin anew, such as for another person: set the history so far aside, under a dated name
    #[arg(long, env = "PULSEWING_REPLACE", value_parser = clap::builder::FalseyValueParser::new())]
    pub replace: bool,
}

/// Options of `once`.
#[derive(Debug, Args)]
pub struct Once {
    /// Print the reading as JSON
    #[arg(long, env = "PULSEWING_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    pub json: bool,
    /// Print the report alone, as the original sketch did
    #[arg(long, conflicts_with = "json", env = "PULSEWING_REPORT", value_parser = clap::builder::FalseyValueParser::new())]
    pub report: bool,
    /// Draw the picture to this file
    #[arg(long, value_name = "FILE", env = "PULSEWING_PNG")]
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
pub struct Run {
    /// Draw the picture to this file, every minute anew
    #[arg(long, value_name = "FILE", env = "PULSEWING_PNG")]
    pub png: Option<PathBuf>,
    /// Where the page listens; 127.0.0.1:7373 unless the configuration says otherwise
    #[arg(long, value_name = "ADDR", env = "PULSEWING_LISTEN")]
    pub listen: Option<std::net::SocketAddr>,
    /// Serve no page
    #[arg(long, conflicts_with = "listen", env = "PULSEWING_NO_WEB", value_parser = clap::builder::FalseyValueParser::new())]
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
pub enum Service {
    /// Install it and start it; again, with what is different now
    Install(Passed),
    /// Stop it and remove it; the sign-in and the history stay
    Uninstall,
    /// Print the unit that would be installed
    Show(Passed),
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print it as JSON
    #[arg(long, env = "PULSEWING_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    pub json: bool,
}

/// Options of `render`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("output").args(["png", "panel"]).required(true).multiple(true))]
pub struct Render {
    /// Whose replies they are: google or fitbit
    #[arg(long, value_name = "P", env = "PULSEWING_PROVIDER")]
    pub provider: Provider,
    /// The reply with the heart rate: a rollUp or a list of samples, or a Fitbit day
    #[arg(long, value_name = "BODY", env = "PULSEWING_HEART")]
    pub heart: PathBuf,
    /// The reply with the paired devices
    #[arg(long, value_name = "BODY", env = "PULSEWING_DEVICES")]
    pub devices: Option<PathBuf>,
    /// The reply with the time zone: Google's settings, or Fitbit's profile
    #[arg(long, value_name = "BODY", env = "PULSEWING_SETTINGS")]
    pub settings: Option<PathBuf>,
    /// Draw the picture to this file
    #[arg(long, value_name = "FILE", env = "PULSEWING_PNG")]
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
pub struct Look {
    /// The picture's theme: desk or classic
    #[arg(long, value_name = "T", env = "PULSEWING_THEME")]
    pub theme: Option<Theme>,
    /// The picture's size in pixels
    #[arg(long, value_name = "WxH", default_value = "480x320", value_parser = PictureSize::parse, env = "PULSEWING_SIZE")]
    pub size: PictureSize,
    /// The picture's colours: day, dim or night
    #[arg(long, value_name = "P", env = "PULSEWING_PALETTE")]
    pub palette: Option<Palette>,
}

/// Panels that show the picture.
#[derive(Clone, Debug, Args)]
pub struct Panels {
    /// Show the picture on this panel, in its own size: fb:/dev/fb1 or spi:/dev/spidev0.0,dc=gpiochip0:25
    ///
    /// May stand several times; in the variable a semicolon separates panels. A framebuffer takes
    /// rotate=0|90|180|270; an SPI panel with an HX8357D takes dc=CHIP:LINE, reset=CHIP:LINE,
    /// backlight=CHIP:LINE, hz=N and rotate=0|90|180|270.
    #[arg(
        long = "panel",
        id = "panel",
        value_name = "SPEC",
        value_delimiter = ';',
        env = "PULSEWING_PANEL"
    )]
    pub specs: Vec<PanelSpec>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print the findings as JSON
    #[arg(long, env = "PULSEWING_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    pub json: bool,
    /// Leave the network out
    #[arg(long, env = "PULSEWING_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub offline: bool,
    /// Which panels to look at.
    #[command(flatten)]
    pub panels: Panels,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The command whose page to print, such as `once` or `board status`; without it, the program's
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Zip files, .tgz files, directories or single files of an export
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The zone whose days they are; without it, the wearer's as far as it is known
    #[arg(long, value_name = "IANA", env = "PULSEWING_ZONE")]
    pub zone: Option<String>,
    /// Which clock wrote the times of the JSON files, which name no offset
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "CLOCK",
        env = "PULSEWING_JSON_TIMES"
    )]
    pub json_times: JsonTimes,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The first day, such as 2026-11-22; without it, the first there is
    #[arg(long, value_name = "DATE", env = "PULSEWING_FROM")]
    pub from: Option<Date>,
    /// The last day; without it, the last there is
    #[arg(long, value_name = "DATE", env = "PULSEWING_TO")]
    pub to: Option<Date>,
    /// How it is written
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        env = "PULSEWING_FORMAT"
    )]
    pub format: Format,
}

/// Options of `sandbox`.
#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        env = "PULSEWING_LISTEN"
    )]
    pub listen: std::net::SocketAddr,
    /// A recording (time,bpm) instead of a made-up wearer; several files are several days
    #[arg(long, value_name = "FILE.csv", env = "PULSEWING_DATA")]
    pub data: Vec<PathBuf>,
    /// The wearer's time zone
    #[arg(
        long,
        value_name = "IANA",
        default_value = "UTC",
        env = "PULSEWING_ZONE"
    )]
    pub zone: String,
    /// For how many seconds an access token lives, instead of as long as the provider's do
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..), env = "PULSEWING_TOKEN_LIFE")]
    pub token_life: Option<u32>,
    /// Faults to play, as JSON lines
    #[arg(long, value_name = "FILE", env = "PULSEWING_SCRIPT")]
    pub script: Option<PathBuf>,
    /// Serve https for the names in DIR/names, or else localhost, and write DIR/ca.pem to trust
    #[arg(long, value_name = "DIR", env = "PULSEWING_TLS")]
    pub tls: Option<PathBuf>,
}

/// A time that the program's clock starts at, with the offset that it was written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartTime {
    /// The instant.
    pub at: Timestamp,
    /// Its offset from UTC.
    pub offset: Offset,
}

impl StartTime {
    fn parse(text: &str) -> Result<Self, String> {
        let refuse = || format!("\"{text}\" is no time such as 2026-11-22T14:07:00+01:00");
        let at = text.parse().map_err(|_| refuse())?;
        let offset = jiff::fmt::temporal::Pieces::parse(text)
            .ok()
            .and_then(|pieces| pieces.to_numeric_offset())
            .unwrap_or(Offset::UTC);
        Ok(Self { at, offset })
    }
}

/// A picture's size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl PictureSize {
    /// Reads a size such as `480x320`.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let side = |text: &str, least| {
            text.parse()
                .ok()
                .filter(|side| (least..=4_096).contains(side))
        };
        text.split_once(['x', 'X'])
            .and_then(|(width, height)| {
                Some(Self {
                    width: side(width, 160)?,
                    height: side(height, 80)?,
                })
            })
            .ok_or_else(|| {
                format!("\"{text}\" is no size from 160x80 to 4096x4096 such as 480x320")
            })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_has_a_variable() {
        let command = Cli::command();
        for sub in command.get_subcommands().chain([&command]) {
            for option in sub.get_opts().chain(sub.get_arguments()) {
                let id = option.get_id().as_str();
                if option.is_positional() || ["help", "version"].contains(&id) {
                    continue;
                }
                assert!(option.get_env().is_some(), "{} --{id}", sub.get_name());
            }
        }
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in [["pulsewing", "-v", "logout"], ["pulsewing", "logout", "-v"]] {
            assert!(Cli::try_parse_from(line).unwrap().global.verbose);
        }
    }

    #[test]
    fn a_start_time_keeps_its_offset() {
        let start = StartTime::parse("2026-11-22T14:07:00+01:00").unwrap();
        assert_eq!(start.at, "2026-11-22T13:07:00Z".parse().unwrap());
        assert_eq!(start.offset, Offset::constant(1));
        assert!(StartTime::parse("2026-11-22T14:07:00").is_err());
    }

    #[test]
    fn a_size_has_two_sides() {
        assert_eq!(
            PictureSize::parse("320x240"),
            Ok(PictureSize {
                width: 320,
                height: 240
            })
        );
        for bad in ["320", "0x0", "320x", "99999x10", "-1x5"] {
            assert!(PictureSize::parse(bad).is_err(), "{bad}");
        }
    }
}
