//! Screens of every size, and what they say.

use std::sync::Arc;

use jiff::SignedDuration;
use proptest::prelude::*;
use pulsewing_core::{
    Provider, cycle::Failure, dialect::ZoneFacts, heart_zone::HeartZone, reading::Reading,
};
use pulsewing_testkit::readings::with_minutes;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Color};

use super::*;
use crate::{daemon::FailedUpdate, engine::zone};

/// Builds a reading with these minutes of the day before `now`.
fn reading(now: Timestamp, minutes: &[(u16, u16)]) -> Reading {
    let facts = ZoneFacts {
        name: "Europe/Berlin".try_into().ok(),
        offset: None,
    };
    let time_zone = zone::resolve(&facts, None, now);
    let offsets = time_zone.offsets.clone();
    Reading {
        time_zone,
        battery_percent: Some(84),
        last_sync: Some(now),
        resting: Bpm::new(58),
        ..with_minutes(offsets, now, minutes.iter().copied())
    }
}

/// Seven minutes past two in the afternoon in Berlin.
fn now() -> Timestamp {
    "2026-11-22T13:07:00Z".parse().unwrap()
}

/// Minute 839 is the last one before two o'clock.
const UNTIL_TWO: u16 = 840;

fn showing(reading: Reading) -> Snapshot {
    let mut snapshot = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
    snapshot.reading = Some(Arc::new(reading));
    snapshot.is_from_memory = false;
    snapshot
}

fn failed(words: &str) -> FailedUpdate {
    FailedUpdate {
        failure: Failure::Gone,
        message: words.to_owned(),
        details: Some(words.to_owned()),
        hint: Some(words.to_owned()),
    }
}

fn view(snapshot: &Snapshot, now: Timestamp) -> View<'_> {
    View {
        wearer: None,
        snapshot,
        now,
        past: None,
        mode: Mode::Own,
        message: None,
        has_help: false,
        has_colour: true,
    }
}

fn drawn(view: &View<'_>, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let row = |y| (0..buffer.area.width).map(move |x| buffer[(x, y)].symbol());
    (0..buffer.area.height)
        .map(|y| row(y).collect::<String>().trim_end().to_owned())
        .collect()
}

/// Returns the colours of all braille patterns.
fn colours_of_dots(buffer: &Buffer) -> Vec<Color> {
    let is_dotted = |symbol: &str| {
        symbol
            .chars()
            .all(|it| ('\u{2801}'..='\u{28ff}').contains(&it))
    };
    let cells = buffer
        .content
        .iter()
        .filter(|cell| is_dotted(cell.symbol()));
    let mut colours: Vec<Color> = cells.map(|cell| cell.fg).collect();
    colours.sort_by_key(|colour| colour.to_string());
    colours.dedup();
    colours
}

/// Returns the colour of the first character of a word.
fn colour_of(buffer: &Buffer, word: &str) -> Color {
    let lines = lines(buffer);
    let (y, line) = (0..)
        .zip(&lines)
        .find(|(_, line)| line.contains(word))
        .unwrap();
    let x = line[..line.find(word).unwrap()].chars().count();
    buffer[(u16::try_from(x).unwrap(), y)].fg
}

#[test]
fn nothing_is_up_to_date_above_a_trouble() {
    let mut snapshot = showing(reading(now(), &[(UNTIL_TWO - 1, 72)]));
    for size in [(80, 24), (120, 40), (40, 12), (30, 8)] {
        snapshot.failed_update = None;
        let text = lines(&drawn(&view(&snapshot, now()), size.0, size.1)).join("\n");
        assert!(text.contains("Up to date"), "{text}");
        snapshot.failed_update = Some(failed("the sign-in was refused"));
        let text = lines(&drawn(&view(&snapshot, now()), size.0, size.1)).join("\n");
        assert!(text.contains("! the sign-in was refused"), "{text}");
        assert!(!text.contains("Up to date"), "{text}");
        // Where a graph has given way, the date has not.
        assert!(text.contains("Sun"), "{text}");
    }
}

