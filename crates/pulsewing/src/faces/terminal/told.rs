//! What is told in words: the rate and its age, how well it represents the present, facts, the date.

use jiff::civil::Date;
use pulsewing_core::{
    day::Sample,
    heart_zone::HeartZone,
    reading::{Freshness, Reading},
    trend::Trend,
};
use ratatui::{
    style::{Style, Stylize},
    text::{Line, Span},
};

use super::{Mode, View, colours, graph::fitting};
use crate::{daemon::Look, engine::Activity, faces::words, tell::phrases};

/// The newest rate.
#[derive(Clone, Copy)]
pub(super) struct Rate<'v> {
    view: &'v View<'v>,
    reading: &'v Reading,
    sample: Sample,
    look: Look,
}

impl<'v> Rate<'v> {
    /// Returns the newest rate of a reading; `None` without one.
    pub(super) fn new(view: &'v View<'v>, reading: &'v Reading) -> Option<Self> {
        let newest = view.snapshot.newest(view.now);
        let (sample, look) = newest.zip(view.snapshot.look(view.now))?;
        Some(Self {
            view,
            reading,
            sample,
            look,
        })
    }

    /// Returns the number and its style. After a day without one there is none: it would look like news.
    pub(super) fn number(self) -> Option<(String, Style)> {
        let style = match self.look {
            Look::Fresh => Style::new().bold(),
            Look::Old => Style::new().dim(),
            Look::LongAgo => return None,
        };
        Some((self.sample.bpm.get().to_string(), style))
    }

    /// Returns the words beside the number, line by line, the most important first: an old rate follows its
    /// age, without colour.
    pub(super) fn beside_number(self) -> Vec<Line<'v>> {
        match self.look {
            Look::Fresh => {
                let trend = self.trend().map(|trend| Line::from(trend.name()));
                let lines = [
                    Some(self.coloured_zone().into()),
                    trend,
                    Some(self.age().into()),
                ];
                lines.into_iter().flatten().collect()
            }
            Look::Old => vec![
                self.age().into(),
                Line::from(format!("was {}", self.zone().name())),
            ],
            Look::LongAgo => vec![self.age().into(), self.was().into()],
        }
    }

    /// Returns the same in one line.
    pub(super) fn below_number(self, width: u16) -> Line<'v> {
        match self.look {
            Look::Fresh => {
                let mut line = self.zone_and_trend(width.saturating_sub(AGE));
                line.push_span(BETWEEN);
                line.push_span(self.age());
                line
            }
            Look::Old => Line::from(vec![
                self.age(),
                BETWEEN.into(),
                format!("was {}", self.zone().name()).into(),
            ]),
            Look::LongAgo => Line::from(self.was()),
        }
    }

    /// Returns rate, zone, trend and age, in two lines.
    pub(super) fn without_figures(self, width: u16) -> [Line<'v>; 2] {
        if self.look != Look::Fresh {
            return [self.age().into(), self.was().into()];
        }
        let rate = format!("{} bpm  ", self.sample.bpm.get());
        let room = width.saturating_sub(u16::try_from(rate.len()).unwrap_or(width));
        let mut line = self.zone_and_trend(room);
        line.spans.insert(0, rate.bold());
        [line, self.age().into()]
    }

    /// Returns the age. The present time is the only one on a clock; an age of days has the day as well.
    pub(super) fn age(self) -> Span<'v> {
        let age = match self.view.snapshot.live(self.view.now) {
            Some(live) => format!("{} s ago", live.age(self.view.now).as_secs()),
            None => phrases::ago(self.sample.at, self.view.now),
        };
        match self.look {
            Look::Fresh => age.into(),
            Look::Old => Span::styled(age, colours::notable()),
            Look::LongAgo => {
                let moment = phrases::moment(self.reading, self.sample.at, self.view.now);
                Span::styled(format!("{age}, {moment}"), colours::notable())
            }
        }
    }

    fn zone(self) -> HeartZone {
        self.reading.heart_zones.zone(self.sample.bpm)
    }

    fn coloured_zone(self) -> Span<'v> {
        let zone = self.zone();
        Span::styled(zone.name(), colours::name_of(zone, self.view))
    }

    /// Returns the zone, with the trend if there is room.
    fn zone_and_trend(self, width: u16) -> Line<'v> {
        let mut line = Line::from(vec![self.coloured_zone()]);
        if let Some(trend) = self.trend() {
            let trend = Span::raw(format!(", {}", trend.name()));
            if line.width() + trend.width() <= usize::from(width) {
                line.push_span(trend);
            }
        }
        line
    }

    /// Returns the trend; an old rate has none.
    fn trend(self) -> Option<Trend> {
        Trend::of(&self.reading.window).filter(|_| self.look == Look::Fresh)
    }

    fn was(self) -> String {
        format!("was {} bpm, {}", self.sample.bpm.get(), self.zone().name())
    }
}

