//! The findings as text for people, and as JSON for programs.

use std::{
    fmt::Write,
    io::{self, IsTerminal},
};

use super::{Finding, Status, count};
use crate::tell::console::Colour;

/// Returns whether stdout gets colours.
pub(crate) fn in_colours(colour: Colour) -> bool {
    match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}

/// Returns the findings in aligned lines, each with its advice below if there is any.
pub(crate) fn in_words(findings: &[Finding], has_colour: bool) -> String {
    let mut text = String::new();
    // A long path must not push all the others to the right.
    let width = findings
        .iter()
        .filter(|finding| finding.id.chars().count() <= 24)
        .map(|finding| finding.title().chars().count())
        .max();
    let width = width.unwrap_or_default();
    for finding in findings {
        let word = format!("{:<7}", finding.status.word());
        let word = painted(&word, colour(finding.status), has_colour);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{word}  {:<width$}  {}",
            finding.title(),
            finding.found
        );
        if finding.status != Status::Ok {
            let _ = writeln!(text, "{:<7}  {:<width$}  -> {}", "", "", finding.advice);
        }
    }
    let number = |word: &str| {
        let has_it = |finding: &&Finding| finding.status.word() == word;
        findings.iter().filter(has_it).count()
    };
    let _ = writeln!(
        text,
        "\n{}: {} ok, {}, {} failed, {} skipped",
        count(findings.len(), "check"),
        number("ok"),
        count(number("warn"), "warning"),
        number("fail"),
        number("skipped"),
    );
    text
}

/// Returns the findings as one line of JSON: an array of objects with `id`, `status`, `found` and
/// `advice`, and `wearer` if there are several, all of them strings.
pub(crate) fn in_json(findings: &[Finding]) -> serde_json::Result<String> {
    serde_json::to_string(findings).map(|json| format!("{json}\n"))
}

const fn colour(status: Status) -> &'static str {
    match status {
        Status::Ok => "32",
        Status::Warn => "33",
        Status::Fail(_) => "31;1",
        Status::Skipped => "2",
    }
}

fn painted(text: &str, colour: &str, has_colour: bool) -> String {
    if has_colour {
        format!("\x1b[{colour}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> [Finding; 3] {
        [
            Finding::ok("a.short", "all is well"),
            Finding::warn("a.little-longer", "it is late", "go to bed"),
            Finding::skipped("panel./dev/a/very/long/path/indeed", "dark", "wait"),
        ]
    }

    #[test]
    fn the_lines_are_aligned() {
        assert_eq!(
            in_words(&findings(), false),
            "\
ok       a.short          all is well
warn     a.little-longer  it is late
                          -> go to bed
skipped  panel./dev/a/very/long/path/indeed  dark
                          -> wait

3 checks: 1 ok, 1 warning, 0 failed, 1 skipped
"
        );
    }

    #[test]
    fn colours_change_nothing_else() {
        let coloured = in_words(&findings(), true);
        assert!(coloured.contains("\x1b[33mwarn   \x1b[0m"), "{coloured:?}");
        let mut plain = coloured;
        for code in ["\x1b[32m", "\x1b[33m", "\x1b[2m", "\x1b[0m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, in_words(&findings(), false));
    }
}