#[test]
fn a_fresh_rate_has_its_zone_and_trend_and_no_time_but_the_present() {
    let minutes: Vec<(u16, u16)> = (0..15)
        .map(|it| (UNTIL_TWO - 15 + it, 95 + 4 * it))
        .collect();
    let snapshot = showing(reading(now(), &minutes));
    let screen = drawn(&view(&snapshot, now()), 80, 24);
    let text = lines(&screen);
    assert!(text[1].ends_with("Vigorous"), "{text:#?}");
    assert!(
        text[2].ends_with("rising") && text[3].ends_with("8 min ago"),
        "{text:#?}"
    );
    assert!(text[5].starts_with("Sunday 22 November 2026"), "{text:#?}");
    assert!(!text[..7].concat().contains("13:59"), "{text:#?}");
    assert_eq!(
        colour_of(&screen, "Vigorous"),
        colours::of(HeartZone::Vigorous)
    );
    let zones = [HeartZone::Light, HeartZone::Moderate, HeartZone::Vigorous].map(colours::of);
    let drawn_in = colours_of_dots(&screen);
    assert!(
        zones.iter().all(|zone| drawn_in.contains(zone)),
        "{drawn_in:?}"
    );
    let without = View {
        has_colour: false,
        ..view(&snapshot, now())
    };
    assert!(
        drawn(&without, 80, 24)
            .content
            .iter()
            .all(|cell| cell.fg == Color::Reset)
    );
}

#[test]
fn an_old_rate_follows_its_age_and_has_neither_trend_nor_colour() {
    let minutes: Vec<(u16, u16)> = (0..15)
        .map(|it| (UNTIL_TWO - 15 + it, 60 + 4 * it))
        .collect();
    let snapshot = showing(reading(now(), &minutes));
    let later = now() + SignedDuration::from_hours(3);
    for (width, height) in [(80, 24), (50, 24), (30, 8)] {
        let screen = drawn(&view(&snapshot, later), width, height);
        let text = lines(&screen).join("\n");
        let (age, was) = (
            text.find("3 h 8 min ago").unwrap(),
            text.find("was ").unwrap(),
        );
        assert!(age < was && !text.contains("rising"), "{text}");
        // What is to be noticed is reversed, because every colour is a zone's.
        assert!(
            screen.content.iter().all(|cell| cell.fg == Color::Reset),
            "{text}"
        );
    }
}

#[test]
fn the_last_24_hours_reach_into_yesterday() {
    let of_today = reading(now(), &[(UNTIL_TWO - 1, 72)]);
    let mut yesterday = Day::new(
        of_today
            .time_zone
            .offsets
            .day("2026-11-21".parse().unwrap()),
    );
    // The axis begins with the hour that ran 24 hours ago; what is older than that is drawn and not counted.
    for (minute, rate) in [
        (14 * 60 - 1, 300),
        (14 * 60, 68),
        (14 * 60 + 7, 70),
        (1_439, 74),
    ] {
        yesterday.record(minute, Bpm::new(rate).unwrap());
    }
    let mut snapshot = showing(of_today);
    snapshot.earlier = Some(Arc::new(yesterday));
    let text = lines(&drawn(&view(&snapshot, now()), 80, 24));
    let title = "The last 24 hours: min 70  mean 72  max 74  resting 58 (dotted)";
    assert!(text.contains(&title.to_owned()), "{text:#?}");
    let axis = text.iter().rposition(|line| line.contains('▲')).unwrap();
    let column = |line: &str, of: &str| line[..line.find(of).unwrap()].chars().count();
    // The midnight that begins a day stands above its label, and its tick.
    let midnight = column(&text[axis - 1], "┊");
    assert_eq!(midnight, column(&text[axis + 1], "00:00") + 2, "{text:#?}");
    assert_eq!(text[axis].chars().nth(midnight), Some('┬'));
    assert_eq!(column(&text[axis], "▲"), column(&text[axis + 1], "now") + 1);
    // It begins at 14:00: the label's middle is three columns to the right of the axis.
    assert!(text[axis + 1].starts_with("     15:00"), "{text:#?}");
}

