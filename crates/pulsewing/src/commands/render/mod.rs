//! `pulsewing render`: draws saved API replies, offline.

mod source_name;

use std::{collections::HashSet, io::Read, path::Path};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Provider,
    civil::{LocalDay, Offsets},
    cycle::{Now, ReadingBuilder},
    day::Day,
    dialect::{DecodeError, ZoneDecoder, ZoneFacts, fitbit, google},
    instant::latest_credible,
    reading::{Reading, TimeZone},
};
use pulsewing_files::regular_file;

use crate::{
    app::App,
    cli::Render,
    commands::{byte_order_mark, outputs, style},
    engine::zone,
    faces::outputs::View,
    tell::problem::Problem,
};

/// The number of bytes of a body to read at once.
const CHUNK: usize = 64 * 1_024;

pub(super) fn run(app: &App, options: &Render) -> Result<(), Problem> {
    let now = app.now();
    let look = &options.look;
    let mut outputs = outputs(look, options.png.as_deref(), &options.panels.specs)?;
    let mut style = style(&app.config.screen, &app.wearer, app.console, look);
    let time_zone = time_zone(app, options, now)?;
    let reading = match options.provider {
        Provider::Google => google_reading(app, options, time_zone, now)?,
        Provider::Fitbit => fitbit_reading(app, options, time_zone, now)?,
    };
    let every = SignedDuration::try_from(app.every()).unwrap_or(SignedDuration::MAX);
    let freshness = reading.freshness(now, every, false);
    let at = Now {
        utc: now,
        ..app.clock.now()
    };
    let view = View::new(&reading, freshness, at);
    outputs.show(at.up, |size| style.picture(&view, size))
}

/// Returns the zone of the settings body; without one, the offset of the given time; without that,
/// the configured zone or the machine's.
fn time_zone(app: &App, options: &Render, now: Timestamp) -> Result<TimeZone, Problem> {
    let facts = match &options.settings {
        Some(path) => zone_facts(options.provider, path)?,
        None => match app.start {
            Some(start) => return Ok(zone::fixed(start.offset)),
            None => ZoneFacts::default(),
        },
    };
    Ok(zone::resolve(&facts, app.wearer.time_zone.as_deref(), now))
}

fn zone_facts(provider: Provider, path: &Path) -> Result<ZoneFacts, Problem> {
    let mut decoder = ZoneDecoder::new(provider);
    decode(path, |chunk| decoder.feed(chunk))?;
    decoder.finish().map_err(|error| unreadable(path, error))
}

fn google_reading(
    app: &App,
    options: &Render,
    time_zone: TimeZone,
    now: Timestamp,
) -> Result<Reading, Problem> {
    let path = &options.heart;
    let mut points = Vec::new();
    let mut decoder = google::HeartDecoder::new();
    decode(path, |chunk| {
        decoder.feed(chunk, &mut |point| points.push(point))
    })?;
    let page = decoder.finish().map_err(|error| unreadable(path, error))?;
    if page.next_page.is_some() {
        app.console.warn("this reply continues on another page, which is not in the file: the day may be incomplete");
    }
    if let Some(left_out) = keep_one_source(&mut points, path) {
        app.console.warn(&format!("{} {left_out}", path.display()));
    }
    let at = |point: &google::HeartPoint| match point {
        google::HeartPoint::Minute(sample) => sample.at,
        google::HeartPoint::Raw { at, .. } => *at,
    };
    let latest = latest_credible(now);
    let told = points.len();
    points.retain(|point| at(point) <= latest);
    warn_of_future(app, told.saturating_sub(points.len()));
    // Without a given time, saved replies are about their last day.
    let newest = points.iter().map(at).filter(|_| app.start.is_none()).max();
    let local = time_zone.offsets.day_of(newest.unwrap_or(now));
    let mut means = google::MinuteMeans::new(local);
    let mut earlier = google::MinuteMeans::new(the_day_before(&time_zone.offsets, &local));
    let mut minutes = Vec::new();
    for point in &points {
        match point {
            google::HeartPoint::Minute(sample) => minutes.push(*sample),
            google::HeartPoint::Raw { at, bpm, .. } => {
                means.add(*at, *bpm);
                earlier.add(*at, *bpm);
            }
        }
    }
    // Several windows in one minute are shorter than a minute, and there is no rule for choosing
    // one.
    let mut seen = HashSet::new();
    if !minutes.iter().all(|sample| seen.insert(sample.at)) {
        return Err(unreadable(path, DecodeError::NotMinutes));
    }
    let mut builder = ReadingBuilder::new(time_zone, local, now);
    for sample in earlier.samples().chain(means.samples()).chain(minutes) {
        builder.take_minute(sample);
    }
    if let Some(path) = &options.devices {
        let mut decoder = google::DevicesDecoder::new();
        decode(path, |chunk| decoder.feed(chunk))?;
        let page = decoder.finish().map_err(|error| unreadable(path, error))?;
        builder.take_trackers(page.trackers);
    }
    let last = local.date();
    if let Some(path) = &options.resting {
        let mut decoder = google::RestingDecoder::new(last);
        decode(path, |chunk| decoder.feed(chunk))?;
        let page = decoder.finish().map_err(|error| unreadable(path, error))?;
        builder.take_resting(page.newest.map(|(_, bpm)| bpm));
    }
    if let Some(path) = &options.zones {
        let mut decoder = google::ZonesDecoder::new(last);
        decode(path, |chunk| decoder.feed(chunk))?;
        let page = decoder.finish().map_err(|error| unreadable(path, error))?;
        builder.take_zones(page.newest.map(|(_, zones)| zones));
    }
    Ok(builder.finish(Provider::Google, app.wearer.zones, app.wearer.born))
}

