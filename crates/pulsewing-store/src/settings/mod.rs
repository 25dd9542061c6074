//! What the board's owner decided, but for the sign-in.
//!
//! ```text
//! "PWST", version (1 to 3), fields: tag (1), length (2, big-endian), value
//! ```
//!
//! | tag | field | value |
//! |---|---|---|
//! | 1 to 4 | a Wi-Fi network | length of the SSID (1), SSID, password |
//! | 5 | provider | 1 Google, 2 Fitbit |
//! | 6, 7, 8 | origins: authorisation, token, API | text |
//! | 9 | whether plain HTTP is allowed | 1 |
//! | 10 | poll interval in seconds | u32 |
//! | 11 | requests an hour | u16 |
//! | 12 | hold-off in seconds | u16 |
//! | 13 | theme | 1 desk, 2 classic, 3 big (version 2) |
//! | 14 | palette | 1 auto, 2 day, 3 dim, 4 night |
//! | 15 | night | from, to: minutes since midnight (u16 each) |
//! | 16 | SPI clock in Hz | u32 |
//! | 17 | wearer's name | text |
//! | 18 | heart zones: where light, moderate, vigorous, peak begin | u16 each |
//! | 19 | time zone's IANA name | text |
//! | 20 | its rule | text |
//! | 21, 22, 23 | SNTP servers | text |
//! | 24 | a host that is connected to in place of the endpoints' own | text |
//! | 25 | the wearer's year of birth (version 2) | u16 |
//! | 26 | if it is there, the wallpaper is behind readings as well (version 2) | 1 (1) |
//! | 27, 28 | backlight, and the same at night (version 2) | percent (1) |
//! | 29 to 32 | alarms (version 3): high, urgent high, low, urgent low | bpm (u16) |
//! | 33 | without a new minute for that long (version 3) | seconds (u32), 0 off |
//! | 34 | the tracker's battery (version 3) | percent (1), 0 off |
//! | 35 | quiet hours (version 3) | as 15 |
//! | 36, 37 | first repeat; age up to which a minute counts (version 3) | seconds (u32) |
//! | 38 | if it is there, a piezo is wired (version 3) | 1 (1) |
//!
//! The version is the lowest that has all fields, so that an older program reads what it can.
//! A field that is missing has its default. A reader refuses a newer version and leaves it alone; a
//! tag that a version does not know is damage, because a writer that adds one raises the version.
//! The TLS roots are a blob of their own.

mod limits;
mod named;
mod values;

use embedded_storage_async::nor_flash::NorFlash;
use pulsewing_core::{
    Bpm, Provider,
    alarm::Limits,
    heart_zone::{BirthYear, HeartZones},
    look::{Backlight, Brightness, Night, Palette, Theme},
    reading::ZoneName,
};

pub use named::{SettingError, Shown};
pub use values::{HostName, Origin, PaletteChoice, WifiNetwork, WifiPassword, ZoneRule};

use crate::{
    Store, StoreError, Subject,
    frame::{Entry, Kind},
    journal::Place,
    tlv::{self, FormatError},
};

/// The themes of field 13, and the choices of field 14: their bytes count from 1.
const THEMES: [Theme; 3] = [Theme::Desk, Theme::Classic, Theme::Big];
const PALETTES: [PaletteChoice; 4] = [
    PaletteChoice::Auto,
    PaletteChoice::Always(Palette::Day),
    PaletteChoice::Always(Palette::Dim),
    PaletteChoice::Always(Palette::Night),
];

/// The most bytes that encoded settings have.
pub const MAX_SETTINGS: usize = 2_048;

/// How many Wi-Fi networks are kept.
pub const MAX_NETWORKS: usize = 4;

/// How many SNTP servers are kept.
pub const MAX_SNTP: usize = 3;

const MAGIC: [u8; 4] = *b"PWST";
const VERSION: u8 = 3;

/// One more than the highest tag.
const FIELDS: usize = 39;

