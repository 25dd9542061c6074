//! `pulsewing show`: the heart rate in this terminal, live.
//!
//! If a daemon runs, the command follows it: it reads the daemon's stored state whenever that
//! changes, and sends nothing to the cloud. Otherwise this program polls the cloud itself, as the
//! daemon would, in the foreground.

use std::{
    env, fs,
    io::{IsTerminal, stdout},
    mem::ManuallyDrop,
    pin::pin,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::civil::Date;
use pulsewing_core::cycle::Failure;
use pulsewing_history::History;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

use super::updates;
use crate::{
    app::App,
    cli::Global,
    config::places,
    daemon::{Single, Snapshot, last_reading},
    engine::stop::Stop,
    faces::terminal::{self, Mode, Past, View},
    tell::{
        console::Console,
        log::Newest,
        problem::{Exit, Problem},
    },
};

/// The interval between redraws, because ages grow.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(global: &Global, console: Console) -> Result<(), Problem> {
    let cannot_move = env::var_os("TERM").is_some_and(|name| name == "dumb");
    if !stdout().is_terminal() || cannot_move {
        return Err(Problem::new(Exit::Usage, "`show` needs a terminal")
            .hint("use `pulsewing once` to print the same as text, or as JSON with --json"));
    }
    let (console, newest) = console.kept();
    let app = App::new(&global.surroundings(), console)?;
    let stop = Stop::listen();
    let keys = listen(&stop);
    let mut screen = Screen::open(&app, newest, keys)?;
    loop {
        let claimed = Single::claim(&app.state_dir)
            .map_err(|error| Problem::failed("cannot use the state directory").caused_by(&error))?;
        let ended = match claimed {
            Some(_single) => own(&app, &mut screen, &stop).await?,
            None => follow(&app, &mut screen, &stop).await?,
        };
        if ended {
            return Ok(());
        }
    }
}

/// Polls until a request to stop.
async fn own(app: &App, screen: &mut Screen, stop: &Stop) -> Result<bool, Problem> {
    let mut updates = updates(app, app.provider(None))?;
    let broadcast = updates.broadcast().clone();
    screen.message = None;
    let mut cycles = pin!(async {
        loop {
            match updates.next(stop).await {
                Ok(()) => {
                    updates.repair(stop).await;
                }
                Err(problem) if problem.exit() == Exit::Interrupted => return,
                // The screen shows the error.
                Err(_) => {}
            }
        }
    });
    let show = async {
        let mut changes = broadcast.subscribe();
        let mut mode = Mode::Own;
        loop {
            let snapshot = changes.borrow_and_update().clone();
            screen.draw(app, &snapshot, mode)?;
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                key = screen.keys.recv() => match key {
                    Some(Key::Update) => broadcast.update_now(),
                    Some(Key::Quit) => mode = Mode::Leaving,
                    Some(key) => screen.turn(app, &snapshot, key),
                    None => std::future::pending::<()>().await,
                },
            }
        }
    };
    let result = tokio::select! {
        biased;
        () = &mut cycles => return Ok(true),
        result = show => result,
    };
    // Without a terminal nothing is shown any more, but a refresh under way is still finished.
    stop.request();
    cycles.await;
    result
}

/// Shows a daemon's stored state. Returns whether there was a request to stop; otherwise the daemon
/// has ended.
async fn follow(app: &App, screen: &mut Screen, stop: &Stop) -> Result<bool, Problem> {
    let mut seen = None;
    let mut snapshot = Snapshot::new(app.provider(None), app.interval());
    let mut last_look = None;
    loop {
        let now = app.clock.now().up;
        if last_look.is_none_or(|at| now.saturating_sub(at) >= 2 * LOOK_EVERY) {
            last_look = Some(now);
            let changed = Some(changed_at(app));
            if changed != seen {
                seen = changed;
                snapshot = remembered(app);
            }
            if let Ok(Some(_free)) = Single::claim(&app.state_dir) {
                return Ok(false);
            }
        }
        screen.draw(app, &snapshot, Mode::Follows)?;
        tokio::select! {
            () = stop.requested() => return Ok(true),
            () = tokio::time::sleep(LOOK_EVERY) => {}
            key = screen.keys.recv() => match key {
                Some(Key::Quit) | None => return Ok(true),
                Some(Key::Update) => screen.message = Some("the daemon updates on its own schedule; to update now, use the button on its page".to_owned()),
                Some(key) => screen.turn(app, &snapshot, key),
            },
        }
    }
}

