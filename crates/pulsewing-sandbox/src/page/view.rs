//! The page as HTML.

use std::fmt::{Display, Write as _};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::change::{CHOSEN, NUMBERS, PRESETS, TEXTS, TICKED};
use crate::{
    clock::SYNC_STEP,
    faults::{NOTIFY, ROUTES},
    message::escaped,
    state::{Shared, State},
    wearer::{MINUTE, Synced, Wearer, buckets, day_bounds},
};

/// Returns the page. With `every` the browser reloads it after that many seconds.
pub(super) fn page(shared: &Shared, problem: Option<&str>, every: Option<u32>) -> String {
    let state = shared.state();
    let now = shared.clock.now();
    let refresh = every.map_or_else(String::new, |seconds| {
        format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n")
    });
    let again = match every {
        Some(_) => "<a href=\"/\">Stop reloading</a>",
        None => "<a href=\"/\">Reload</a> · <a href=\"/?every=5\">Reload every 5 seconds</a>",
    };
    let alert = problem.map_or_else(String::new, |problem| {
        format!(
            "<section class=\"alert\" role=\"alert\"><h2>Nothing was changed</h2><p>{}</p></section>\n",
            escaped(problem)
        )
    });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <link rel=\"icon\" href=\"data:,\">\n{refresh}<title>Pulsewing sandbox</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#state\">To the state</a>\n\
         <header><h1>Pulsewing sandbox</h1>\n<p>A stand-in for the Fitbit Web API and the Google Health API. \
         Nothing here is a real account. {again}</p></header>\n<main id=\"state\">\n{alert}\
         <div class=\"pair\">\n{}{}</div>\n<div class=\"pair\">\n{}{}</div>\n{}{}</main>\n\
         <footer>Tokens are shown as fingerprints: the first 12 hex digits of their SHA-256. The same state as \
         JSON: <a href=\"/_sandbox/requests\">requests</a>, <a href=\"/_sandbox/tokens\">tokens</a>, \
         <a href=\"/_sandbox/clock\">clock</a>, <a href=\"/_sandbox/config\">config</a>, \
         <a href=\"/_sandbox/faults\">faults</a>.</footer>\n</body>\n</html>\n",
        clock(shared, now),
        wearer(
            &shared.wearer(Wearer::FIRST, &state.settings, now),
            &state,
            now
        ),
        switches(&state),
        faults(&state),
        tokens(&state, now),
        requests(&state),
    )
}

fn clock(shared: &Shared, now: Timestamp) -> String {
    let advance = |label: &str, seconds: i64| {
        format!("<button name=\"advance_s\" value=\"{seconds}\">{label}</button>\n")
    };
    let steps = [
        ("+1 minute", 60),
        ("+15 minutes", 900),
        ("+1 hour", 3600),
        ("+8 hours", 28_800),
        ("+1 day", 86_400),
        ("+7 days", 604_800),
    ];
    let steps: String = steps
        .iter()
        .map(|(label, seconds)| advance(label, *seconds))
        .collect();
    let shown = whole_second(now);
    format!(
        "<section><h2>Clock</h2>\n<p class=\"now\">{shown}</p>\n{}\
         <form method=\"post\" action=\"/\"><input type=\"hidden\" name=\"form\" value=\"clock\">\
         <p>{steps}</p></form>\n\
         <form method=\"post\" action=\"/\"><input type=\"hidden\" name=\"form\" value=\"clock\">\
         <p><label>Set to <input name=\"now\" value=\"{shown}\" size=\"22\" required></label>\
         <button>Set</button></p></form></section>\n",
        facts(&[("Speed", format!("{} times real time", shared.clock.speed()))]),
    )
}

fn wearer(wearer: &Synced<'_>, state: &State, now: Timestamp) -> String {
    let zone = wearer.time_zone();
    let synced = wearer.last_sync();
    let local = |at: Timestamp| {
        at.to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M")
            .to_string()
    };
    let day_ago = synced
        .checked_sub(SignedDuration::from_hours(24))
        .unwrap_or(Timestamp::MIN);
    let minutes = buckets(
        &wearer.samples(day_ago, synced),
        Timestamp::UNIX_EPOCH,
        MINUTE,
    );
    let latest = minutes.last().map_or_else(
        || "none in the last 24 hours".to_owned(),
        |minute| {
            let at = Timestamp::from_second(minute.index * 60).unwrap_or(synced);
            format!("{} bpm at {}", minute.rounded(), local(at))
        },
    );
    let next = synced.checked_add(SYNC_STEP).unwrap_or(synced);
    let name = zone.iana_name().unwrap_or("UTC");
    let mut told = vec![
        ("Local time", format!("{} ({name})", local(now))),
        ("Last sync", local(synced)),
        ("Next sync", local(next)),
        (
            "Today so far",
            format!("{} minutes with a value", minutes_today(wearer, zone)),
        ),
        ("Battery", format!("{} %", wearer.battery_percent())),
    ];
    let mut title = "Wearer".to_owned();
    if has_several(state) {
        let (signed_in, all) = (state.tokens.wearers(), state.wearers);
        title = format!("Wearer 1 of {all}");
        told.push(("Signed in", format!("{signed_in} of {all} wearers")));
    }
    let facts = facts(&told);
    format!("<section><h2>{title}</h2>\n<p class=\"now\">{latest}</p>\n{facts}</section>\n")
}

