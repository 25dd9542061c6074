//! The wearers that `show` can show: polled by this program, or by a daemon that it follows.

use std::{
    fs, io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, task::JoinSet};

use crate::{
    alarms::{AlarmFile, LeftRequest, Request, Shown},
    app::App,
    commands::updates,
    daemon::{
        Broadcast, LIVE_FILE, Single, Snapshot, UpdateLoop, last_reading, live_elsewhere,
        watch_alarms,
    },
    engine::stop::Stop,
    faces::terminal::Mode,
    tell::problem::{Exit, Problem},
};

/// The interval of looks at what daemons have stored, and whether they still run.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The wearers, one of whom is selected.
pub(super) struct Watched {
    wearers: Vec<WatchedWearer>,
    selected: usize,
    /// The loops of this program.
    loops: JoinSet<()>,
    stop: Stop,
    any_change: watch::Sender<()>,
    last_look: Option<Duration>,
}

/// A wearer that `show` can show.
pub(super) struct WatchedWearer {
    app: App,
    source: Source,
}

/// The process that polls.
enum Source {
    /// This program.
    Own(Broadcast),
    /// A daemon.
    Daemon {
        /// The times of its last writes, once it was looked at.
        seen: Option<[Option<SystemTime>; 5]>,
        snapshot: Arc<Snapshot>,
    },
}

impl Watched {
    /// Starts to watch these wearers: polls those whom nobody polls.
    ///
    /// # Errors
    /// A [`Problem`] with the state directory or the configuration, or when there are no wearers.
    pub(super) fn new(apps: Vec<App>, stop: Stop) -> Result<Self, Problem> {
        let Some(any) = apps.first() else {
            return Err(Problem::failed("there are no wearers")
                .hint("add one with `pulsewing wearer add ID`"));
        };
        let mut watched = Self {
            selected: 0,
            loops: JoinSet::new(),
            stop,
            any_change: any.members.any_change().clone(),
            last_look: None,
            wearers: apps.into_iter().map(WatchedWearer::new).collect(),
        };
        watched.look()?;
        Ok(watched)
    }

    /// Subscribes to changes of the wearers that this program polls.
    pub(super) fn any_change(&self) -> watch::Receiver<()> {
        self.any_change.subscribe()
    }

    /// Returns whether there are several wearers to select from.
    pub(super) const fn are_several(&self) -> bool {
        self.wearers.len() > 1
    }

    /// Returns the selected wearer.
    #[expect(
        clippy::indexing_slicing,
        reason = "`turn` keeps the selection within the list, which is never empty"
    )]
    pub(super) fn selected(&self) -> &WatchedWearer {
        &self.wearers[self.selected]
    }

    /// Selects the next wearer, or the previous one.
    pub(super) const fn turn(&mut self, forward: bool) {
        let count = self.wearers.len();
        let step = if forward { 1 } else { count - 1 };
        self.selected = (self.selected + step) % count;
    }

    /// Looks at what the daemons have stored, and polls wearers whose daemon has ended. Does nothing
    /// if it did so a moment ago. Returns whether this program polls somebody from now on.
    ///
    /// # Errors
    /// A [`Problem`] with the state directory or the configuration.
    pub(super) fn look(&mut self) -> Result<bool, Problem> {
        let Some(any) = self.wearers.first() else {
            return Ok(false);
        };
        let up = any.app.clock.now().up;
        let is_due = self
            .last_look
            .is_none_or(|at| up.saturating_sub(at) >= LOOK_EVERY);
        if !is_due || self.stop.is_requested() {
            return Ok(false);
        }
        self.last_look = Some(up);
        let mut takes_over = false;
        for wearer in &mut self.wearers {
            let Source::Daemon { seen, snapshot } = &mut wearer.source else {
                continue;
            };
            let app = &wearer.app;
            let claimed = Single::claim(&app.place.dir).map_err(|error| {
                Problem::failed("cannot use the state directory").caused_by(&error)
            })?;
            if let Some(single) = claimed {
                let updates = updates(app, app.provider(None))?;
                wearer.source = Source::Own(updates.broadcast().clone());
                self.loops.spawn(poll(updates, self.stop.clone(), single));
                takes_over = true;
                continue;
            }
            let changed = Some(changed_at(app));
            if changed != *seen {
                *seen = changed;
                *snapshot = Arc::new(remembered(app));
            }
        }
        Ok(takes_over)
    }

    /// Waits until all loops of this program have ended after a request to stop.
    pub(super) async fn ended(&mut self) {
        while self.loops.join_next().await.is_some() {}
    }
}

