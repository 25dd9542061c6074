//! The update loops of all wearers, each in a task of its own: what keeps one waiting, or makes it
//! fail, does not touch another.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::task::{JoinError, JoinSet};
use tracing::Instrument as _;

use crate::{
    app::{App, Household},
    commands::{cycle_report, member, print, updates},
    config::wearer::WearerId,
    custody::chain_file::ChainFile,
    daemon::{Broadcast, Intake, Single, UpdateLoop, watch_alarms},
    engine::stop::Stop,
    tell::{
        console::Console,
        problem::{Exit, Problem},
    },
};

/// The interval of checks for a sign-in through another process.
const LOOK_FOR_SIGN_IN: Duration = Duration::from_secs(5);

/// The time between the first updates of two wearers, for each wearer there is: a few need not wait
/// for each other, and from 134 on the first updates are spread over the whole default interval.
const APART_PER_WEARER: Duration = Duration::from_millis(50);

/// The update loops of all wearers.
#[derive(Debug)]
pub(super) struct Crew {
    household: Household,
    /// The locks of the wearers' daemons, until their loops start.
    claimed: Vec<(App, Single)>,
    /// The way to stop each loop.
    running: BTreeMap<WearerId, Stop>,
    tasks: JoinSet<WearerId>,
    /// The last problem with the list of wearers.
    told: Option<String>,
}

impl Crew {
    /// Takes the locks of all wearers' daemons.
    ///
    /// # Errors
    /// A [`Problem`] when another process polls one of them.
    pub(super) fn new(household: Household) -> Result<Self, Problem> {
        let mut claimed = Vec::new();
        for app in household.all() {
            let single = claim(&app)?;
            claimed.push((app, single));
        }
        Ok(Self {
            claimed,
            household,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            told: None,
        })
    }

    /// Returns what the wearers share.
    pub(super) const fn household(&self) -> &Household {
        &self.household
    }

    /// Starts all loops, the first update of each a little later than the one before: many wearers
    /// are spread over the poll interval.
    ///
    /// # Errors
    /// A [`Problem`] with the configuration.
    pub(super) fn start(&mut self, stop: &Stop) -> Result<(), Problem> {
        let claimed = std::mem::take(&mut self.claimed);
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX).max(1);
        for (place, (app, single)) in (0..).zip(claimed) {
            let apart = (app.every() / count).min(APART_PER_WEARER * count);
            self.begin(app, single, apart * place, stop)?;
        }
        Ok(())
    }

    fn begin(
        &mut self,
        app: App,
        single: Single,
        after: Duration,
        stop: &Stop,
    ) -> Result<(), Problem> {
        let provider = app.provider(None);
        let updates = updates(&app, provider)?;
        let member = member(&app, &updates);
        let intake = member.intake.clone();
        self.household
            .members
            .change(|members| members.push(member));
        let (id, stop) = (app.wearer.id.clone(), stop.part());
        self.running.insert(id.clone(), stop.clone());
        let is_one_of_several = self.household.roster.are_several();
        let span = match is_one_of_several {
            true => tracing::info_span!("wearer", wearer = %id),
            false => tracing::Span::none(),
        };
        span.in_scope(|| {
            tracing::info!(
                version = env!("CARGO_PKG_VERSION"),
                provider = provider.name(),
                state = %app.place.dir.display(),
                "started"
            );
        });
        let title = is_one_of_several.then(|| id.clone());
        let polled = async move {
            tokio::select! {
                biased;
                () = poll(updates, &intake, &stop, after, title.as_ref(), app.console) => {}
                () = intake.run() => {}
            }
            intake.keep();
            drop(single);
            id
        };
        self.tasks.spawn(polled.instrument(span));
        Ok(())
    }

    /// Starts the loops of wearers that were added, and stops those of wearers that were removed.
    pub(super) fn refresh(&mut self, stop: &Stop) {
        while let Some(ended) = self.tasks.try_join_next() {
            self.forget(ended);
        }
        if let Err(problem) = self.household.refresh() {
            return self.tell_once(&problem);
        }
        let apps = self.household.all();
        let ids: BTreeSet<&WearerId> = apps.iter().map(|app| &app.wearer.id).collect();
        for (id, stop) in &self.running {
            if !ids.contains(id) {
                tracing::info!(wearer = %id, "the wearer was removed");
                stop.request();
            }
        }
        for app in apps {
            if self.running.contains_key(&app.wearer.id) {
                continue;
            }
            let begun =
                claim(&app).and_then(|single| self.begin(app, single, Duration::ZERO, stop));
            match begun {
                Ok(()) => self.told = None,
                Err(problem) => self.tell_once(&problem),
            }
        }
    }

    /// Waits until all loops have ended after a request to stop.
    pub(super) async fn ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<WearerId, JoinError>) {
        let id = match ended {
            Ok(id) => id,
            Err(error) => match error.try_into_panic() {
                // Nothing is known about its state any more; systemd starts the program again.
                Ok(panic) => std::panic::resume_unwind(panic),
                // Nobody cancels a loop.
                Err(_) => return,
            },
        };
        self.running.remove(&id);
        let members = &self.household.members;
        members.change(|members| members.retain(|member| member.wearer.id != id));
    }

    fn tell_once(&mut self, problem: &Problem) {
        let words = problem.to_string();
        if self.told.as_ref() != Some(&words) {
            self.household.console.problem(problem);
            self.told = Some(words);
        }
    }
}

