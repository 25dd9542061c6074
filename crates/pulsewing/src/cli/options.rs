//! The options of each command, in the order of `pulsewing --help`; those of `board` are in `board.rs`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use pulsewing_core::Provider;
use pulsewing_history::archive::{export, import};
use pulsewing_intake::SourceName;
use pulsewing_panels::PanelSpec;
use pulsewing_screen::{Palette, Theme};

use super::Passed;
use crate::{
    config::wearer::{self, WearerId},
    faces::outputs::PictureSize,
};

/// Options of `demo`.
#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The dialect to speak: google or fitbit
    #[arg(long, value_name = "P", default_value = "google")]
    pub provider: Provider,
    /// End after one cycle
    #[arg(long)]
    pub once: bool,
    /// Show this recording (time,bpm) instead of a made-up wearer
    #[arg(long, value_name = "FILE.csv")]
    pub data: Option<PathBuf>,
    /// The address for the page; by default 127.0.0.1:7373 or the next free port
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<std::net::SocketAddr>,
    /// How many times faster than real time the demo's clock runs
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
    /// The provider to sign in with: google or fitbit
    #[arg(long, value_name = "P")]
    pub provider: Option<Provider>,
    /// Sign in with a browser on any machine, and paste the address where it ends up
    #[arg(long)]
    pub paste: bool,
    /// The OAuth client's JSON file, downloaded from Google's console
    #[arg(long, value_name = "FILE")]
    pub client_json: Option<PathBuf>,
}

/// Options of `login`, which signs this machine in.
#[derive(Debug, Args)]
pub(crate) struct LoginHere {
    /// How to sign in.
    #[command(flatten)]
    pub how: Login,
    /// Start over, such as for another person: set the history so far aside under a dated name
    #[arg(long)]
    pub replace: bool,
}

/// Options of `adopt`.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The original sketch's settings.toml
    #[arg(value_name = "SETTINGS.toml")]
    pub settings: PathBuf,
    /// Read the refresh token from stdin: 64 characters of the board's non-volatile memory
    #[arg(long)]
    pub nvm: bool,
    /// Start over, such as for another person: set the history so far aside under a dated name
    #[arg(long)]
    pub replace: bool,
}

/// Options of `once`.
#[derive(Debug, Args)]
pub(crate) struct Once {
    /// Print the reading as JSON
    #[arg(long)]
    pub json: bool,
    /// Print only the report, as the original sketch did
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
    /// Draw the picture to this file, again every minute
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// The address for the page; by default the configured one, or 127.0.0.1:7373
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<std::net::SocketAddr>,
    /// Do not serve the page
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
    /// Install and start it; run again to apply changed options
    Install(Passed),
    /// Stop and remove it; keeps the sign-in and the history
    Uninstall,
    /// Print the unit that would be installed
    Show(Passed),
}

/// What to do about wearers.
#[derive(Debug, Subcommand)]
pub(crate) enum Wearer {
    /// Add a wearer, who then signs in with `pulsewing login --wearer ID` or on the page
    Add(WearerAdd),
    /// List the wearers
    List(WearerList),
    /// Sign a wearer out, and delete their history
    Remove(WearerRemove),
    /// Print a link with which a wearer of a database signs in on their own phone, once, within seven days
    #[cfg(feature = "fleet")]
    Invite(WearerInvite),
    /// Make, list and revoke tokens: of programs that send samples of a wearer, or of a database's page
    Token(WearerToken),
}

/// Options of `wearer invite`.
#[cfg(feature = "fleet")]
#[derive(Debug, Args)]
pub(crate) struct WearerInvite {
    /// The wearer's id
    #[arg(value_name = "ID")]
    pub id: WearerId,
}

