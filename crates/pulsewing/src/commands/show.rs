//! `pulsewing show`: the heart rate in this terminal, live.
//!
//! If a daemon runs, the command follows it: it reads the daemon's stored state whenever that
//! changes, and sends nothing to the cloud. Otherwise this program polls the cloud itself, as the
//! daemon would, in the foreground. Of several wearers it shows one at a time.

mod watched;

use std::{
    env,
    io::{IsTerminal, stdout},
    mem::ManuallyDrop,
    thread,
    time::Duration,
};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::{SignedDuration, Timestamp, civil::Date};
use pulsewing_core::alarm::Active;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

use self::watched::{Watched, WatchedWearer};
use crate::{
    alarms::{Request, Shown},
    app::{App, Household},
    cli::Global,
    engine::stop::Stop,
    faces::terminal::{self, Mode, Past, View},
    tell::{
        console::Console,
        log::Newest,
        phrases,
        problem::{Exit, Problem},
    },
};

/// The interval between redraws, because ages grow.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The length of a snooze.
const SNOOZE: SignedDuration = SignedDuration::from_mins(30);

pub(super) async fn run(global: &Global, console: Console) -> Result<(), Problem> {
    let cannot_move = env::var_os("TERM").is_some_and(|name| name == "dumb");
    if !stdout().is_terminal() || cannot_move {
        return Err(Problem::new(Exit::Usage, "`show` needs a terminal")
            .hint("use `pulsewing once` to print the same as text, or as JSON with --json"));
    }
    let (console, newest) = console.kept();
    let household = Household::new(&global.surroundings(), console)?;
    let stop = Stop::listen();
    let mut watched = Watched::new(household.chosen(), stop.clone())?;
    let keys = listen(&stop);
    let mut screen = Screen::open(console, newest, keys)?;
    let result = screen.run(&mut watched, &stop).await;
    // Without a terminal nothing is shown any more, but a refresh under way is still finished.
    stop.request();
    watched.ended().await;
    result
}

/// The meaning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// Ends the program, whatever is shown.
    Quit,
    /// Closes the help, if that is shown; else ends the program.
    Leave,
    Update,
    /// The alarm is seen.
    Acknowledge,
    /// No signals of the alarm for a while.
    Snooze,
    Before,
    After,
    Today,
    /// The next wearer.
    Next,
    /// The previous wearer.
    Previous,
    Help,
    /// The terminal's size has changed.
    Resized,
}

/// Reads keys on a separate thread; Ctrl-C stops the program as a signal does.
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
            KeyCode::Char('q') | KeyCode::Esc => Some(Key::Leave),
            KeyCode::Char('u') => Some(Key::Update),
            KeyCode::Char('a') => Some(Key::Acknowledge),
            KeyCode::Char('s') => Some(Key::Snooze),
            KeyCode::Char('t') => Some(Key::Today),
            KeyCode::Char('?') | KeyCode::F(1) => Some(Key::Help),
            KeyCode::Tab => Some(Key::Next),
            KeyCode::BackTab => Some(Key::Previous),
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
    fn open(console: Console, newest: Newest, keys: mpsc::Receiver<Key>) -> Result<Self, Problem> {
        let terminal = terminal::take()
            .map_err(|error| Problem::failed("cannot draw on the terminal").caused_by(&error))?;
        console.detail(|| "the terminal is drawn on".into());
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            keys,
            newest,
            past: None,
            message: None,
            has_help: false,
        })
    }

    /// Shows the wearers until a request to stop, and until the refreshes under way are finished.
    async fn run(&mut self, watched: &mut Watched, stop: &Stop) -> Result<(), Problem> {
        let mut changes = watched.any_change();
        let mut is_leaving = false;
        loop {
            changes.borrow_and_update();
            if watched.look()? {
                // It was about the daemon.
                self.message = None;
            }
            let wearer = watched.selected();
            let mode = match is_leaving {
                true => Mode::Leaving,
                false => wearer.mode(),
            };
            self.draw(wearer, mode, watched.are_several())?;
            tokio::select! {
                biased;
                () = watched.ended(), if is_leaving => return Ok(()),
                () = stop.requested(), if !is_leaving => {
                    is_leaving = true;
                    continue;
                }
                _ = changes.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                key = self.keys.recv() => match key {
                    // It has asked for the stop.
                    Some(Key::Quit) => {}
                    Some(Key::Leave) if self.has_help => self.has_help = false,
                    Some(Key::Leave) => stop.request(),
                    Some(key) => self.turn(watched, key),
                    None => stop.request(),
                },
            }
        }
    }

    fn draw(
        &mut self,
        wearer: &WatchedWearer,
        mode: Mode,
        has_others: bool,
    ) -> Result<(), Problem> {
        let newest = self.newest.line();
        let app = wearer.app();
        let view = View {
            wearer: has_others.then(|| app.wearer.title()),
            snapshot: &wearer.snapshot(),
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
    fn turn(&mut self, watched: &mut Watched, key: Key) {
        self.message = None;
        let wearer = watched.selected();
        let (app, snapshot) = (wearer.app(), wearer.snapshot());
        let today = snapshot.local(app.now()).date();
        let shown = self.past.as_ref().map_or(today, |past| past.date);
        let wanted = match key {
            Key::Help => {
                self.has_help = !self.has_help;
                return;
            }
            Key::Update => {
                if !wearer.update_now() {
                    self.message = Some("the daemon updates on its own schedule; to update now, its page has a button".to_owned());
                }
                return;
            }
            Key::Acknowledge | Key::Snooze => {
                let wanted = request(&snapshot.alarms, key, app.now());
                if let Some(Err(error)) = wanted.map(|request| wearer.obey(&request)) {
                    self.message = Some(format!("the daemon could not be told: {error}"));
                }
                return;
            }
            Key::Next | Key::Previous => {
                self.past = None;
                return watched.turn(key == Key::Next);
            }
            Key::Before => match day_before(app, shown) {
                Ok(before) => before,
                Err(why_not) => {
                    self.message = Some(why_not);
                    return;
                }
            },
            Key::After => shown.tomorrow().unwrap_or(shown),
            Key::Today => today,
            Key::Quit | Key::Leave | Key::Resized => return,
        };
        self.past = (wanted < today).then(|| day_of(app, wanted));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        terminal::give_back(&mut self.terminal);
    }
}

/// Returns what a key wants of the alarm that matters most; of what is over if there is none.
fn request(alarms: &Shown, key: Key, now: Timestamp) -> Option<Request> {
    let Some(Active { kind, level, .. }) = alarms.active.first().copied() else {
        return (!alarms.unseen.is_empty()).then_some(Request::Look);
    };
    Some(match key {
        Key::Snooze => Request::Snooze {
            kind,
            up_to: level,
            until: now.checked_add(SNOOZE).unwrap_or(now),
        },
        _ => Request::Acknowledge { kind },
    })
}

/// Returns the day before a date. Nothing is before the beginning of the history; the error says so.
fn day_before(app: &App, date: Date) -> Result<Date, String> {
    let history = app.place.history();
    let span = history.and_then(|history| history.map_or(Ok(None), |history| history.span()));
    match span {
        Ok(Some(span)) if span.first < date => Ok(date.yesterday().unwrap_or(date)),
        Ok(Some(span)) => Err(format!(
            "The history begins on {}.",
            phrases::date(span.first)
        )),
        Ok(None) => Err("There is no history yet.".to_owned()),
        Err(error) => Err(phrases::sentence(&error.in_words())),
    }
}

fn day_of(app: &App, date: Date) -> Past {
    let history = app.place.history();
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