impl WatchedWearer {
    fn new(app: App) -> Self {
        let snapshot = Arc::new(Snapshot::new(app.provider(None), app.interval()));
        Self {
            app,
            source: Source::Daemon {
                seen: None,
                snapshot,
            },
        }
    }

    /// Returns the wearer's context.
    pub(super) const fn app(&self) -> &App {
        &self.app
    }

    /// Returns the process that polls.
    pub(super) const fn mode(&self) -> Mode {
        match self.source {
            Source::Own(_) => Mode::Own,
            Source::Daemon { .. } => Mode::Follows,
        }
    }

    /// Returns the current state.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        match &self.source {
            Source::Own(broadcast) => broadcast.snapshot(),
            Source::Daemon { snapshot, .. } => Arc::clone(snapshot),
        }
    }

    /// Has the process that polls do what a person wants of the alarms.
    ///
    /// # Errors
    /// Whatever the file system reports. [`io::ErrorKind::AlreadyExists`] while it has not done the last one.
    pub(super) fn obey(&self, request: &Request) -> io::Result<()> {
        match &self.source {
            Source::Own(broadcast) => {
                broadcast.obey(request);
                Ok(())
            }
            Source::Daemon { .. } => LeftRequest::new(&self.app.place.dir).leave(request),
        }
    }

    /// Triggers an update; returns whether this program polls, so that it can.
    pub(super) fn update_now(&self) -> bool {
        match &self.source {
            Source::Own(broadcast) => {
                broadcast.update_now();
                true
            }
            Source::Daemon { .. } => false,
        }
    }
}

/// Polls until a request to stop.
async fn poll(mut updates: UpdateLoop, stop: Stop, _single: Single) {
    let broadcast = updates.broadcast().clone();
    let cycles = async {
        loop {
            match updates.next(&stop).await {
                Ok(()) => {
                    updates.repair(&stop).await;
                }
                Err(problem) if problem.exit() == Exit::Interrupted => return,
                // The screen shows the error.
                Err(_) => {}
            }
        }
    };
    tokio::select! {
        biased;
        () = cycles => {}
        () = watch_alarms(&broadcast, None) => {}
    }
}

/// Returns the times of the daemon's last writes.
fn changed_at(app: &App) -> [Option<SystemTime>; 5] {
    let names = [
        "state.json",
        "history.db",
        "history.db-wal",
        LIVE_FILE,
        AlarmFile::NAME,
    ];
    names.map(|name| {
        fs::metadata(app.place.dir.join(name))
            .and_then(|file| file.modified())
            .ok()
    })
}

/// Builds a snapshot from the daemon's stored state.
fn remembered(app: &App) -> Snapshot {
    let provider = app.provider(None);
    let state = app.state();
    let zone = app.wearer.time_zone.as_deref();
    let mut snapshot = Snapshot::new(provider, app.interval());
    // One that cannot be read is told by the daemon.
    let alarms = AlarmFile::new(&app.place.dir).load(app.config.limits(&app.wearer));
    snapshot.alarms = alarms.map_or_else(|_| Arc::default(), |it| Shown::of(&it).into());
    if let Some(last) = last_reading(&app.place, &state, provider, zone, app.now()) {
        snapshot.show(last, app.place.history().ok().flatten().as_ref());
    }
    snapshot.pushed.live = live_elsewhere(&app.place);
    snapshot.remember(&state, state.remembered_failure());
    snapshot
}