fn has_several(state: &State) -> bool {
    state.wearers.get() > 1
}

fn minutes_today(wearer: &Synced<'_>, zone: &TimeZone) -> usize {
    let today = wearer.last_sync().to_zoned(zone.clone()).date();
    let Some((from, to)) = day_bounds(today, zone) else {
        return 0;
    };
    buckets(&wearer.samples(from, to), from, MINUTE).len()
}

fn switches(state: &State) -> String {
    let settings = json!(state.settings);
    let mut fields = String::new();
    for (name, label) in TICKED {
        let checked = if settings.get(name) == Some(&Value::Bool(true)) {
            " checked"
        } else {
            ""
        };
        let _ = writeln!(
            fields,
            "<p><label><input type=\"checkbox\" name=\"{name}\"{checked}> {label}</label></p>"
        );
    }
    for (name, words) in CHOSEN {
        let option = |word: &&str| {
            let selected = if settings.get(name).is_some_and(|known| *known == **word) {
                " selected"
            } else {
                ""
            };
            format!("<option{selected}>{word}</option>")
        };
        let options: String = words.iter().map(option).collect();
        let label = name.replace('_', " ");
        let _ = writeln!(
            fields,
            "<p><label>{label} <select name=\"{name}\">{options}</select></label></p>"
        );
    }
    for number in NUMBERS {
        let value = settings.get(number.name).and_then(Value::as_u64);
        let _ = writeln!(
            fields,
            "<p><label>{} <input type=\"number\" name=\"{}\" min=\"{}\" max=\"{}\" value=\"{}\" \
             placeholder=\"{}\"></label></p>",
            number.label,
            number.name,
            number.range.start(),
            number.range.end(),
            value.map_or_else(String::new, |value| value.to_string()),
            number.otherwise,
        );
    }
    for (name, label, otherwise) in TEXTS {
        let value = settings.get(name).and_then(Value::as_str);
        let _ = writeln!(
            fields,
            "<p><label>{label} <input name=\"{name}\" value=\"{}\" placeholder=\"{otherwise}\"></label></p>",
            escaped(value.unwrap_or_default()),
        );
    }
    let scopes = match settings.get("scopes").and_then(Value::as_array) {
        None => "all that are requested".to_owned(),
        Some(scopes) => {
            let names: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
            escaped(&names.join(" "))
        }
    };
    format!(
        "<section><h2>Switches</h2>\n<form method=\"post\" action=\"/\">\
         <input type=\"hidden\" name=\"form\" value=\"switches\">\n{fields}\
         <p><button class=\"main\">Apply</button></p></form>\n<p>Scopes granted: {scopes}</p></section>\n"
    )
}

fn faults(state: &State) -> String {
    let list = state.faults.describe();
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |fault: &Value| {
        let count = match fault["count"].as_u64() {
            Some(0) | None => "forever".to_owned(),
            Some(count) => count.to_string(),
        };
        let route = escaped(fault["route"].as_str().unwrap_or_default());
        let action = escaped(&fault["do"].to_string());
        format!(
            "<tr><td><code>{route}</code></td><td>{}</td><td>{count}</td><td><code>{action}</code></td></tr>\n",
            fault["skip"]
        )
    };
    let rows: Vec<String> = list.iter().map(row).collect();
    let table = table(
        &["route", "skips", "acts", "does"],
        &rows,
        "No faults are set.",
    );
    let option = |name: &&str| format!("<option>{name}</option>");
    let routes = ROUTES.iter().filter(|name| **name != NOTIFY);
    let routes: String = routes.map(option).collect();
    let presets: String = PRESETS.iter().map(|(name, _)| option(name)).collect();
    format!(
        "<section><h2>Faults</h2>\n{table}\
         <form method=\"post\" action=\"/\"><input type=\"hidden\" name=\"form\" value=\"fault\">\
         <p><label>on <select name=\"route\">{routes}</select></label>\
         <label>do <select name=\"preset\">{presets}</select></label></p>\
         <p><label>skip <input type=\"number\" name=\"skip\" min=\"0\" value=\"0\"></label>\
         <label>times (0: forever) <input type=\"number\" name=\"count\" min=\"0\" value=\"1\"></label></p>\
         <p><button class=\"main\">Add</button></p></form>\n\
         <form method=\"post\" action=\"/\"><input type=\"hidden\" name=\"form\" value=\"no-faults\">\
         <p><button>Clear all</button></p></form></section>\n"
    )
}