fn fitbit_reading(
    app: &App,
    options: &Render,
    time_zone: TimeZone,
    now: Timestamp,
) -> Result<Reading, Problem> {
    if options.resting.is_some() || options.zones.is_some() {
        return Err(Problem::failed(
            "--resting and --zones are for Google: Fitbit's reply with the heart rate has both",
        ));
    }
    let path = &options.heart;
    let offsets = time_zone.offsets.clone();
    let today = offsets.day_of(now);
    // The reply's own date replaces this one.
    let mut day = Day::new(today);
    let mut decoder = fitbit::HeartDecoder::new(&offsets);
    decode(path, |chunk| decoder.feed(chunk, &mut day))?;
    let facts = decoder
        .finish(&mut day)
        .map_err(|error| unreadable(path, error))?;
    let mut builder = ReadingBuilder::new(time_zone, today, now);
    warn_of_future(app, builder.take_fitbit_day(&mut day, &facts).into());
    if let Some(path) = &options.devices {
        let mut decoder = fitbit::DevicesDecoder::new(&offsets);
        decode(path, |chunk| decoder.feed(chunk))?;
        let trackers = decoder.finish().map_err(|error| unreadable(path, error))?;
        builder.take_trackers(trackers);
    }
    Ok(builder.finish(Provider::Fitbit, app.wearer.zones, app.wearer.born))
}

/// Warns about values that are not drawn because they are later than the picture's present.
fn warn_of_future(app: &App, values: usize) {
    if values > 0 {
        let (noun, verb) = match values {
            1 => ("value", "is"),
            _ => ("values", "are"),
        };
        app.console.warn(&format!("{values} {noun} in this reply {verb} later than now and left out; set --now to the time when it was saved"));
    }
}

/// Keeps the points of one source if there are several: the mean of two is not a real heart rate.
/// Prefers a tracker, then the source with the newest point. Returns a message if it removed any.
fn keep_one_source(points: &mut Vec<google::HeartPoint>, reply: &Path) -> Option<String> {
    let mut sources: Vec<(Option<google::Source>, Timestamp)> = Vec::new();
    for point in points.iter() {
        let google::HeartPoint::Raw { at, source, .. } = point else {
            continue;
        };
        match sources.iter_mut().find(|(known, _)| known == source) {
            Some((_, newest)) => *newest = (*newest).max(*at),
            None => sources.push((*source, *at)),
        }
    }
    let count = sources.len();
    let is_tracker =
        |source: Option<google::Source>| source.is_some_and(google::Source::is_tracker);
    let best = sources
        .into_iter()
        .max_by_key(|(source, newest)| (is_tracker(*source), *newest));
    let (kept, _) = best.filter(|_| count > 1)?;
    points.retain(|point| match point {
        google::HeartPoint::Raw { source, .. } => *source == kept,
        google::HeartPoint::Minute(_) => true,
    });
    let name = kept.and_then(|kept| source_name::find(kept, reply));
    let name = name.map(|name| name.escape_debug().to_string());
    let whose = match (name, is_tracker(kept)) {
        (Some(name), true) => format!("that of the tracker \"{name}\""),
        (None, true) => "a tracker's".to_owned(),
        (Some(name), false) => format!("that of \"{name}\", which has the newest value,"),
        (None, false) => "that of the one with the newest value".to_owned(),
    };
    let left_out = match count - 1 {
        1 => "the other one is".to_owned(),
        others => format!("the {others} others are"),
    };
    Some(format!(
        "has the heart rate of {count} sources side by side: {whose} is drawn, and {left_out} left out; \
         a reply from dataPoints:reconcile or rollUp has them merged"
    ))
}

fn the_day_before(offsets: &Offsets, day: &LocalDay) -> LocalDay {
    offsets.day(day.date().yesterday().unwrap_or_else(|_| day.date()))
}

/// Passes a file to a decoder in pieces, so that its size does not matter. Skips a byte order mark.
fn decode(
    path: &Path,
    mut feed: impl FnMut(&[u8]) -> Result<(), DecodeError>,
) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        Problem::failed(format!("{} could not be read", path.display())).caused_by(&error)
    };
    let mut file = regular_file::open(path).map_err(failed)?;
    let mut start = Vec::new();
    let mark = byte_order_mark::MARK.len() as u64;
    file.by_ref()
        .take(mark)
        .read_to_end(&mut start)
        .map_err(failed)?;
    feed(byte_order_mark::without(&start)).map_err(|error| unreadable(path, error))?;
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = file.read(&mut buffer).map_err(failed)?;
        let Some(chunk) = buffer.get(..length).filter(|chunk| !chunk.is_empty()) else {
            return Ok(());
        };
        feed(chunk).map_err(|error| unreadable(path, error))?;
    }
}

fn unreadable(path: &Path, error: DecodeError) -> Problem {
    Problem::failed(format!("cannot draw {}", path.display()))
        .caused_by(&error)
        .hint(match error {
            DecodeError::NotMinutes => "request minutes and save that reply: \"windowSize\": \"60s\" for Google, 1min in the path for Fitbit",
            _ => "pass a reply saved from the provider's API, complete and unchanged",
        })
}