/// Where the provider is to be found, if not at its own addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Where the wearer signs in.
    pub auth: Option<Origin>,
    /// Where tokens are refreshed.
    pub token: Option<Origin>,
    /// Where the data is.
    pub api: Option<Origin>,
    /// Whether `http://` is allowed to hosts other than this one.
    pub allows_plain_http: bool,
    /// A host, perhaps with a port, that is connected to in place of the endpoints' own: a gateway. The
    /// certificate still has to be the endpoint's. Empty for none.
    pub connect: HostName,
}

/// What the board's owner decided. See [`set`](Self::set) for the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The Wi-Fi networks, best first; one without an SSID is none.
    pub wifi: [WifiNetwork; MAX_NETWORKS],
    /// Whose dialect is spoken.
    pub provider: Provider,
    /// Where the provider is to be found.
    pub endpoints: Endpoints,
    /// The poll interval in seconds.
    pub poll_every_s: u32,
    /// How many requests are sent within an hour, replays aside.
    pub hourly_cap: u16,
    /// How long a board that does not know its last request waits after a start, in seconds.
    pub hold_off_s: u16,
    /// What the picture looks like.
    pub theme: Theme,
    /// Its colours.
    pub palette: PaletteChoice,
    /// When it is night, for [`PaletteChoice::Auto`] and the backlight.
    pub night: Option<Night>,
    /// Whether the user's wallpaper is also behind readings, darker.
    pub has_background: bool,
    /// How bright the panel's backlight is, on a board that controls it.
    pub backlight: Backlight,
    /// The clock of the panel's SPI in Hz.
    pub spi_hz: u32,
    /// The wearer's name, as the page shows it.
    pub wearer_name: heapless::String<32>,
    /// The wearer's own heart-rate zones.
    pub heart_zones: Option<HeartZones>,
    /// The wearer's year of birth.
    pub born: Option<BirthYear>,
    /// The wearer's time zone; empty if only the rule is known.
    pub time_zone: ZoneName,
    /// Its rule, for a board that has no zone database.
    pub zone_rule: Option<ZoneRule>,
    /// Who is asked for the time, before whom DHCP names, perhaps with a port; empty ones are none.
    pub sntp: [HostName; MAX_SNTP],
    /// The limits of the wearer's alarms.
    pub limits: Limits,
    /// Whether a piezo is wired, so that alarms are also heard.
    pub has_piezo: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wifi: Default::default(),
            provider: Provider::Google,
            endpoints: Endpoints::default(),
            poll_every_s: 900,
            hourly_cap: 60,
            hold_off_s: 60,
            theme: Theme::Desk,
            palette: PaletteChoice::Auto,
            night: None,
            has_background: false,
            backlight: Backlight::default(),
            spi_hz: 20_000_000,
            wearer_name: heapless::String::new(),
            heart_zones: None,
            born: None,
            time_zone: ZoneName::new(),
            zone_rule: None,
            sntp: Default::default(),
            limits: Limits::default(),
            has_piezo: false,
        }
    }
}

impl Settings {
    /// The networks that have a name, best first.
    pub fn networks(&self) -> impl Iterator<Item = &WifiNetwork> {
        self.wifi.iter().filter(|network| !network.ssid.is_empty())
    }

    /// Returns whether there is something that version 1 cannot say.
    fn needs_version_2(&self) -> bool {
        self.born.is_some()
            || self.has_background
            || self.backlight != Backlight::default()
            || self.theme == Theme::Big
    }

    /// Returns whether there is something that version 2 cannot say.
    fn needs_version_3(&self) -> bool {
        self.has_piezo || self.limits != Limits::default()
    }