fn tokens(state: &State, now: Timestamp) -> String {
    let several = has_several(state);
    let mut grants = state.tokens.describe(&state.settings, now);
    let shown: Vec<Value> = grants.by_ref().take(SHOWN_GRANTS).collect();
    let mut rows = Vec::new();
    for grant in &shown {
        let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
        let mut whose = format!("<td>{}</td>", text(&grant["provider"]));
        if several {
            let _ = write!(whose, "<td>{}</td>", text(&grant["user_id"]));
        }
        let listed = |name: &str| {
            grant[name]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default()
        };
        let mut row = |kind: &str, token: &Value, standing: String| {
            rows.push(format!(
                "<tr>{whose}<td>{kind}</td><td><code>{}</code></td><td>{standing}</td></tr>\n",
                text(&token["fp"])
            ));
        };
        for token in listed("refresh").iter().rev().take(SHOWN_TOKENS) {
            row("refresh", token, text(&token["state"]));
        }
        for token in listed("access").iter().rev().take(SHOWN_TOKENS) {
            let expires = token["expires_at"].as_str().and_then(|at| at.parse().ok());
            let standing = match expires {
                Some(at) if now < at => format!("until {}", whole_second(at)),
                Some(at) => format!("expired {}", whole_second(at)),
                None => String::new(),
            };
            row("access", token, standing);
        }
    }
    let mut head = vec!["provider", "kind", "fingerprint", "state"];
    if several {
        head.insert(1, "user");
    }
    let table = table(&head, &rows, "Nobody has signed in yet.");
    let more = match grants.next() {
        Some(_) => format!("<p>Only the first {SHOWN_GRANTS} grants are shown.</p>\n"),
        None => String::new(),
    };
    format!("<section><h2>Tokens</h2>\n{table}{more}</section>\n")
}

fn requests(state: &State) -> String {
    let several = has_several(state);
    let row = |entry: &crate::request_log::Entry| {
        let status = match entry.status {
            Some(status) => {
                let class = if status < 400 { "good" } else { "bad" };
                format!("<span class=\"{class}\">{status}</span>")
            }
            None => "<span class=\"bad\">no reply</span>".to_owned(),
        };
        let fp = |fp: &Option<String>| fp.as_deref().map_or_else(String::new, code);
        let user = if several {
            format!("<td>{}</td>", entry.user_id.as_deref().unwrap_or_default())
        } else {
            String::new()
        };
        format!(
            "<tr><td>{}</td><td>{} <code>{}</code></td><td>{}</td>{user}<td>{status}</td><td>{}</td><td>{}</td></tr>\n",
            whole_second(entry.at),
            escaped(&entry.method),
            escaped(&entry.path),
            entry.route,
            fp(&entry.access_fp),
            fp(&entry.refresh_fp),
        )
    };
    let rows: Vec<String> = state.log.latest(SHOWN_REQUESTS).map(row).collect();
    let mut head = vec!["at", "request", "route", "status", "access", "refresh"];
    if several {
        head.insert(3, "user");
    }
    let table = table(&head, &rows, "No request yet.");
    let count = state.log.count();
    format!("<section><h2>Requests ({count} so far, newest first)</h2>\n{table}</section>\n")
}

fn table(head: &[&str], rows: &[String], without_rows: &str) -> String {
    if rows.is_empty() {
        return format!("<p class=\"empty\">{without_rows}</p>\n");
    }
    let head: String = head
        .iter()
        .map(|name| format!("<th scope=\"col\">{name}</th>"))
        .collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
        rows.concat()
    )
}

fn facts(facts: &[(&str, String)]) -> String {
    let row =
        |(name, value): &(&str, String)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(value));
    let rows: String = facts.iter().map(row).collect();
    format!("<dl>{rows}</dl>\n")
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn whole_second(at: Timestamp) -> impl Display {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

const STYLE: &str = include_str!("style.css");

/// How many refresh and access tokens of a grant are shown, newest first.
const SHOWN_TOKENS: usize = 6;

/// How many grants are shown, those of the first wearers.
const SHOWN_GRANTS: usize = 20;

/// How many requests are shown.
const SHOWN_REQUESTS: usize = 40;
