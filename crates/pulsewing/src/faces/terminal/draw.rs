//! The layout: the place of each part, and the parts to leave out.

use pulsewing_core::{
    Bpm,
    day::{Extent, Sample},
    heart_zone::HeartZone,
    reading::{Freshness, Reading},
};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize},
    text::{Line, Span},
    widgets::{Clear, Paragraph, Wrap},
};

use super::{Mode, Past, View, digits, graph};
use crate::{
    daemon::Look,
    faces::{plot::Plot, words},
    tell::phrases,
};

/// The smallest size for digits with all facts beside them.
const FOR_DIGITS: (u16, u16) = (56, 6);

/// The number of lines for one graph, and for two.
const FOR_GRAPH: u16 = 6;
const FOR_TWO: u16 = 14;

/// The keys, for the help.
const KEYS: [(&str, &str); 7] = [
    ("← →", "the day before, the day after"),
    ("t", "today"),
    ("Tab", "the next of several wearers"),
    ("u", "update now"),
    ("?", "these keys"),
    ("q, Esc", "quit"),
    ("Ctrl-C", "quit"),
];

/// Draws a view.
pub(crate) fn draw(frame: &mut Frame<'_>, view: &View<'_>) {
    let area = frame.area();
    if area.width < 4 || area.height < 1 {
        return;
    }
    let has_trouble = view.snapshot.failed_update.is_some() && area.height >= 6;
    let [top, middle, failed_update, foot] = Layout::vertical([
        Constraint::Length(u16::from(area.height >= 4)),
        Constraint::Min(1),
        Constraint::Length(if has_trouble { 3 } else { 0 }),
        Constraint::Length(u16::from(area.height >= 3)),
    ])
    .areas(area);
    title(frame, top, view);
    match view.past {
        Some(past) => day_of_history(frame, middle, view, past),
        None => present(frame, middle, view),
    }
    if has_trouble {
        complaint(frame, failed_update, view);
    }
    keys(frame, foot, view);
    if view.has_help {
        help(frame, area);
    }
}

fn paint(style: Style, colour: Color, view: &View<'_>) -> Style {
    if view.has_colour {
        style.fg(colour)
    } else {
        style
    }
}

const fn colour_of(zone: HeartZone) -> Color {
    match zone {
        HeartZone::VeryLow => Color::LightYellow,
        HeartZone::Easy => Color::Blue,
        HeartZone::Light => Color::Cyan,
        HeartZone::Moderate => Color::Yellow,
        HeartZone::Vigorous => Color::LightRed,
        HeartZone::Peak => Color::Magenta,
    }
}

fn title(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let date = match (view.past, &view.snapshot.reading) {
        (Some(past), _) => phrases::date(past.date),
        (None, Some(reading)) => phrases::date(reading.time_zone.offsets.local(view.now).date()),
        (None, None) => String::new(),
    };
    let clock = match view.snapshot.reading.as_deref() {
        Some(reading) if reading.time_zone.is_guessed() => {
            format!("{}, zone guessed", phrases::clock(reading, view.now))
        }
        Some(reading) => phrases::clock(reading, view.now),
        None => String::new(),
    };
    let name = view.wearer.unwrap_or("Pulsewing");
    frame.render_widget(Line::from(name.bold()), area);
    let wide = format!("{date}  {clock}");
    let room = usize::from(area.width).saturating_sub(name.chars().count() + 3);
    let right = if room >= wide.len() { wide } else { clock };
    frame.render_widget(Line::from(right).right_aligned(), area);
}

