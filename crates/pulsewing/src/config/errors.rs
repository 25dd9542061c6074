//! What is wrong with a configuration, in words.
//!
//! A parser's own message shows the offending line or value, which may be a secret. So a line is named by its
//! number alone, and of a value of the wrong type only what was expected.

use std::borrow::Cow;

use toml::Table;

use crate::tell::problem::Problem;

/// The tables of the configuration; everything else at its top is a value.
const TABLES: [&str; 13] = [
    "google",
    "fitbit",
    "endpoints",
    "poll",
    "wearer",
    "web",
    "screen",
    "history",
    "alarms",
    "mqtt",
    "store",
    "influx",
    "webhook",
];

/// Refuses a value, or a list of tables, in the place of a table.
pub(super) fn check_tables(config: &Table) -> Result<(), Problem> {
    for name in TABLES {
        let is_right = |value: &toml::Value| match name {
            // Anything else than one table or several is told with its line, by the parser.
            "wearer" => true,
            _ => value.is_table(),
        };
        if config.get(name).is_some_and(|value| !is_right(value)) {
            return Err(Problem::failed(format!(
                "in the configuration {name} is a value, but it must be a table: [{name}]"
            )));
        }
    }
    Ok(())
}

/// Turns a parser's error into words.
pub(super) fn problem(text: &str, error: &toml::de::Error) -> Problem {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or_else(String::new, |before| {
        format!(" in line {}", before.matches('\n').count() + 1)
    });
    let Some((key, known)) = unknown_key(error.message()) else {
        return Problem::failed(format!(
            "the configuration cannot be used{line}: {}",
            without_value(error.message())
        ));
    };
    let table = match known.contains(&TABLES[0]) {
        true => String::new(),
        false => table_of(text, key).unwrap_or_default(),
    };
    let problem = Problem::failed(format!(
        "the configuration has an unknown key{line}: \"{table}{key}\""
    ));
    let nearest = known
        .into_iter()
        .min_by_key(|name| (strsim::damerau_levenshtein(key, name), *name));
    match nearest {
        Some(name) => problem.hint(format!("the nearest key is \"{table}{name}\"")),
        None => problem,
    }
}

/// The key that serde does not know, and those that it knows: "unknown field `x`, expected one of `a`, `b`".
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = message
        .strip_prefix("unknown field ")?
        .split('`')
        .skip(1)
        .step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

/// The table that has this key, with its dot.
fn table_of(text: &str, key: &str) -> Option<String> {
    let config: Table = text.parse().ok()?;
    let has_key = |value: &toml::Value| match value {
        toml::Value::Table(table) => table.contains_key(key),
        toml::Value::Array(tables) => tables
            .iter()
            .filter_map(toml::Value::as_table)
            .any(|table| table.contains_key(key)),
        _ => false,
    };
    let name = TABLES
        .into_iter()
        .find(|name| config.get(*name).is_some_and(has_key))?;
    Some(format!("{name}."))
}

/// Leaves the value out of "invalid type: string \"x\", expected a boolean".
fn without_value(message: &str) -> Cow<'_, str> {
    let is_about_value = message.starts_with("invalid ");
    match message.split_once(", expected ") {
        Some((_, expected)) if is_about_value => format!("it must be {expected}").into(),
        None if is_about_value => "a value has the wrong type".into(),
        _ => message.into(),
    }
}