/// The room for an age below the number, with what stands before it.
const AGE: u16 = 16;

/// What stands between two facts in a line.
const BETWEEN: &str = " · ";

/// Returns the words for a reading without a rate.
pub(super) fn no_rate<'l>() -> Vec<Line<'l>> {
    vec![
        Line::from("No heart rate".bold()),
        Line::from("for 24 hours"),
    ]
}

/// Describes how well the reading represents the present. While something is wrong, nothing is called up to
/// date, whatever the reading's age.
pub(super) fn freshness<'l>(view: &View<'_>) -> Option<Span<'l>> {
    let is_troubled = view.snapshot.failed_update.is_some()
        || view.snapshot.activity == Activity::TokensNotStored;
    let words = words::freshness(view.snapshot, view.now)?;
    match view.snapshot.freshness(view.now)? {
        Freshness::Fresh => (!is_troubled).then(|| words.into()),
        _ => Some(words.bold()),
    }
}

/// The facts that are told beside the rate.
pub(super) struct Facts {
    pub(super) resting: String,
    pub(super) battery: String,
    pub(super) sync: String,
    /// The time of the next update, or the current activity.
    pub(super) next: String,
}

impl Facts {
    /// Collects the facts.
    pub(super) fn new(view: &View<'_>, reading: &Reading) -> Self {
        let known = |it: Option<String>| it.unwrap_or_else(|| "unknown".to_owned());
        let resting = reading.resting_at(view.now);
        let battery = reading.battery_percent;
        let sync = reading.last_sync;
        Self {
            resting: format!(
                "Resting {}",
                known(resting.map(|bpm| format!("{} bpm", bpm.get())))
            ),
            battery: format!(
                "Battery {}",
                known(battery.map(|percent| format!("{percent} %")))
            ),
            sync: format!(
                "Last sync {}",
                known(sync.map(|at| phrases::ago(at, view.now)))
            ),
            next: next(view),
        }
    }
}

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

/// Returns as many parts as fit into one line, the first in any case.
pub(super) fn joined<'l>(parts: impl IntoIterator<Item = Span<'l>>, width: u16) -> Line<'l> {
    let mut line = Line::default();
    for part in parts {
        if line.spans.is_empty() {
            line.push_span(part);
        } else if line.width() + BETWEEN.chars().count() + part.width() <= usize::from(width) {
            line.push_span(BETWEEN);
            line.push_span(part);
        }
    }
    line
}

/// Returns the wearer's name, if there are others, and today's date, as exactly as there is room for.
pub(super) fn wearer_and_date<'l>(view: &View<'_>, reading: &Reading, width: u16) -> Line<'l> {
    let today = reading.time_zone.offsets.local(view.now).date();
    let name = view.wearer.map(|name| name.to_owned().bold());
    let taken = name
        .as_ref()
        .map_or(0, |name| name.width() + BETWEEN.chars().count());
    let room = width.saturating_sub(u16::try_from(taken).unwrap_or(width));
    let (long, short) = (phrases::date(today), short(today));
    let wordings = if reading.time_zone.is_guessed() {
        let (long, short) = [long, short]
            .map(|date| format!("{date}, zone guessed"))
            .into();
        vec![long, short]
    } else {
        vec![long, short]
    };
    let date = Span::raw(fitting(&wordings, room).to_owned());
    joined(name.into_iter().chain([date]), width)
}

/// Formats a date in short: `Sun 22 Nov`.
fn short(date: Date) -> String {
    date.strftime("%a %-d %b").to_string()
}
