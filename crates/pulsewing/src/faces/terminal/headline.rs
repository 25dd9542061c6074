//! The head of the present view: first the time, then the date, the rate and its facts.

use pulsewing_core::reading::Reading;
use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Rect},
    style::{Style, Stylize},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{
    View,
    digits::Figures,
    told::{Facts, Rate, freshness, joined, no_rate, wearer_and_date},
};
use crate::tell::phrases;

/// The smallest areas for time and rate in large and in small figures, with some lines for a graph.
const FOR_LARGE: (u16, u16) = (76, 11);
const FOR_SMALL: (u16, u16) = (38, 8);

/// The height from which the facts are below small figures.
const FOR_SMALL_FACTS: u16 = 18;

/// The height from which an empty line separates head and graphs.
const FOR_GAP: u16 = 30;

/// The width from which the facts have a column of their own, and the width of that.
const FOR_FACTS: u16 = 110;
const FACTS: u16 = 36;

/// The width of a rate of three large digits with its unit, and of the words beside it.
const RATE: u16 = 26;
const WORDS: u16 = 21;

/// The size of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Large figures, with words beside them.
    Large,
    /// Small figures, with words below them.
    Small,
    /// Words alone.
    Plain,
}

impl Head {
    /// Returns the size that suits an area, which has the graphs as well.
    pub(super) const fn fitting(area: Rect) -> Self {
        if area.width >= FOR_LARGE.0 && area.height >= FOR_LARGE.1 {
            Self::Large
        } else if area.width >= FOR_SMALL.0 && area.height >= FOR_SMALL.1 {
            Self::Small
        } else {
            Self::Plain
        }
    }

    /// Returns the number of lines.
    pub(super) fn height(self, area: Rect) -> u16 {
        let lines = match self {
            Self::Large if area.height >= FOR_GAP => 8,
            Self::Small if area.height < FOR_SMALL_FACTS => 5,
            Self::Large | Self::Small => 7,
            Self::Plain => 4,
        };
        lines.min(area.height)
    }

    /// Draws the head.
    pub(super) fn draw(
        self,
        frame: &mut Frame<'_>,
        area: Rect,
        view: &View<'_>,
        reading: &Reading,
    ) {
        match self {
            Self::Large => large(frame, area, view, reading),
            Self::Small => small(frame, area, view, reading),
            Self::Plain => plain(frame, area, view, reading),
        }
    }
}

/// Draws time, rate, words and perhaps facts beside each other, and below them a line about each.
fn large(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, reading: &Reading) {
    let clock = phrases::clock(reading, view.now);
    let [top, date, state] = Layout::vertical([
        Constraint::Length(Figures::LARGE.height()),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    let facts_width = if area.width >= FOR_FACTS { FACTS } else { 0 };
    let [left, middle, right] = Layout::horizontal([
        Constraint::Length(Figures::LARGE.width(&clock) + 1),
        Constraint::Length(RATE + WORDS),
        Constraint::Length(facts_width),
    ])
    .flex(Flex::SpaceBetween)
    .areas(top);
    figures(
        frame,
        left,
        &Figures::LARGE,
        &clock,
        Style::new().bold(),
        "",
    );
    let rate = Rate::new(view, reading);
    let number = rate.and_then(Rate::number);
    let number_width = if number.is_some() { RATE } else { 0 };
    let [number_area, words_area] =
        Layout::horizontal([Constraint::Length(number_width), Constraint::Min(0)]).areas(middle);
    if let Some((number, style)) = number {
        figures(frame, number_area, &Figures::LARGE, &number, style, "bpm");
    }
    let mut words = rate.map_or_else(no_rate, Rate::beside_number);
    // Beside the middle of the figures.
    words.insert(0, Line::default());
    frame.render_widget(Paragraph::new(words), words_area);

    let Facts {
        resting,
        battery,
        sync,
        next,
    } = Facts::new(view, reading);
    let mut about_state: Vec<Span<'_>> = freshness(view).into_iter().collect();
    if facts_width > 0 {
        let lines = [resting, battery, sync, next].map(Line::from).to_vec();
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }), right);
        frame.render_widget(wearer_and_date(view, reading, date.width), date);
    } else {
        about_state.extend([sync.into(), next.into()]);
        let [date, below_rate] = Layout::horizontal([
            Constraint::Length(middle.x.saturating_sub(area.x)),
            Constraint::Min(0),
        ])
        .areas(date);
        frame.render_widget(
            wearer_and_date(view, reading, date.width.saturating_sub(1)),
            date,
        );
        let facts = joined([resting.into(), battery.into()], below_rate.width);
        frame.render_widget(facts, below_rate);
    }
    frame.render_widget(joined(about_state, state.width), state);
}

