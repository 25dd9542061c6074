//! The layout: the place of each part, and the parts to leave out.

use jiff::SignedDuration;
use pulsewing_core::{
    alarm::{Level, Mute, Signal},
    day::{Day, Extent},
    heart_zone::HeartZones,
    reading::Reading,
};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Style, Stylize},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph, Wrap},
};

use super::{
    Mode, Past, View, colours,
    graph::{Graph, fitting},
    headline::Head,
};
use crate::{daemon::Look, faces::plot::Plot, tell::phrases};

/// The numbers of lines for one graph, and for two, one below the other.
const FOR_GRAPH: u16 = 6;
const FOR_TWO: u16 = 12;

/// In a terminal as wide as this that is not higher than that, both graphs are side by side.
const FOR_BOTH_IN_A_ROW: (u16, u16) = (150, 30);

/// The minutes of a day, and those of the graph of the last 24 hours, which has the running hour as well: so it
/// moves once an hour.
const DAY: u16 = 1_440;
const DAY_AND_HOUR: u16 = DAY + 60;

/// The keys, for the help.
const KEYS: [(&str, &str); 9] = [
    ("← →", "the day before, the day after"),
    ("t", "today"),
    ("Tab", "the next wearer"),
    ("u", "update now"),
    ("a", "the alarm is seen"),
    ("s", "no signals of it for 30 minutes"),
    ("?", "these keys"),
    ("q, Esc", "quit; in here, back"),
    ("Ctrl-C", "quit"),
];

/// Draws a view.
pub(crate) fn draw(frame: &mut Frame<'_>, view: &View<'_>) {
    let area = frame.area();
    if area.width < 4 || area.height < 1 {
        return;
    }
    let has_trouble = view.snapshot.failed_update.is_some() && area.height >= 6;
    let alarm = told(view).filter(|_| area.height >= 5);
    let [main, alarm_area, failed_update, foot] = Layout::vertical([
        Constraint::Min(1),
        Constraint::Length(if alarm.is_some() { 2 } else { 0 }),
        Constraint::Length(if has_trouble { 3 } else { 0 }),
        Constraint::Length(u16::from(area.height >= 3)),
    ])
    .areas(area);
    match view.past {
        Some(past) => day_of_history(frame, main, view, past),
        None => present(frame, main, view),
    }
    if let Some(alarm) = alarm {
        let paragraph = Paragraph::new(alarm).wrap(Wrap { trim: true });
        frame.render_widget(paragraph, alarm_area);
    }
    if has_trouble {
        complaint(frame, failed_update, view);
    }
    keys(frame, foot, view);
    if view.has_help {
        help(frame, area);
    }
}

fn present(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let Some(reading) = view.snapshot.reading.as_deref() else {
        return nothing_yet(frame, area, view);
    };
    let head = Head::fitting(area);
    let [top, graphs] =
        Layout::vertical([Constraint::Length(head.height(area)), Constraint::Min(0)]).areas(area);
    if graphs.height < FOR_GRAPH {
        return head.draw(frame, area, view, reading);
    }
    head.draw(frame, top, view, reading);
    let (wide, low) = FOR_BOTH_IN_A_ROW;
    if graphs.width >= wide && graphs.height < low {
        let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(2)])
            .spacing(2)
            .areas(graphs);
        latest(frame, left, view, reading);
        hours(frame, right, view, reading);
    } else if graphs.height >= FOR_TWO {
        let [upper, lower] =
            Layout::vertical([Constraint::Length(graphs.height / 2), Constraint::Min(0)])
                .areas(graphs);
        latest(frame, upper, view, reading);
        hours(frame, lower, view, reading);
    } else {
        latest(frame, graphs, view, reading);
    }
}

fn nothing_yet(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let name = view.wearer.map(|name| Line::from(name.bold()));
    let lines = [
        Line::from("No heart rate yet".bold()),
        Line::from(match view.mode {
            // The error itself is shown below.
            _ if view.snapshot.failed_update.is_some() => "No update has succeeded yet.",
            Mode::Follows => "Waiting for the daemon's first update.",
            _ => "The first comes within a minute.",
        }),
    ];
    let text: Vec<Line<'_>> = name.into_iter().chain(lines).collect();
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
}

fn span(extent: Extent) -> String {
    format!(
        "min {}  mean {}  max {}",
        extent.min, extent.mean, extent.max
    )
}