    /// Writes them to `buffer`, and returns how many bytes it took; `None` if it has too few.
    #[must_use]
    pub fn encode(&self, buffer: &mut [u8]) -> Option<usize> {
        let version = match () {
            () if self.needs_version_3() => VERSION,
            () if self.needs_version_2() => 2,
            () => 1,
        };
        let mut out = tlv::begin(buffer, MAGIC, version)?;
        for (tag, network) in (1..).zip(&self.wifi) {
            let ssid = network.ssid.as_bytes();
            let password = network.password.as_ref().map_or("", WifiPassword::expose);
            if !ssid.is_empty() || !password.is_empty() {
                let len = u8::try_from(ssid.len()).ok()?;
                out.field(tag, &[&[len], ssid, password.as_bytes()])?;
            }
        }
        let provider = match self.provider {
            Provider::Google => 1,
            Provider::Fitbit => 2,
        };
        out.field(5, &[&[provider]])?;
        let Endpoints {
            auth, token, api, ..
        } = &self.endpoints;
        for (tag, origin) in (6..).zip([auth, token, api]) {
            if let Some(origin) = origin {
                out.field(tag, &[origin.to_text().as_bytes()])?;
            }
        }
        if self.endpoints.allows_plain_http {
            out.field(9, &[&[1]])?;
        }
        out.field(10, &[&self.poll_every_s.to_be_bytes()])?;
        out.field(11, &[&self.hourly_cap.to_be_bytes()])?;
        out.field(12, &[&self.hold_off_s.to_be_bytes()])?;
        out.field(13, &[&[byte_of(&THEMES, self.theme)]])?;
        out.field(14, &[&[byte_of(&PALETTES, self.palette)]])?;
        if let Some(night) = self.night {
            out.field(
                15,
                &[&night.from().to_be_bytes(), &night.until().to_be_bytes()],
            )?;
        }
        if self.has_background {
            out.field(26, &[&[1]])?;
        }
        for (tag, brightness) in (27..).zip([self.backlight.day, self.backlight.night]) {
            if let Some(brightness) = brightness {
                out.field(tag, &[&[brightness.percent()]])?;
            }
        }
        out.field(16, &[&self.spi_hz.to_be_bytes()])?;
        if let Some(zones) = self.heart_zones {
            let [light, moderate, vigorous, peak] =
                zones.limits().map(|limit| limit.get().to_be_bytes());
            out.field(18, &[&light, &moderate, &vigorous, &peak])?;
        }
        if let Some(born) = self.born {
            out.field(25, &[&born.get().to_be_bytes()])?;
        }
        limits::encode(&self.limits, &mut out)?;
        if self.has_piezo {
            out.field(38, &[&[1]])?;
        }
        let rule = self.zone_rule.as_ref().map_or("", ZoneRule::as_str);
        let [first, second, third] = &self.sntp;
        for (tag, text) in [
            (17, self.wearer_name.as_str()),
            (19, self.time_zone.as_str()),
            (20, rule),
            (21, first.as_str()),
            (22, second.as_str()),
            (23, third.as_str()),
            (24, self.endpoints.connect.as_str()),
        ] {
            if !text.is_empty() {
                out.field(tag, &[text.as_bytes()])?;
            }
        }
        Some(out.written().len())
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let fields = tlv::read::<FIELDS>(bytes, MAGIC, VERSION)?;
        let mut settings = Self::default();
        for (tag, network) in (1..).zip(&mut settings.wifi) {
            if let Some(stored) = fields.optional(tag, WifiNetwork::decode)? {
                *network = stored;
            }
        }
        settings.provider = match fields.array(5)? {
            [1] => Provider::Google,
            [2] => Provider::Fitbit,
            _ => return Err(FormatError::Damaged),
        };
        let origin =
            |tag| fields.optional(tag, |text| core::str::from_utf8(text).ok()?.parse().ok());
        settings.endpoints = Endpoints {
            auth: origin(6)?,
            token: origin(7)?,
            api: origin(8)?,
            allows_plain_http: fields.get(9).is_some(),
            connect: fields.text(24)?.unwrap_or_default(),
        };
        settings.poll_every_s = u32::from_be_bytes(fields.array(10)?);
        settings.hourly_cap = u16::from_be_bytes(fields.array(11)?);
        settings.hold_off_s = u16::from_be_bytes(fields.array(12)?);
        settings.theme = of_byte(&THEMES, fields.array(13)?).ok_or(FormatError::Damaged)?;
        settings.palette = of_byte(&PALETTES, fields.array(14)?).ok_or(FormatError::Damaged)?;
        settings.night = fields.optional(15, limits::read_night)?;
        settings.has_background = fields.get(26).is_some();
        let brightness = |tag| {
            fields.optional(tag, |bytes| match bytes {
                [percent] => Brightness::new(*percent),
                _ => None,
            })
        };
        settings.backlight = Backlight {
            day: brightness(27)?,
            night: brightness(28)?,
        };
        settings.spi_hz = u32::from_be_bytes(fields.array(16)?);
        settings.wearer_name = fields.text(17)?.unwrap_or_default();
        settings.heart_zones = fields.optional(18, |bytes| {
            let (limits, []) = bytes.as_chunks::<2>() else {
                return None;
            };
            let limits: &[[u8; 2]; 4] = limits.try_into().ok()?;
            let [light, moderate, vigorous, peak] =
                limits.map(|limit| Bpm::new(u16::from_be_bytes(limit)));
            HeartZones::new([light?, moderate?, vigorous?, peak?])
        })?;
        settings.born = fields.optional(25, |bytes| {
            BirthYear::new(i16::from_be_bytes(bytes.try_into().ok()?))
        })?;
        settings.time_zone = fields.text(19)?.unwrap_or_default();
        settings.zone_rule =
            fields.optional(20, |text| core::str::from_utf8(text).ok()?.parse().ok())?;
        settings.limits = limits::decode(&fields)?;
        settings.has_piezo = fields.get(38).is_some();
        for (tag, server) in (21..).zip(&mut settings.sntp) {
            *server = fields.text(tag)?.unwrap_or_default();
        }
        Ok(settings)
    }
}