/// Takes the lock of a wearer's daemon.
fn claim(app: &App) -> Result<Single, Problem> {
    Single::claim(&app.place.dir)
        .map_err(|error| {
            Problem::failed("cannot use the state directory")
                .caused_by(&error)
                .hint("make it writable, or choose another with --state-dir")
                .may_pass()
        })?
        .ok_or_else(|| {
            Problem::failed("another pulsewing is already running with this state directory")
                .hint(
                    "follow it with `pulsewing show`, or choose another directory with --state-dir",
                )
                .may_pass()
        })
}

/// Polls a wearer until a request to stop. `title` is the wearer's name in front of the reports.
async fn poll(
    mut updates: UpdateLoop,
    intake: &Intake,
    stop: &Stop,
    after: Duration,
    title: Option<&WearerId>,
    console: Console,
) {
    let broadcast = updates.broadcast().clone();
    // A wearer who waits for their first turn does not hang.
    let progress = updates.engine().progress();
    progress.back_by(broadcast.now().up + after);
    let cycles = async {
        wait(&broadcast, after, stop).await;
        cycles(&mut updates, stop, title, console).await;
    };
    tokio::select! {
        biased;
        () = cycles => {}
        () = look_for_sign_in(&broadcast) => {}
        () = watch_alarms(&broadcast, Some(intake)) => {}
    }
}

/// Waits before the first update, unless a user asks for it.
async fn wait(broadcast: &Broadcast, after: Duration, stop: &Stop) {
    if after.is_zero() {
        return;
    }
    let wake = broadcast.wake();
    let until = broadcast.now().up + after;
    tokio::select! {
        () = stop.requested() => {}
        // The update itself waits for nothing.
        () = wake.notified() => {}
        () = broadcast.clock().sleep_until(until) => {}
    }
}

/// Runs cycles until a request to stop.
async fn cycles(updates: &mut UpdateLoop, stop: &Stop, title: Option<&WearerId>, console: Console) {
    loop {
        match updates.next(stop).await {
            Ok(()) => {
                let mut report = cycle_report::text(updates.engine(), true);
                if let Some(id) = title {
                    report.insert_str(0, &format!("Wearer: {id}\n"));
                }
                // The reader of the reports may go away, or the disk may fill up; the cycles
                // continue.
                if let Err(problem) = print(&report) {
                    console.problem(&problem);
                }
                updates.repair(stop).await;
            }
            Err(problem) if problem.exit() == Exit::Interrupted => return,
            // No error ends the loop: the problem may be fixed while it runs.
            Err(problem) => console.problem(&problem),
        }
    }
}

/// Triggers an update after a `pulsewing login`, so that the user need not wait for the next try.
async fn look_for_sign_in(broadcast: &Broadcast) {
    let files = ChainFile::new(broadcast.place().clone());
    let mut seen = files.modified();
    loop {
        let until = broadcast.now().up + LOOK_FOR_SIGN_IN;
        broadcast.clock().sleep_until(until).await;
        let now = files.modified();
        let wants_sign_in = broadcast
            .snapshot()
            .failed_update
            .as_ref()
            .is_some_and(|failed_update| failed_update.wants_sign_in());
        if now != seen && wants_sign_in {
            broadcast.update_now();
        }
        seen = now;
    }
}