/// Draws the latest fifteen minutes.
fn latest(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, reading: &Reading) {
    let plot = Plot::from_window(&reading.window, &reading.time_zone.offsets);
    let (Some(plot), Some(extent)) = (plot, reading.window.extent()) else {
        frame.render_widget(Paragraph::new("No heart rate for 24 hours"), area);
        return;
    };
    let is_fresh = is_fresh(view);
    let until = reading
        .latest()
        .filter(|_| !is_fresh)
        .map(|sample| phrases::moment(reading, sample.at, view.now));
    let minutes = match reading.window.samples().len() {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    let span = span(extent);
    let titles = match until {
        Some(until) => vec![
            format!("{minutes} until {until}: {span}"),
            format!("{minutes} until {until}"),
        ],
        None => vec![
            format!("The latest {minutes}: {span}"),
            format!("{minutes}: {span}"),
            format!("The latest {minutes}"),
        ],
    };
    let graph = Graph {
        plot: &plot,
        titles: &titles,
        zones: reading.heart_zones,
        has_colour: view.has_colour && is_fresh,
        resting: None,
        has_now: false,
    };
    graph.draw(frame, area);
}

/// Draws the last 24 hours; if they have no minute, the day that the newest reading is of.
fn hours(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, reading: &Reading) {
    let resting = reading.resting_at(view.now);
    let mut plot = last_hours(view, reading);
    let mut name = "The last 24 hours".to_owned();
    let mut extent = extent_of_last_day(&plot);
    let is_of_day = extent.is_none() && reading.day.latest().is_some();
    if is_of_day {
        plot = Plot::from_day(&reading.day, 0, u16::MAX, view.now);
        name = phrases::date(reading.day.local().date());
        extent = plot.extent();
    }
    let titles = match (extent, resting) {
        (Some(extent), Some(resting)) => with_resting(&format!("{name}: "), extent, resting.get()),
        (Some(extent), None) => vec![format!("{name}: {}", span(extent)), name],
        (None, _) => vec![format!("{name}: nothing"), name],
    };
    let graph = Graph {
        plot: &plot,
        titles: &titles,
        zones: reading.heart_zones,
        has_colour: view.has_colour && is_fresh(view),
        resting,
        has_now: !is_of_day,
    };
    graph.draw(frame, area);
}

/// Plots the minutes from 24 hours before the running hour of the wearer's clock until its end, as the desk
/// screen does.
fn last_hours(view: &View<'_>, reading: &Reading) -> Plot {
    let offsets = &reading.time_zone.offsets;
    let into_hour = SignedDuration::from_mins(offsets.local(view.now).minute().into());
    let start = view.now - into_hour - SignedDuration::from_mins(DAY.into());
    let days: Vec<&Day> = [Some(&reading.day), view.snapshot.earlier.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    Plot::from_days(&days, offsets, start, DAY_AND_HOUR, view.now)
}

/// Returns the extent of the last 24 hours of a plot, not of the minutes before them.
fn extent_of_last_day(plot: &Plot) -> Option<Extent> {
    let from = plot.past.saturating_sub(DAY);
    let rates = plot.known().filter(|(minute, _)| *minute >= from);
    Extent::from_rates(rates.map(|(_, bpm)| bpm))
}

/// Returns the wordings of a title that explains the dotted line.
fn with_resting(before: &str, extent: Extent, resting: u16) -> Vec<String> {
    let span = span(extent);
    vec![
        format!("{before}{span}  resting {resting} (dotted)"),
        format!("{before}{span}  resting {resting}"),
        format!("{before}{span}"),
        span,
    ]
}

fn is_fresh(view: &View<'_>) -> bool {
    view.snapshot.look(view.now) == Some(Look::Fresh)
}

/// Draws a day of the history below its date. The time is at the right here, where nobody takes it for a time
/// of that day.
fn day_of_history(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, past: &Past) {
    let [top, area] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let name = view
        .wearer
        .map_or_else(String::new, |name| format!("{name} · "));
    let date = format!("{name}{}", phrases::date(past.date));
    let reading = view.snapshot.reading.as_deref();
    let now = reading.map_or_else(String::new, |reading| {
        format!("now {}", phrases::clock(reading, view.now))
    });
    if date.chars().count() + 2 + now.len() <= usize::from(top.width) {
        frame.render_widget(Line::from(now).right_aligned(), top);
    }
    frame.render_widget(Line::from(date.bold()), top);
    let Some(day) = past.day.as_ref().filter(|day| day.logged_minutes() > 0) else {
        frame.render_widget(Paragraph::new("There is no data for this day."), area);
        return;
    };
    let plot = Plot::from_day(day, 0, u16::MAX, view.now);
    let Some(extent) = plot.extent() else {
        return;
    };
    let minutes = format!("  minutes {}", plot.logged_minutes());
    let mut titles = match past.resting {
        Some(resting) => with_resting("", extent, resting.get()),
        None => vec![span(extent)],
    };
    if let Some(longest) = titles.first() {
        titles.insert(0, format!("{longest}{minutes}"));
    }
    let graph = Graph {
        plot: &plot,
        titles: &titles,
        zones: reading.map_or(HeartZones::PLAIN, |reading| reading.heart_zones),
        has_colour: view.has_colour,
        resting: past.resting,
        has_now: false,
    };
    graph.draw(frame, area);
}

/// Returns the alarm that matters most, and how to silence it; else what is over, and that nobody has seen.
fn told<'l>(view: &View<'_>) -> Option<Vec<Line<'l>>> {
    let alarms = &view.snapshot.alarms;
    let offsets = view.snapshot.offsets(view.now);
    let sentence = |signal: &Signal| {
        let sentence = signal.sentence(&offsets, view.now);
        format!("! {}. {sentence}", signal.heading())
    };
    let Some(alarm) = alarms.active.first() else {
        let (kind, unseen) = alarms.unseen.first()?;
        let signal = unseen.as_signal(*kind);
        return Some(vec![format!("{} (a: seen)", sentence(&signal)).into()]);
    };
    let signal = alarm.as_signal();
    let is_muted = alarm.mute.filter(|mute| mute.up_to() >= alarm.level);
    let (style, how) = match is_muted {
        None if alarm.level == Level::Urgent => (
            colours::notable().reversed(),
            "a: seen  s: 30 min".to_owned(),
        ),
        None => (colours::notable(), "a: seen  s: 30 min".to_owned()),
        Some(Mute::Acknowledged { .. }) => (Style::new(), "seen".to_owned()),
        Some(Mute::Snoozed { until, .. }) => {
            let until = phrases::until(until, view.now, &offsets);
            (Style::new(), format!("no signals until {until}"))
        }
    };
    let age = signal.rate().map_or_else(String::new, |(_, at, _)| {
        format!(
            " {}.",
            phrases::sentence(&phrases::ago(at, view.now)).trim_end_matches('.')
        )
    });
    let line = Line::styled(format!("{}{age}", sentence(&signal)), style);
    Some(vec![line, Line::from(format!("({how})")).dim()])
}