fn present(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let Some(reading) = view.snapshot.reading.as_deref() else {
        let text = vec![
            Line::from("No heart rate yet".bold()),
            Line::from(match view.mode {
                // The error itself is shown below.
                _ if view.snapshot.failed_update.is_some() => "No update has succeeded yet.",
                Mode::Follows => "Waiting for the daemon's first update.",
                _ => "The first comes within a minute.",
            }),
        ];
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    };
    let has_digits = area.width >= FOR_DIGITS.0 && area.height >= FOR_DIGITS.1;
    let head = if has_digits {
        digits::HEIGHT + 1
    } else {
        3.min(area.height)
    };
    let left = area.height.saturating_sub(head);
    let (recent, day) = match left {
        FOR_TWO.. => (left / 2, left - left / 2),
        FOR_GRAPH.. => (left, 0),
        _ => (0, 0),
    };
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(head),
        Constraint::Length(recent),
        Constraint::Length(day),
    ])
    .areas(area);
    if has_digits {
        headline(frame, top, view, reading);
    } else {
        let lines = essentials(view, reading, false);
        frame.render_widget(Paragraph::new(lines), top);
    }
    if recent > 0 {
        latest(frame, middle, view, reading);
    }
    if day > 0 {
        let plot = Plot::from_day(&reading.day, 0, u16::MAX, view.now);
        let date = reading.day.local().date();
        let is_today = date == reading.time_zone.offsets.local(view.now).date();
        let title = match plot.extent() {
            Some(extent) if is_today => format!("The day so far: {}", span(extent)),
            Some(extent) => format!("{}: {}", phrases::date(date), span(extent)),
            None => "The day so far: nothing yet".to_owned(),
        };
        let is_fresh = view.snapshot.look(view.now) == Some(Look::Fresh);
        let ink = (view.has_colour && is_fresh).then_some(Color::Cyan);
        graph::draw(frame, bottom, &plot, &title, ink);
    }
}

fn span(extent: Extent) -> String {
    format!(
        "min {}  mean {}  max {}",
        extent.min, extent.mean, extent.max
    )
}

/// Draws the rate in large digits, with its facts beside it.
fn headline(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, reading: &Reading) {
    let width = 3 * digits::WIDTH + 5;
    let [left, right] = Layout::horizontal([Constraint::Length(width), Constraint::Min(0)])
        .spacing(2)
        .areas(area);
    match (reading.latest(), view.snapshot.look(view.now)) {
        (Some(sample), Some(look @ (Look::Fresh | Look::Old))) => {
            let style = match look {
                Look::Fresh => Style::new().bold(),
                _ => Style::new().dim(),
            };
            let mut lines: Vec<Line<'_>> = digits::lines(sample.bpm.get())
                .into_iter()
                .map(|line| Line::styled(line, style))
                .collect();
            if let Some(last) = lines.last_mut() {
                last.push_span(Span::raw("bpm"));
            }
            frame.render_widget(Paragraph::new(lines), left);
        }
        _ => frame.render_widget(Paragraph::new("No heart rate\nfor 24 hours"), left),
    }
    let mut lines = essentials(view, reading, true);
    lines.extend(facts(view, reading));
    frame.render_widget(Paragraph::new(lines), right);
}

/// Returns rate, zone, age and freshness, the most important first: an old rate follows its age,
/// without colour. The rate is left out if it is shown in digits.
fn essentials<'l>(view: &View<'_>, reading: &Reading, has_digits: bool) -> Vec<Line<'l>> {
    let (Some(sample), Some(look)) = (reading.latest(), view.snapshot.look(view.now)) else {
        return vec![
            Line::from("No heart rate"),
            Line::default(),
            freshness(view),
        ];
    };
    let zone = reading.heart_zones.zone(sample.bpm);
    let rate = format!("{} bpm", sample.bpm.get());
    let rate_and_zone = match look {
        Look::Fresh => {
            let style = paint(Style::new().bold(), colour_of(zone), view);
            let mut line = Line::default();
            if !has_digits {
                line.push_span(format!("{rate}  ").bold());
            }
            line.push_span(Span::styled(zone.name(), style));
            line
        }
        Look::Old if has_digits => Line::from(format!("was {}", zone.name())),
        Look::Old | Look::LongAgo => Line::from(format!("was {rate}, {}", zone.name())),
    };
    let mut lines = vec![rate_and_zone, age(view, reading, sample, look)];
    if look != Look::Fresh {
        lines.reverse();
    }
    lines.push(freshness(view));
    lines
}

fn age<'l>(view: &View<'_>, reading: &Reading, sample: Sample, look: Look) -> Line<'l> {
    let age = phrases::ago(sample.at, view.now);
    let moment = phrases::at_moment(reading, sample.at, view.now);
    match look {
        Look::Fresh => Line::from(format!("{age} {moment}")),
        Look::Old | Look::LongAgo => {
            let style = paint(Style::new().bold(), Color::Yellow, view);
            Line::styled(format!("{age}, {moment}"), style)
        }
    }
}

fn freshness<'l>(view: &View<'_>) -> Line<'l> {
    let words = words::freshness(view.snapshot, view.now).unwrap_or_default();
    match view.snapshot.freshness(view.now) {
        Some(Freshness::Fresh) | None => Line::from(words),
        Some(_) => Line::styled(words, paint(Style::new().bold(), Color::Yellow, view)),
    }
}