impl<F: NorFlash> Store<F> {
    /// Reads the settings; `None` if none were saved. `buffer` has at least [`MAX_SETTINGS`]
    /// bytes; afterwards it holds passwords.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Damaged`], [`StoreError::Unfit`] for a buffer that is
    /// too small, and whatever the flash says.
    pub async fn load_settings(
        &mut self,
        buffer: &mut [u8],
    ) -> Result<Option<Settings>, StoreError<F::Error>> {
        let journal = self.journal(Subject::Settings);
        let payload = journal.read_current(&mut self.flash, buffer).await?;
        Ok(payload.map(Settings::decode).transpose()?)
    }

    /// Saves the settings and erases the ones before, passwords and all. `buffer` is as for
    /// [`load_settings`](Self::load_settings).
    ///
    /// # Errors
    /// [`StoreError::Newer`] when the saved ones are not to be touched, [`StoreError::Unfit`] for a
    /// buffer that is too small, and whatever the flash says.
    pub async fn save_settings(
        &mut self,
        settings: &Settings,
        buffer: &mut [u8],
    ) -> Result<(), StoreError<F::Error>> {
        let len = settings.encode(buffer).ok_or(StoreError::Unfit)?;
        let payload = buffer.get(..len).unwrap_or_default();
        let journal = self.journal(Subject::Settings);
        let scan = journal
            .scan_replaceable(&mut self.flash, MAGIC, VERSION)
            .await?;
        let entry = Entry {
            kind: Kind::Fresh,
            stamp: 0,
            payload,
        };
        let sector = journal
            .append(&mut self.flash, &scan, entry, Place::Apart)
            .await?;
        // They are saved, whether or not this succeeds; if not, `start` tries again.
        let _ = journal.blank_others(&mut self.flash, sector).await;
        Ok(())
    }
}

/// Returns the byte of a value: its place in the list, from 1.
fn byte_of<T: PartialEq>(all: &[T], value: T) -> u8 {
    let place = all.iter().position(|known| *known == value);
    place
        .and_then(|place| u8::try_from(place + 1).ok())
        .unwrap_or(0)
}

/// Returns the value of a byte.
fn of_byte<T: Copy>(all: &[T], [byte]: [u8; 1]) -> Option<T> {
    all.get(usize::from(byte).checked_sub(1)?).copied()
}