/// Options of `wearer token`.
#[derive(Debug, Args)]
pub(crate) struct WearerToken {
    /// The wearer whose samples are sent; for a database, the wearers that the key is good for
    #[arg(value_name = "ID")]
    pub ids: Vec<WearerId>,
    /// Make a token with which the program of this name may send samples of the wearer; it replaces an earlier one
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
    /// What the key of a database is good for: wearer for their own data, viewer for somebody else who may see them
    #[cfg(feature = "fleet")]
    #[arg(long, value_enum, value_name = "ROLE", conflicts_with_all = ["operator", "list", "revoke", "source"])]
    pub role: Option<KeyRole>,
    /// The key of a database is good for every wearer, also for those to come
    #[cfg(feature = "fleet")]
    #[arg(long, requires = "role", conflicts_with = "ids")]
    pub all: bool,
    /// Make a key of a database under this name for an operator: the states of all wearers, never heart rates
    #[cfg(feature = "fleet")]
    #[arg(long, value_name = "NAME", value_parser = wearer::name, conflicts_with_all = ["ids", "list", "revoke", "source"])]
    pub operator: Option<String>,
    /// The name by which the key of a database can be revoked; by default its role and wearers
    #[cfg(feature = "fleet")]
    #[arg(long, value_name = "NAME", value_parser = wearer::name, conflicts_with_all = ["operator", "list", "revoke", "source"])]
    pub name: Option<String>,
    /// List the tokens: the wearer's, or all; or the keys of a database
    #[arg(long, conflicts_with_all = ["source", "revoke"])]
    pub list: bool,
    /// Print the list as JSON
    #[arg(long, requires = "list")]
    pub json: bool,
    /// Revoke the wearer's token for this source, or the key of a database with this name
    #[arg(long, value_name = "NAME", conflicts_with = "source")]
    pub revoke: Option<String>,
}

/// What a key is good for.
#[cfg(feature = "fleet")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyRole {
    /// The wearer's own data.
    Wearer,
    /// The heart rates and states of others.
    Viewer,
}

/// Options of `wearer add`.
#[derive(Debug, Args)]
pub(crate) struct WearerAdd {
    /// The wearer's id: lower-case letters, digits and hyphens; it never changes
    #[arg(value_name = "ID")]
    pub id: WearerId,
    /// The name that is shown
    #[arg(long, value_name = "NAME", value_parser = wearer::name)]
    pub name: Option<String>,
    /// The provider to ask about this wearer: google or fitbit
    #[arg(long, value_name = "P")]
    pub provider: Option<Provider>,
}