/// Draws time and rate beside each other, and words in the lines below.
fn small(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, reading: &Reading) {
    let clock = phrases::clock(reading, view.now);
    let [top, below] = Layout::vertical([
        Constraint::Length(Figures::SMALL.height()),
        Constraint::Min(0),
    ])
    .areas(area);
    let [left, right] = Layout::horizontal([
        Constraint::Length(Figures::SMALL.width(&clock) + 2),
        Constraint::Min(0),
    ])
    .areas(top);
    figures(
        frame,
        left,
        &Figures::SMALL,
        &clock,
        Style::new().bold(),
        "",
    );
    let mut lines = Vec::new();
    let rate = Rate::new(view, reading);
    match rate.and_then(|rate| Some((rate, rate.number()?))) {
        Some((rate, (number, style))) => {
            figures(frame, right, &Figures::SMALL, &number, style, "bpm");
            lines.push(rate.below_number(area.width));
        }
        None => {
            let words = rate.map_or_else(no_rate, Rate::beside_number);
            frame.render_widget(Paragraph::new(words).wrap(Wrap { trim: true }), right);
        }
    }
    lines.extend(date_and_state(view, reading, area.width));
    let facts = Facts::new(view, reading);
    lines.push(joined(
        [facts.resting.into(), facts.battery.into()],
        area.width,
    ));
    lines.push(joined([facts.sync.into(), facts.next.into()], area.width));
    frame.render_widget(Paragraph::new(lines), below);
}

/// Draws words alone. The rate and its age are the last to go.
fn plain(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, reading: &Reading) {
    let clock = phrases::clock(reading, view.now);
    let taken = u16::try_from(clock.len() + 2).unwrap_or(area.width);
    let mut first = wearer_and_date(view, reading, area.width.saturating_sub(taken));
    first.spans.insert(0, format!("{clock}  ").bold());
    let mut lines: Vec<Line<'_>> = Vec::new();
    if area.height > 2 {
        lines.push(first);
    }
    match Rate::new(view, reading) {
        Some(rate) => lines.extend(rate.without_figures(area.width)),
        None => lines.extend(no_rate()),
    }
    lines.extend(freshness(view).map(Line::from));
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns the date, and how well the rate represents the present: in one line, or else the second first,
/// because the date may find no room.
fn date_and_state<'l>(view: &View<'_>, reading: &Reading, width: u16) -> Vec<Line<'l>> {
    let Some(state) = freshness(view) else {
        return vec![wearer_and_date(view, reading, width)];
    };
    let room = usize::from(width).saturating_sub(state.width() + 3);
    let mut line = wearer_and_date(view, reading, u16::try_from(room).unwrap_or(width));
    if line.width() > room {
        let name = view.wearer.map(|name| name.to_owned().bold());
        let state = joined(name.into_iter().chain([state]), width);
        return vec![state, wearer_and_date(view, reading, width)];
    }
    line.push_span(" · ");
    line.push_span(state);
    vec![line]
}

/// Draws a number or a time in figures, and its unit at the foot of the last.
fn figures(
    frame: &mut Frame<'_>,
    area: Rect,
    figures: &Figures,
    text: &str,
    style: Style,
    unit: &'static str,
) {
    let mut lines: Vec<Line<'_>> = figures
        .lines(text)
        .into_iter()
        .map(|line| Line::from(Span::styled(line, style)))
        .collect();
    if let Some(last) = lines.last_mut() {
        last.push_span(unit);
    }
    frame.render_widget(Paragraph::new(lines), area);
}