/// Returns the times of the daemon's last writes.
fn changed_at(app: &App) -> [Option<SystemTime>; 3] {
    ["state.json", "history.db", "history.db-wal"].map(|name| {
        fs::metadata(app.state_dir.join(name))
            .and_then(|file| file.modified())
            .ok()
    })
}

/// Builds a snapshot from the daemon's stored state.
fn remembered(app: &App) -> Snapshot {
    let provider = app.provider(None);
    let state = app.state();
    let zone = app.config.wearer.time_zone.as_deref();
    let mut snapshot = Snapshot::new(provider, app.interval());
    snapshot.reading =
        last_reading(&app.state_dir, &state, provider, zone, app.now()).map(Arc::new);
    // The real failure is known only to the daemon; its message is enough here.
    snapshot.remember(&state, Some(Failure::OutOfTime));
    snapshot
}

/// The meaning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Quit,
    Update,
    Before,
    After,
    Today,
    Help,
    /// The terminal's size has changed.
    Resized,
}

/// Reads keys on a separate thread; a key to quit stops the program as a signal does.
fn listen(stop: &Stop) -> mpsc::Receiver<Key> {
    let stop = stop.clone();
    let (to, from) = mpsc::channel(16);
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            let Some(key) = key_of(&event) else {
                continue;
            };
            if key == Key::Quit {
                stop.request();
            }
            if to.blocking_send(key).is_err() {
                return;
            }
        }
    });
    from
}

fn key_of(event: &Event) -> Option<Key> {
    match event {
        Event::Resize(..) => Some(Key::Resized),
        Event::Key(KeyEvent {
            code,
            modifiers,
            kind: KeyEventKind::Press | KeyEventKind::Repeat,
            ..
        }) => match code {
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Quit),
            KeyCode::Char('q') | KeyCode::Esc => Some(Key::Quit),
            KeyCode::Char('u') => Some(Key::Update),
            KeyCode::Char('t') => Some(Key::Today),
            KeyCode::Char('?') | KeyCode::F(1) => Some(Key::Help),
            KeyCode::Left => Some(Key::Before),
            KeyCode::Right => Some(Key::After),
            _ => None,
        },
        _ => None,
    }
}

/// The terminal while we use it. Restored when this is dropped, and before a panic message is
/// printed.
struct Screen {
    /// Never dropped by itself: its own drop would report that the terminal is gone, and panic if
    /// stderr is gone, too.
    terminal: ManuallyDrop<DefaultTerminal>,
    keys: mpsc::Receiver<Key>,
    newest: Newest,
    past: Option<Past>,
    message: Option<String>,
    has_help: bool,
}

impl Screen {
    fn open(app: &App, newest: Newest, keys: mpsc::Receiver<Key>) -> Result<Self, Problem> {
        let terminal = terminal::take()
            .map_err(|error| Problem::failed("cannot draw on the terminal").caused_by(&error))?;
        app.console.detail(|| "the terminal is drawn on".into());
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            keys,
            newest,
            past: None,
            message: None,
            has_help: false,
        })
    }

    fn draw(&mut self, app: &App, snapshot: &Snapshot, mode: Mode) -> Result<(), Problem> {
        let newest = self.newest.line();
        let view = View {
            snapshot,
            now: app.now(),
            past: self.past.as_ref(),
            mode,
            message: self.message.as_deref().or(newest.as_deref()),
            has_help: self.has_help,
            has_colour: app.console.has_colour(),
        };
        self.terminal
            .draw(|frame| terminal::draw(frame, &view))
            .map(drop)
            .map_err(|error| Problem::failed("the terminal is gone").caused_by(&error))
    }

    /// Handles a key.
    fn turn(&mut self, app: &App, snapshot: &Snapshot, key: Key) {
        self.message = None;
        let today = snapshot.local(app.now()).date();
        let shown = self.past.as_ref().map_or(today, |past| past.date);
        let wanted = match key {
            Key::Help => {
                self.has_help = !self.has_help;
                return;
            }
            Key::Before => shown.yesterday().unwrap_or(shown),
            Key::After => shown.tomorrow().unwrap_or(shown),
            Key::Today => today,
            Key::Quit | Key::Update | Key::Resized => return,
        };
        self.past = (wanted < today).then(|| day_of(app, wanted));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        terminal::give_back(&mut self.terminal);
    }
}

fn day_of(app: &App, date: Date) -> Past {
    let history = History::open_existing(&app.state_dir, places::WEARER);
    let record = history
        .ok()
        .flatten()
        .and_then(|history| history.day(date).ok().flatten());
    Past {
        date,
        resting: record.as_ref().and_then(|record| record.resting),
        day: record.map(|record| record.day),
    }
}