/// Options of `wearer list`.
#[derive(Debug, Args)]
pub(crate) struct WearerList {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `wearer remove`.
#[derive(Debug, Args)]
pub(crate) struct WearerRemove {
    /// The wearer's id
    #[arg(value_name = "ID")]
    pub id: WearerId,
    /// Remove the wearer even if the provider cannot be told that the sign-in has ended
    #[arg(long)]
    pub force: bool,
}

/// What to do about a database of many wearers.
#[cfg(feature = "fleet")]
#[derive(Debug, Subcommand)]
pub(crate) enum Fleet {
    /// Print a new key for the key file; with --key-file, one that is newer than those in it
    Key,
    /// Seal every sign-in with the newest key of the key file
    Rekey,
    /// Print a new secret for notifications of the Google Health API
    Secret,
    /// Have the Google Health API notify this fleet of new data; list or remove such subscriptions
    Subscribe(FleetSubscribe),
    /// Print who looked at whose data, the latest first; --wearer limits it to one wearer
    Audit(FleetAudit),
    /// Let a user of the database server use the tables, behind the row-level security
    Admit(FleetAdmit),
    /// After the database was restored from a backup: let no sign-in be used before it has proved itself
    Restored,
}

/// Options of `fleet subscribe`.
#[cfg(feature = "fleet")]
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").args(["endpoint", "list", "remove"]).required(true))]
pub(crate) struct FleetSubscribe {
    /// The public address of a collector's endpoint: https://NAME/google/notifications
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// List the project's subscribers
    #[arg(long)]
    pub list: bool,
    /// Remove the subscriber
    #[arg(long)]
    pub remove: bool,
    /// The service account's key file, downloaded from Google's console
    #[arg(long, value_name = "FILE")]
    pub service_account: PathBuf,
    /// The project's number; by default the one with which the client id begins
    #[arg(long, value_name = "NUMBER")]
    pub project: Option<String>,
    /// The subscriber's id
    #[arg(long, value_name = "ID", default_value = "pulsewing")]
    pub subscriber: String,
}

/// Options of `fleet audit`.
#[cfg(feature = "fleet")]
#[derive(Debug, Args)]
pub(crate) struct FleetAudit {
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// Options of `fleet admit`.
#[cfg(feature = "fleet")]
#[derive(Debug, Args)]
pub(crate) struct FleetAdmit {
    /// The user: a-z, 0-9 and _
    #[arg(value_name = "USER")]
    pub user: String,
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
    /// The provider of the replies: google or fitbit
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
    /// Google's reply with the resting heart rates; Fitbit's come with the heart rate
    #[arg(long, value_name = "BODY")]
    pub resting: Option<PathBuf>,
    /// Google's reply with the heart-rate zones; Fitbit's come with the heart rate
    #[arg(long, value_name = "BODY")]
    pub zones: Option<PathBuf>,
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
    /// The picture's theme: desk, classic or big
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
    /// May be given several times; in the variable, separate panels with semicolons. A framebuffer takes
    /// rotate=0|90|180|270; an SPI panel with an HX8357D takes dc=CHIP:LINE, reset=CHIP:LINE,
    /// backlight=CHIP:LINE, hz=N and rotate=0|90|180|270. Both take backlight=DIRECTORY, a backlight or a
    /// PWM of the kernel such as /sys/class/backlight/NAME, which [screen] backlight then dims.
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
    /// Skip the network checks
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
    /// The command whose page to print, such as `once` or `board status`; by default the program's own
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Zip files, .tgz files, directories or single files from an export
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The time zone in which days begin; by default the wearer's, as far as it is known
    #[arg(long, value_name = "IANA")]
    pub zone: Option<String>,
    /// Whether the JSON files, which name no offset, have UTC or local times
    #[arg(long, value_enum, default_value_t, value_name = "CLOCK")]
    pub json_times: JsonTimes,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The first day, such as 2026-11-22; by default the first in the history
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// The last day; by default the last in the history
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// The output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// Options of `sandbox`.
#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// How many wearers there are, each with an account in both clouds
    #[arg(long, value_name = "N", default_value = "1", value_parser = wearers())]
    pub wearers: std::num::NonZeroU32,
    /// A recording (time,bpm) instead of a made-up wearer, the first of several; several files are several days
    #[arg(long, value_name = "FILE.csv")]
    pub data: Vec<PathBuf>,
    /// The wearer's time zone
    #[arg(long, value_name = "IANA", default_value = "UTC")]
    pub zone: String,
    /// The lifetime of access tokens in seconds; by default the provider's
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..))]
    pub token_life: Option<u32>,
    /// Faults to play, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Serve https for the names in DIR/names, or localhost, and write the certificate to trust to DIR/ca.pem
    #[arg(long, value_name = "DIR")]
    pub tls: Option<PathBuf>,
}

/// Returns the parser of a number of wearers.
#[cfg(feature = "sandbox")]
fn wearers() -> impl clap::builder::TypedValueParser<Value = std::num::NonZeroU32> {
    use clap::builder::TypedValueParser as _;
    let most = i64::from(pulsewing_sandbox::MOST_WEARERS);
    clap::value_parser!(u32)
        .range(1..=most)
        .try_map(std::num::NonZeroU32::try_from)
}

/// Which clock wrote the times of JSON files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum JsonTimes {
    /// UTC.
    #[default]
    Utc,
    /// The wearer's local time.
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
    /// One object per line: `{"time":"...","bpm":N,"zone":"..."}`.
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
