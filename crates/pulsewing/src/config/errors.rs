//! Error messages for a configuration.
//!
//! A parser's own message shows the offending line, which may hold a secret. So we give only the
//! line number.

use crate::tell::problem::Problem;

/// Turns a parser's error into a message.
pub(super) fn problem(text: &str, error: &toml::de::Error) -> Problem {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or_else(String::new, |before| {
        format!(" in line {}", before.matches('\n').count() + 1)
    });
    match unknown_key(error.message()) {
        Some((key, known)) => {
            let table = before.and_then(table_at).unwrap_or_default();
            let problem = Problem::failed(format!(
                "the configuration has an unknown key{line}: \"{table}{key}\""
            ));
            match nearest(key, known) {
                Some(name) => problem.hint(format!("the nearest key is \"{table}{name}\"")),
                None => problem,
            }
        }
        None => Problem::failed(format!(
            "the configuration cannot be used{line}: {}",
            error.message()
        )),
    }
}

/// Returns the key that serde does not know, and those that it knows, from "unknown field `x`,
/// expected one of `a`, `b`".
fn unknown_key(message: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    let mut quoted = message
        .strip_prefix("unknown field ")?
        .split('`')
        .skip(1)
        .step_by(2);
    Some((quoted.next()?, quoted))
}

/// Returns the table that contains a position in the text, with its dot; `None` at the top level.
fn table_at(before: &str) -> Option<String> {
    let header = before
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with('['))?;
    let name = header.trim().trim_start_matches('[').split(']').next()?;
    // If the table itself is unknown, the position is in its header.
    (!before.ends_with('[')).then(|| format!("{}.", name.trim()))
}

fn nearest<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known.min_by_key(|name| (strsim::damerau_levenshtein(key, name), *name))
}
