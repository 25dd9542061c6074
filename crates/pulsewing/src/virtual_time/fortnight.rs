//! A fortnight of the daemon in virtual time: its rounds, its real files and real HTTP against the
//! sandbox. At the end the history holds the wearer's heart rates, minute for minute, and each
//! day's resting heart rate.
//!
//! Nothing sleeps: when the daemon waits, the sandbox's clock moves. The test covers midnights, a
//! change of the clocks, a journey through time zones, two days without the daemon, a phone that
//! was left at home, and minutes that came late or were revised.
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use pulsewing_core::Provider;
use pulsewing_history::HistoryError;
use pulsewing_sandbox::{Recording, Sandbox, SandboxConfig};
use serde_json::{Value, json};

use super::sign_in;
use crate::{
    app::{App, Household},
    commands::{self, demo},
    custody::Custody as _,
    engine::{clock::Clock, http::Http, stop::Stop},
    tell::console::{Colour, Console},
};

#[test]
fn a_fortnight_in_which_the_clocks_go_back_in_googles_dialect() {
    live(Provider::Google, "2026-10-18T22:00:00Z");
}

#[test]
fn a_fortnight_in_which_the_clocks_go_forward_in_googles_dialect() {
    live(Provider::Google, "2027-03-21T23:00:00Z");
}

#[test]
fn a_fortnight_in_which_the_clocks_go_back_in_fitbits_dialect() {
    live(Provider::Fitbit, "2026-10-18T22:00:00Z");
}

#[test]
fn a_fortnight_in_which_the_clocks_go_forward_in_fitbits_dialect() {
    live(Provider::Fitbit, "2027-03-21T23:00:00Z");
}

fn live(provider: Provider, start: &str) {
    // Fine if the other test has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let mut world = World::new(provider, start.parse().unwrap()).await;
            world.live().await;
        });
}

/// A sandbox with a recorded wearer in Berlin, and a place for a daemon beside it.
struct World {
    provider: Provider,
    start: Timestamp,
    sandbox: Sandbox,
    truth: BTreeMap<Timestamp, u16>,
    clock: Clock,
    dir: tempfile::TempDir,
    cycles: usize,
    repaired: usize,
}

impl World {
    async fn new(provider: Provider, start: Timestamp) -> Self {
        let (recording, truth) = heart(start, 18);
        let sandbox = Sandbox::start(SandboxConfig {
            data: vec![recording],
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            now: Some(start),
            speed: 0,
            ..SandboxConfig::default()
        })
        .await
        .unwrap();
        let clock = Clock::from_sandbox(sandbox.clock().clone());
        let world = Self {
            provider,
            start,
            sandbox,
            truth,
            clock,
            dir: tempfile::tempdir().unwrap(),
            cycles: 0,
            repaired: 0,
        };
        world.switch(json!({ "late": true })).await;
        world.sign_in().await;
        world
    }

    /// Runs the whole fortnight.
    async fn live(&mut self) {
        // Midnights, late and revised minutes, and the change of the clocks on the seventh day.
        self.run_until(0, 100).await;
        self.run_until(7, 12).await;
        // Two days without the daemon.
        self.sandbox.clock().set(self.at(9, 12));
        self.run_until(10, 6).await;
        // The phone stays at home for a day and a half, across midnight.
        let away = self.sandbox.clock().now().to_string();
        self.switch(json!({ "last_sync": away })).await;
        self.run_until(11, 18).await;
        self.switch(json!({ "last_sync": null })).await;
        self.run_until(12, 0).await;
        // A journey west and one far east.
        self.switch(json!({ "time_zone": "America/New_York" }))
            .await;
        self.run_until(13, 2).await;
        self.switch(json!({ "time_zone": "Asia/Kathmandu" })).await;
        self.run_until(14, 10).await;
        self.switch(json!({ "time_zone": null })).await;
        // Nothing is late any more, so that the last days can settle.
        self.switch(json!({ "late": false })).await;
        self.run_until(16, 12).await;
        self.compare(self.at(0, 0), self.at(15, 0));
        assert!(self.cycles > 1_000, "{} cycles", self.cycles);
        assert!(self.repaired >= 2 * 13, "{} past days", self.repaired);
    }

