//! Settings: by name, in bytes, on the flash.

use proptest::prelude::*;
use pulsewing_core::{Provider, look::Theme};
use pulsewing_store::{
    FormatError, MAX_SETTINGS, Settings, StoreError,
    mock::Tear,
    settings::{PaletteChoice, SettingError},
};

use crate::board::{Board, ESP32};

fn with(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in pairs {
        settings.set(name, value).unwrap();
    }
    settings
}

/// Returns settings with a value of maximum length for every name.
fn fullest() -> Settings {
    let host = format!("{}.example", "h".repeat(56));
    let origin = format!("http://{host}:65535");
    let mut pairs: Vec<(String, String)> = Vec::new();
    for network in 1..=4 {
        pairs.push((format!("wifi.{network}.ssid"), "s".repeat(32)));
        pairs.push((format!("wifi.{network}.password"), "p".repeat(63)));
    }
    for server in 1..=3 {
        pairs.push((format!("sntp.{server}"), host.clone()));
    }
    for (name, value) in [
        ("provider", "fitbit"),
        ("endpoint.plain_http", "yes"),
        ("endpoint.auth", &origin),
        ("endpoint.token", &origin),
        ("endpoint.api", &origin),
        ("endpoint.connect", "[2001:db8::1]:8443"),
        ("poll.every", "86400"),
        ("poll.hourly_cap", "150"),
        ("poll.hold_off", "3600"),
        ("screen.theme", "classic"),
        ("screen.palette", "night"),
        ("screen.night", "22:00-06:30"),
        ("screen.background", "yes"),
        ("screen.backlight", "80"),
        ("screen.night_backlight", "0"),
        ("screen.spi_clock", "40000000"),
        ("wearer.name", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"),
        ("wearer.zones", "84,108,136,171"),
        ("wearer.born", "1988"),
        ("wearer.time_zone", "America/Argentina/ComodRivadavia"),
        ("wearer.zone_rule", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"),
        ("alarms.high", "120"),
        ("alarms.high_urgent", "150"),
        ("alarms.low", "45"),
        ("alarms.low_urgent", "40"),
        ("alarms.stale", "604800"),
        ("alarms.battery", "off"),
        ("alarms.quiet", "22:00-07:00"),
        ("alarms.repeat", "3600"),
        ("alarms.fresh", "10800"),
        ("alarms.piezo", "yes"),
    ] {
        pairs.push((name.into(), value.into()));
    }
    let mut settings = Settings::default();
    for (name, value) in &pairs {
        settings.set(name, value).unwrap();
    }
    settings
}

fn save(board: &mut Board<ESP32>, settings: &Settings) {
    board
        .with(async |store| store.save_settings(settings, &mut [0; MAX_SETTINGS]).await)
        .unwrap();
}

fn load(board: &mut Board<ESP32>) -> Option<Settings> {
    board
        .with(async |store| store.load_settings(&mut [0; MAX_SETTINGS]).await)
        .unwrap()
}

#[test]
fn the_fullest_settings_come_back_as_they_were() {
    let settings = fullest();
    let mut buffer = [0; MAX_SETTINGS];
    let len = settings.encode(&mut buffer).unwrap();
    assert_eq!(Settings::decode(&buffer[..len]), Ok(settings.clone()));
    let mut board = Board::new(0, 1);
    assert_eq!(load(&mut board), None);
    save(&mut board, &settings);
    assert_eq!(load(&mut board), Some(settings));
}

#[test]
fn every_name_can_be_set_shown_and_brought_back_to_its_default() {
    let mut settings = fullest();
    for (name, shown) in fullest().entries() {
        assert!(!shown.to_string().is_empty(), "{name}");
        assert_eq!(settings.get(name).unwrap().to_string(), shown.to_string());
    }
    // The settings for which plain HTTP is used go first.
    for name in ["endpoint.auth", "endpoint.token", "endpoint.api"] {
        settings.set(name, "").unwrap();
    }
    for (name, _) in Settings::default().entries() {
        settings.set(name, "").unwrap();
    }
    assert_eq!(settings, Settings::default());
}

#[test]
fn what_is_shown_can_be_set_again() {
    let fullest = fullest();
    let mut copy = Settings::default();
    copy.set("endpoint.plain_http", "yes").unwrap();
    for (name, shown) in fullest.entries() {
        let shown = shown.to_string();
        if shown == "(set)" {
            copy.set(name, &"p".repeat(63)).unwrap();
        } else {
            copy.set(name, &shown).unwrap();
        }
    }
    assert_eq!(copy, fullest);
}

#[test]
fn a_password_is_never_shown() {
    let settings = with(&[
        ("wifi.1.ssid", "home"),
        ("wifi.1.password", "correct horse"),
    ]);
    let shown: String = settings
        .entries()
        .map(|(name, shown)| format!("{name} = {shown}\n"))
        .collect();
    assert!(shown.contains("wifi.1.password = (set)\n"));
    assert!(shown.contains("wifi.2.password = \n"));
    assert!(!shown.contains("horse"));
    assert!(!format!("{settings:?}").contains("horse"));
    let open = with(&[("wifi.1.ssid", "home")]);
    assert_eq!(open.networks().count(), 1);
    assert_eq!(open.networks().next().unwrap().password, None);
}

#[test]
fn a_wrong_value_is_refused_with_words_and_changes_nothing() {
    use SettingError as E;
    for (name, value, error) in [
        ("wifi.5.ssid", "x", E::UnknownName),
        ("wifi.1.ssid", &"s".repeat(33), E::TooLong(32)),
        ("wifi.1.ssid", "a\nb", E::Text),
        ("wifi.1.password", "7 chars", E::Password),
        ("wifi.1.password", &"p".repeat(64), E::Password),
        ("wifi.1.password", "pässword", E::Password),
        ("provider", "garmin", E::Choice("google, fitbit")),
        ("endpoint.api", "api.fitbit.com", E::Origin),
        ("endpoint.api", "https://", E::Origin),
        ("endpoint.api", "https://a b", E::Origin),
        ("endpoint.api", "https://a/path", E::Origin),
        ("endpoint.api", "https://user@host", E::Origin),
        ("endpoint.api", "https://host:0", E::Origin),
        ("endpoint.api", "https://host:65536", E::Origin),
        ("endpoint.api", "https://[::1", E::Origin),
        ("endpoint.api", "https://[zz]", E::Origin),
        ("endpoint.api", "http://10.0.2.2:8080", E::PlainHttp),
        ("endpoint.api", "http://127.0.0.1.example", E::PlainHttp),
        ("endpoint.plain_http", "true", E::Choice("yes, no")),
        ("poll.every", "4", E::Number(5, 86_400)),
        ("poll.every", "86401", E::Number(5, 86_400)),
        ("poll.every", "+900", E::Number(5, 86_400)),
        ("poll.every", "15m", E::Number(5, 86_400)),
        ("poll.hourly_cap", "10001", E::Number(4, 10_000)),
        ("poll.hold_off", "99999999999", E::Number(0, 3_600)),
        ("screen.theme", "neon", E::Choice("desk, classic, big")),
        ("screen.background", "perhaps", E::Choice("yes, no")),
        ("screen.palette", "x", E::Choice("auto, day, dim, night")),
        ("screen.night", "22:00", E::Night),
        ("screen.night", "24:00-06:00", E::Night),
        ("screen.night", "07:00-07:00", E::Night),
        ("screen.backlight", "101", E::Number(0, 100)),
        ("screen.backlight", "5%", E::Number(0, 100)),
        ("screen.night_backlight", "-1", E::Number(0, 100)),
        ("screen.night_backlight", "off", E::Number(0, 100)),
        (
            "screen.spi_clock",
            "80000000",
            E::Number(1_000_000, 40_000_000),
        ),
        ("wearer.name", &"n".repeat(33), E::TooLong(32)),
        ("wearer.zones", "90,110,135", E::HeartZones),
        ("wearer.zones", "90,110,135,160,170", E::HeartZones),
        ("wearer.zones", "90,110,110,160", E::HeartZones),
        ("wearer.zones", "90,110,135,301", E::HeartZones),
        ("wearer.born", "1899", E::Number(1_900, 2_100)),
        ("wearer.born", "2101", E::Number(1_900, 2_100)),
        ("wearer.born", "88", E::Number(1_900, 2_100)),
        ("wearer.born", "1988-05-03", E::Number(1_900, 2_100)),
        ("wearer.time_zone", "Europe/Ber lin", E::TimeZone),
        ("wearer.zone_rule", "Berlin", E::ZoneRule),
        ("wearer.zone_rule", "CE-1", E::ZoneRule),
        ("wearer.zone_rule", "CET-1;rm", E::ZoneRule),
        ("sntp.1", "not a host", E::Host),
        ("sntp.1", "time.example:0", E::Host),
        ("sntp.1", "a:b:123", E::Host),
        ("endpoint.connect", "https://10.0.2.2", E::Host),
        ("endpoint.connect", "[10.0.2.2]:80", E::Host),
        ("sntp.1", "-x.example", E::Host),
        ("alarms.high", "24", E::Number(25, 250)),
        ("alarms.low_urgent", "off", E::Number(25, 250)),
        ("alarms.stale", "899", E::Number(900, 604_800)),
        ("alarms.battery", "0", E::Number(1, 90)),
        ("alarms.quiet", "late", E::Night),
        ("alarms.repeat", "off", E::Number(60, 3_600)),
        ("alarms.fresh", "10801", E::Number(900, 10_800)),
        ("alarms.piezo", "true", E::Choice("yes, no")),
    ] {
        let mut settings = with(&[("wifi.1.ssid", "home"), ("poll.every", "300")]);
        let before = settings.clone();
        assert_eq!(settings.set(name, value), Err(error), "{name} {value}");
        assert_eq!(settings, before);
        assert!(error.to_string().len() > 10);
    }
}

#[test]
fn limits_that_contradict_each_other_are_refused_one_by_one() {
    let mut settings = with(&[("alarms.high", "120"), ("alarms.high_urgent", "150")]);
    for (name, value, words) in [
        ("alarms.high", "150", "high_urgent must be above high"),
        ("alarms.low", "130", "low must be below high"),
    ] {
        let before = settings.clone();
        let error = settings.set(name, value).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(settings, before);
    }
    settings.set("alarms.high_urgent", "").unwrap();
    settings.set("alarms.high", "150").unwrap();
    settings.set("alarms.stale", "off").unwrap();
    assert_eq!(settings.limits.stale, None);
    assert_eq!(settings.get("alarms.stale").unwrap().to_string(), "off");
    settings.set("alarms.stale", "").unwrap();
    assert_eq!(settings.get("alarms.stale").unwrap().to_string(), "7200");
}

#[test]
fn plain_http_has_to_be_allowed_first_and_stays_allowed_while_it_is_used() {
    let mut settings = Settings::default();
    settings
        .set("endpoint.auth", "http://localhost:8080")
        .unwrap();
    settings.set("endpoint.auth", "http://[::1]:8080/").unwrap();
    settings.set("endpoint.plain_http", "yes").unwrap();
    settings
        .set("endpoint.api", "http://10.0.2.2:8080")
        .unwrap();
    for value in ["no", ""] {
        let refused = settings.set("endpoint.plain_http", value);
        assert_eq!(refused, Err(SettingError::PlainHttpInUse));
    }
    settings
        .set("endpoint.api", "https://10.0.2.2:443")
        .unwrap();
    settings.set("endpoint.plain_http", "no").unwrap();
    let api = settings.endpoints.api.unwrap();
    assert_eq!(api.to_text(), "https://10.0.2.2");
}

#[test]
fn only_settings_that_a_version_does_not_have_need_the_next() {
    for (name, value, version) in [
        ("wearer.name", "Ada", 1),
        ("screen.theme", "classic", 1),
        ("screen.background", "no", 1),
        ("wearer.born", "1988", 2),
        ("screen.theme", "big", 2),
        ("screen.background", "yes", 2),
        ("screen.backlight", "80", 2),
        ("screen.night_backlight", "0", 2),
        ("alarms.stale", "7200", 1),
        ("alarms.high", "120", 3),
        ("alarms.stale", "off", 3),
        ("alarms.battery", "off", 3),
        ("alarms.quiet", "22:00-07:00", 3),
        ("alarms.repeat", "900", 3),
        ("alarms.fresh", "7200", 3),
        ("alarms.piezo", "yes", 3),
    ] {
        let settings = with(&[(name, value)]);
        let mut buffer = [0; MAX_SETTINGS];
        let len = settings.encode(&mut buffer).unwrap();
        assert_eq!(buffer[4], version);
        assert_eq!(Settings::decode(&buffer[..len]), Ok(settings));
    }
}

#[test]
fn a_night_is_kept_by_its_minutes() {
    let night = with(&[("screen.night", "22:00-06:30")]).night.unwrap();
    assert_eq!((night.from(), night.until()), (22 * 60, 390));
    let nap = with(&[("screen.night", "13:00-14:00")]).night.unwrap();
    assert_eq!((nap.from(), nap.until()), (780, 840));
    let early = with(&[("screen.night", "1:00-5:30")]).night.unwrap();
    assert_eq!(early.to_string(), "01:00-05:30");
}

#[test]
fn the_defaults_are_the_ones_documented() {
    let settings = Settings::default();
    assert_eq!(settings.provider, Provider::Google);
    assert_eq!(
        (
            settings.poll_every_s,
            settings.hourly_cap,
            settings.hold_off_s
        ),
        (900, 60, 60)
    );
    assert_eq!(
        (settings.theme, settings.palette),
        (Theme::Desk, PaletteChoice::Auto)
    );
    assert_eq!(settings.spi_hz, 20_000_000);
}

#[test]
fn a_replaced_password_is_erased() {
    let mut board = Board::new(0, 1);
    save(&mut board, &with(&[("wifi.1.password", "old password")]));
    save(&mut board, &with(&[("wifi.1.password", "new password")]));
    assert!(board.holds("new password") && !board.holds("old password"));
}

#[test]
fn a_save_that_is_cut_anywhere_leaves_the_old_settings_or_the_new_ones() {
    let mut board = Board::new(0, 1);
    let old = with(&[("wifi.1.password", "old password")]);
    let new = fullest();
    save(&mut board, &old);
    let (steps, _) =
        board.count(async |store| store.save_settings(&new, &mut [0; MAX_SETTINGS]).await);
    for step in 0..steps {
        let (mut cut, _) = board.after_cut(step, Tear::Page, step, async |store| {
            store.save_settings(&new, &mut [0; MAX_SETTINGS]).await
        });
        let found = load(&mut cut).unwrap();
        cut.start();
        assert_eq!(load(&mut cut).as_ref(), Some(&found));
        assert!(found == old || found == new, "step {step}");
        assert!(found == old || !cut.holds("old password"), "step {step}");
        save(&mut cut, &new);
        cut.assert_clean();
    }
}

#[test]
fn newer_settings_are_refused_and_kept() {
    let mut board = Board::new(0, 1);
    save(&mut board, &Settings::default());
    let settings = board.layout.settings.start as usize;
    let bytes = board.flash.bytes_mut();
    let len = u32::from_le_bytes(bytes[settings + 12..settings + 16].try_into().unwrap());
    bytes[settings + 32 + 4] = 4;
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let payload = crc.checksum(&bytes[settings + 32..settings + 32 + len as usize]);
    bytes[settings + 20..settings + 24].copy_from_slice(&payload.to_le_bytes());
    let head = crc.checksum(&bytes[settings..settings + 28]);
    bytes[settings + 28..settings + 32].copy_from_slice(&head.to_le_bytes());
    let before = board.flash.bytes().to_vec();
    board.start();
    board.with(async |store| {
        let buffer = &mut [0; MAX_SETTINGS];
        assert_eq!(store.load_settings(buffer).await, Err(StoreError::Newer(4)));
        let saved = store.save_settings(&Settings::default(), buffer).await;
        assert_eq!(saved, Err(StoreError::Newer(4)));
    });
    assert!(board.flash.bytes() == before);
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Settings::decode(&bytes);
        let framed = [&b"PWST\x03"[..], &bytes].concat();
        if let Ok(settings) = Settings::decode(&framed) {
            let mut buffer = [0; MAX_SETTINGS];
            let len = settings.encode(&mut buffer).unwrap();
            prop_assert_eq!(Settings::decode(&buffer[..len]), Ok(settings));
        }
        prop_assert_eq!(Settings::decode(b"PWST\x04"), Err(FormatError::Newer(4)));
    }

    #[test]
    fn changed_bytes_are_decoded_without_a_panic(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut buffer = [0; MAX_SETTINGS];
        let len = fullest().encode(&mut buffer).unwrap();
        buffer[place.index(len)] = to;
        let _ = Settings::decode(&buffer[..len]);
        let _ = Settings::decode(&buffer[..place.index(len)]);
    }

    #[test]
    fn any_text_can_be_offered_for_any_name(which: proptest::sample::Index, value in ".{0,80}") {
        let mut settings = Settings::default();
        let names: Vec<&str> = Settings::default().entries().map(|(name, _)| name).collect();
        let name = which.get(&names);
        if settings.set(name, &value).is_ok() {
            let mut buffer = [0; MAX_SETTINGS];
            let len = settings.encode(&mut buffer).unwrap();
            prop_assert_eq!(Settings::decode(&buffer[..len]), Ok(settings));
        }
    }
}
