//! `pulsewing alarms`: what is active, and what happened; snoozes and acknowledgements.
//!
//! The process that polls the wearer has their alarms. Others leave it a request; if nobody polls,
//! the record is changed here.

use std::{
    fmt::Write as _,
    io,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use pulsewing_core::{
    alarm::{Active, Alarms, Limits, Mute},
    civil::Offsets,
};

use super::print;
use crate::{
    alarms::{AlarmFile, AlarmLog, Entry, LeftRequest, Lookout, Request, Shown, next_morning},
    app::App,
    cli::{self, AlarmsAction, HowLong, Target},
    daemon::Single,
    engine::zone,
    faces::{
        alarms_json::AlarmsJson,
        messages::{self, Messages},
    },
    tell::{
        phrases,
        problem::{Exit, Problem},
    },
};

/// The longest wait for the process that polls to do what it is asked.
const DONE_WITHIN: Duration = Duration::from_secs(15);

/// The interval of looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The number of things that happened last that are shown.
const LATEST: usize = 10;

pub(super) async fn run(app: &App, options: &cli::Alarms) -> Result<(), Problem> {
    let view = View::new(app);
    match &options.action {
        Some(AlarmsAction::Test { channel }) => test(app, channel.as_deref()).await,
        None => view.show(options.json),
        Some(AlarmsAction::Snooze { what, how_long }) => view.snooze(*what, *how_long).await,
        Some(AlarmsAction::Ack { what }) => view.acknowledge(*what).await,
    }
}

/// Sends a test message over a channel, or over all of them.
async fn test(app: &App, channel: Option<&str>) -> Result<(), Problem> {
    let names: Vec<String> = messages::channels(&app.config)?
        .iter()
        .map(|channel| channel.name().to_owned())
        .collect();
    let messages = Messages::start(&app.config, &app.state_dir, &app.clock, None)?;
    let (Some(messages), false) = (messages, names.is_empty()) else {
        return Err(Problem::failed("there is no channel to test").hint(
            "name one in the configuration, as a table [[alarms.send]]; docs/alarms.md shows how",
        ));
    };
    let wanted = match channel {
        Some(name) => vec![name.to_owned()],
        None => names,
    };
    let mut failed = None;
    for name in wanted {
        match messages.test(&name).await {
            Ok(()) => app
                .console
                .say(&format!("{name}: the test message was taken.")),
            Err(problem) if failed.is_none() => failed = Some(problem),
            Err(problem) => app.console.problem(&problem),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// A wearer's alarms, from outside of the process that polls.
struct View<'a> {
    app: &'a App,
    limits: Limits,
    offsets: Offsets,
    now: Timestamp,
}

impl<'a> View<'a> {
    fn new(app: &'a App) -> Self {
        let now = app.now();
        let facts = app.state().zone_facts().unwrap_or_default();
        let zone = zone::resolve(&facts, app.wearer.time_zone.as_deref(), now);
        Self {
            app,
            limits: app.config.limits(&app.wearer),
            offsets: zone.offsets,
            now,
        }
    }

    fn alarms(&self) -> Result<Alarms, Problem> {
        AlarmFile::new(&self.app.place.dir)
            .load(self.limits)
            .map_err(|error| {
                Problem::failed("the alarms cannot be read")
                    .caused_by(&error)
                    .hint("`pulsewing run` begins anew by itself: what still holds is told again")
            })
    }

    fn log(&self) -> Result<Vec<Entry>, Problem> {
        AlarmLog::new(&self.app.place.dir)
            .entries(self.now)
            .map_err(|error| {
                Problem::failed("the log of alarms cannot be read").caused_by_file(&error)
            })
    }

    fn show(&self, as_json: bool) -> Result<(), Problem> {
        let shown = Shown::of(&self.alarms()?);
        let log = self.log()?;
        if as_json {
            let wearer = self.app.wearer.id.as_str();
            let json = AlarmsJson::new(wearer, &shown, &self.limits, log, &self.offsets, self.now);
            let json = serde_json::to_string(&json)
                .map_err(|error| Problem::failed("cannot print the alarms").caused_by(&error))?;
            return print(&format!("{json}\n"));
        }
        print(&self.app.say_whose(&self.in_words(&shown, &log)))
    }

    fn in_words(&self, shown: &Shown, log: &[Entry]) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        if shown.active.is_empty() {
            let _ = writeln!(text, "No alarm is active.");
        }
        for alarm in &shown.active {
            let _ = writeln!(text, "{}", self.line(alarm));
        }
        let _ = writeln!(text, "Limits: {}.", limits_in_words(&self.limits));
        if !log.is_empty() {
            let _ = writeln!(text, "\nLatest:");
        }
        for entry in log.iter().rev().take(LATEST) {
            let local = self.offsets.local(entry.at);
            let _ = writeln!(
                text,
                "{}  {:<9} {:<12} {}",
                local.strftime("%Y-%m-%d %H:%M"),
                entry.kind,
                entry.what,
                entry.sentence
            );
        }
        text.push_str("\nNot a medical device: heart rates come 15 to 45 minutes late.\n");
        text
    }

    fn line(&self, alarm: &Active) -> String {
        let signal = alarm.as_signal();
        let sentence = signal.sentence(&self.offsets, self.now);
        let age = signal.rate().map_or_else(String::new, |(_, at, _)| {
            format!(" ({})", phrases::ago(at, self.now))
        });
        let mute = match alarm.mute {
            None => String::new(),
            Some(Mute::Acknowledged { .. }) => " Acknowledged.".to_owned(),
            Some(Mute::Snoozed { until, .. }) => format!(
                " Snoozed until {}.",
                phrases::until(until, self.now, &self.offsets)
            ),
        };
        let (kind, level, heading) = (alarm.kind, alarm.level, signal.heading());
        format!("{kind} ({level}): {heading}. {sentence}{age}{mute}")
    }

    async fn snooze(&self, what: Target, how_long: HowLong) -> Result<(), Problem> {
        let until = match how_long {
            HowLong::For(length) => self.now.checked_add(length).unwrap_or(Timestamp::MAX),
            HowLong::Morning => next_morning(&self.limits, &self.offsets, self.now),
        };
        let Target { kind, up_to } = what;
        self.ask(&Request::Snooze { kind, up_to, until }).await?;
        let Some(Mute::Snoozed { until, .. }) = self.alarms()?.mute(kind) else {
            return Err(
                Problem::new(Exit::Temporary, "the snooze was not taken over")
                    .hint("try again in a moment"),
            );
        };
        print(&format!(
            "No signals of {kind} until {}.\n",
            phrases::until(until, self.now, &self.offsets)
        ))
    }

    async fn acknowledge(&self, what: Target) -> Result<(), Problem> {
        let kind = what.kind;
        let alarms = self.alarms()?;
        let is_active = alarms.active().any(|alarm| alarm.kind == kind);
        if !is_active && alarms.unseen(kind).is_some() {
            self.ask(&Request::Look).await?;
            return print("What was over is not shown any more.\n");
        }
        if !is_active {
            return Err(
                Problem::failed(format!("there is no alarm of the kind {kind}"))
                    .hint("`pulsewing alarms` lists those that are active"),
            );
        }
        self.ask(&Request::Acknowledge { kind }).await?;
        print(&format!(
            "No more signals of {kind} until it is over or gets worse.\n"
        ))
    }

    /// Has the process that polls do this; if there is none, does it here.
    async fn ask(&self, request: &Request) -> Result<(), Problem> {
        let dir = &self.app.place.dir;
        let place = LeftRequest::new(dir);
        let give_up = Instant::now() + DONE_WITHIN;
        let mut is_left = false;
        loop {
            let single = Single::claim(dir).map_err(|error| {
                Problem::failed("cannot use the state directory").caused_by(&error)
            })?;
            if single.is_some() {
                // Nobody polls: perhaps not any more.
                let lookout =
                    Lookout::open(&self.app.place, self.limits, self.now, self.app.console);
                lookout.obey(request, &self.offsets, self.now);
                let cleared = if is_left { place.clear() } else { Ok(()) };
                return cleared.map_err(|error| not_left(&error));
            }
            if !is_left {
                match place.leave(request) {
                    Ok(()) => is_left = true,
                    // Somebody else's is about to be done.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(not_left(&error)),
                }
            } else if !place.is_there() {
                return Ok(());
            }
            if Instant::now() >= give_up {
                let _ = if is_left { place.clear() } else { Ok(()) };
                return Err(Problem::new(
                    Exit::Temporary,
                    "the pulsewing that polls did not answer",
                )
                .hint("try again, or look at it with `pulsewing doctor`"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn not_left(error: &io::Error) -> Problem {
    Problem::failed("the state directory cannot be written").caused_by_file(error)
}

fn limits_in_words(limits: &Limits) -> String {
    let bpm = |name: &str, limit: Option<pulsewing_core::Bpm>| {
        limit.map(|limit| format!("{name} {} bpm", limit.get()))
    };
    let parts = [
        bpm("high", limits.high),
        bpm("high urgent", limits.high_urgent),
        bpm("low", limits.low),
        bpm("low urgent", limits.low_urgent),
        limits
            .stale
            .map(|it| format!("stale {}", phrases::length(it))),
        limits.battery.map(|it| format!("battery {it} %")),
        limits.quiet.map(|it| format!("quiet {it}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "none".to_owned(),
        false => parts.join(", "),
    }
}