    /// Returns the time this many days and hours after the beginning.
    fn at(&self, days: i64, hours: i64) -> Timestamp {
        self.start + SignedDuration::from_hours(24 * days + hours)
    }

    fn app(&self) -> App {
        let config = demo::config(self.provider, &self.sandbox);
        let console = Console::new(false, Colour::Never);
        let dir = self.dir.path().to_owned();
        let household = Household::of(config, console, self.clock.clone(), dir);
        household.unwrap().one().unwrap()
    }

    /// Runs a daemon from its start until this time.
    async fn run_until(&mut self, days: i64, hours: i64) {
        let end = self.at(days, hours);
        let app = self.app();
        let mut updates = commands::updates(&app, self.provider).unwrap();
        let stop = Stop::listen();
        while self.sandbox.clock().now() < end {
            updates.next(&stop).await.unwrap();
            self.cycles += 1;
            self.repaired += updates.repair(&stop).await;
        }
    }

    async fn switch(&self, change: Value) {
        let url = self.sandbox.url() + "/_sandbox/config";
        let sent = reqwest::Client::new().post(url).body(change.to_string());
        assert!(sent.send().await.unwrap().status().is_success(), "{change}");
    }

    async fn sign_in(&self) {
        let app = self.app();
        let http = Http::new(self.provider, &app.config.endpoints).unwrap();
        let client = app.config.client(self.provider).to_client(self.provider);
        let client = client.unwrap().unwrap();
        let clock = self.sandbox.clock();
        let chain = sign_in(&http, client, clock).await;
        let mut files = app.chain_file();
        files.lock(Duration::ZERO).await.unwrap();
        files.store_new(&chain).await.unwrap();
    }

    /// Asserts that the history between two instants is correct.
    fn compare(&self, from: Timestamp, until: Timestamp) {
        let history = self.app().place.history().unwrap().unwrap();
        let mut kept = BTreeMap::new();
        history
            .minutes(Date::MIN, Date::MAX, |minute| {
                let twice = kept.insert(minute.at, minute.bpm.get());
                assert_eq!(twice, None, "{} is there twice", minute.at);
                Ok::<_, HistoryError>(())
            })
            .unwrap();
        let within = |minutes: &BTreeMap<Timestamp, u16>| -> BTreeMap<_, _> {
            minutes
                .range(from..until)
                .map(|(at, bpm)| (*at, *bpm))
                .collect()
        };
        let (kept, truth) = (within(&kept), within(&self.truth));
        assert!(truth.len() > 13 * 1_300, "{} minutes", truth.len());
        let mut different = String::new();
        for at in kept.keys().chain(truth.keys()) {
            if kept.get(at) != truth.get(at) && different.len() < 2_000 {
                let (kept, truth) = (kept.get(at), truth.get(at));
                writeln!(different, "{at}: {kept:?} instead of {truth:?}").unwrap();
            }
        }
        assert!(different.is_empty(), "{different}");
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let date = |at: Timestamp| at.to_zoned(berlin.clone()).date();
        let days = history.overview(date(from), date(until)).unwrap();
        let without: Vec<Date> = days
            .iter()
            .filter(|day| day.resting.is_none())
            .map(|day| day.date)
            .collect();
        assert!(days.len() >= 15, "{} days", days.len());
        assert_eq!(without, [Date::ZERO; 0], "without a resting heart rate");
    }
}

/// Generates some days of heart rates: one value per minute, with a gap of an hour every day and
/// some shorter ones.
fn heart(start: Timestamp, days: i64) -> (Recording, BTreeMap<Timestamp, u16>) {
    let mut truth = BTreeMap::new();
    let mut csv = "time,bpm\n".to_owned();
    for minute in 0..days * 1_440 {
        let at = start + minute.minutes();
        let is_worn = minute % 1_440 >= 60 && minute % 97 != 0;
        // Adjacent minutes differ, and so do the same minutes of adjacent days.
        let bpm = u16::try_from(55 + (minute * 7 + minute / 1_440 * 13) % 90).unwrap();
        if is_worn {
            writeln!(csv, "{at},{bpm}").unwrap();
            truth.insert(at, bpm);
        }
    }
    let recording = Recording::from_csv(&csv, &TimeZone::UTC).unwrap();
    (recording, truth)
}
