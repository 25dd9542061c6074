//! Hours of a great fleet in virtual time: the program's own schedule and limits, on a real PostgreSQL whose
//! times are shifted instead of waited for. Nobody asks a provider anything.
//!
//! `PULSEWING_FLEET_WEARERS=10000` makes it a great fleet indeed; it then takes minutes.

use std::{
    env,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use pulsewing_fleet::{Database, Due, Grant, Lease, Limit, Options, Priority};
use tokio::task::JoinSet;

use crate::harness::{
    fleet::trusting_nobody,
    postgres::{Postgres, Session},
};

#[path = "../../src/fleet/phase.rs"]
mod phase;

const EVERY: Duration = Duration::from_secs(15 * 60);

const PROJECT: &str = "fitbit -";

/// The number of requests that a turn asks for.
const A_CYCLE: u32 = 4;

/// The number of wearers that a collector takes at once.
const AT_ONCE: u32 = 64;

/// A fleet and its collectors.
struct Fleet {
    session: Session,
    collectors: Vec<Database>,
    wearers: u32,
    /// The number of rounds in which the collectors have looked for work.
    looks: usize,
    /// The virtual time at the beginning of this step, and the real time.
    step: (Timestamp, Instant),
}

/// What happened in a minute.
#[derive(Debug, Default, Clone)]
struct Minute {
    /// Turns by collector.
    turns: Vec<u32>,
    put_off: u32,
}

impl Minute {
    fn all(&self) -> u32 {
        self.turns.iter().sum()
    }
}

impl Fleet {
    async fn new(wearers: u32, collectors: usize, per_minute: f64) -> Self {
        let server = Postgres::shared();
        let name = server.new_database();
        let mut all = Vec::new();
        for number in 0..collectors {
            let options = Options {
                collector: format!("collector{number}"),
                ..Options::default()
            };
            let url = server.url(&name);
            let database = Database::connect(&url, trusting_nobody(), options);
            all.push(database.await.unwrap());
        }
        // All at once: as bad as it can be.
        server.sql(
            &name,
            &format!(
                "insert into wearer (tenant, id, name, provider, settings, ticket)
                    select 'default', 'w' || n, '', 'fitbit', '{{}}', n from generate_series(1, {wearers}) n;
                insert into lease (wearer, due) select number, now() from wearer;
                analyze"
            ),
        );
        let limit = Limit {
            per_second: per_minute / 60.0,
            burst: per_minute / 6.0,
        };
        all[0].limit_project(PROJECT, limit).await.unwrap();
        Self {
            session: server.session(&name),
            collectors: all,
            wearers,
            looks: 0,
            step: ("2026-11-22T14:00:00Z".parse().unwrap(), Instant::now()),
        }
    }

    /// Lets these collectors work for a minute, in so many steps. Whoever becomes due during a step has a
    /// turn in the next one.
    async fn minute(&mut self, steps: u32, at_work: &[usize]) -> Minute {
        let mut minute = Minute {
            turns: vec![0; self.collectors.len()],
            put_off: 0,
        };
        for _ in 0..steps {
            self.step(Duration::from_secs(60) / steps, at_work, &mut minute)
                .await;
        }
        minute
    }

    async fn step(&mut self, length: Duration, at_work: &[usize], minute: &mut Minute) {
        let (start, since) = self.step;
        loop {
            let mut taken = 0;
            // Nobody is always the first to look.
            let first = self.looks % at_work.len();
            self.looks += 1;
            for number in at_work[first..].iter().chain(&at_work[..first]) {
                let database = &self.collectors[*number];
                let leases = database.take_due(AT_ONCE).await.unwrap();
                taken += leases.len();
                let mut turns = JoinSet::new();
                for lease in leases {
                    let now = start + since.elapsed();
                    turns.spawn(turn(database.clone(), lease, now));
                }
                while let Some(had_turn) = turns.join_next().await {
                    match had_turn.unwrap() {
                        true => minute.turns[*number] += 1,
                        false => minute.put_off += 1,
                    }
                }
            }
            if taken == 0 {
                break;
            }
        }
        // The rest of the step passes at once.
        let rest = length.saturating_sub(since.elapsed());
        let seconds = rest.as_secs_f64();
        self.session.sql(&format!(
            "update lease set due = due - interval '{seconds} s';
            update project set filled = filled - interval '{seconds} s',
                slow_until = slow_until - interval '{seconds} s'"
        ));
        self.step = (start + since.elapsed() + rest, Instant::now());
    }

    async fn minutes(&mut self, count: u32, steps: u32, at_work: &[usize]) -> Vec<Minute> {
        let mut minutes = Vec::new();
        for _ in 0..count {
            minutes.push(self.minute(steps, at_work).await);
        }
        minutes
    }
}

/// What the collector does, without the cycle. Returns whether there would have been one.
async fn turn(database: Database, lease: Lease, now: Timestamp) -> bool {
    let asked = database.ask_project(PROJECT, A_CYCLE, Priority::Current);
    let (due, had_turn) = match asked.await.unwrap() {
        Grant::Granted => {
            let id = lease.wearer().id.as_str();
            (phase::until_next(id, now, EVERY), true)
        }
        Grant::NotBefore(wait) => {
            let jitter = getrandom::u32().unwrap() % (EVERY.as_millis() / 60) as u32;
            (wait + Duration::from_millis(jitter.into()), false)
        }
    };
    database.release(lease, Due::After(due)).await.unwrap();
    had_turn
}

fn wearers() -> u32 {
    let given = env::var("PULSEWING_FLEET_WEARERS").ok();
    given.map_or(600, |number| number.parse().unwrap())
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

#[test]
fn a_fleet_that_starts_at_once_is_spread_over_the_interval_and_survivors_take_over() {
    run(async {
        let wearers = wearers();
        let mut fleet = Fleet::new(wearers, 3, 120_000.0).await;
        let first = fleet.minutes(15, 1, &[0, 1, 2]).await;
        assert!(first.iter().map(Minute::all).sum::<u32>() >= fleet.wearers);
        fleet.minutes(15, 1, &[0, 1, 2]).await;
        let together = fleet.minutes(45, 1, &[0, 1, 2]).await;
        let alone = fleet.minutes(30, 1, &[2]).await;
        let mean = f64::from(wearers) / 15.0;
        let all = together.iter().chain(&alone).map(Minute::all);
        let (most, least) = (all.clone().max().unwrap(), all.clone().min().unwrap());
        let share = |minutes: &[Minute]| {
            let of_last: u32 = minutes.iter().map(|minute| minute.turns[2]).sum();
            f64::from(of_last) / f64::from(minutes.iter().map(Minute::all).sum::<u32>())
        };
        println!(
            "{wearers} wearers: {mean:.1} turns a minute on average, at most {most} ({:.2}), at least {least}; \
            first minutes {:?}; the third collector's share {:.2}, alone {:.2}; the rate {:.3} of the mean",
            f64::from(most) / mean,
            first.iter().map(Minute::all).collect::<Vec<_>>(),
            share(&together),
            share(&alone),
            all.clone().map(f64::from).sum::<f64>() / (75.0 * mean),
        );
        // With few wearers chance alone spreads more: three standard deviations.
        let bound = (1.2 * mean).max(mean + 3.5 * mean.sqrt());
        assert!(f64::from(most) <= bound, "{most} of {mean}");
        assert!((0.2..0.5).contains(&share(&together)), "{together:?}");
        assert!(alone.iter().all(|minute| minute.turns[2] == minute.all()));
        let polled: u32 = all.sum();
        let expected = 75.0 * mean;
        assert!(
            (f64::from(polled) / expected - 1.0).abs() < 0.03,
            "{polled} of {expected}"
        );
    });
}

#[test]
fn a_projects_quota_holds_and_everybody_still_has_their_turns() {
    run(async {
        let wearers = wearers();
        // A tenth more than is needed.
        let needed = f64::from(wearers * A_CYCLE) / 15.0;
        let quota = 1.1 * needed;
        let mut fleet = Fleet::new(wearers, 2, quota).await;
        let minutes = fleet.minutes(25, 6, &[0, 1]).await;
        let requests = minutes.iter().map(|minute| A_CYCLE * minute.all());
        let most = requests.clone().max().unwrap();
        let tail: u32 = minutes[10..].iter().map(Minute::all).sum();
        let put_off: u32 = minutes[10..].iter().map(|minute| minute.put_off).sum();
        let waiting = fleet.collectors[0].backlog().await.unwrap();
        println!(
            "{wearers} wearers, {quota:.0} requests a minute allowed, {needed:.0} needed: at most {most}; \
            {tail} turns in the last quarter of an hour ({:.3} of what is wanted), {put_off} put off; waiting {waiting:?}",
            f64::from(tail) / f64::from(wearers)
        );
        // The bucket holds as much as ten seconds bring.
        assert!(f64::from(most) <= quota * 7.0 / 6.0 + f64::from(A_CYCLE));
        assert!(f64::from(tail) >= 0.9 * f64::from(wearers));
    });
}