fn facts<'l>(view: &View<'_>, reading: &Reading) -> Vec<Line<'l>> {
    let known = |it: Option<String>| it.unwrap_or_else(|| "unknown".to_owned());
    let resting = reading.resting_at(view.now);
    let resting = known(resting.map(|bpm| format!("{} bpm", bpm.get())));
    let battery = known(
        reading
            .battery_percent
            .map(|percent| format!("{percent} %")),
    );
    let sync = known(reading.last_sync.map(|at| phrases::ago(at, view.now)));
    vec![
        Line::from(format!("Resting {resting} · battery {battery}")),
        Line::from(format!("Last sync {sync}")),
        Line::from(next(view)),
    ]
}

/// Describes the time of the next update, or the current activity.
fn next(view: &View<'_>) -> String {
    if view.mode == Mode::Leaving {
        return "Saving the renewed sign-in before quitting".to_owned();
    }
    if let Some(activity) = words::activity(view.snapshot) {
        return activity;
    }
    match view.snapshot.next_update {
        Some(at) => format!("Next update {}", phrases::ahead(at, view.now)),
        None if view.snapshot.failed_update.is_some() => "No automatic update".to_owned(),
        None => "Next update soon".to_owned(),
    }
}

fn latest(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, reading: &Reading) {
    let plot = Plot::from_window(&reading.window, &reading.time_zone.offsets);
    let (Some(plot), Some(extent)) = (plot, reading.window.extent()) else {
        frame.render_widget(Paragraph::new("No heart rate for 24 hours"), area);
        return;
    };
    let is_fresh = view.snapshot.look(view.now) == Some(Look::Fresh);
    let until = reading
        .latest()
        .filter(|_| !is_fresh)
        .map(|sample| phrases::moment(reading, sample.at, view.now));
    let (minutes, span) = (reading.window.samples().len(), span(extent));
    let title = match until {
        Some(until) => format!("{minutes} minutes until {until}: {span}"),
        None => format!("The latest {minutes} minutes: {span}"),
    };
    let zone = reading.heart_zone().filter(|_| is_fresh && view.has_colour);
    let ink = zone.map(colour_of);
    graph::draw(frame, area, &plot, &title, ink);
}

fn day_of_history(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, past: &Past) {
    let Some(day) = past.day.as_ref().filter(|day| day.logged_minutes() > 0) else {
        frame.render_widget(Paragraph::new("There is no data for this day."), area);
        return;
    };
    let plot = Plot::from_day(day, 0, u16::MAX, view.now);
    let resting = past
        .resting
        .map_or_else(String::new, |bpm: Bpm| format!("  resting {}", bpm.get()));
    let title = match plot.extent() {
        Some(extent) => format!(
            "{}{resting}  minutes {}",
            span(extent),
            plot.logged_minutes()
        ),
        None => String::new(),
    };
    if area.height < 6 || area.width < 20 {
        frame.render_widget(Paragraph::new(title).wrap(Wrap { trim: true }), area);
        return;
    }
    let ink = view.has_colour.then_some(Color::Cyan);
    graph::draw(frame, area, &plot, &title, ink);
}

fn complaint(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let Some(failed_update) = &view.snapshot.failed_update else {
        return;
    };
    let text = match &failed_update.hint {
        Some(hint) => format!("! {}: {hint}", failed_update.message),
        None => format!("! {}", failed_update.message),
    };
    let style = paint(Style::new().bold(), Color::Yellow, view);
    let details = failed_update.details.iter();
    let details = details.map(|details| Line::from(format!("Details: {details}").dim()));
    let lines: Vec<Line<'_>> = [Line::styled(text, style)]
        .into_iter()
        .chain(details)
        .collect();
    let paragraph = Paragraph::new(lines).wrap(Wrap { trim: true });
    frame.render_widget(paragraph, area);
}

fn keys(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let others = view.wearer.map_or("", |_| "  Tab next");
    let text = match (view.message, view.mode) {
        (Some(message), _) => message.to_owned(),
        (None, Mode::Follows) => format!("follows the daemon  q quit{others}  ←→ days  ? keys"),
        (None, Mode::Own) => format!("q quit  u update{others}  ←→ days  ? keys"),
        (None, Mode::Leaving) => "Saving the renewed sign-in; one moment.".to_owned(),
    };
    frame.render_widget(Line::from(text.dim()), area);
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
    let block = ratatui::widgets::Block::bordered().title("Keys");
    frame.render_widget(Paragraph::new(lines).block(block), place);
}