#[test]
fn a_reading_of_days_ago_is_shown_with_its_day() {
    let snapshot = showing(reading(now(), &[(UNTIL_TWO - 1, 72)]));
    let later = now() + SignedDuration::from_hours(50);
    let text = lines(&drawn(&view(&snapshot, later), 80, 24)).join("\n");
    for words in [
        "2 days ago, Sun 13:59",
        "was 72 bpm, Easy",
        "Tuesday 24 November 2026",
        "Sunday 22 November 2026: min 72",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains('▲'), "{text}");
}

#[test]
fn both_graphs_are_side_by_side_in_a_wide_and_low_terminal() {
    let snapshot = showing(reading(now(), &[(UNTIL_TWO - 1, 72)]));
    for (height, together) in [(24, true), (60, false)] {
        let text = lines(&drawn(&view(&snapshot, now()), 200, height));
        let line = text
            .iter()
            .find(|line| line.contains("The latest 1 minute:"))
            .unwrap();
        assert_eq!(line.contains("The last 24 hours"), together, "{line}");
    }
}

proptest! {
    #[test]
    fn any_view_fits_any_terminal(
        width in 1_u16..250,
        height in 1_u16..80,
        minutes in proptest::collection::vec((0_u16..1_440, 1_u16..=300), 0..60),
        is_known: bool,
        has_trouble: bool,
        has_help: bool,
        has_others: bool,
        has_past: bool,
        words in ".{0,200}",
    ) {
        let now = now();
        let mut snapshot = Snapshot::new(Provider::Google, SignedDuration::from_mins(15));
        let reading = reading(now, &minutes);
        let past = Past {
            date: reading.day.local().date(),
            day: Some(reading.day.clone()),
            resting: None,
        };
        snapshot.reading = is_known.then(|| Arc::new(reading));
        snapshot.failed_update = has_trouble.then(|| failed(&words));
        let view = View {
            wearer: has_others.then_some("Anna"),
            past: has_past.then_some(&past),
            message: Some(&words),
            has_help,
            ..view(&snapshot, now)
        };
        drawn(&view, width, height);
    }
}

#[test]
fn an_alarm_is_told_with_the_keys_that_silence_it() {
    use pulsewing_core::alarm::{Active, Cause, Kind, Level, Mute};
    let mut snapshot = showing(reading(now(), &[(UNTIL_TWO - 1, 162)]));
    let at = now() - SignedDuration::from_mins(8);
    let alarm = Active {
        kind: Kind::High,
        level: Level::Urgent,
        cause: Cause::Rate {
            bpm: Bpm::new(162).unwrap(),
            at,
            limit: Bpm::new(150).unwrap(),
        },
        since: at - SignedDuration::from_mins(10),
        told_at: Some(now()),
        mute: None,
    };
    let screen = |mute, width, height| {
        let mut snapshot = snapshot.clone();
        let active = vec![Active { mute, ..alarm }];
        snapshot.alarms = Arc::new(crate::alarms::Shown {
            active,
            unseen: Vec::new(),
        });
        lines(&drawn(&view(&snapshot, now()), width, height)).join("\n")
    };
    let loud = screen(None, 80, 24);
    let words = "! Heart rate very high. 162 bpm at 13:59, above 150 since 13:49. 8 min ago.";
    assert!(loud.contains(words), "{loud}");
    assert!(loud.contains("(a: seen  s: 30 min)"), "{loud}");
    let up_to = Level::Urgent;
    let seen = screen(Some(Mute::Acknowledged { up_to }), 80, 24);
    assert!(seen.contains("(seen)"), "{seen}");
    // The rate itself is more important than what is said of it.
    let small = screen(None, 30, 4);
    assert!(small.contains("162 bpm"), "{small}");
    snapshot.alarms = Arc::default();
    let calm = lines(&drawn(&view(&snapshot, now()), 80, 24)).join("\n");
    assert!(!calm.contains('!'), "{calm}");
}
