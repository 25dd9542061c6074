//! Collectors under fire: killed, paused, cut off, their database restarted, the cloud unreliable. The
//! sandbox's token table and its log of requests judge.
//!
//! `PULSEWING_FIRE_SECONDS=300` makes the fight a great one: four collectors and two hundred wearers for
//! so long.
#![expect(
    clippy::print_stdout,
    reason = "the figures of a great fight are for a person to read"
)]

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::{
    database_relay::DatabaseRelay,
    fleet::{Fleet, Verdict, look},
    hermetic::Running,
    postgres::Postgres,
};

/// The size of a fight.
struct Fight {
    collectors: usize,
    wearers: usize,
    every_s: u64,
    lease_s: u64,
    length: Duration,
    /// The pause between two harms.
    breath: Duration,
}

/// What is done to the fleet, in this order again and again, to each collector in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Kill,
    Pause,
    DropReplies,
    RestartServer,
    CutOff,
    Stall,
    CrashServer,
    Refuse,
}

const HARMS: [Harm; 8] = [
    Harm::Kill,
    Harm::DropReplies,
    Harm::Pause,
    Harm::CutOff,
    Harm::CrashServer,
    Harm::Stall,
    Harm::RestartServer,
    Harm::Refuse,
];

/// Every so manyth request to the database loses its connection.
const CUT_ONE_IN: u64 = 41;

#[test]
fn collectors_under_fire_lose_no_chain_and_keep_nobody_waiting() {
    let great = env::var("PULSEWING_FIRE_SECONDS").ok();
    let fight = match great.map(|seconds| seconds.parse().unwrap()) {
        Some(seconds) => Fight {
            collectors: 4,
            wearers: 200,
            every_s: 60,
            lease_s: 8,
            length: Duration::from_secs(seconds),
            breath: Duration::from_secs(4),
        },
        None => Fight {
            collectors: 2,
            wearers: 12,
            every_s: 8,
            lease_s: 2,
            length: Duration::from_secs(18),
            breath: Duration::from_secs(1),
        },
    };
    let verdict = fight.fight();
    // Twice the interval, and what a machine with other work needs to start a killed collector.
    verdict.assert_nothing_lost(Duration::from_secs(2 * fight.every_s + 5));
    assert_eq!(verdict.alive, fight.wearers);
    assert!(verdict.updates >= fight.wearers, "{verdict:?}");
}

impl Fight {
    fn fight(&self) -> Verdict {
        let server = Postgres::start();
        let config = format!(
            "lease = {}\n[poll]\nevery = {}\nhourly_cap = 60000\n",
            self.lease_s, self.every_s
        );
        let planting = Instant::now();
        let fleet = Fleet::planted(&server, self.wearers, self.every_s / 2, &config);
        println!(
            "{} chains planted in {:?}",
            self.wearers,
            planting.elapsed()
        );
        let start: Timestamp = fleet.household.sandbox.now().parse().unwrap();
        let mut army: Vec<Soldier<'_>> = (0..self.collectors)
            .map(|number| Soldier::enlist(&fleet, &server, number))
            .collect();
        let begin = Instant::now();
        let mut harms = HARMS.iter().copied().cycle();
        let mut done = 0_usize;
        // The last of them end in time for everybody to have a turn after it.
        while begin.elapsed() < self.length {
            let harm = harms.next().unwrap();
            let whom = done / HARMS.len() + done;
            let whom = whom % army.len();
            println!("{:?} {harm:?} {whom}", begin.elapsed());
            self.inflict(harm, &fleet, &server, &mut army[whom]);
            done += 1;
            let _: Option<()> = look(self.breath, || None);
        }
        for soldier in &army {
            soldier.relay.cut_one_in(0);
        }
        fleet.household.sandbox.faults(&json!([]));
        let cuts: u64 = army.iter().map(|soldier| soldier.relay.cuts()).sum();
        let mut told = BTreeMap::<String, usize>::new();
        for soldier in army {
            soldier.stand_down(&mut told);
        }
        for (words, times) in told {
            println!("{times:6} {words}");
        }
        let verdict = fleet.judge(start);
        for line in &verdict.evidence {
            println!("{line}");
        }
        println!(
            "{} collectors, {} wearers, every {} s, lease {} s, {:?}: {done} harms, {cuts} cut requests; \
            {} updates, refreshes by status {:?}, {} alive, lost {:?}, refused {}, longest wait {:?}",
            self.collectors,
            self.wearers,
            self.every_s,
            self.lease_s,
            begin.elapsed(),
            verdict.updates,
            verdict.refreshes,
            verdict.alive,
            verdict.lost,
            verdict.refused(),
            verdict.longest,
        );
        verdict
    }

    fn inflict(&self, harm: Harm, fleet: &Fleet, server: &Postgres, soldier: &mut Soldier<'_>) {
        let faults = |faults: Value| fleet.household.sandbox.faults(&faults);
        let lease = Duration::from_secs(self.lease_s);
        let wait = |time: Duration| {
            let _: Option<()> = look(time, || None);
        };
        let many = self.wearers / 6;
        match harm {
            Harm::Kill => soldier.replace(),
            Harm::Pause => {
                soldier.running.as_ref().unwrap().signal("STOP");
                wait(2 * lease);
                soldier.running.as_ref().unwrap().signal("CONT");
            }
            Harm::DropReplies => faults(json!([
                { "route": "fitbit.token", "count": many, "do": { "drop": "after" } },
                // Fewer than a cycle's tries: otherwise it is the cloud that keeps somebody waiting.
                { "route": "fitbit.heart", "count": 2, "do": { "drop": "before" } },
            ])),
            Harm::Stall => faults(json!([
                { "route": "fitbit.token", "count": many, "do": { "stall_s": self.lease_s / 2 } },
            ])),
            Harm::Refuse => faults(json!([
                { "route": "fitbit.token", "count": many, "do": { "status": 503 } },
            ])),
            Harm::RestartServer => {
                server.stop("fast");
                server.start_again();
            }
            Harm::CrashServer => {
                server.stop("immediate");
                server.start_again();
            }
            Harm::CutOff => {
                soldier.relay.go_down();
                wait(lease / 2);
                soldier.relay.come_back();
            }
        }
    }
}

/// A collector that is started again, behind its own relay.
struct Soldier<'f> {
    fleet: &'f Fleet,
    relay: DatabaseRelay,
    /// How far its clock is ahead, in seconds.
    ahead: i64,
    running: Option<Running>,
}

impl<'f> Soldier<'f> {
    fn enlist(fleet: &'f Fleet, server: &Postgres, number: usize) -> Self {
        let relay = DatabaseRelay::to(server);
        // The second one's clock is an hour off.
        let ahead = if number == 1 { 3_600 } else { 0 };
        let running = Some(fleet.collector(&relay, ahead));
        relay.cut_one_in(CUT_ONE_IN);
        Self {
            fleet,
            relay,
            ahead,
            running,
        }
    }

    fn replace(&mut self) {
        let _ = self.running.take().unwrap().kill();
        self.running = Some(self.fleet.collector(&self.relay, self.ahead));
    }

    /// Stops it, and counts the kinds of messages in its log.
    fn stand_down(self, told: &mut BTreeMap<String, usize>) {
        let ended = self.running.unwrap().stop().says("started");
        for line in ended.stderr.lines() {
            let words = line.split_once(' ').map_or(line, |(_, words)| words);
            let words = words.replace(|c: char| c.is_ascii_digit(), "");
            *told.entry(words).or_default() += 1;
        }
    }
}