fn complaint(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let Some(failed_update) = &view.snapshot.failed_update else {
        return;
    };
    let text = match &failed_update.hint {
        Some(hint) => format!("! {}: {hint}", failed_update.message),
        None => format!("! {}", failed_update.message),
    };
    let details = failed_update.details.iter();
    let details = details.map(|details| Line::from(format!("Details: {details}").dim()));
    let lines: Vec<Line<'_>> = [Line::styled(text, colours::notable())]
        .into_iter()
        .chain(details)
        .collect();
    let paragraph = Paragraph::new(lines).wrap(Wrap { trim: true });
    frame.render_widget(paragraph, area);
}

fn keys(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    if let Some(message) = view.message {
        return frame.render_widget(Line::from(message), area);
    }
    let others = view.wearer.map_or("", |_| "  Tab next");
    let wordings = match view.mode {
        Mode::Leaving => vec!["Saving the renewed sign-in; one moment.".to_owned()],
        Mode::Follows => vec![
            format!("follows the daemon  q quit{others}  ←→ days  ? keys"),
            format!("q quit{others}  ←→ days  ? keys"),
        ],
        Mode::Own => vec![
            format!("q quit  u update{others}  ←→ days  ? keys"),
            format!("q quit{others}  ←→ days  ? keys"),
        ],
    };
    let shortest = ["q quit  ? keys".to_owned(), "? keys".to_owned()];
    let wordings: Vec<String> = wordings.into_iter().chain(shortest).collect();
    frame.render_widget(Line::from(fitting(&wordings, area.width).dim()), area);
}

fn help(frame: &mut Frame<'_>, area: Rect) {
    let width = 42.min(area.width);
    let height = u16::try_from(KEYS.len() + 2).unwrap_or(8).min(area.height);
    let place = Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    );
    let lines: Vec<Line<'_>> = KEYS
        .iter()
        .map(|(key, does)| Line::from(vec![format!(" {key:<8}").bold(), Span::raw(*does)]))
        .collect();
    frame.render_widget(Clear, place);
    let block = Block::bordered().title("Keys");
    frame.render_widget(Paragraph::new(lines).block(block), place);
}
